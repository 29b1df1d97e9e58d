/**
 * AES-256-GCM, X25519 and ML-KEM-768 without promises, on node:crypto: the enclave's hot path (11 µs a record, where
 * WebCrypto takes 60). Keys travel raw. What the library throws becomes ours on the spot.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
  decapsulate as nodeDecapsulate,
  encapsulate as nodeEncapsulate,
} from 'node:crypto';
import { assertLength, type Bytes, CryptoError, isZero } from './error.ts';
import {
  isCanonicalMlKem768PublicKey,
  ML_KEM_768_CIPHERTEXT_BYTES,
  ML_KEM_768_PUBLIC_BYTES,
  ML_KEM_768_SEED_BYTES,
} from './ml-kem-key.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

const TAG_BYTES = 16;
const LARGE_BYTES = 4096;

/** A buffer that nothing else uses, as plain bytes: a Buffer's `slice` does not copy. */
function viewOf(buffer: Uint8Array): Bytes {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length);
}

/** The same bytes with room behind them. Large ones change hands instead of being copied: a tenth of a record's time. */
function grownBy(bytes: number, buffer: Uint8Array): Bytes {
  const [whole, length] = [buffer.buffer as ArrayBuffer, buffer.length + bytes];
  if (buffer.length >= LARGE_BYTES && whole.byteLength === buffer.length) return new Uint8Array(whole.transfer(length));
  const grown = new Uint8Array(length);
  grown.set(buffer);
  return grown;
}

/** A key of 32 bytes, imported: Node takes raw bytes too, and spends three times the cipher's own time on looking at them. */
export function importSecretKey(key: Uint8Array): KeyObject {
  assertLength(key, 32);
  return createSecretKey(key);
}

/** AES-256-GCM; `key` 32 bytes or imported, `nonce` 12 bytes; the tag follows the ciphertext. */
export function sealAes256GcmSync(
  key: Uint8Array | KeyObject,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Bytes {
  assertLength(nonce, 12);
  const cipher = createCipheriv('aes-256-gcm', key instanceof Uint8Array ? importSecretKey(key) : key, nonce);
  if (aad.length > 0) cipher.setAAD(aad);
  const sealed = grownBy(TAG_BYTES, cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

/** @throws CryptoError `aead-open-failed`; nothing of the plaintext is returned before the tag is checked */
export function openAes256GcmSync(
  key: Uint8Array | KeyObject,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  aad: Uint8Array,
): Bytes {
  assertLength(nonce, 12);
  if (ciphertext.length < TAG_BYTES) throw new CryptoError('aead-open-failed');
  const at = ciphertext.length - TAG_BYTES;
  const imported = key instanceof Uint8Array ? importSecretKey(key) : key;
  const decipher = createDecipheriv('aes-256-gcm', imported, nonce, { authTagLength: TAG_BYTES });
  if (aad.length > 0) decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(at));
  const plaintext = viewOf(decipher.update(ciphertext.subarray(0, at)));
  try {
    decipher.final();
  } catch {
    throw new CryptoError('aead-open-failed');
  }
  return plaintext;
}

/**
 * Node finds out that raw bytes are not a key object by throwing and catching; the stack traces of that take longer than
 * the import. Nothing else runs meanwhile.
 */
function withoutTraces<Value>(run: () => Value): Value {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function privateObject(type: 'x25519' | 'ml-kem-768', format: 'raw-private' | 'raw-seed', key: Uint8Array): KeyObject {
  return withoutTraces(() => createPrivateKey({ key: key as never, format, asymmetricKeyType: type } as never));
}

function publicObject(type: 'x25519' | 'ml-kem-768', key: Uint8Array): KeyObject {
  return withoutTraces(() =>
    createPublicKey({ key: key as never, format: 'raw-public', asymmetricKeyType: type } as never),
  );
}

function rawPublic(privateKey: KeyObject): Bytes {
  return new Uint8Array(createPublicKey(privateKey).export({ format: 'raw-public' }) as unknown as Uint8Array);
}

/** A 32-byte X25519 private key, imported: Node computes its public key while it does so, which is half the work of a DH. */
export function importX25519PrivateKey(privateKey: Uint8Array): KeyObject {
  assertLength(privateKey, 32);
  return privateObject('x25519', 'raw-private', privateKey);
}

/** 32 bytes that anybody may have made. */
export function importX25519PublicKey(publicKey: Uint8Array): KeyObject {
  assertLength(publicKey, 32);
  return publicObject('x25519', publicKey);
}

/** The X25519 public key, 32 bytes, of a private key. */
export function x25519PublicKeySync(privateKey: Uint8Array | KeyObject): Bytes {
  return rawPublic(privateKey instanceof Uint8Array ? importX25519PrivateKey(privateKey) : privateKey);
}

/** X25519 (RFC 7748). @throws CryptoError `low-order-point` when the result would be all zero */
export function x25519Sync(privateKey: Uint8Array | KeyObject, publicKey: Uint8Array | KeyObject): Bytes {
  const own = privateKey instanceof Uint8Array ? importX25519PrivateKey(privateKey) : privateKey;
  const other = publicKey instanceof Uint8Array ? importX25519PublicKey(publicKey) : publicKey;
  let shared: Bytes;
  try {
    shared = new Uint8Array(diffieHellman({ privateKey: own, publicKey: other }));
  } catch {
    // Both keys have the right length, so the only thing left for OpenSSL to refuse is an all-zero result.
    throw new CryptoError('low-order-point');
  }
  if (isZero(shared)) throw new CryptoError('low-order-point');
  return shared;
}

/** The ML-KEM-768 encapsulation key, 1,184 bytes, of a 64-byte seed (d ‖ z). */
export function mlKem768PublicKeySync(seed: Uint8Array): Bytes {
  assertLength(seed, ML_KEM_768_SEED_BYTES);
  return rawPublic(privateObject('ml-kem-768', 'raw-seed', seed));
}

/** @throws CryptoError `kem-key-not-canonical` */
export function encapsulateMlKem768Sync(publicKey: Uint8Array): { ciphertext: Bytes; sharedSecret: Bytes } {
  assertLength(publicKey, ML_KEM_768_PUBLIC_BYTES);
  if (!isCanonicalMlKem768PublicKey(publicKey)) throw new CryptoError('kem-key-not-canonical');
  const { ciphertext, sharedKey } = nodeEncapsulate(publicObject('ml-kem-768', publicKey));
  return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
}

/** Implicit rejection: an altered ciphertext yields another secret, not an error. `privateKey` is the 64-byte seed. */
export function decapsulateMlKem768Sync(privateKey: Uint8Array, ciphertext: Uint8Array): Bytes {
  assertLength(privateKey, ML_KEM_768_SEED_BYTES);
  assertLength(ciphertext, ML_KEM_768_CIPHERTEXT_BYTES);
  return new Uint8Array(nodeDecapsulate(privateObject('ml-kem-768', 'raw-seed', privateKey), ciphertext));
}
