/** SHA-2 and HMAC on node:crypto. Synchronous: inputs are small. */
import { createHash, hash } from 'node:crypto';
import { concatBytes } from '@sotto/bytes';
import type { Bytes } from './error.ts';
import type { KeyedHmac } from './hkdf.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** What is joined first, so that one call does: a hash object costs more than hashing so little. */
const SMALL_BYTES = 65_536;
/** Where short parts are joined, one digest after the other, and wiped. */
const JOINED = new Uint8Array(new ArrayBuffer(4096));

function digest(algorithm: string, parts: readonly Uint8Array[]): Bytes {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return new Uint8Array(hash(algorithm, first, 'buffer'));
  let length = 0;
  for (const part of parts) length += part.length;
  if (length <= JOINED.length) {
    let at = 0;
    for (const part of parts) {
      JOINED.set(part, at);
      at += part.length;
    }
    const digest = new Uint8Array(hash(algorithm, JOINED.subarray(0, length), 'buffer'));
    JOINED.fill(0, 0, length);
    return digest;
  }
  if (length <= SMALL_BYTES) return new Uint8Array(hash(algorithm, concatBytes(...parts), 'buffer'));
  const joined = createHash(algorithm);
  for (const part of parts) joined.update(part);
  return new Uint8Array(joined.digest());
}

/** SHA-256 of the parts joined; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  return digest('sha256', parts);
}

/** SHA-384 of the parts joined; 48 bytes. */
export function sha384(...parts: readonly Uint8Array[]): Bytes {
  return digest('sha384', parts);
}

/** SHA-512 of the parts joined; 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Bytes {
  return digest('sha512', parts);
}

/** SHA-1 of the parts joined; 20 bytes. Broken: for old event logs that offer no other bank, and for nothing that decides. */
export function unsafeSha1(...parts: readonly Uint8Array[]): Bytes {
  return digest('sha1', parts);
}

const BLOCK_BYTES = 64;
/** Where one HMAC after the other is put together and wiped: a buffer of its own costs as much as its hash. */
const INNER = new Uint8Array(new ArrayBuffer(512));
const OUTER = new Uint8Array(new ArrayBuffer(BLOCK_BYTES + 32));

/** HMAC-SHA-256 (RFC 2104) of the parts joined; 32 bytes. Put together from two hashes: Node's own takes twice as long. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  let length = BLOCK_BYTES;
  for (const part of parts) length += part.length;
  const inner = length <= INNER.length ? INNER.subarray(0, length) : new Uint8Array(length);
  inner.fill(0x36, 0, BLOCK_BYTES);
  OUTER.fill(0x5c, 0, BLOCK_BYTES);
  for (let at = 0; at < short.length; at++) {
    const byte = short[at] as number;
    inner[at] = byte ^ 0x36;
    OUTER[at] = byte ^ 0x5c;
  }
  let at = BLOCK_BYTES;
  for (const part of parts) {
    inner.set(part, at);
    at += part.length;
  }
  const first = hash('sha256', inner, 'buffer');
  OUTER.set(first, BLOCK_BYTES);
  const mac = hash('sha256', OUTER, 'buffer');
  inner.fill(0);
  OUTER.fill(0);
  first.fill(0);
  // Not copied: arrays this small lie where the collector moves them, and moving leaves a key behind that nobody can erase.
  return new Uint8Array(mac.buffer as ArrayBuffer, mac.byteOffset, mac.length);
}

/** The same for several texts under one key, which is the result's from now on. */
export function keyHmacSha256(key: Uint8Array): KeyedHmac {
  return { mac: (...parts) => hmacSha256(key, ...parts), erase: () => void key.fill(0) };
}
