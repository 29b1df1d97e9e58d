/** X25519, ML-KEM-768 and AES-256-GCM for the Noise core, each answering at once. */
import type { Primitives } from './primitives.ts';
import {
  decapsulateMlKem768Sync,
  encapsulateMlKem768Sync,
  importSecretKey,
  mlKem768PublicKeySync,
  openAes256GcmSync,
  sealAes256GcmSync,
  x25519PublicKeySync,
  x25519Sync,
} from './sync.node.ts';

export { CryptoError } from './error.ts';
export { isCanonicalMlKem768PublicKey } from './ml-kem-key.ts';
export type { AeadKey, Awaitable, KeyAgreement, Primitives } from './primitives.ts';

/** What suite `sotto-1` runs on. */
export const primitives: Primitives = {
  answers: 'at-once',
  dhPublicKey: x25519PublicKeySync,
  dh: x25519Sync,
  kemPublicKey: mlKem768PublicKeySync,
  encapsulate: encapsulateMlKem768Sync,
  decapsulate: decapsulateMlKem768Sync,
  importAead(key) {
    const held = importSecretKey(key);
    return {
      seal: (nonce, plaintext, aad) => sealAes256GcmSync(held, nonce, plaintext, aad),
      open: (nonce, ciphertext, aad) => openAes256GcmSync(held, nonce, ciphertext, aad),
    };
  },
};
