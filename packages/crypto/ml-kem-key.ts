/**
 * ML-KEM-768 sizes and the check of an encapsulation key (FIPS 203, 7.2): every 12-bit coefficient below 3329. The key
 * is made by the peer and hostile. Libraries check too, each with its own error; this is the one that decides.
 */
export const ML_KEM_768_SEED_BYTES = 64;
export const ML_KEM_768_PUBLIC_BYTES = 1184;
export const ML_KEM_768_CIPHERTEXT_BYTES = 1088;
export const ML_KEM_SECRET_BYTES = 32;

const MODULUS = 3329;
const POLYNOMIAL_BYTES = 1152;

/** True for 1,184 bytes whose 768 coefficients are reduced. */
export function isCanonicalMlKem768PublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== ML_KEM_768_PUBLIC_BYTES) return false;
  for (let i = 0; i < POLYNOMIAL_BYTES; i += 3) {
    const [a, b, c] = [publicKey[i] as number, publicKey[i + 1] as number, publicKey[i + 2] as number];
    if ((a | ((b & 15) << 8)) >= MODULUS || ((b >> 4) | (c << 4)) >= MODULUS) return false;
  }
  return true;
}
