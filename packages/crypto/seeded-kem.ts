/**
 * ML-KEM-768 whose encapsulation takes its randomness from the caller, so that a published handshake can be computed
 * again byte for byte. Never for a live session: whoever knows the seed knows the secret. On noble, as node:crypto and
 * WebCrypto draw their own.
 */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { assertLength, type Bytes, CryptoError } from './error.ts';
import {
  isCanonicalMlKem768PublicKey,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_PUBLIC_BYTES,
  ML_KEM_768_SEED_BYTES,
} from './ml-kem-key.ts';

export const ENCAPSULATION_SEED_BYTES = 32;

/**
 * @param seed 32 bytes (m of FIPS 203), or undefined for a random one
 * @returns an `encapsulate` that throws CryptoError `kem-key-not-canonical`
 */
export function encapsulateFromSeed(seed: Uint8Array | undefined) {
  if (seed !== undefined) assertLength(seed, ENCAPSULATION_SEED_BYTES);
  return (publicKey: Uint8Array): { ciphertext: Bytes; sharedSecret: Bytes } => {
    assertLength(publicKey, ML_KEM_768_PUBLIC_BYTES);
    if (!isCanonicalMlKem768PublicKey(publicKey)) throw new CryptoError('kem-key-not-canonical');
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, seed);
    return { ciphertext: cipherText as Bytes, sharedSecret: sharedSecret as Bytes };
  };
}

/** The encapsulation key of a 64-byte seed (d ‖ z). */
export function publicKeyOnNoble(seed: Uint8Array): Bytes {
  assertLength(seed, ML_KEM_768_SEED_BYTES);
  return ml_kem768.keygen(seed).publicKey as Bytes;
}

/** Implicit rejection: an altered ciphertext yields another secret, not an error. */
export function decapsulateOnNoble(seed: Uint8Array, ciphertext: Uint8Array): Bytes {
  assertLength(seed, ML_KEM_768_SEED_BYTES);
  assertLength(ciphertext, ML_KEM_768_CIPHERTEXT_BYTES);
  return ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey) as Bytes;
}
