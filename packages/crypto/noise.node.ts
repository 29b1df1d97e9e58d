/** Every Noise algorithm on node:crypto, each answering at once; keys travel raw. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
import { assertLength, type Bytes, CryptoError, isZero } from './error.ts';
import { assembleNoiseSuite, type NoiseGroup, type NoiseHash, type NoiseLibrary, type NoiseSuite } from './noise.ts';
import type { AeadKey, KeyAgreement } from './primitives.ts';
import {
  decapsulateMlKem768Sync,
  encapsulateMlKem768Sync,
  importSecretKey,
  mlKem768PublicKeySync,
  openAes256GcmSync,
  sealAes256GcmSync,
} from './sync.node.ts';

export { CryptoError } from './error.ts';
export type { NoiseSuite } from './noise.ts';

const TAG_BYTES = 16;
const HASHES: Record<NoiseHash, string> = {
  SHA256: 'sha256',
  SHA512: 'sha512',
  BLAKE2s: 'blake2s256',
  BLAKE2b: 'blake2b512',
};

const LIBRARY: NoiseLibrary = {
  answers: 'at-once',
  kem: {
    kemPublicKey: mlKem768PublicKeySync,
    encapsulate: encapsulateMlKem768Sync,
    decapsulate: decapsulateMlKem768Sync,
  },
  group: keyAgreement,
  cipher: (name) => (name === 'AESGCM' ? aesGcm : chaChaPoly),
  hash: (name) => digester(() => createHash(HASHES[name])),
  hmac:
    (name) =>
    (key, ...parts) =>
      digester(() => createHmac(HASHES[name], createSecretKey(key)))(...parts),
};

/** @returns undefined for a name this library cannot serve; see noise.ts */
export function createNoiseSuite(name: string): NoiseSuite | undefined {
  return assembleNoiseSuite(name, LIBRARY);
}

function digester(create: () => { update(part: Uint8Array): unknown; digest(): Uint8Array }) {
  return (...parts: readonly Uint8Array[]): Bytes => {
    const hash = create();
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  };
}

/** X25519 or X448. OpenSSL derives the public key at every import, so imported keys are kept while their bytes are. */
function keyAgreement(group: NoiseGroup): KeyAgreement {
  const asymmetricKeyType = group === '448' ? 'x448' : 'x25519';
  const lengthBytes = group === '448' ? 56 : 32;
  const imported = new WeakMap<Uint8Array, KeyObject>();
  const privateObject = (key: Uint8Array): KeyObject => {
    assertLength(key, lengthBytes);
    const known = imported.get(key);
    if (known !== undefined) return known;
    const object = createPrivateKey({ key: key as never, format: 'raw-private', asymmetricKeyType } as never);
    imported.set(key, object);
    return object;
  };
  return {
    dhPublicKey: (privateKey) =>
      new Uint8Array(
        createPublicKey(privateObject(privateKey)).export({ format: 'raw-public' }) as unknown as Uint8Array,
      ),
    dh(privateKey, publicKey) {
      assertLength(publicKey, lengthBytes);
      let shared: Bytes;
      try {
        const theirs = createPublicKey({ key: publicKey as never, format: 'raw-public', asymmetricKeyType } as never);
        shared = new Uint8Array(diffieHellman({ privateKey: privateObject(privateKey), publicKey: theirs }));
      } catch {
        // Both keys have the right length, so the only thing left for OpenSSL to refuse is an all-zero result.
        throw new CryptoError('low-order-point');
      }
      if (isZero(shared)) throw new CryptoError('low-order-point');
      return shared;
    },
  };
}

function aesGcm(key: Uint8Array): AeadKey {
  const held = importSecretKey(key);
  return {
    seal: (nonce, plaintext, aad) => sealAes256GcmSync(held, nonce, plaintext, aad),
    open: (nonce, ciphertext, aad) => openAes256GcmSync(held, nonce, ciphertext, aad),
  };
}

function chaChaPoly(key: Uint8Array): AeadKey {
  const held = importSecretKey(key);
  const options = { authTagLength: TAG_BYTES };
  return {
    seal(nonce, plaintext, aad) {
      const cipher = createCipheriv('chacha20-poly1305', held, nonce, options);
      cipher.setAAD(aad, { plaintextLength: plaintext.length });
      const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(nonce, ciphertext, aad) {
      if (ciphertext.length < TAG_BYTES) throw new CryptoError('aead-open-failed');
      const at = ciphertext.length - TAG_BYTES;
      const decipher = createDecipheriv('chacha20-poly1305', held, nonce, options);
      decipher.setAAD(aad, { plaintextLength: at });
      decipher.setAuthTag(ciphertext.subarray(at));
      const plaintext = new Uint8Array(decipher.update(ciphertext.subarray(0, at)));
      try {
        decipher.final();
      } catch {
        throw new CryptoError('aead-open-failed');
      }
      return plaintext;
    },
  };
}
