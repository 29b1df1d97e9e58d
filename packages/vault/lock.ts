/**
 * A lock: one way to unwrap the account key (spec/vault.md, "Locks"). Blobs come from the server, which is hostile; what
 * opens one comes from a passkey or from a recovery code and never from a guessable word. The format is final.
 *
 *     struct Lock {
 *       struct Header {
 *         magic       "SVL"         3
 *         version     u8 = 1        1
 *         kind        u8            1   1 passkey-prf, 2 recovery-code, 3 recovery-phrase, 4 device-passphrase, 5 device-link,
 *                                       7 device-key; 6 is sealed-lock.ts; others are listed but not opened
 *         accountId                16
 *         lockId                   16   random; of a recovery code, its lookup id
 *         epoch       u32           4   epoch of the account key inside; 1 or more
 *         credential               32   SHA-256 of the passkey's credential id; zeros for a recovery code
 *         parameters  u16 + bytes       of 4 25 bytes (passphrase.ts), of 6 1 byte, of the other kinds nothing; at most 512
 *       }
 *       salt                       32   random, new at every wrap
 *       commitment                 32   C
 *       sealed                     48   AES-256-GCM(KEK, nonce 0, AAD = header ‖ salt ‖ C, account key) with its tag
 *     }
 *
 *     KEK ‖ C = HKDF-SHA-256(lock secret, salt, info = header, 64)
 */
import { ByteReader, BytesError, ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { openAes256Gcm, sealAes256Gcm } from '@sotto/crypto/aead';
import { sha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';
import { AccountKey, LockSecret, unsafeRevealSecret } from './keys.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a secret of its own opens. */
export type LockKind =
  | 'passkey-prf'
  | 'recovery-code'
  | 'recovery-phrase'
  | 'device-passphrase'
  | 'device-link'
  | 'device-key';

/** The input of the passkey's PRF (`eval.first`), at creation and at every use: a constant of the client, never a server's. */
export const PASSKEY_PRF_INPUT: Bytes = encodeUtf8('sotto/vault/passkey-prf-input/v1');

const MAGIC = encodeUtf8('SVL');
const VERSION = 1;
export const KIND_NUMBERS = {
  'passkey-prf': 1,
  'recovery-code': 2,
  'recovery-phrase': 3,
  'device-passphrase': 4,
  'device-link': 5,
  'sealed-to-lock': 6,
  'device-key': 7,
} as const;
/** Length of a kind's parameters, and of what is sealed. */
const FORMS: Readonly<Record<keyof typeof KIND_NUMBERS, readonly [parameters: number, sealed: number]>> = {
  'passkey-prf': [0, 48],
  'recovery-code': [0, 48],
  'recovery-phrase': [0, 48],
  'device-passphrase': [25, 48],
  'device-link': [0, 48],
  'sealed-to-lock': [1, 1168],
  'device-key': [0, 48],
};
const PARAMETER_LIMIT_BYTES = 512;
const LOCK_LIMIT_BYTES = 8192;
const SALT_BYTES = 32;
const COMMITMENT_BYTES = 32;
const NONCE = new Uint8Array(12);

export interface WrapInput {
  readonly accountKey: AccountKey;
  readonly kind: LockKind;
  /** From `passkeyLockSecret` or `deriveRecovery`. */
  readonly secret: LockSecret;
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  /** 16 bytes: random, or the lookup id of a recovery code. */
  readonly lockId: Uint8Array;
  /** The epoch of `accountKey`. */
  readonly epoch: number;
  /** The passkey's credential id; for `passkey-prf` alone. */
  readonly credentialId?: Uint8Array;
  /** `encodePassphraseParameters`; for `device-passphrase` alone. */
  readonly parameters?: Uint8Array;
  readonly random: Random;
}

export interface UnwrapInput {
  readonly lock: Uint8Array;
  readonly secret: LockSecret;
  readonly expectedKind: LockKind;
  readonly expectedAccountId: Uint8Array;
  readonly expectedLockId: Uint8Array;
  /** The passkey's credential id; for `passkey-prf` alone. */
  readonly expectedCredentialId?: Uint8Array;
  /** The newest epoch this device has seen, 1 on a device without state. */
  readonly minimumEpoch: number;
}

/** What can be read of a lock without its secret. Nothing of it is authenticated. */
export interface LockHeader {
  readonly kind: LockKind | 'sealed-to-lock' | 'unknown';
  readonly accountId: Uint8Array;
  readonly lockId: Uint8Array;
  readonly epoch: number;
  /** 32 bytes; zeros where there is no passkey. */
  readonly credential: Uint8Array;
  /** Of its kind; empty for passkeys and recovery codes. */
  readonly parameters: Uint8Array;
}

/**
 * Turns a passkey's PRF result into what opens its lock.
 *
 * @param prfOutput 32 bytes, `prf.results.first`
 * @throws VaultError `key-malformed` for another length or all zeros
 */
export function passkeyLockSecret(prfOutput: Uint8Array): LockSecret {
  return new LockSecret(prfOutput);
}

/** Wraps the account key for one lock. */
export async function wrapAccountKey(input: WrapInput): Promise<Bytes> {
  const header = new ByteWriter()
    .raw(MAGIC)
    .u8(VERSION)
    .u8(KIND_NUMBERS[input.kind])
    .raw(input.accountId)
    .raw(input.lockId)
    .u32(input.epoch)
    .raw(credentialDigest(input.kind, input.credentialId))
    .vector16(input.parameters ?? new Uint8Array(0))
    .finish();
  const isForm = (input.parameters?.length ?? 0) === FORMS[input.kind][0];
  // VA-41: a lock that cannot be parsed again is a lost key
  if (input.accountId.length !== 16 || input.lockId.length !== 16 || input.epoch < 1 || !isForm) {
    throw new VaultError('lock-malformed', 'VA-41');
  }
  const salt = input.random.bytes(SALT_BYTES);
  const { kek, commitment } = deriveLockKeys(input.secret, salt, header);
  const aad = concatBytes(header, salt, commitment);
  return concatBytes(aad, await sealAes256Gcm(kek, NONCE, unsafeRevealSecret(input.accountKey), aad));
}

/**
 * Opens a lock, given everything it is expected to be.
 *
 * @throws VaultError `lock-malformed`, `lock-version-unsupported`, `lock-kind-unsupported`, `lock-account-mismatch`,
 *   `lock-id-mismatch`, `lock-credential-mismatch`, `lock-epoch-stale`, `lock-commitment-mismatch` (the code or passkey
 *   does not fit, or the lock was changed), `lock-open-failed`, judged in that order
 */
export async function unwrapAccountKey(input: UnwrapInput): Promise<{ accountKey: AccountKey; epoch: number }> {
  const { header, headerBytes, salt, commitment: stored, sealed } = parseLock(input.lock);
  // VA-34: a lock of one kind, opened as another, would mix secrets of different strength
  if (header.kind !== input.expectedKind) throw new VaultError('lock-kind-unsupported', 'VA-34');
  // VA-35: a lock of another account would make this person write under a stranger's key
  if (!equalBytes(header.accountId, input.expectedAccountId)) throw new VaultError('lock-account-mismatch', 'VA-35');
  // VA-36: a removed lock, served under the name of another, must not come back
  if (!equalBytes(header.lockId, input.expectedLockId)) throw new VaultError('lock-id-mismatch', 'VA-36');
  const credential = credentialDigest(input.expectedKind, input.expectedCredentialId);
  // VA-37: the person is told that they used another passkey, instead of that their key is broken
  if (!equalBytes(header.credential, credential)) throw new VaultError('lock-credential-mismatch', 'VA-37');
  // VA-38: an old wrap holds an old account key, which a removed device also has
  if (header.epoch < input.minimumEpoch) throw new VaultError('lock-epoch-stale', 'VA-38');

  const { kek, commitment } = deriveLockKeys(input.secret, salt, headerBytes);
  // VA-39: without it one blob could open under two secrets to two account keys
  if (!equalBytes(commitment, stored)) throw new VaultError('lock-commitment-mismatch', 'VA-39');
  try {
    const accountKey = await openAes256Gcm(kek, NONCE, sealed, concatBytes(headerBytes, salt, commitment));
    return { accountKey: new AccountKey(accountKey), epoch: header.epoch };
  } catch (cause) {
    throw new VaultError('lock-open-failed', 'VA-40', { cause });
  }
}

/**
 * Reads what can be read without the secret, for lists of locks.
 *
 * @throws VaultError `lock-malformed`, `lock-version-unsupported`
 */
export function parseLockHeader(lock: Uint8Array): LockHeader {
  return parseLock(lock).header;
}

/** The parts of a lock; nothing of them is authenticated. */
export function parseLock(lock: Uint8Array) {
  try {
    return parseLockFields(lock);
  } catch (cause) {
    if (cause instanceof BytesError) throw new VaultError('lock-malformed', 'VA-31', { cause });
    throw cause;
  }
}

function parseLockFields(lock: Uint8Array) {
  // VA-30: what is held and hashed before anything is known about it is bounded
  if (lock.length > LOCK_LIMIT_BYTES) throw new VaultError('lock-malformed', 'VA-30');
  const reader = new ByteReader(lock);
  // VA-32: another kind of sealed thing must never be read as a lock
  if (!equalBytes(reader.take(MAGIC.length), MAGIC)) throw new VaultError('lock-malformed', 'VA-32');
  // VA-33: guessing at a format that is not known would misread it
  if (reader.u8() !== VERSION) throw new VaultError('lock-version-unsupported', 'VA-33');
  const kind = kindOf(reader.u8());
  const accountId = reader.take(16);
  const lockId = reader.take(16);
  const epoch = reader.u32();
  const credential = reader.take(32);
  const parameters = reader.vector16(PARAMETER_LIMIT_BYTES);
  const headerBytes = lock.slice(0, reader.offset);
  const salt = reader.take(SALT_BYTES);
  const commitment = reader.take(COMMITMENT_BYTES);
  const sealed = reader.rest();
  // VA-31: a known kind has one length, one form and an epoch
  if (kind !== 'unknown' && (!isOfForm(kind, parameters, sealed) || epoch < 1)) {
    throw new VaultError('lock-malformed', 'VA-31');
  }
  return { header: { kind, accountId, lockId, epoch, credential, parameters }, headerBytes, salt, commitment, sealed };
}

function isOfForm(kind: keyof typeof KIND_NUMBERS, parameters: Uint8Array, sealed: Uint8Array): boolean {
  return parameters.length === FORMS[kind][0] && sealed.length === FORMS[kind][1];
}

function kindOf(value: number): keyof typeof KIND_NUMBERS | 'unknown' {
  const kinds = Object.keys(KIND_NUMBERS) as (keyof typeof KIND_NUMBERS)[];
  return kinds.find((kind) => KIND_NUMBERS[kind] === value) ?? 'unknown';
}

function credentialDigest(kind: LockKind, credentialId: Uint8Array | undefined): Bytes {
  // VA-37: a passkey lock that names no passkey would open under any
  if ((kind === 'passkey-prf') !== (credentialId !== undefined))
    throw new VaultError('lock-credential-mismatch', 'VA-37');
  return credentialId === undefined ? new Uint8Array(32) : sha256(credentialId);
}

function deriveLockKeys(secret: LockSecret, salt: Uint8Array, header: Uint8Array) {
  const both = hkdfSha256(unsafeRevealSecret(secret), salt, header, 64);
  return { kek: both.slice(0, 32), commitment: both.slice(32) };
}
