/** X25519 on WebCrypto; on noble (loaded only then) where the browser does not have it. */
import { concatBytes } from '@sotto/bytes';
import { assertLength, type Bytes, CryptoError, isZero } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

/** RFC 7748: multiplying this point by a private key gives its public key. */
const BASE_POINT = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 : 0));
/** RFC 8410 PKCS #8 header; WebCrypto imports no raw private X25519 key. */
const PKCS8_HEADER = Uint8Array.of(0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 34, 4, 32);

const importPublic = (key: Uint8Array) => crypto.subtle.importKey('raw', key as Bytes, 'X25519', false, []);

let native: Promise<boolean> | undefined;

/** Asked once, with a key of our own, so that a peer's key can never switch the implementation. */
function isNative(): Promise<boolean> {
  native ??= importPublic(BASE_POINT).then(
    () => true,
    () => false,
  );
  return native;
}

/** Multiplies points by a private key that was imported once. Rejects with CryptoError `low-order-point`. */
export type X25519Multiplier = (point: Uint8Array) => Promise<Bytes>;

/** @param privateKey 32 bytes */
export async function importX25519(privateKey: Uint8Array): Promise<X25519Multiplier> {
  assertLength(privateKey, 32);
  if (await isNative()) {
    const pkcs8 = concatBytes(PKCS8_HEADER, privateKey);
    const own = await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']);
    pkcs8.fill(0);
    return checked(async (point) => {
      const bits = await crypto.subtle.deriveBits({ name: 'X25519', public: await importPublic(point) }, own, 256);
      return new Uint8Array(bits);
    });
  }
  const { x25519: noble } = await import('@noble/curves/ed25519.js');
  return checked(async (point) => noble.getSharedSecret(privateKey, point) as Bytes);
}

function checked(multiply: X25519Multiplier): X25519Multiplier {
  return async (point) => {
    assertLength(point, 32);
    let shared: Bytes;
    try {
      shared = await multiply(point);
    } catch {
      throw new CryptoError('low-order-point');
    }
    if (isZero(shared)) throw new CryptoError('low-order-point');
    return shared;
  };
}

async function multiply(privateKey: Uint8Array, point: Uint8Array): Promise<Bytes> {
  return (await importX25519(privateKey))(point);
}

/** The public key that belongs to a private key. */
export function x25519PublicKeyOf(own: X25519Multiplier): Promise<Bytes> {
  return own(BASE_POINT);
}

/** A fresh pair, 32 bytes each. */
export async function generateX25519(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  const privateKey = crypto.getRandomValues(new Uint8Array(32));
  return { privateKey, publicKey: await x25519PublicKey(privateKey) };
}

/** The 32-byte public key of a 32-byte private key. */
export function x25519PublicKey(privateKey: Uint8Array): Promise<Bytes> {
  return multiply(privateKey, BASE_POINT);
}

/** The 32-byte shared secret (RFC 7748). Rejects with CryptoError `low-order-point` where it would be all zero. */
export function x25519(privateKey: Uint8Array, publicKey: Uint8Array): Promise<Bytes> {
  return multiply(privateKey, publicKey);
}

/** Overwrites the bytes of a private key. */
export function eraseX25519Key(privateKey: Uint8Array): void {
  privateKey.fill(0);
}
