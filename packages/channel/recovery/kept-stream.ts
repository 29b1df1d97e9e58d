/**
 * What is kept of an answer, as one run of bytes: its head, then its body (spec/channel.md, recovery of a running answer).
 * A position in it says exactly how much of the answer a client has.
 *
 *   struct KeptStream { vector16 head; byte body[] }
 */
import { ByteWriter, concatBytes } from '@sotto/bytes';
import { RecoveryError } from './error.ts';

const LENGTH_BYTES = 2;

export function encodeKeptHead(head: Uint8Array): Uint8Array<ArrayBuffer> {
  return new ByteWriter(head.length + LENGTH_BYTES).vector16(head).finish();
}

/** Where the body begins, for a client that has the head. */
export function bodyPosition(head: Uint8Array): number {
  return head.length + LENGTH_BYTES;
}

/** Reads the head off a kept stream that is read from its first byte. @throws RecoveryError `recovery-malformed` */
export async function readKeptHead(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly body: AsyncIterable<Uint8Array> }> {
  const iterator = stream[Symbol.asyncIterator]();
  let held = new Uint8Array(0);
  const needed = (): number => {
    const [high, low] = held;
    return high === undefined || low === undefined ? LENGTH_BYTES : LENGTH_BYTES + high * 256 + low;
  };
  while (held.length < needed()) {
    const next = await iterator.next();
    // CH-94: an answer without its head says nothing about what its bytes are.
    if (next.done === true) throw new RecoveryError('recovery-malformed', 'CH-94');
    held = concatBytes(held, next.value);
  }
  const first = held.subarray(needed());
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (first.length > 0) yield first;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: held.slice(LENGTH_BYTES, needed()), body: body() };
}
