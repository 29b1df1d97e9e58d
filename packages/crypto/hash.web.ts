/**
 * SHA-2 and HMAC on noble, because WebCrypto's are asynchronous. SHA-256 runs for every record of a history, in one object that is
 * set back before each use and wiped after it: one of its own costs as much as hashing so little.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha1 as nobleSha1 } from '@noble/hashes/legacy.js';
import { sha256 as nobleSha256, sha384 as nobleSha384, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import type { Bytes } from './error.ts';
import type { KeyedHmac } from './hkdf.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

const FRESH = nobleSha256.create();
/** Used again and again, never by two at once: nothing here waits. */
const USED = nobleSha256.create();

/** SHA-256 of the parts joined; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  const hash = FRESH._cloneInto(USED);
  for (const part of parts) hash.update(part);
  return hash.digest() as Bytes;
}

/** SHA-384 of the parts joined; 48 bytes. */
export function sha384(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha384.create();
  for (const part of parts) hash.update(part);
  return hash.digest() as Bytes;
}

/** SHA-512 of the parts joined; 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha512.create();
  for (const part of parts) hash.update(part);
  return hash.digest() as Bytes;
}

/** SHA-1 of the parts joined; 20 bytes. Broken: for old event logs that offer no other bank, and for nothing that decides. */
export function unsafeSha1(...parts: readonly Uint8Array[]): Bytes {
  const hash = nobleSha1.create();
  for (const part of parts) hash.update(part);
  return hash.digest() as Bytes;
}

/** HMAC-SHA-256 of the parts joined; 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const mac = hmac.create(nobleSha256, key);
  for (const part of parts) mac.update(part);
  return mac.digest() as Bytes;
}

const USED_MAC = hmac.create(nobleSha256, new Uint8Array(0));

/** The same for several texts under one key, which is hashed once, and the result's from now on. */
export function keyHmacSha256(key: Uint8Array): KeyedHmac {
  const keyed = hmac.create(nobleSha256, key);
  key.fill(0);
  return {
    mac(...parts) {
      const mac = keyed._cloneInto(USED_MAC);
      for (const part of parts) mac.update(part);
      return mac.digest() as Bytes;
    },
    erase: () => keyed.destroy(),
  };
}
