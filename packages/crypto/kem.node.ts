/** ML-KEM-768 (FIPS 203) in Node. Private keys are 64-byte seeds. */
import { randomBytes } from 'node:crypto';
import type { Bytes } from './error.ts';
import { ML_KEM_768_SEED_BYTES } from './ml-kem-key.ts';
import { decapsulateMlKem768Sync, encapsulateMlKem768Sync, mlKem768PublicKeySync } from './sync.node.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';
export {
  isCanonicalMlKem768PublicKey,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_PUBLIC_BYTES,
  ML_KEM_768_SEED_BYTES,
  ML_KEM_SECRET_BYTES,
} from './ml-kem-key.ts';

/** The pair of a 64-byte seed (d ‖ z): the seed itself and 1,184 bytes. */
export async function mlKem768FromSeed(seed: Uint8Array): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  return { privateKey: new Uint8Array(seed), publicKey: mlKem768PublicKeySync(seed) };
}

/** A fresh pair. */
export function generateMlKem768(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  return mlKem768FromSeed(randomBytes(ML_KEM_768_SEED_BYTES));
}

/** A 32-byte secret and its 1,088-byte ciphertext. Rejects with CryptoError `kem-key-not-canonical`. */
export async function encapsulateMlKem768(publicKey: Uint8Array): Promise<{ ciphertext: Bytes; sharedSecret: Bytes }> {
  return encapsulateMlKem768Sync(publicKey);
}

/** The 32-byte secret; an altered ciphertext yields another secret, not an error (implicit rejection). */
export async function decapsulateMlKem768(privateKey: Uint8Array, ciphertext: Uint8Array): Promise<Bytes> {
  return decapsulateMlKem768Sync(privateKey, ciphertext);
}
