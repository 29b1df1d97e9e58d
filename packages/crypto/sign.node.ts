/** Ed25519 in Node. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { assertLength, type Bytes } from './error.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';

function privateObject(key: Uint8Array): KeyObject {
  assertLength(key, 32);
  return createPrivateKey({ key: key as never, format: 'raw-private', asymmetricKeyType: 'ed25519' } as never);
}

/** A fresh pair, 32 bytes each. */
export async function generateEd25519(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  const privateKey = new Uint8Array(randomBytes(32));
  return { privateKey, publicKey: await ed25519PublicKey(privateKey) };
}

/** The 32-byte public key of a 32-byte private key. */
export async function ed25519PublicKey(privateKey: Uint8Array): Promise<Bytes> {
  const publicKey = createPublicKey(privateObject(privateKey)).export({ format: 'raw-public' });
  return new Uint8Array(publicKey as unknown as Uint8Array);
}

/** The 64-byte signature (RFC 8032). */
export async function signEd25519(privateKey: Uint8Array, message: Uint8Array): Promise<Bytes> {
  return new Uint8Array(sign(null, message, privateObject(privateKey)));
}

/** False for anything but a good signature, wrong lengths included; never throws on what a peer sent. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = createPublicKey({
      key: publicKey as never,
      format: 'raw-public',
      asymmetricKeyType: 'ed25519',
    } as never);
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}
