/** HKDF (RFC 5869) over any HMAC: once, so that Node and browsers cannot differ (`hkdfSync` limits `info`, WebCrypto is asynchronous). */
import { type Bytes, CryptoError } from './error.ts';

/** HMAC under one key. */
export interface KeyedHmac {
  /** Of the parts joined. */
  mac(...parts: readonly Uint8Array[]): Bytes;
  erase(): void;
}

export interface Hmac {
  of(key: Uint8Array, ...parts: readonly Uint8Array[]): Bytes;
  /** The same for several texts under one key, which is the result's from now on. */
  keyed(key: Uint8Array): KeyedHmac;
}

/** One input and salt, from which several keys are derived. */
export interface Extracted {
  /** @param lengthBytes at most 255 hashes @throws CryptoError `crypto-bad-length` */
  expand(info: Uint8Array, lengthBytes: number): Bytes;
  erase(): void;
}

/** @param hashBytes output length of the hash */
export function extractHkdf(hmac: Hmac, hashBytes: number, ikm: Uint8Array, salt: Uint8Array): Extracted {
  const keyed = hmac.keyed(hmac.of(salt.length === 0 ? new Uint8Array(hashBytes) : salt, ikm));
  return {
    expand(info, lengthBytes) {
      assertLength(hashBytes, lengthBytes);
      // A buffer of its own, however small: the collector does not move it, so whoever owns the key can erase it.
      const output = new Uint8Array(new ArrayBuffer(lengthBytes));
      let block: Uint8Array = new Uint8Array(0);
      for (let at = 0, counter = 1; at < lengthBytes; at += hashBytes, counter++) {
        const before = block;
        block = keyed.mac(before, info, Uint8Array.of(counter));
        before.fill(0);
        output.set(block.subarray(0, lengthBytes - at), at);
      }
      block.fill(0);
      return output;
    },
    erase: () => keyed.erase(),
  };
}

/**
 * @param hashBytes output length of the hash
 * @param lengthBytes at most 255 hashes
 * @throws CryptoError `crypto-bad-length`
 */
export function deriveHkdf(
  hmac: Hmac,
  hashBytes: number,
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  lengthBytes: number,
): Bytes {
  assertLength(hashBytes, lengthBytes);
  const extracted = extractHkdf(hmac, hashBytes, ikm, salt);
  const output = extracted.expand(info, lengthBytes);
  extracted.erase();
  return output;
}

function assertLength(hashBytes: number, lengthBytes: number): void {
  if (!Number.isInteger(lengthBytes) || lengthBytes < 0 || lengthBytes > 255 * hashBytes) {
    throw new CryptoError('crypto-bad-length');
  }
}
