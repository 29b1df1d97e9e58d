/** The algorithms of the published Noise vectors, on noble; imported by tests and vector generators only. */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x448 } from '@noble/curves/ed448.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Bytes } from './error.ts';
import type { Primitives } from './primitives.ts';

const HASHES = { SHA256: sha256, SHA512: sha512, BLAKE2s: blake2s, BLAKE2b: blake2b } as const;
const GROUPS = { '25519': x25519, '448': x448, NewHope: undefined } as const;

function parse(name: string) {
  const [groups = '', cipher = '', hash = ''] = name.split('_');
  const [dh = '', hybrid] = groups.split('+');
  return { dh: dh as '25519' | '448', hybrid, cipher, hash: HASHES[hash as keyof typeof HASHES] };
}

/** @param name such as `25519+448_ChaChaPoly_BLAKE2b` */
export function algorithmsForTesting(name: string) {
  const { dh, hybrid, cipher, hash } = parse(name);
  const lengths = { '25519': 32, '448': 56 };
  return {
    name,
    dhBytes: lengths[dh],
    hybridBytes: hybrid === undefined ? 0 : hybrid === 'MLKEM768' ? 1184 : lengths[hybrid as '448'],
    kemCiphertextBytes: hybrid === 'MLKEM768' ? 1088 : 0,
    hashBytes: hash.outputLen,
    hash: (...parts: readonly Uint8Array[]) => hash(concatBytes(...parts)),
    hmac: (key: Uint8Array, ...parts: readonly Uint8Array[]) => hmac(hash as typeof sha256, key, concatBytes(...parts)),
    nonce(counter: number) {
      const nonce = new Uint8Array(12);
      new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), cipher === 'ChaChaPoly');
      return nonce;
    },
  };
}

/** @param encapsulationSeed makes `encapsulate` deterministic */
export function primitivesForTesting(name: string, encapsulationSeed?: Uint8Array): Primitives {
  const { dh, hybrid, cipher } = parse(name);
  const on = (group: typeof x25519 | typeof x448) => ({
    dhPublicKey: (privateKey: Uint8Array) => group.getPublicKey(privateKey) as Bytes,
    dh: (privateKey: Uint8Array, publicKey: Uint8Array) => group.getSharedSecret(privateKey, publicKey) as Bytes,
  });
  const seal = cipher === 'AESGCM' ? gcm : chacha20poly1305;
  const second = GROUPS[hybrid as keyof typeof GROUPS];
  return {
    answers: 'at-once',
    ...on(GROUPS[dh]),
    ...(second === undefined ? {} : { hybrid: on(second) }),
    kemPublicKey: (seed) => ml_kem768.keygen(seed).publicKey as Bytes,
    encapsulate(publicKey) {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, encapsulationSeed);
      return { ciphertext: cipherText as Bytes, sharedSecret: sharedSecret as Bytes };
    },
    decapsulate: (seed, ciphertext) => ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey) as Bytes,
    importAead: (key) => ({
      seal: (nonce, plaintext, aad) => seal(key, nonce, aad).encrypt(plaintext) as Bytes,
      open: (nonce, ciphertext, aad) => seal(key, nonce, aad).decrypt(ciphertext) as Bytes,
    }),
  };
}
