/** X25519, ML-KEM-768 and AES-256-GCM for the Noise core in browsers, each answering later. */
import { createAead } from './aead.web.ts';
import { importX25519, type X25519Multiplier, x25519, x25519PublicKey, x25519PublicKeyOf } from './dh.web.ts';
import {
  decapsulateMlKem768,
  type ExpandedMlKem768,
  encapsulateMlKem768,
  expandMlKem768,
  mlKem768FromSeed,
} from './kem.web.ts';
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
  forOneHandshake() {
    // Whoever put another in its place wants that one.
    if (this.dh !== x25519 || this.dhPublicKey !== x25519PublicKey || this.decapsulate !== decapsulateMlKem768)
      return this;
    const own = new Map<Uint8Array, Promise<X25519Multiplier>>();
    const seeds = new Map<Uint8Array, Promise<ExpandedMlKem768>>();
    const ownOf = (key: Uint8Array) => once(own, key, importX25519);
    const expanded = (seed: Uint8Array) => once(seeds, seed, expandMlKem768);
    return {
      ...this,
      dhPublicKey: async (key) => x25519PublicKeyOf(await ownOf(key)),
      dh: async (key, other) => (await ownOf(key))(other),
      kemPublicKey: async (seed) => (await expanded(seed)).publicKey,
      decapsulate: async (seed, ciphertext) => (await expanded(seed)).decapsulate(ciphertext),
    };
  },
};

function once<Key, Value>(made: Map<Key, Value>, key: Key, make: (key: Key) => Value): Value {
  const found = made.get(key) ?? make(key);
  made.set(key, found);
  return found;
}
