/**
 * A lock that was wrapped anew without its secret at hand (spec/vault.md, "Sealed locks"): a rotation cannot ask for every
 * passkey and every written-down code. Each lock therefore has a key pair that only its secret gives; the public half is kept
 * in the vault, and the new account key is sealed to it. Hybrid, like the channel: X25519 and ML-KEM-768, either one suffices.
 *
 *     parameters = u8 kind of the lock underneath
 *     sealed     = [32] ephemeral X25519 key ‖ [1088] ML-KEM ciphertext ‖ AES-256-GCM(KEK, nonce 0, AAD, account key) with tag
 *     KEK ‖ C    = HKDF-SHA-256(X25519 secret ‖ ML-KEM secret ‖ ephemeral ‖ ciphertext, salt, info = header, 64)
 *     pair       = HKDF-SHA-256(lock secret, account id, "sotto/vault/lock-key/v1", 96): [32] X25519, [64] ML-KEM seed
 */
import { ByteWriter, concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { CryptoError, openAes256Gcm, sealAes256Gcm } from '@sotto/crypto/aead';
import { x25519, x25519PublicKey } from '@sotto/crypto/dh';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import {
  decapsulateMlKem768,
  encapsulateMlKem768,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_PUBLIC_BYTES,
  mlKem768FromSeed,
} from '@sotto/crypto/kem';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';
import { AccountKey, type LockSecret, unsafeRevealSecret } from './keys.ts';
import { KIND_NUMBERS, type LockKind, parseLock } from './lock.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAGIC = encodeUtf8('SVL');
const PAIR_LABEL = encodeUtf8('sotto/vault/lock-key/v1');
const X25519_BYTES = 32;
const NONCE = new Uint8Array(12);

/** 32 bytes of X25519 and 1,184 of ML-KEM-768, one after the other. */
export const LOCK_PUBLIC_KEY_BYTES = X25519_BYTES + ML_KEM_768_PUBLIC_BYTES;

/** The public half of a lock's pair, kept in the vault by the device that made the lock. */
export async function lockPublicKey(secret: LockSecret, accountId: Uint8Array): Promise<Bytes> {
  const { dh, seed } = pairOf(secret, accountId);
  return concatBytes(await x25519PublicKey(dh), (await mlKem768FromSeed(seed)).publicKey);
}

export interface SealToLockInput {
  readonly accountKey: AccountKey;
  /** Of the lock underneath. */
  readonly kind: LockKind;
  /** `lockPublicKey`, from the vault: whoever can write there could have written it (VA-167). */
  readonly publicKey: Uint8Array;
  readonly accountId: Uint8Array;
  readonly lockId: Uint8Array;
  readonly epoch: number;
  /** 32 bytes, as in the header of the lock underneath; zeros where there is no passkey. */
  readonly credential: Uint8Array;
  readonly random: Random;
}

/** Wraps the account key for a lock whose secret is not at hand. @throws VaultError `lock-malformed` */
export async function sealToLock(input: SealToLockInput): Promise<Bytes> {
  const { accountId, lockId, credential, publicKey } = input;
  const isWhole =
    accountId.length === 16 &&
    lockId.length === 16 &&
    credential.length === 32 &&
    publicKey.length === LOCK_PUBLIC_KEY_BYTES;
  // VA-164: a lock that cannot be parsed again is a lost key
  if (!isWhole || input.epoch < 1) throw new VaultError('lock-malformed', 'VA-164');
  const header = new ByteWriter()
    .raw(MAGIC)
    .u8(1)
    .u8(KIND_NUMBERS['sealed-to-lock'])
    .raw(accountId)
    .raw(lockId)
    .u32(input.epoch)
    .raw(credential)
    .vector16(Uint8Array.of(KIND_NUMBERS[input.kind]))
    .finish();
  const ephemeral = input.random.bytes(X25519_BYTES);
  const ephemeralPublic = await x25519PublicKey(ephemeral);
  const shared = await x25519(ephemeral, publicKey.subarray(0, X25519_BYTES));
  ephemeral.fill(0);
  const { ciphertext, sharedSecret } = await encapsulateMlKem768(publicKey.slice(X25519_BYTES));
  const encapsulation = concatBytes(ephemeralPublic, ciphertext);
  const salt = input.random.bytes(32);
  const { kek, commitment } = deriveKeys(shared, sharedSecret, encapsulation, salt, header);
  const aad = concatBytes(header, salt, commitment);
  const sealed = await sealAes256Gcm(kek, NONCE, unsafeRevealSecret(input.accountKey), aad);
  return concatBytes(aad, encapsulation, sealed);
}

export interface OpenSealedLockInput {
  readonly lock: Uint8Array;
  readonly secret: LockSecret;
  readonly expectedKind: LockKind;
  readonly expectedAccountId: Uint8Array;
  readonly expectedLockId: Uint8Array;
  /** The newest epoch this device has seen, 1 on a device without state. */
  readonly minimumEpoch: number;
}

/**
 * Opens a lock that was wrapped anew.
 *
 * @throws VaultError as `unwrapAccountKey`, in the same order
 */
export async function openSealedLock(input: OpenSealedLockInput): Promise<{ accountKey: AccountKey; epoch: number }> {
  const { header, headerBytes, salt, commitment: stored, sealed } = parseLock(input.lock);
  const isKind = header.kind === 'sealed-to-lock' && header.parameters[0] === KIND_NUMBERS[input.expectedKind];
  // VA-165: the same as VA-34, for the lock underneath
  if (!isKind) throw new VaultError('lock-kind-unsupported', 'VA-165');
  // VA-35: a lock of another account would make this person write under a stranger's key
  if (!equalBytes(header.accountId, input.expectedAccountId)) throw new VaultError('lock-account-mismatch', 'VA-35');
  // VA-36: a removed lock, served under the name of another, must not come back
  if (!equalBytes(header.lockId, input.expectedLockId)) throw new VaultError('lock-id-mismatch', 'VA-36');
  // VA-38: an old wrap holds an old account key, which a removed device also has
  if (header.epoch < input.minimumEpoch) throw new VaultError('lock-epoch-stale', 'VA-38');
  const { dh, seed } = pairOf(input.secret, input.expectedAccountId);
  const encapsulation = sealed.subarray(0, X25519_BYTES + ML_KEM_768_CIPHERTEXT_BYTES);
  try {
    const shared = await x25519(dh, encapsulation.slice(0, X25519_BYTES));
    const sharedSecret = await decapsulateMlKem768(seed, encapsulation.slice(X25519_BYTES));
    const { kek, commitment } = deriveKeys(shared, sharedSecret, encapsulation, salt, headerBytes);
    // VA-166: without it one blob could open under two secrets to two account keys
    if (!equalBytes(commitment, stored)) throw new VaultError('lock-commitment-mismatch', 'VA-166');
    const aad = concatBytes(headerBytes, salt, commitment);
    const accountKey = await openAes256Gcm(kek, NONCE, sealed.slice(encapsulation.length), aad);
    return { accountKey: new AccountKey(accountKey), epoch: header.epoch };
  } catch (cause) {
    if (cause instanceof CryptoError) throw new VaultError('lock-open-failed', 'VA-40', { cause });
    throw cause;
  }
}

function pairOf(secret: LockSecret, accountId: Uint8Array): { readonly dh: Bytes; readonly seed: Bytes } {
  const both = hkdfSha256(unsafeRevealSecret(secret), accountId, PAIR_LABEL, 96);
  return { dh: both.slice(0, 32), seed: both.slice(32) };
}

function deriveKeys(
  shared: Uint8Array,
  sharedSecret: Uint8Array,
  encapsulation: Uint8Array,
  salt: Uint8Array,
  header: Uint8Array,
): { readonly kek: Bytes; readonly commitment: Bytes } {
  const both = hkdfSha256(concatBytes(shared, sharedSecret, encapsulation), salt, header, 64);
  return { kek: both.slice(0, 32), commitment: both.slice(32) };
}
