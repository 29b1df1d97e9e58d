/** Signatures of vendors: ECDSA over P-256 and P-384, RSA-PSS and RSA PKCS #1, on node:crypto. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { derEcdsaSignature, rawEcdsaSignature } from './ecdsa-signature.ts';
import { curveBytes, type PublicKey, type SignatureScheme } from './x509/public-key.ts';

/** Importing takes half as long as verifying, and a CA's key is used several times. */
const keys = new WeakMap<PublicKey, KeyObject>();

function imported(key: PublicKey): KeyObject {
  const known = keys.get(key) ?? createPublicKey({ key: key.spki as never, format: 'der', type: 'spki' });
  keys.set(key, known);
  return known;
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
  const digest = scheme.endsWith('256') ? 'sha256' : 'sha384';
  try {
    const keyObject = imported(key);
    if (key.kind === 'ec') {
      if (!scheme.startsWith('ecdsa')) return false;
      const raw = form === 'raw' ? signature : rawEcdsaSignature(signature, curveBytes(key.curve));
      if (raw === undefined || raw.length !== 2 * curveBytes(key.curve)) return false;
      // A key without options and a signature in DER: Node is half as fast with them.
      return verify(digest, message, keyObject, form === 'raw' ? derEcdsaSignature(raw) : signature);
    }
    if (scheme.startsWith('ecdsa') || signature.length !== key.modulus.length) return false;
    const isPss = scheme.startsWith('rsa-pss');
    const padding = isPss ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    const saltLength = isPss ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
    return verify(digest, message, { key: keyObject, padding, ...saltLength }, signature);
  } catch {
    return false;
  }
}
