/** X.509 certificates, version 3 (RFC 5280): read strictly, believed in nothing. `chain.ts` judges them. */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { type Der, parseDer, SEQUENCE } from './der.ts';
import { DerFields, explicit, readBitStringOctets, readInteger, readSmallInteger, readTime } from './der-values.ts';
import { CertificateError } from './error.ts';
import {
  type Extensions,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtensions,
  readKeyUsage,
  readSubjectKeyId,
} from './extensions.ts';
import { type PublicKey, readPublicKey, readSignatureScheme, type SignatureScheme } from './public-key.ts';

/** What is certified from when to when, both included; seconds since 1970. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Everything that a certificate says. All byte strings are views into `raw`. */
export interface Certificate extends Validity {
  readonly raw: Uint8Array;
  /** What is signed. */
  readonly tbs: Uint8Array;
  readonly scheme: SignatureScheme;
  readonly signature: Uint8Array;
  /** In hex, without the octet that only says that it is not negative. */
  readonly serial: string;
  /** Names in DER; equal when their bytes are. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey: PublicKey;
  readonly extensions: Extensions;
  readonly isCa: boolean;
  /** How many certificates of CAs may stand between this one and the leaf. */
  readonly pathLength: number | undefined;
  /** Named bits, bit 0 being digitalSignature. */
  readonly keyUsage: number | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
}

export const CERTIFICATE_LIMIT_BYTES = 16_384;
const SERIAL_LIMIT_BYTES = 21;

const malformed = (rule: string, message: string) => new CertificateError('certificate-malformed', rule, message);

/**
 * @param bytes one certificate in DER and nothing else, at most 16 KiB
 * @throws CertificateError of class `format`
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  const outer = new DerFields(parseDer(bytes, CERTIFICATE_LIMIT_BYTES));
  const statement = outer.next(SEQUENCE);
  const signedWith = outer.next(SEQUENCE);
  const signature = readBitStringOctets(outer.next());
  outer.end();

  const fields = new DerFields(statement);
  const version = fields.optional(0xa0);
  // EV-361: older certificates have no extensions, and nothing says what they may sign.
  if (version === undefined) throw malformed('EV-361', 'a certificate is not of version 3');
  const isVersion3 = readSmallInteger(explicit(version, 0xa0)) === 2;
  // EV-361: of later versions nothing is known.
  if (!isVersion3) throw malformed('EV-361', 'a certificate is not of version 3');
  const serial = readSerial(fields.next());
  const scheme = fields.next(SEQUENCE);
  const isSame = equalBytes(scheme.raw, signedWith.raw);
  // EV-363: the algorithm outside is not signed: it could name a weaker one.
  if (!isSame) throw malformed('EV-363', 'a certificate names two signature algorithms');
  const issuer = fields.next(SEQUENCE).raw;
  const validity = readValidity(fields.next(SEQUENCE));
  const subject = fields.next(SEQUENCE).raw;
  const publicKey = readPublicKey(fields.next(SEQUENCE));
  const extensions = readExtensions(explicit(fields.next(0xa3), 0xa3), 'certificate-malformed');
  fields.end();

  const constraints = readBasicConstraints(extensions);
  return {
    raw: bytes,
    tbs: statement.raw,
    scheme: readSignatureScheme(scheme),
    signature,
    serial,
    issuer,
    subject,
    publicKey,
    extensions,
    ...validity,
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength,
    keyUsage: readKeyUsage(extensions),
    subjectKeyId: readSubjectKeyId(extensions),
    authorityKeyId: readAuthorityKeyId(extensions),
  };
}

/** Serial numbers are not negative; zero is allowed, because AMD's are zero. */
export function readSerial(element: Der): string {
  const content = readInteger(element);
  const isPlain = (content[0] as number) < 0x80 && content.length <= SERIAL_LIMIT_BYTES;
  // EV-362: a list that names a serial number in another form would not find this one.
  if (!isPlain) throw malformed('EV-362', 'a serial number is negative or longer than 20 octets');
  return encodeHex(content.length > 1 && content[0] === 0 ? content.subarray(1) : content);
}

function readValidity(element: Der): Validity {
  const fields = new DerFields(element);
  const notBefore = readTime(fields.next());
  const notAfter = readTime(fields.next());
  fields.end();
  // EV-369: a certificate that ends before it begins was never valid.
  if (notBefore > notAfter) throw malformed('EV-369', 'a certificate ends before it begins');
  return { notBefore, notAfter };
}
