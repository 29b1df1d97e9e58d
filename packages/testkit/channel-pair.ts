/** Two ends of a channel over a socket pair. */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import type {
  ChannelLimits,
  IncomingRequest,
  ResponderChannel,
  ResponderEpoch,
  UnverifiedChannel,
  VerifiedChannel,
} from '@sotto/channel';
import { connectChannel } from '@sotto/channel/initiator';
import { acceptChannel } from '@sotto/channel/responder';
import type { Profile } from '@sotto/channel/shaping';
import { sha256 } from '@sotto/crypto/hash';
import { type Primitives, primitives as platform } from '@sotto/crypto/primitives';
import type { Clock } from '@sotto/ports';
import { createRealClock } from './clock.ts';
import { createSeededRandom } from './random.ts';
import { createSocketPair, type Intercept, type SocketPair } from './socket-pair.ts';

export interface ChannelPairOptions {
  readonly onRequest?: (request: IncomingRequest) => void;
  readonly primitives?: Primitives | undefined;
  readonly intercept?: Intercept;
  readonly clock?: Clock;
  readonly limits?: Partial<ChannelLimits>;
  readonly evidence?: Uint8Array<ArrayBuffer>;
  readonly suites?: readonly string[];
  readonly expectedNodeId?: Uint8Array;
  readonly profile?: Profile;
  /** Instead of one epoch for good. */
  readonly currentEpoch?: () => ResponderEpoch;
}

export interface ChannelPair {
  readonly unverified: UnverifiedChannel;
  readonly responder: ResponderChannel;
  readonly sockets: SocketPair;
  readonly epoch: ResponderEpoch;
  readonly expected: { staticKey: Uint8Array; evidenceDigest: Uint8Array; epochId: Uint8Array };
}

export const PAIR_NODE_ID = new Uint8Array(16).fill(0xab);

/** Starts both ends. @returns the responder at once, and the initiator's handshake */
export function startChannelPair(options: ChannelPairOptions = {}) {
  const sockets = createSocketPair(options.intercept);
  const evidence = options.evidence ?? encodeUtf8('evidence');
  const epoch: ResponderEpoch = {
    epochId: new Uint8Array(16).fill(3),
    staticPrivateKey: new Uint8Array(32).fill(4),
    evidence,
    evidenceDigest: sha256(evidence),
  };
  const shared = {
    clock: options.clock ?? createRealClock(),
    ...(options.primitives === undefined ? {} : { primitives: options.primitives }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
  const responder = acceptChannel({
    ...shared,
    socket: sockets.b,
    random: createSeededRandom('responder'),
    nodeId: PAIR_NODE_ID,
    currentEpoch: options.currentEpoch ?? (() => epoch),
    onRequest: options.onRequest ?? (() => undefined),
  });
  const connecting = connectChannel({
    ...shared,
    socket: sockets.a,
    random: createSeededRandom('initiator'),
    nodeId: options.expectedNodeId ?? PAIR_NODE_ID,
    ...(options.suites === undefined ? {} : { suites: options.suites }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
  });
  return { sockets, epoch, responder, connecting };
}

export async function createChannelPair(options: ChannelPairOptions = {}): Promise<ChannelPair> {
  const { sockets, epoch, responder, connecting } = startChannelPair(options);
  const staticKey = await platform.dhPublicKey(epoch.staticPrivateKey);
  const { evidenceDigest, epochId } = epoch;
  return {
    sockets,
    epoch,
    responder,
    unverified: await connecting,
    expected: { staticKey, evidenceDigest, epochId },
  };
}

/** A pair whose initiator has been promoted. */
export async function openChannelPair(
  options: ChannelPairOptions = {},
): Promise<ChannelPair & { readonly channel: VerifiedChannel }> {
  const pair = await createChannelPair(options);
  return { ...pair, channel: pair.unverified.promote(pair.expected) };
}

/** Answers with the request's head after `re: `, and its body. */
export function echoRequest(request: IncomingRequest): void {
  const writer = request.respond(concatBytes(encodeUtf8('re: '), request.head));
  void (async () => {
    for await (const chunk of request.body) await writer.write(chunk);
    await writer.end();
  })().catch(() => undefined);
}

export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return concatBytes(...parts);
}
