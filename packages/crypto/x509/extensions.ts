/** Extensions of certificates and revocation lists: every one kept as bytes, those of the chain read (RFC 5280 §4.2). */
import { type Der, parseDer, SEQUENCE } from './der.ts';
import { BOOLEAN } from './der-primitives.ts';
import {
  DerFields,
  expectTag,
  readBoolean,
  readNamedBits,
  readObjectIdentifier,
  readOctetString,
  readSmallInteger,
} from './der-values.ts';
import { CertificateError, type CertificateErrorCode } from './error.ts';

export interface Extension {
  readonly critical: boolean;
  /** What the OCTET STRING holds. */
  readonly value: Uint8Array;
}
/** By dotted object identifier, in the order in which they stand. */
export type Extensions = ReadonlyMap<string, Extension>;

export const BASIC_CONSTRAINTS = '2.5.29.19';
export const KEY_USAGE = '2.5.29.15';
export const SUBJECT_KEY_ID = '2.5.29.14';
export const AUTHORITY_KEY_ID = '2.5.29.35';
export const CRL_NUMBER = '2.5.29.20';

/** Bits of `readKeyUsage`. */
export const KEY_CERT_SIGN = 1 << 5;
export const CRL_SIGN = 1 << 6;
export const DIGITAL_SIGNATURE = 1 << 0;

/** @param element the SEQUENCE OF Extension */
export function readExtensions(element: Der, code: CertificateErrorCode): Extensions {
  const extensions = new Map<string, Extension>();
  const list = expectTag(element, SEQUENCE);
  // EV-361: an empty list is a second spelling of none.
  if (list.children.length === 0) throw new CertificateError(code, 'EV-361', 'the list of extensions is empty');
  for (const child of list.children) {
    const fields = new DerFields(child);
    const name = readObjectIdentifier(fields.next());
    const flag = fields.optional(BOOLEAN);
    const value = readOctetString(fields.next());
    fields.end();
    const isSpelledOut = flag !== undefined && !readBoolean(flag);
    // EV-368: a default that is written out is a second spelling.
    if (isSpelledOut) throw new CertificateError(code, 'EV-368', 'an extension says that it is not critical');
    // EV-366: of two extensions with one name, two readers may take different ones.
    if (extensions.has(name)) throw new CertificateError(code, 'EV-366', 'an extension stands twice');
    extensions.set(name, { critical: flag !== undefined, value });
  }
  return extensions;
}

/** @returns undefined when the extension is not there */
export function readBasicConstraints(extensions: Extensions): { isCa: boolean; pathLength?: number } | undefined {
  const extension = extensions.get(BASIC_CONSTRAINTS);
  if (extension === undefined) return undefined;
  const fields = new DerFields(parseDer(extension.value));
  const flag = fields.optional(BOOLEAN);
  const isCa = flag !== undefined;
  const pathLength = fields.remaining > 0 ? readSmallInteger(fields.next(), 255) : undefined;
  fields.end();
  const isDefault = flag !== undefined && !readBoolean(flag);
  // EV-368: a default that is written out is a second spelling.
  if (isDefault) throw new CertificateError('certificate-malformed', 'EV-368', 'a certificate says that it is no CA');
  const isOdd = !isCa && pathLength !== undefined;
  // EV-367: a length of paths that cannot begin would be believed by another reader.
  if (isOdd) throw new CertificateError('certificate-malformed', 'EV-367', 'a path length stands without a CA');
  return pathLength === undefined ? { isCa } : { isCa, pathLength };
}

/** The named bits, bit 0 being digitalSignature; undefined when the extension is not there. */
export function readKeyUsage(extensions: Extensions): number | undefined {
  const extension = extensions.get(KEY_USAGE);
  return extension === undefined ? undefined : readNamedBits(parseDer(extension.value));
}

export function readSubjectKeyId(extensions: Extensions): Uint8Array | undefined {
  const extension = extensions.get(SUBJECT_KEY_ID);
  return extension === undefined ? undefined : readOctetString(parseDer(extension.value));
}

/** The key identifier alone: issuer and serial, where somebody writes them, say no more than the names do. */
export function readAuthorityKeyId(extensions: Extensions): Uint8Array | undefined {
  const extension = extensions.get(AUTHORITY_KEY_ID);
  if (extension === undefined) return undefined;
  const fields = new DerFields(parseDer(extension.value));
  const keyId = fields.optional(0x80)?.content;
  fields.optional(0xa1);
  fields.optional(0x82);
  fields.end();
  return keyId;
}
