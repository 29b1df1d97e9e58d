/** One direction's transport key and counter. Nothing is padded: that is the other side's protocol (spec/confer.md, transport). */
import type { AeadKey, Awaitable, Primitives } from '@sotto/crypto/primitives';
import { aesGcmNonce } from '../suite.ts';
import { ConferError } from './errors.ts';
import { EMPTY, NOISE_LIMIT_BYTES } from './suite.ts';

/** Owned by one connection, and used for one direction only. */
export class ConferCipher {
  readonly #aead: AeadKey;
  readonly #limit: number;
  #counter = 0;

  private constructor(aead: AeadKey, limit: number) {
    this.#aead = aead;
    this.#limit = limit;
  }

  /** @param key 32 bytes, erased here once imported */
  static async create(primitives: Primitives, key: Uint8Array, messagesLimit: number): Promise<ConferCipher> {
    const aead = await primitives.importAead(key);
    key.fill(0);
    return new ConferCipher(aead, messagesLimit);
  }

  seal(plaintext: Uint8Array): Awaitable<Uint8Array> {
    return this.#aead.seal(this.#nonce(), plaintext, EMPTY);
  }

  /** Throws or rejects with ConferError `confer-message-too-large`, `confer-exhausted`; with CryptoError when forged. */
  open(sealed: Uint8Array): Awaitable<Uint8Array> {
    // CO-10: no Noise message is longer; one that claims to be is work for nothing.
    if (sealed.length > NOISE_LIMIT_BYTES) throw new ConferError('confer-message-too-large', { rule: 'CO-10' });
    return this.#aead.open(this.#nonce(), sealed, EMPTY);
  }

  #nonce(): Uint8Array {
    // CO-12: this suite has no rekey, so the key's life is the connection's, and must end.
    if (this.#counter >= this.#limit) throw new ConferError('confer-exhausted', { rule: 'CO-12' });
    return aesGcmNonce(this.#counter++);
  }
}
