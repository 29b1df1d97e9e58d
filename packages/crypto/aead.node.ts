/** AES-256-GCM in Node. Errors arrive as rejections, as in browsers. */
import type { Bytes } from './error.ts';
import { importSecretKey, openAes256GcmSync, sealAes256GcmSync } from './sync.node.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** One key, any number of nonces; the caller never uses a nonce twice. */
export interface Aead {
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Promise<Bytes>;
  /** Rejects with CryptoError `aead-open-failed`. */
  open(nonce: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Promise<Bytes>;
}

/** Seals; `key` 32 bytes, `nonce` 12 bytes never used before with this key; the 16-byte tag follows the ciphertext. */
export async function sealAes256Gcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Promise<Bytes> {
  return sealAes256GcmSync(key, nonce, plaintext, aad);
}

/** Opens what `sealAes256Gcm` sealed. Rejects with CryptoError `aead-open-failed`. */
export async function openAes256Gcm(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Promise<Bytes> {
  return openAes256GcmSync(key, nonce, ciphertext, aad);
}

/** Imports `key` (32 bytes) once. */
export async function createAead(key: Uint8Array): Promise<Aead> {
  const held = importSecretKey(key);
  return {
    seal: async (nonce, plaintext, aad) => sealAes256GcmSync(held, nonce, plaintext, aad),
    open: async (nonce, ciphertext, aad) => openAes256GcmSync(held, nonce, ciphertext, aad),
  };
}
