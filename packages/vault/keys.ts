/**
 * Secrets of the vault (spec/vault.md, "Keys"): the account key, the epoch keys derived from it, and what opens a lock.
 * Whoever holds the account key reads everything; so a key is an object that shows nothing of itself when it is printed,
 * turned into JSON or cloned, and its bytes are reachable only through one function with an ugly name.
 */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';

const KEY_BYTES = 32;
const EPOCH_LABEL = encodeUtf8('sotto/vault/epoch-key/v1');

let reveal: (secret: Secret) => Uint8Array<ArrayBuffer>;

/** 32 secret bytes that no printer, serialiser or cloner can see. */
abstract class Secret {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  static {
    reveal = (secret) => secret.#bytes.slice();
  }

  /** @throws VaultError `key-malformed` unless there are 32 bytes, not all zero */
  constructor(bytes: Uint8Array) {
    // VA-02: a short or empty key (a failed PRF, a wrong buffer) would seal everything under something guessable
    if (bytes.length !== KEY_BYTES || bytes.every((byte) => byte === 0)) throw new VaultError('key-malformed', 'VA-02');
    this.#bytes = new Uint8Array(bytes);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  /** What Node's `util.inspect` and `console.log` show. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** The one key of an account; random; wrapped by locks. A rotation makes a new one. */
export class AccountKey extends Secret {
  readonly kind = 'account-key';
}

/** Seals the records of one account in one epoch. */
export class EpochKey extends Secret {
  readonly kind = 'epoch-key';
}

/** What opens a lock: made from a passkey's PRF output or a recovery code. */
export class LockSecret extends Secret {
  readonly kind = 'lock-secret';
}

/** Seals what one device keeps of one account; random, of this device alone, itself sealed under the account key. */
export class LocalKey extends Secret {
  readonly kind = 'local-key';
}

/** Seals one blob (blob/blob.ts); it lies inside the message that names the blob. */
export class BlobKey extends Secret {
  readonly kind = 'blob-key';
}

/** A new random account key. */
export function createAccountKey(random: Random): AccountKey {
  return new AccountKey(random.bytes(KEY_BYTES));
}

/** A new random local key. */
export function createLocalKey(random: Random): LocalKey {
  return new LocalKey(random.bytes(KEY_BYTES));
}

/**
 * Derives the key that seals records of one epoch.
 *
 * @param accountKey the account key of that epoch
 * @param accountId 16 bytes
 * @param epoch 1 to 2^32−1
 */
export function deriveEpochKey(accountKey: AccountKey, accountId: Uint8Array, epoch: number): EpochKey {
  const epochBytes = new Uint8Array(4);
  new DataView(epochBytes.buffer).setUint32(0, epoch);
  return new EpochKey(hkdfSha256(reveal(accountKey), accountId, concatBytes(EPOCH_LABEL, epochBytes), KEY_BYTES));
}

/**
 * A copy of a secret's bytes. For the key schedule of this package, for the local key as it is sealed, and for a guest's device,
 * which keeps its own key beside its records and says so; nothing else may call it.
 */
export function unsafeRevealSecret(
  secret: AccountKey | EpochKey | LocalKey | LockSecret | BlobKey,
): Uint8Array<ArrayBuffer> {
  return reveal(secret);
}
