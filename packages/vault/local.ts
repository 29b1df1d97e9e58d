/**
 * What a device keeps for an account between visits, sealed under the device's local key, which is itself kept sealed under the
 * account key (spec/vault.md, "Local state"): whoever takes the device's storage without a lock learns that an account was
 * here, and nothing of it.
 *
 *     struct Sealed { u8 version = 1; byte salt[32]; byte sealed[] }
 *     key = HKDF-SHA-256(local or account key, salt, "sotto/vault/local-state/v1" ‖ v16 account id ‖ v16 name, 32); AES-256-GCM, nonce 0
 */
import { ByteWriter, concatBytes, encodeUtf8 } from '@sotto/bytes';
import { CryptoError, openAes256Gcm, sealAes256Gcm } from '@sotto/crypto/aead';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';
import { type AccountKey, type LocalKey, unsafeRevealSecret } from './keys.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const LABEL = encodeUtf8('sotto/vault/local-state/v1');
const VERSION = 1;
const SALT_BYTES = 32;
const NONCE = new Uint8Array(12);

export interface LocalOwner {
  /** The local key for everything but the local key itself. */
  readonly key: AccountKey | LocalKey;
  /** 16 bytes. */
  readonly accountId: Uint8Array;
}

/** @param name which of the things that are kept; another name does not open it */
export async function sealLocal(owner: LocalOwner, name: string, content: Uint8Array, random: Random): Promise<Bytes> {
  const salt = random.bytes(SALT_BYTES);
  const info = infoOf(owner, name);
  const sealed = await sealAes256Gcm(keyOf(owner, salt, info), NONCE, new Uint8Array(content), info);
  return concatBytes(Uint8Array.of(VERSION), salt, sealed);
}

/** @throws VaultError `local-damaged` for another account, name or key, and for changed bytes */
export async function openLocal(owner: LocalOwner, name: string, kept: Uint8Array): Promise<Bytes> {
  // VA-113: what a device kept is another program's to change
  if (kept.length <= 1 + SALT_BYTES || kept[0] !== VERSION) throw new VaultError('local-damaged', 'VA-113');
  const info = infoOf(owner, name);
  try {
    return await openAes256Gcm(
      keyOf(owner, kept.slice(1, 1 + SALT_BYTES), info),
      NONCE,
      kept.slice(1 + SALT_BYTES),
      info,
    );
  } catch (cause) {
    if (cause instanceof CryptoError) throw new VaultError('local-damaged', 'VA-113', { cause });
    throw cause;
  }
}

function infoOf({ accountId }: LocalOwner, name: string): Bytes {
  return new ByteWriter().raw(LABEL).vector16(accountId).vector16(encodeUtf8(name)).finish();
}

function keyOf({ key }: LocalOwner, salt: Uint8Array, info: Uint8Array): Bytes {
  return hkdfSha256(unsafeRevealSecret(key), salt, info, 32);
}
