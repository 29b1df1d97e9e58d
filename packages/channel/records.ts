/**
 * Records: padded plaintexts under the transport keys, with a counter for a nonce that never travels, so that a record
 * lost, repeated or moved does not open (spec/channel.md, records). What is opened here was made by anybody.
 */
import type { AeadKey, Awaitable, Primitives } from '@sotto/crypto/primitives';
import { ChannelError } from './errors.ts';
import { AEAD_TAG_BYTES, bucketOf, RECORD_BUCKETS, RECORDS_PER_KEY } from './limits.ts';
import { LAST_NONCE } from './noise/rekey.ts';
import { aesGcmNonce } from './suite.ts';

const NO_AAD = new Uint8Array(0);
const ZEROS = new Uint8Array(32);
const SEALED_SIZES: ReadonlySet<number> = new Set(RECORD_BUCKETS.map((size) => size + AEAD_TAG_BYTES));

/** One direction's key and counter. Owned by one session, and used for one direction only. */
export class RecordCipher {
  readonly #primitives: Primitives;
  /** With primitives that answer later: a promise while a new key is made. What is sealed and opened next waits for it. */
  #aead: Awaitable<AeadKey>;
  readonly #limit: number;
  readonly #keyLimit: number;
  #counter: number;
  #underKey = 0;

  private constructor(primitives: Primitives, aead: AeadKey, counter: number, limit: number, keyLimit: number) {
    this.#primitives = primitives;
    this.#aead = aead;
    this.#counter = counter;
    this.#limit = limit;
    this.#keyLimit = keyLimit;
  }

  /** @param key 32 bytes, erased here once imported */
  static async create(
    primitives: Primitives,
    key: Uint8Array,
    recordsLimit: number,
    counter = 0,
    recordsPerKey = RECORDS_PER_KEY,
  ): Promise<RecordCipher> {
    const aead = await primitives.importAead(key);
    key.fill(0);
    return new RecordCipher(primitives, aead, counter, recordsLimit, recordsPerKey);
  }

  /** Whether `seal` is done with its argument when it returns. */
  get sealsAtOnce(): boolean {
    return this.#primitives.answers === 'at-once';
  }

  /** Records that may still pass. */
  get remaining(): number {
    return this.#limit - this.#counter;
  }

  /** Records that may still pass under the present key. */
  get remainingUnderKey(): number {
    return this.#keyLimit - this.#underKey;
  }

  /** @param frames at most 65,519 bytes, padded here with zeros to the smallest bucket */
  seal(frames: Uint8Array): Awaitable<Uint8Array> {
    const size = bucketOf(frames.length);
    if (size === undefined) throw new TypeError('a record holds at most 65,519 bytes');
    let plaintext = frames;
    if (size > frames.length) {
      plaintext = new Uint8Array(size);
      plaintext.set(frames);
    }
    const [nonce, aead] = [this.#nonce(), this.#aead];
    if (!(aead instanceof Promise)) return aead.seal(nonce, plaintext, NO_AAD);
    return aead.then((made) => made.seal(nonce, plaintext, NO_AAD));
  }

  /** Throws or rejects with ChannelError `record-malformed`, `session-exhausted`, `rekey-missing`; with CryptoError when forged. */
  open(record: Uint8Array): Awaitable<Uint8Array> {
    // CH-20: only the sizes of the profile exist; another one would be a signal to who watches, or an unbounded cost.
    if (!SEALED_SIZES.has(record.length)) throw new ChannelError('record-malformed', { rule: 'CH-20' });
    const [nonce, aead] = [this.#nonce(), this.#aead];
    if (!(aead instanceof Promise)) return aead.open(nonce, record, NO_AAD);
    return aead.then((made) => made.open(nonce, record, NO_AAD));
  }

  /** The next record is under a new key that does not lead back to this one, which is dropped; the counter goes on. */
  rekey(): void {
    const aead = follow(this.#aead, (old) =>
      follow(old.seal(LAST_NONCE, ZEROS, NO_AAD), (sealed) => {
        const next = sealed.slice(0, 32);
        sealed.fill(0);
        return follow(this.#primitives.importAead(next), (imported) => {
          next.fill(0);
          return imported;
        });
      }),
    );
    // A session that ends first has nothing more to seal: no one would hear of it.
    if (aead instanceof Promise) aead.catch(() => undefined);
    this.#aead = aead;
    this.#underKey = 0;
  }

  #nonce(): Uint8Array {
    // CH-23: a key that is used for ever is a key that is worth stealing.
    if (this.remaining <= 0) throw new ChannelError('session-exhausted', { rule: 'CH-23' });
    // CH-63: a peer that never rekeys would have one theft open everything it ever said.
    if (this.remainingUnderKey <= 0) throw new ChannelError('rekey-missing', { rule: 'CH-63' });
    this.#underKey += 1;
    return aesGcmNonce(this.#counter++);
  }
}

/** Goes on at once where primitives answer at once, so that nothing overtakes; later where they answer later. */
function follow<Value, Next>(value: Awaitable<Value>, next: (value: Value) => Awaitable<Next>): Awaitable<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
}
