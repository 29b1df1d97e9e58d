/** What every entry of this package throws, and the byte type they all speak. */
import { SottoError } from '@sotto/bytes';

/** Keys and data: always a whole, unshared buffer. */
export type Bytes = Uint8Array<ArrayBuffer>;

export type CryptoErrorCode =
  /** The ciphertext, the tag, the associated data, the nonce or the key is not the one that sealed. */
  | 'aead-open-failed'
  /** A public key whose shared secret is the same for every private key. */
  | 'low-order-point'
  /** An ML-KEM encapsulation key with a coefficient of 3329 or more. */
  | 'kem-key-not-canonical'
  /** A key, nonce, signature or output of a wrong length. */
  | 'crypto-bad-length';

const MESSAGES: Record<CryptoErrorCode, string> = {
  'aead-open-failed': 'the sealed bytes were altered or belong to another key',
  'low-order-point': 'the public key is a point of low order',
  'kem-key-not-canonical': 'the encapsulation key is not in its canonical form',
  'crypto-bad-length': 'a key, nonce or output has the wrong length',
};

/** Always `stop`, but for a length, which is the caller's mistake. */
export class CryptoError extends SottoError<CryptoErrorCode> {
  constructor(code: CryptoErrorCode) {
    super(code, MESSAGES[code], { action: code === 'crypto-bad-length' ? 'fix-input' : 'stop' });
  }
}

/** @throws CryptoError `crypto-bad-length` unless `bytes` has exactly `lengthBytes` */
export function assertLength(bytes: Uint8Array, lengthBytes: number): void {
  if (bytes.length !== lengthBytes) throw new CryptoError('crypto-bad-length');
}

/** True when every byte is zero; looks at all of them. */
export function isZero(bytes: Uint8Array): boolean {
  let any = 0;
  for (const byte of bytes) any |= byte;
  return any === 0;
}
