/** X25519 in Node. */
import { randomBytes } from 'node:crypto';
import type { Bytes } from './error.ts';
import { x25519PublicKeySync, x25519Sync } from './sync.node.ts';

export { type Bytes, CryptoError, type CryptoErrorCode } from './error.ts';
export { eraseX25519Key } from './lasting-keys.node.ts';

/** A fresh pair, 32 bytes each. */
export async function generateX25519(): Promise<{ privateKey: Bytes; publicKey: Bytes }> {
  const privateKey = new Uint8Array(randomBytes(32));
  return { privateKey, publicKey: x25519PublicKeySync(privateKey) };
}

/** The 32-byte public key of a 32-byte private key. */
export async function x25519PublicKey(privateKey: Uint8Array): Promise<Bytes> {
  return x25519PublicKeySync(privateKey);
}

/** The 32-byte shared secret (RFC 7748). Rejects with CryptoError `low-order-point` where it would be all zero. */
export async function x25519(privateKey: Uint8Array, publicKey: Uint8Array): Promise<Bytes> {
  return x25519Sync(privateKey, publicKey);
}
