/** Certificate revocation lists, version 2 (RFC 5280 §5): read strictly; whether a list counts is judged by `verifyCrl`. */
import { encodeHex, equalBytes } from '@sotto/bytes';
import { verifySignature } from '@sotto/crypto/verify';
import { type Certificate, readSerial, type Validity } from './certificate.ts';
import { type Der, parseDer, SEQUENCE } from './der.ts';
import { GENERALIZED_TIME, UTC_TIME } from './der-primitives.ts';
import { DerFields, explicit, readBitStringOctets, readSmallInteger, readTime, readUnsigned } from './der-values.ts';
import { CertificateError } from './error.ts';
import {
  AUTHORITY_KEY_ID,
  CRL_NUMBER,
  CRL_SIGN,
  type Extensions,
  readAuthorityKeyId,
  readExtensions,
} from './extensions.ts';
import { readSignatureScheme, type SignatureScheme } from './public-key.ts';

/** Everything that a list says. Byte strings are views into `raw`; `notAfter` is the moment of the next list. */
export interface Crl extends Validity {
  readonly raw: Uint8Array;
  readonly tbs: Uint8Array;
  readonly scheme: SignatureScheme;
  readonly signature: Uint8Array;
  readonly issuer: Uint8Array;
  /** Rises with each list of an issuer. */
  readonly number: bigint;
  readonly authorityKeyId: Uint8Array | undefined;
  /** Serial numbers as in `Certificate.serial`, and when each was revoked. */
  readonly revoked: ReadonlyMap<string, number>;
  readonly extensions: Extensions;
}

export const CRL_LIMIT_BYTES = 1024 * 1024;
const malformed = (rule: string, message: string) => new CertificateError('crl-malformed', rule, message);

/**
 * @param bytes one list in DER and nothing else, at most 1 MiB
 * @throws CertificateError of class `format`
 */
export function parseCrl(bytes: Uint8Array): Crl {
  const outer = new DerFields(parseDer(bytes, CRL_LIMIT_BYTES));
  const statement = outer.next(SEQUENCE);
  const signedWith = outer.next(SEQUENCE);
  const signature = readBitStringOctets(outer.next());
  outer.end();

  const fields = new DerFields(statement);
  const isVersion2 = readSmallInteger(fields.next()) === 1;
  // EV-381: a list of another version has no number, and an old one could not be told from a new one.
  if (!isVersion2) throw malformed('EV-381', 'a revocation list is not of version 2');
  const scheme = fields.next(SEQUENCE);
  const isSame = equalBytes(scheme.raw, signedWith.raw);
  // EV-363: the algorithm outside is not signed: it could name a weaker one.
  if (!isSame) throw malformed('EV-363', 'a revocation list names two signature algorithms');
  const issuer = fields.next(SEQUENCE).raw;
  const notBefore = readTime(fields.next());
  const next = fields.optional(UTC_TIME) ?? fields.optional(GENERALIZED_TIME);
  // EV-381: a list without an end could be shown for ever.
  if (next === undefined) throw malformed('EV-381', 'a revocation list does not say when the next one comes');
  const notAfter = readTime(next);
  const entries = fields.optional(SEQUENCE);
  const extensions = readExtensions(explicit(fields.next(0xa0), 0xa0), 'crl-malformed');
  fields.end();
  return {
    raw: bytes,
    tbs: statement.raw,
    scheme: readSignatureScheme(scheme),
    signature,
    issuer,
    notBefore,
    notAfter,
    number: readNumber(extensions),
    authorityKeyId: readAuthorityKeyId(extensions),
    revoked: readRevoked(entries),
    extensions,
  };
}

function readNumber(extensions: Extensions): bigint {
  for (const [name, { critical }] of extensions) {
    const isKnown = !critical || name === CRL_NUMBER || name === AUTHORITY_KEY_ID;
    // EV-381: a critical extension narrows the list: to changes, to some reasons, to other issuers.
    if (!isKnown) throw malformed('EV-381', 'a revocation list has a critical extension that is not known');
  }
  const extension = extensions.get(CRL_NUMBER);
  // EV-381: without a number an older list could take the place of a newer one.
  if (extension === undefined) throw malformed('EV-381', 'a revocation list has no number');
  const digits = readUnsigned(parseDer(extension.value));
  // EV-381: RFC 5280 allows 20 octets; a longer number is time spent for nothing.
  if (digits.length > 20) throw malformed('EV-381', 'the number of a revocation list is longer than 20 octets');
  return BigInt(`0x${encodeHex(digits)}`);
}

function readRevoked(entries: Der | undefined): Map<string, number> {
  const revoked = new Map<string, number>();
  for (const entry of entries?.children ?? []) {
    const fields = new DerFields(entry);
    const serial = readSerial(fields.next());
    const since = readTime(fields.next());
    const extensions = fields.remaining > 0 ? readExtensions(fields.next(), 'crl-malformed') : undefined;
    fields.end();
    const isNarrow = [...(extensions?.values() ?? [])].some(({ critical }) => critical);
    // EV-381: a critical extension of an entry changes whose certificate it revokes.
    if (isNarrow) throw malformed('EV-381', 'an entry of a revocation list has a critical extension');
    revoked.set(serial, since);
  }
  return revoked;
}

const invalid = (rule: string, message: string) => new CertificateError('crl-invalid', rule, message);

/**
 * That the issuer signed the list. Its dates are not looked at: see `assertCrlValidAt`.
 *
 * @param issuer a certificate of a CA that has itself been verified
 * @param lowestNumber the highest number of this issuer's lists seen so far, when there is one
 * @throws CertificateError of class `revocation`
 */
export async function verifyCrl(crl: Crl, issuer: Certificate, lowestNumber?: bigint): Promise<void> {
  // EV-382: a list of another issuer says nothing about this one's certificates.
  if (!equalBytes(crl.issuer, issuer.subject)) throw invalid('EV-382', 'a revocation list is another issuer’s');
  const isOfKey =
    crl.authorityKeyId === undefined ||
    issuer.subjectKeyId === undefined ||
    equalBytes(crl.authorityKeyId, issuer.subjectKeyId);
  // EV-382: an issuer with two keys has two lists.
  if (!isOfKey) throw invalid('EV-382', 'a revocation list is of another key of its issuer');
  const maySign = issuer.isCa && ((issuer.keyUsage ?? 0) & CRL_SIGN) !== 0;
  // EV-383: a leaf with the issuer's name could else empty the list.
  if (!maySign) throw invalid('EV-383', 'the issuer may not sign revocation lists');
  const isSigned = await verifySignature(crl.scheme, issuer.publicKey, crl.tbs, crl.signature);
  // EV-384: whoever hands the list over could else leave out what was revoked.
  if (!isSigned) throw invalid('EV-384', 'the issuer did not sign the revocation list');
  const isOlder = lowestNumber !== undefined && crl.number < lowestNumber;
  // EV-387: an older list that is still in date hides what was revoked since.
  if (isOlder) throw new CertificateError('crl-older-than-seen', 'EV-387', 'a newer revocation list has been seen');
}

/** @throws CertificateError `certificate-revoked` */
export function assertNotRevoked(crl: Crl, certificate: Certificate): void {
  const isRevoked = equalBytes(crl.issuer, certificate.issuer) && crl.revoked.has(certificate.serial);
  // EV-386: the key of a revoked certificate may be in anybody's hands.
  if (isRevoked) throw new CertificateError('certificate-revoked', 'EV-386', 'a certificate has been revoked');
}

/** @throws CertificateError `crl-not-yet-valid`, `crl-expired` */
export function assertCrlValidAt(crl: Crl, timeSeconds: number): void {
  const isEarly = timeSeconds < crl.notBefore;
  // EV-385: a list from the future was not made by a clock like ours.
  if (isEarly) throw new CertificateError('crl-not-yet-valid', 'EV-385', 'a revocation list is not yet valid');
  const isLate = timeSeconds > crl.notAfter;
  // EV-385: an expired list hides what was revoked since.
  if (isLate) throw new CertificateError('crl-expired', 'EV-385', 'a newer revocation list should have been fetched');
}
