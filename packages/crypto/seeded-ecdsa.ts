/**
 * ECDSA keys and signatures that can be computed again byte for byte (RFC 6979), so that test vectors have one spelling. For
 * fakes of a vendor's hardware alone: the private key is in the source. On noble; the product only verifies.
 */
import { p256, p384 } from '@noble/curves/nist.js';
import { concatBytes } from '@sotto/bytes';
import type { Bytes } from './error.ts';
import { type Curve, ecPublicKey, type PublicKey } from './x509/public-key.ts';

export interface SeededEcdsaKey {
  readonly curve: Curve;
  readonly publicKey: PublicKey;
  /** r ‖ s, under SHA-256 for P-256 and SHA-384 for P-384. */
  sign(message: Uint8Array): Bytes;
}

/** @param seed 64 bytes, which nobody may take for a secret */
export function seededEcdsaKey(curve: Curve, seed: Uint8Array): SeededEcdsaKey {
  const group = curve === 'P-256' ? p256 : p384;
  const { secretKey, publicKey } = group.keygen(
    curve === 'P-256' ? seed.slice(0, 48) : concatBytes(seed, seed.slice(0, 8)),
  );
  const point = group.Point.fromBytes(publicKey).toBytes(false);
  return {
    curve,
    publicKey: ecPublicKey(curve, point.slice(1)),
    sign: (message) => group.sign(message, secretKey, { lowS: false }) as Bytes,
  };
}
