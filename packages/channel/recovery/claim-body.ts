/**
 * The body that answers a claim: where it starts, then sealed chunks (spec/channel.md, recovery of a running answer). The
 * client reads it from a verified node and still takes it for hostile.
 *
 *   struct ClaimBody { u32 firstIndex; u64 firstOffset; vector16 sealed[] }
 */
import { ByteReader, ByteWriter, concatBytes } from '@sotto/bytes';
import { openAes256Gcm } from '@sotto/crypto/aead';
import { CryptoError } from '@sotto/crypto/primitives';
import { RecoveryError } from './error.ts';
import { deriveChunkKey, deriveNextChainKey } from './keys.ts';
import { CHUNK_LIMIT_BYTES, KEPT_ANSWER_LIMIT_BYTES, KEPT_CHUNKS_LIMIT } from './limits.ts';
import { chunkPlace, NONCE } from './sealer.ts';

const TAG_BYTES = 16;
const START_BYTES = 12;

export function encodeClaimStart(firstIndex: number, firstOffset: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(START_BYTES).u32(firstIndex).u64(firstOffset).finish();
}

export function encodeSealedChunk(sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  return new ByteWriter(sealed.length + 2).vector16(sealed).finish();
}

/**
 * The bytes of the answer from `haveBytes` on.
 *
 * @param chainKey 32 bytes: the first of the chain; overwritten
 * @throws RecoveryError `recovery-malformed`, `recovery-forged`; what `body` throws
 */
export async function* openClaimBody(
  body: AsyncIterable<Uint8Array>,
  chainKey: Uint8Array,
  haveBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new Input(body);
  let chain = chainKey;
  const step = (): void => {
    const next = deriveNextChainKey(chain);
    chain.fill(0);
    chain = next;
  };
  try {
    const start = new ByteReader(await input.take(START_BYTES));
    const firstIndex = start.u32();
    let offset = Number(start.u64());
    // CH-94: each index costs a step of the chain; a peer must not choose how many we make.
    if (firstIndex > KEPT_CHUNKS_LIMIT) throw new RecoveryError('recovery-malformed', 'CH-94');
    // CH-93: a start beyond what is here would leave a hole in the answer that nobody sees.
    if (offset > haveBytes) throw new RecoveryError('recovery-malformed', 'CH-93');
    for (let index = 0; index < firstIndex; index++) step();
    for (let index = firstIndex; !(await input.isEnd()); index++) {
      const length = new ByteReader(await input.take(2)).u16();
      const isChunk = length > TAG_BYTES && length <= CHUNK_LIMIT_BYTES + TAG_BYTES;
      // CH-94: a chunk of another length was never sealed by a node.
      if (!isChunk) throw new RecoveryError('recovery-malformed', 'CH-94');
      const bytes = await openChunk(deriveChunkKey(chain), await input.take(length), chunkPlace(index, offset));
      step();
      offset += bytes.length;
      // CH-94: more than a node keeps is more than we agreed to read.
      if (offset > KEPT_ANSWER_LIMIT_BYTES) throw new RecoveryError('recovery-malformed', 'CH-94');
      if (offset > haveBytes) yield bytes.subarray(Math.max(0, bytes.length - (offset - haveBytes)));
    }
  } finally {
    chain.fill(0);
    await input.leave();
  }
}

async function openChunk(key: Uint8Array, sealed: Uint8Array, place: Uint8Array): Promise<Uint8Array> {
  try {
    return await openAes256Gcm(key, NONCE, sealed, place);
  } catch (error) {
    // CH-92: a chunk that was changed or moved must not become words of the answer.
    if (error instanceof CryptoError) throw new RecoveryError('recovery-forged', 'CH-92');
    throw error;
  } finally {
    key.fill(0);
  }
}

/** A body as bytes on demand; holds at most one chunk and what arrived with it. */
class Input {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  #isDone = false;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#iterator = body[Symbol.asyncIterator]();
  }

  async isEnd(): Promise<boolean> {
    while (this.#held.length === 0 && !this.#isDone) await this.#more();
    return this.#held.length === 0;
  }

  async take(length: number): Promise<Uint8Array> {
    while (this.#held.length < length && !this.#isDone) await this.#more();
    // CH-94: half a chunk is not a shorter one.
    if (this.#held.length < length) throw new RecoveryError('recovery-malformed', 'CH-94');
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async leave(): Promise<void> {
    if (!this.#isDone) await this.#iterator.return?.();
  }

  async #more(): Promise<void> {
    const next = await this.#iterator.next();
    if (next.done === true) this.#isDone = true;
    else this.#held = concatBytes(this.#held, next.value);
  }
}
