/** X25519, ML-KEM-768 and AES-256-GCM for the Noise core in browsers, each answering later. */
import { createAead } from './aead.web.ts';
import { x25519, x25519PublicKey } from './dh.web.ts';
import { decapsulateMlKem768, encapsulateMlKem768, mlKem768FromSeed } from './kem.web.ts';
import type { Primitives } from './primitives.ts';

export { CryptoError } from './error.ts';
export { isCanonicalMlKem768PublicKey } from './ml-kem-key.ts';
export type { AeadKey, Awaitable, KeyAgreement, Primitives } from './primitives.ts';

/** What suite `sotto-1` runs on. */
export const primitives: Primitives = {
  answers: 'later',
  dhPublicKey: x25519PublicKey,
  dh: x25519,
  kemPublicKey: async (seed) => (await mlKem768FromSeed(seed)).publicKey,
  encapsulate: encapsulateMlKem768,
  decapsulate: decapsulateMlKem768,
  importAead: createAead,
};
