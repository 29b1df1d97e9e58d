/** X25519, ML-KEM-768 and AES-256-GCM for the Noise core, each answering at once. */
import type { KeyObject } from 'node:crypto';
import { importLastingX25519Key } from './lasting-keys.node.ts';
import type { AeadKey, Primitives } from './primitives.ts';
import {
  decapsulateMlKem768Sync,
  encapsulateMlKem768Sync,
  importSecretKey,
  importX25519PrivateKey,
  importX25519PublicKey,
  mlKem768PublicKeySync,
  openAes256GcmSync,
  sealAes256GcmSync,
  x25519PublicKeySync,
  x25519Sync,
} from './sync.node.ts';

export { CryptoError } from './error.ts';
export { isCanonicalMlKem768PublicKey } from './ml-kem-key.ts';
export type { AeadKey, Awaitable, KeyAgreement, Primitives } from './primitives.ts';

/** A session holds two: an object costs less than two functions. */
class HeldAeadKey implements AeadKey {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = importSecretKey(key);
  }

  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array) {
    return sealAes256GcmSync(this.#key, nonce, plaintext, aad);
  }

  open(nonce: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array) {
    return openAes256GcmSync(this.#key, nonce, ciphertext, aad);
  }
}

/** What suite `sotto-1` runs on. */
export const primitives: Primitives = {
  answers: 'at-once',
  dhPublicKey: x25519PublicKeySync,
  dh: x25519Sync,
  kemPublicKey: mlKem768PublicKeySync,
  encapsulate: encapsulateMlKem768Sync,
  decapsulate: decapsulateMlKem768Sync,
  importAead(key) {
    return new HeldAeadKey(key);
  },
  forOneHandshake(lasting) {
    // Whoever put another in its place wants that one.
    if (this.dh !== x25519Sync || this.dhPublicKey !== x25519PublicKeySync) return this;
    const [own, others] = [new Map<Uint8Array, KeyObject>(), new Map<Uint8Array, KeyObject>()];
    const ownOf = (key: Uint8Array) =>
      key === lasting ? importLastingX25519Key(key) : once(own, key, () => importX25519PrivateKey(key));
    return {
      ...this,
      dhPublicKey: (key) => x25519PublicKeySync(ownOf(key)),
      dh: (key, other) =>
        x25519Sync(
          ownOf(key),
          once(others, other, () => importX25519PublicKey(other)),
        ),
    };
  },
};

function once<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const found = map.get(key) ?? create();
  map.set(key, found);
  return found;
}
