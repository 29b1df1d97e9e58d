/**
 * Records: padded plaintexts under the transport keys, with a counter for a nonce that never travels, so that a record
 * lost, repeated or moved does not open (spec/channel.md, records). What is opened here was made by anybody.
 */
import type { AeadKey, Awaitable, Primitives } from '@sotto/crypto/primitives';
import { ChannelError } from './errors.ts';
import { AEAD_TAG_BYTES, bucketOf, RECORD_BUCKETS } from './limits.ts';
import { aesGcmNonce } from './suite.ts';

const NO_AAD = new Uint8Array(0);
const SEALED_SIZES: ReadonlySet<number> = new Set(RECORD_BUCKETS.map((size) => size + AEAD_TAG_BYTES));

/** One direction's key and counter. Owned by one session, and used for one direction only. */
export class RecordCipher {
  readonly #aead: AeadKey;
  readonly #limit: number;
  #counter: number;

  private constructor(aead: AeadKey, limit: number, counter: number) {
    this.#aead = aead;
    this.#limit = limit;
    this.#counter = counter;
  }

  /** @param key 32 bytes, erased here once imported */
  static async create(
    primitives: Primitives,
    key: Uint8Array,
    recordsLimit: number,
    counter = 0,
  ): Promise<RecordCipher> {
    const aead = await primitives.importAead(key);
    key.fill(0);
    return new RecordCipher(aead, recordsLimit, counter);
  }

  /** Records that may still pass. */
  get remaining(): number {
    return this.#limit - this.#counter;
  }

  /** @param frames at most 16,384 bytes, padded here with zeros to the smallest bucket */
  seal(frames: Uint8Array): Awaitable<Uint8Array> {
    const size = bucketOf(frames.length);
    if (size === undefined) throw new TypeError('a record holds at most 16,384 bytes');
    if (size === frames.length) return this.#aead.seal(this.#nonce(), frames, NO_AAD);
    const plaintext = new Uint8Array(size);
    plaintext.set(frames);
    return this.#aead.seal(this.#nonce(), plaintext, NO_AAD);
  }

  /** Throws or rejects with ChannelError `record-malformed`, `session-exhausted`; with CryptoError when forged. */
  open(record: Uint8Array): Awaitable<Uint8Array> {
    // CH-20: only the sizes of the profile exist; another one would be a signal to who watches, or an unbounded cost.
    if (!SEALED_SIZES.has(record.length)) throw new ChannelError('record-malformed', { rule: 'CH-20' });
    return this.#aead.open(this.#nonce(), record, NO_AAD);
  }

  #nonce(): Uint8Array {
    // CH-23: a key that is used for ever is a key that is worth stealing.
    if (this.remaining <= 0) throw new ChannelError('session-exhausted', { rule: 'CH-23' });
    return aesGcmNonce(this.#counter++);
  }
}
