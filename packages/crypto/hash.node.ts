/** SHA-2 and HMAC on node:crypto. Synchronous: inputs are small. */
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import type { Bytes } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

function digest(algorithm: string, parts: readonly Uint8Array[]): Bytes {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
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

/** HMAC-SHA-256 of the parts joined; 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes {
  // Imported first: given raw bytes, Node spends four times as long.
  const mac = createHmac('sha256', createSecretKey(key));
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}
