/** Runs in the page of `browser.ts`: handshakes with the door of this benchmark, one after the other. */
import { browserClock, browserRandom, connectBrowserSocket } from '@sotto/adapters-browser';
import { connectChannel } from '@sotto/channel/initiator';

/**
 * Opens and closes so many channels.
 *
 * @param isFull whether the evidence is fetched too, as a client does that knows nothing of the node yet
 */
export async function handshakes(
  url: string,
  nodeId: readonly number[],
  count: number,
  isFull: boolean,
): Promise<void> {
  const id = Uint8Array.from(nodeId);
  for (let left = count; left > 0; left--) {
    const socket = await connectBrowserSocket(url);
    const unverified = await connectChannel({ socket, random: browserRandom, clock: browserClock, nodeId: id });
    if (isFull) await unverified.fetchEvidence(1_048_576);
    const channel = unverified.promote(unverified);
    channel.close();
    await channel.closed;
  }
}
