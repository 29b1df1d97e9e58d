/** ML-KEM-768 (FIPS 203) on WebCrypto where the browser has it, else on noble (loaded only then). Private keys are 64-byte seeds. */
import { assertLength, type Bytes, CryptoError } from './error.ts';
import {
  isCanonicalMlKem768PublicKey,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_PUBLIC_BYTES,
  ML_KEM_768_SEED_BYTES,
} from './ml-kem-key.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';
export {
  isCanonicalMlKem768PublicKey,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_PUBLIC_BYTES,
  ML_KEM_768_SEED_BYTES,
  ML_KEM_SECRET_BYTES,
} from './ml-kem-key.ts';

const NAME = 'ML-KEM-768';

/** The draft's methods ("Modern Algorithms in the Web Cryptography API"), absent from the standard types. */
interface ModernSubtle {
  importKey(format: string, key: Uint8Array, name: string, extractable: boolean, uses: string[]): Promise<CryptoKey>;
  getPublicKey(key: CryptoKey, uses: string[]): Promise<CryptoKey>;
  exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(name: string, key: CryptoKey): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(name: string, key: CryptoKey, ciphertext: Uint8Array): Promise<ArrayBuffer>;
}

const subtle = (): ModernSubtle => crypto.subtle as unknown as ModernSubtle;

async function probe(): Promise<boolean> {
  try {
    const seed = await subtle().importKey('raw-seed', new Uint8Array(64), NAME, false, ['decapsulateBits']);
    const publicKey = await subtle().getPublicKey(seed, ['encapsulateBits']);
    const raw = new Uint8Array(await subtle().exportKey('raw-public', publicKey));
    const { ciphertext } = await subtle().encapsulateBits(NAME, publicKey);
    return raw.length === ML_KEM_768_PUBLIC_BYTES && ciphertext.byteLength === ML_KEM_768_CIPHERTEXT_BYTES;
  } catch {
    return false;
  }
}

let native: Promise<boolean> | undefined;

/** Asked once, with a key of our own, so that a peer's key can never switch the implementation. */
function isNative(): Promise<boolean> {
  native ??= probe();
  return native;
}

const noble = async () => (await import('@noble/post-quantum/ml-kem.js')).ml_kem768;

/** A seed that has been expanded: most of the work of making its public key, and of opening with it. */
export interface ExpandedMlKem768 {
  readonly publicKey: Bytes;
  /** Once: what was expanded is overwritten afterwards. */
  decapsulate(ciphertext: Uint8Array): Promise<Bytes>;
}

/** @param seed 64 bytes (d ‖ z) */
export async function expandMlKem768(seed: Uint8Array): Promise<ExpandedMlKem768> {
  assertLength(seed, ML_KEM_768_SEED_BYTES);
  if (!(await isNative())) {
    const kem = await noble();
    const { publicKey, secretKey } = kem.keygen(new Uint8Array(seed));
    return {
      publicKey: publicKey as Bytes,
      async decapsulate(ciphertext) {
        assertLength(ciphertext, ML_KEM_768_CIPHERTEXT_BYTES);
        const secret = kem.decapsulate(ciphertext, secretKey) as Bytes;
        secretKey.fill(0);
        return secret;
      },
    };
  }
  const imported = await subtle().importKey('raw-seed', seed, NAME, false, ['decapsulateBits']);
  const publicKey = await subtle().getPublicKey(imported, ['encapsulateBits']);
  return {
    publicKey: new Uint8Array(await subtle().exportKey('raw-public', publicKey)),
    async decapsulate(ciphertext) {
      assertLength(ciphertext, ML_KEM_768_CIPHERTEXT_BYTES);
      return new Uint8Array(await subtle().decapsulateBits(NAME, imported, ciphertext));
    },
  };
}

/** The pair of a 64-byte seed (d ‖ z): the seed itself and 1,184 bytes. */
export async function mlKem768FromSeed(seed: Uint8Array): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  return { privateKey: new Uint8Array(seed), publicKey: (await expandMlKem768(seed)).publicKey };
}

/** A fresh pair. */
export function generateMlKem768(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  return mlKem768FromSeed(crypto.getRandomValues(new Uint8Array(ML_KEM_768_SEED_BYTES)));
}

/** A 32-byte secret and its 1,088-byte ciphertext. Rejects with CryptoError `kem-key-not-canonical`. */
export async function encapsulateMlKem768(publicKey: Uint8Array): Promise<{ ciphertext: Bytes; sharedSecret: Bytes }> {
  assertLength(publicKey, ML_KEM_768_PUBLIC_BYTES);
  if (!isCanonicalMlKem768PublicKey(publicKey)) throw new CryptoError('kem-key-not-canonical');
  if (!(await isNative())) {
    const { cipherText, sharedSecret } = (await noble()).encapsulate(publicKey);
    return { ciphertext: cipherText as Bytes, sharedSecret: sharedSecret as Bytes };
  }
  const key = await subtle().importKey('raw-public', publicKey, NAME, false, ['encapsulateBits']);
  const { ciphertext, sharedKey } = await subtle().encapsulateBits(NAME, key);
  return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
}

/** The 32-byte secret; an altered ciphertext yields another secret, not an error (implicit rejection). */
export async function decapsulateMlKem768(privateKey: Uint8Array, ciphertext: Uint8Array): Promise<Bytes> {
  assertLength(privateKey, ML_KEM_768_SEED_BYTES);
  assertLength(ciphertext, ML_KEM_768_CIPHERTEXT_BYTES);
  if (!(await isNative())) {
    const kem = await noble();
    return kem.decapsulate(ciphertext, kem.keygen(new Uint8Array(privateKey)).secretKey) as Bytes;
  }
  const key = await subtle().importKey('raw-seed', privateKey, NAME, false, ['decapsulateBits']);
  return new Uint8Array(await subtle().decapsulateBits(NAME, key, ciphertext));
}
