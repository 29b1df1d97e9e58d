/**
 * SHA-2 and HMAC on noble, because WebCrypto's are asynchronous. SHA-256 runs for every record of a history, in one object that is
 * set back before each use and wiped after it: one of its own costs as much as hashing so little.
 */
import { sha1 as nobleSha1 } from '@noble/hashes/legacy.js';
import { sha256 as nobleSha256, sha384 as nobleSha384, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import type { Bytes } from './error.ts';
import type { KeyedHmac } from './hkdf.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

type Sha256 = ReturnType<typeof nobleSha256.create>;

const FRESH = nobleSha256.create();
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

const BLOCK_BYTES = 64;
const PADDED = new Uint8Array(BLOCK_BYTES);

/** HMAC-SHA-256 (RFC 2104) of the parts joined; 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = begin(USED, short, 0x36);
  for (const part of parts) inner.update(part);
  const first = inner.digest();
  const mac = begin(USED, short, 0x5c).update(first).digest();
  first.fill(0);
  return mac as Bytes;
}

/** The same for several texts under one key, which is hashed once, and the result's from now on. */
export function keyHmacSha256(key: Uint8Array): KeyedHmac {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = begin(nobleSha256.create(), short, 0x36);
  const outer = begin(nobleSha256.create(), short, 0x5c);
  key.fill(0);
  return {
    mac(...parts) {
      const hash = inner._cloneInto(USED);
      for (const part of parts) hash.update(part);
      const first = hash.digest();
      const mac = outer._cloneInto(USED).update(first).digest();
      first.fill(0);
      return mac as Bytes;
    },
    erase() {
      inner.destroy();
      outer.destroy();
    },
  };
}

/** Sets `hash` to where the key, padded with `byte`, has been hashed. @param key at most one block */
function begin(hash: Sha256, key: Uint8Array, byte: number): Sha256 {
  PADDED.fill(byte);
  for (let at = 0; at < key.length; at++) PADDED[at] = (key[at] as number) ^ byte;
  FRESH._cloneInto(hash).update(PADDED);
  PADDED.fill(0);
  return hash;
}
