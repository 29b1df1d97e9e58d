/** Channels to the door of this benchmark. What a real client verifies is taken on trust: it is measured elsewhere. */
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { createNodeConnectSocket } from '@sotto/adapters-node/socket';
import { encodeUtf8 } from '@sotto/bytes';
import {
  type ChannelStream,
  type ConnectOptions,
  connectChannel,
  type VerifiedChannel,
} from '@sotto/channel/initiator';
import { NODE } from './node-keys.ts';

const [random, clock, connect] = [createNodeRandom(), createNodeClock(), createNodeConnectSocket()];

export async function openChannel(
  url: string,
  options: { profile?: ConnectOptions['profile']; nodeId?: Uint8Array } = {},
): Promise<VerifiedChannel> {
  const { profile = 'compact', nodeId = NODE.nodeId } = options;
  const unverified = await connectChannel({ socket: await connect(url), random, clock, nodeId, profile });
  return unverified.promote(unverified);
}

/** A request with nothing but its head. */
export function ask(channel: VerifiedChannel, head: object): ChannelStream {
  const stream = channel.request(encodeUtf8(JSON.stringify(head)));
  void stream.end();
  return stream;
}
