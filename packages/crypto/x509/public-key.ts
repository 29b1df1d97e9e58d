/** Public keys and signature schemes: those that the vendors use, each in its one encoding. Read from hostile input. */
import { concatBytes } from '@sotto/bytes';
import { type Der, parseDer, SEQUENCE } from './der.ts';
import { NULL } from './der-primitives.ts';
import {
  DerFields,
  explicit,
  readBitStringOctets,
  readObjectIdentifier,
  readSmallInteger,
  readUnsigned,
} from './der-values.ts';
import { CertificateError } from './error.ts';

export type Curve = 'P-256' | 'P-384';
export type PublicKey =
  /** `point` uncompressed: 65 or 97 octets, the first of them 4. */
  | { readonly kind: 'ec'; readonly curve: Curve; readonly point: Uint8Array; readonly spki: Uint8Array }
  /** 2,048 to 4,096 bits, exponent 65,537. */
  | { readonly kind: 'rsa'; readonly modulus: Uint8Array; readonly spki: Uint8Array };

export type SignatureScheme =
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'rsa-pkcs1-sha256'
  | 'rsa-pkcs1-sha384'
  | 'rsa-pss-sha256'
  | 'rsa-pss-sha384';

const unsupported = (message: string) => new CertificateError('certificate-malformed', 'EV-365', message);

const CURVES: ReadonlyMap<string, Curve> = new Map([
  ['1.2.840.10045.3.1.7', 'P-256'],
  ['1.3.132.0.34', 'P-384'],
]);
const CURVE_BYTES = { 'P-256': 32, 'P-384': 48 } as const;
const EC = '1.2.840.10045.2.1';
const RSA = '1.2.840.113549.1.1.1';
const RSA_EXPONENT = 65_537;

/** What stands before the point in the key information of each curve. */
const EC_HEADERS: Record<Curve, Uint8Array> = {
  'P-256': Uint8Array.from([
    ...[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
    ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00],
  ]),
  'P-384': Uint8Array.from([
    ...[0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
    ...[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00],
  ]),
};

/** The bytes of a coordinate, or of r and of s. */
export function curveBytes(curve: Curve): 32 | 48 {
  return CURVE_BYTES[curve];
}

/** A key from its point as hardware writes it: x and y, 32 or 48 bytes each, without a first octet. */
export function ecPublicKey(curve: Curve, coordinates: Uint8Array): PublicKey {
  // EV-365: a point of another length is on no curve that we know.
  if (coordinates.length !== 2 * CURVE_BYTES[curve]) throw unsupported('the point has another length than its curve');
  const point = concatBytes(Uint8Array.of(4), coordinates);
  return { kind: 'ec', curve, point, spki: concatBytes(EC_HEADERS[curve], point) };
}

/** @throws CertificateError `certificate-malformed` for any other kind of key than those above */
export function readPublicKey(element: Der): PublicKey {
  const fields = new DerFields(element);
  const algorithm = new DerFields(fields.next(SEQUENCE));
  const bits = readBitStringOctets(fields.next());
  fields.end();
  const name = readObjectIdentifier(algorithm.next());
  const parameters = algorithm.next();
  algorithm.end();
  if (name === EC) return readEcKey(parameters, bits, element.raw);
  // EV-365: a signature under an algorithm that we do not know proves nothing.
  if (name !== RSA) throw unsupported('the key is neither RSA nor of a known curve');
  // EV-365: parameters that nobody reads could be changed unseen.
  if (parameters.tag !== NULL) throw unsupported('the parameters of an RSA key are not null');
  return readRsaKey(bits, element.raw);
}

/** @param bytes SubjectPublicKeyInfo in DER; `readPublicKey` of what it holds */
export function parsePublicKey(bytes: Uint8Array): PublicKey {
  return readPublicKey(parseDer(bytes));
}

function readEcKey(parameters: Der, point: Uint8Array, spki: Uint8Array): PublicKey {
  const curve = CURVES.get(readObjectIdentifier(parameters));
  // EV-365: a weak or unknown curve proves nothing, and a compressed point is a second spelling of the same key.
  if (curve === undefined || point[0] !== 4 || point.length !== 1 + 2 * CURVE_BYTES[curve]) {
    throw unsupported('the key is not an uncompressed point of P-256 or P-384');
  }
  return { kind: 'ec', curve, point, spki };
}

function readRsaKey(bits: Uint8Array, spki: Uint8Array): PublicKey {
  const fields = new DerFields(parseDer(bits));
  const modulus = readUnsigned(fields.next());
  const exponent = readSmallInteger(fields.next());
  fields.end();
  // EV-365: small exponents have let forged signatures pass, and large ones cost time.
  if (exponent !== RSA_EXPONENT) throw unsupported('the exponent of an RSA key is not 65537');
  const isWithinLimits = modulus.length >= 256 && modulus.length <= 512 && (modulus[0] as number) >= 0x80;
  // EV-365: a short key can be broken, and a long one costs the verifier its time.
  if (!isWithinLimits) throw unsupported('an RSA key has not 2048 to 4096 bits');
  return { kind: 'rsa', modulus, spki };
}

const SHA256 = '2.16.840.1.101.3.4.2.1';
const SHA384 = '2.16.840.1.101.3.4.2.2';
const MGF1 = '1.2.840.113549.1.1.8';
const RSA_PSS = '1.2.840.113549.1.1.10';
const unknownScheme = (message: string) => new CertificateError('certificate-malformed', 'EV-364', message);

/** @throws CertificateError `certificate-malformed` for an algorithm not in the list, or parameters that are not its own */
export function readSignatureScheme(element: Der): SignatureScheme {
  const fields = new DerFields(element);
  const name = readObjectIdentifier(fields.next());
  if (name === RSA_PSS) {
    const scheme = readPssParameters(fields.next(SEQUENCE));
    fields.end();
    return scheme;
  }
  const ecdsa =
    name === '1.2.840.10045.4.3.2' ? 'ecdsa-sha256' : name === '1.2.840.10045.4.3.3' ? 'ecdsa-sha384' : undefined;
  if (ecdsa !== undefined) {
    fields.end();
    return ecdsa;
  }
  const rsa =
    name === '1.2.840.113549.1.1.11'
      ? 'rsa-pkcs1-sha256'
      : name === '1.2.840.113549.1.1.12'
        ? 'rsa-pkcs1-sha384'
        : undefined;
  // EV-364: SHA-1 and MD5 can be made to collide; of others nothing is known.
  if (rsa === undefined) throw unknownScheme('the signature algorithm is not one of those that are known');
  fields.next(NULL);
  fields.end();
  return rsa;
}

/** RSASSA-PSS with one hash throughout and a salt of its length (RFC 4055). The trailer may be written though it is the default: AMD does. */
function readPssParameters(element: Der): SignatureScheme {
  const fields = new DerFields(element);
  const hash = readHash(explicit(fields.next(0xa0), 0xa0));
  const mask = new DerFields(explicit(fields.next(0xa1), 0xa1));
  const maskName = readObjectIdentifier(mask.next());
  const maskHash = readHash(mask.next(SEQUENCE));
  mask.end();
  const saltBytes = readSmallInteger(explicit(fields.next(0xa2), 0xa2));
  const trailer = fields.optional(0xa3);
  fields.end();
  const isOne = maskName === MGF1 && maskHash === hash && saltBytes === (hash === SHA256 ? 32 : 48);
  // EV-364: parameters that we would not use for the check must not stand in what is signed.
  if (!isOne) throw unknownScheme('the parameters of RSA-PSS are not those of one hash');
  const isPlainTrailer = trailer === undefined || readSmallInteger(explicit(trailer, 0xa3)) === 1;
  // EV-364: another trailer is another way to pad.
  if (!isPlainTrailer) throw unknownScheme('the trailer of RSA-PSS is not the usual one');
  return hash === SHA256 ? 'rsa-pss-sha256' : 'rsa-pss-sha384';
}

function readHash(element: Der): string {
  const fields = new DerFields(element);
  const name = readObjectIdentifier(fields.next());
  fields.optional(NULL);
  fields.end();
  // EV-364: the hash must be one that cannot be made to collide.
  if (name !== SHA256 && name !== SHA384) throw unknownScheme('the hash of RSA-PSS is neither SHA-256 nor SHA-384');
  return name;
}
