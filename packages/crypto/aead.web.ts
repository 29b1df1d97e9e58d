/** AES-256-GCM on WebCrypto, which every browser has: one call a message. */
import { assertLength, type Bytes, CryptoError } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** One key, any number of nonces; the caller never uses a nonce twice. */
export interface Aead {
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Promise<Bytes>;
  /** Rejects with CryptoError `aead-open-failed`. */
  open(nonce: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Promise<Bytes>;
}

/** Imports `key` (32 bytes) once. */
export async function createAead(key: Uint8Array): Promise<Aead> {
  assertLength(key, 32);
  const imported = await crypto.subtle.importKey('raw', key as Bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const parameters = (nonce: Uint8Array, aad: Uint8Array) => {
    assertLength(nonce, 12);
    return { name: 'AES-GCM', iv: nonce as Bytes, additionalData: aad as Bytes };
  };
  return {
    async seal(nonce, plaintext, aad) {
      return new Uint8Array(await crypto.subtle.encrypt(parameters(nonce, aad), imported, plaintext as Bytes));
    },
    async open(nonce, ciphertext, aad) {
      const algorithm = parameters(nonce, aad);
      try {
        return new Uint8Array(await crypto.subtle.decrypt(algorithm, imported, ciphertext as Bytes));
      } catch {
        throw new CryptoError('aead-open-failed');
      }
    },
  };
}

/** Seals; `key` 32 bytes, `nonce` 12 bytes never used before with this key; the 16-byte tag follows the ciphertext. */
export async function sealAes256Gcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Promise<Bytes> {
  return (await createAead(key)).seal(nonce, plaintext, aad);
}

/** Opens what `sealAes256Gcm` sealed. Rejects with CryptoError `aead-open-failed`. */
export async function openAes256Gcm(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Promise<Bytes> {
  return (await createAead(key)).open(nonce, ciphertext, aad);
}
