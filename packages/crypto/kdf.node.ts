/** HKDF-SHA-256. */
import type { Bytes } from './error.ts';
import { hmacSha256, keyHmacSha256 } from './hash.node.ts';
import { deriveHkdf, type Extracted, extractHkdf } from './hkdf.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';
export type { Extracted } from './hkdf.ts';

const HMAC = { of: hmacSha256, keyed: keyHmacSha256 };

/**
 * HKDF-SHA-256 (RFC 5869).
 *
 * @param lengthBytes 0 to 8,160
 * @throws CryptoError `crypto-bad-length`
 */
export function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number): Bytes {
  return deriveHkdf(HMAC, 32, ikm, salt, info, lengthBytes);
}

/** The same, for several keys of one input and salt. Call `erase` when they are there. */
export function hkdfSha256Extract(ikm: Uint8Array, salt: Uint8Array): Extracted {
  return extractHkdf(HMAC, 32, ikm, salt);
}
