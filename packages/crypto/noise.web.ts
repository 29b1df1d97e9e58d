/** The Noise algorithms in browsers: WebCrypto's X25519, ML-KEM and AES-GCM, noble's the rest. 448 is absent. */
import { createAead } from './aead.web.ts';
import { x25519, x25519PublicKey } from './dh.web.ts';
import { NOBLE_LIBRARY } from './noise.noble.ts';
import { assembleNoiseSuite, type NoiseLibrary, type NoiseSuite } from './noise.ts';
import { primitives } from './primitives.web.ts';

export { CryptoError } from './error.ts';
export type { NoiseSuite } from './noise.ts';

const { kemPublicKey, encapsulate, decapsulate } = primitives;

const LIBRARY: NoiseLibrary = {
  ...NOBLE_LIBRARY,
  answers: 'later',
  kem: { kemPublicKey, encapsulate, decapsulate },
  group: (name) => (name === '448' ? undefined : { dhPublicKey: x25519PublicKey, dh: x25519 }),
  cipher: (name) => (name === 'AESGCM' ? createAead : NOBLE_LIBRARY.cipher(name)),
};

/** @returns undefined for a name a browser cannot serve; see noise.ts */
export function createNoiseSuite(name: string): NoiseSuite | undefined {
  return assembleNoiseSuite(name, LIBRARY);
}
