/**
 * The node's half: seals an answer's bytes, chunk by chunk, so that only whoever holds the recovery key can open what is
 * kept (spec/channel.md, recovery of a running answer).
 *
 *   chunk i = AES-256-GCM(key i, nonce 0, aad = u32 i ‖ u64 offset of its first byte, bytes)
 */
import { ByteWriter } from '@sotto/bytes';
import { sealAes256Gcm } from '@sotto/crypto/aead';
import { deriveChunkKey, deriveNextChainKey } from './keys.ts';

export const NONCE = new Uint8Array(12);

/** What a chunk is bound to beside its key. */
export function chunkPlace(index: number, offset: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(12).u32(index).u64(offset).finish();
}

/** Owned by one answer; calls are made one after the other. */
export class AnswerSealer {
  #chainKey: Uint8Array;
  #index = 0;
  #offset = 0;

  /** @param chainKey 32 bytes, taken over: overwritten as the chain moves on */
  constructor(chainKey: Uint8Array) {
    this.#chainKey = chainKey;
  }

  /** @param bytes 1 to 16,384 of them */
  async seal(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const key = deriveChunkKey(this.#chainKey);
    const next = deriveNextChainKey(this.#chainKey);
    this.#chainKey.fill(0); // CH-91
    this.#chainKey = next;
    const place = chunkPlace(this.#index, this.#offset);
    this.#index += 1;
    this.#offset += bytes.length;
    const sealed = await sealAes256Gcm(key, NONCE, bytes, place);
    key.fill(0); // CH-91
    return sealed;
  }

  /** Nothing can be sealed afterwards, and nothing that was sealed can be opened here. */
  erase(): void {
    this.#chainKey.fill(0); // CH-91
  }
}
