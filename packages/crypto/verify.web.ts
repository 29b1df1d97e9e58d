/** Signatures of vendors on WebCrypto; ECDSA on noble (loaded only then) where the browser lacks a curve. */

import { rawEcdsaSignature } from './ecdsa-signature.ts';
import type { Bytes } from './error.ts';
import { type Curve, curveBytes, type PublicKey, type SignatureScheme } from './x509/public-key.ts';

const native = new Map<Curve, Promise<boolean>>();

/** Asked once a curve, with a key of our own, so that a peer's key can never switch the implementation. */
function isNative(curve: Curve): Promise<boolean> {
  const known = native.get(curve);
  if (known !== undefined) return known;
  const asked = crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, false, ['sign', 'verify']).then(
    () => true,
    () => false,
  );
  native.set(curve, asked);
  return asked;
}

/** A CA's key is used several times, and importing takes half as long as verifying. */
const keys = new WeakMap<PublicKey, Promise<CryptoKey>>();

function importOnce(key: PublicKey, curve: Curve, point: Uint8Array): Promise<CryptoKey> {
  const algorithm = { name: 'ECDSA', namedCurve: curve };
  const known = keys.get(key) ?? crypto.subtle.importKey('raw', point as Bytes, algorithm, false, ['verify']);
  keys.set(key, known);
  return known;
}

async function verifyOnNoble(
  curve: Curve,
  hash: 'SHA-256' | 'SHA-384',
  point: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { p256, p384 } = await import('@noble/curves/nist.js');
  const { sha256, sha384 } = await import('@noble/hashes/sha2.js');
  const digest = (hash === 'SHA-256' ? sha256 : sha384)(message);
  return (curve === 'P-256' ? p256 : p384).verify(signature, digest, point, { prehash: false, lowS: false });
}

/**
 * Whether the key's owner signed the message. False for everything else, wrong lengths and schemes of another kind of key
 * included; never throws on what a peer sent.
 *
 * @param form of an ECDSA signature: `der` in certificates, `raw` (r ‖ s) from hardware
 */
export async function verifySignature(
  scheme: SignatureScheme,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  form: 'der' | 'raw' = 'der',
): Promise<boolean> {
  const hash = scheme.endsWith('256') ? 'SHA-256' : 'SHA-384';
  try {
    if (key.kind === 'ec') {
      if (!scheme.startsWith('ecdsa')) return false;
      const raw = form === 'raw' ? signature : rawEcdsaSignature(signature, curveBytes(key.curve));
      if (raw === undefined || raw.length !== 2 * curveBytes(key.curve)) return false;
      if (!(await isNative(key.curve))) return await verifyOnNoble(key.curve, hash, key.point, message, raw);
      const imported = await importOnce(key, key.curve, key.point);
      return await crypto.subtle.verify({ name: 'ECDSA', hash }, imported, raw as Bytes, message as Bytes);
    }
    if (scheme.startsWith('ecdsa') || signature.length !== key.modulus.length) return false;
    const name = scheme.startsWith('rsa-pss') ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5';
    const imported = await crypto.subtle.importKey('spki', key.spki as Bytes, { name, hash }, false, ['verify']);
    const saltLength = hash === 'SHA-256' ? 32 : 48;
    return await crypto.subtle.verify({ name, saltLength }, imported, signature as Bytes, message as Bytes);
  } catch {
    return false;
  }
}
