/** Every Noise algorithm on noble: the readable twin that the other two are compared with. Answers at once. */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x448 } from '@noble/curves/ed448.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { type Bytes, CryptoError } from './error.ts';
import { assembleNoiseSuite, type NoiseGroup, type NoiseLibrary, type NoiseSuite } from './noise.ts';
import type { KeyAgreement } from './primitives.ts';
import { decapsulateOnNoble, encapsulateFromSeed, publicKeyOnNoble } from './seeded-kem.ts';

export { CryptoError } from './error.ts';
export type { NoiseSuite } from './noise.ts';

const HASHES = { SHA256: sha256, SHA512: sha512, BLAKE2s: blake2s, BLAKE2b: blake2b } as const;
const CIPHERS = { AESGCM: gcm, ChaChaPoly: chacha20poly1305 } as const;

export const NOBLE_LIBRARY: NoiseLibrary = {
  answers: 'at-once',
  kem: {
    kemPublicKey: publicKeyOnNoble,
    encapsulate: encapsulateFromSeed(undefined),
    decapsulate: decapsulateOnNoble,
  },
  group: keyAgreement,
  cipher: (name) => (key) => {
    const held = key.slice();
    return {
      seal: (nonce, plaintext, aad) => CIPHERS[name](held, nonce, aad).encrypt(plaintext) as Bytes,
      open(nonce, ciphertext, aad) {
        try {
          return CIPHERS[name](held, nonce, aad).decrypt(ciphertext) as Bytes;
        } catch {
          throw new CryptoError('aead-open-failed');
        }
      },
    };
  },
  hash:
    (name) =>
    (...parts) =>
      HASHES[name](concatBytes(...parts)) as Bytes,
  hmac:
    (name) =>
    (key, ...parts) =>
      hmac(HASHES[name] as typeof sha256, key, concatBytes(...parts)) as Bytes,
};

/** @returns undefined for a name that no library of ours can serve; see noise.ts */
export function createNoiseSuite(name: string): NoiseSuite | undefined {
  return assembleNoiseSuite(name, NOBLE_LIBRARY);
}

function keyAgreement(name: NoiseGroup): KeyAgreement {
  const group = name === '448' ? x448 : x25519;
  return {
    dhPublicKey: (privateKey) => group.getPublicKey(privateKey) as Bytes,
    dh(privateKey, publicKey) {
      try {
        return group.getSharedSecret(privateKey, publicKey) as Bytes;
      } catch {
        throw new CryptoError('low-order-point');
      }
    },
  };
}
