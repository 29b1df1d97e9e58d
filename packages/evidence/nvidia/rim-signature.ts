/**
 * The XML signature inside a manifest, in the one shape that the vendor uses (W3C xmldsig-core1): one reference to the whole
 * document, enveloped, Canonical XML 1.1, SHA-384, ECDSA P-384 (spec/evidence-nvidia.md §manifest). Whatever else that standard
 * allows is refused before anything is computed: its freedom is how signatures have been made to cover other words than those
 * that are read. Hostile until `verifySignedXml` has held.
 */
import { BytesError, equalBytes, parseBase64 } from '@sotto/bytes';
import { sha384 } from '@sotto/crypto/hash';
import { verifySignature } from '@sotto/crypto/verify';
import { type Certificate, parseCertificate } from '@sotto/crypto/x509';
import { canonicalize } from './canonical-xml.ts';
import { refusal } from './error.ts';
import { childElements, type XmlElement } from './xml.ts';

const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const C14N11 = 'http://www.w3.org/2006/12/xml-c14n11';
/** The elements of a signature in order, each with its only attribute, if it has one. */
const SIGNED_INFO = [
  ['CanonicalizationMethod', 'Algorithm', C14N11],
  ['SignatureMethod', 'Algorithm', 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384'],
  ['Reference', 'URI', ''],
] as const;
const REFERENCE = [
  ['Transforms'],
  ['DigestMethod', 'Algorithm', 'http://www.w3.org/2001/04/xmldsig-more#sha384'],
  ['DigestValue'],
] as const;
const TRANSFORMS = [
  ['Transform', 'Algorithm', 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'],
  ['Transform', 'Algorithm', C14N11],
] as const;
const CERTIFICATES_LIMIT_COUNT = 8;

export interface XmlSignature {
  /** What the digest is over: the canonical document without the signature. */
  readonly signedDocument: Uint8Array;
  /** SHA-384, 48 bytes. */
  readonly digest: Uint8Array;
  /** What the signature is over: the canonical `SignedInfo`, which holds the digest. */
  readonly signedInfo: Uint8Array;
  /** ECDSA P-384 as r ‖ s, 96 bytes. */
  readonly value: Uint8Array;
  /** The signer's certificate first. */
  readonly certificates: readonly Certificate[];
}

/** @throws JudgementError `rim-malformed`, CertificateError `certificate-malformed` */
export function parseSignature(root: XmlElement): XmlSignature {
  const signature = childElements(root).at(-1);
  const isLast = signature !== undefined && isNamed(signature, 'Signature');
  // EV-270: a signature deeper inside, or a second one, covers something else than the document that is read.
  if (!isLast || countSignatures(root) !== 1) throw malformed('EV-270', 'there is not one signature, as the last part');
  const [signedInfo, value, keyInfo] = inOrder(signature, [['SignedInfo'], ['SignatureValue'], ['KeyInfo']]);
  const [, , reference] = inOrder(signedInfo, SIGNED_INFO);
  const [transforms, , digest] = inOrder(reference, REFERENCE);
  inOrder(transforms, TRANSFORMS);
  const [x509Data] = inOrder(keyInfo, [['X509Data']]);
  return {
    signedDocument: canonicalize(root, signature),
    digest: bytesIn(digest, 48),
    signedInfo: canonicalize(signedInfo),
    value: bytesIn(value, 96),
    certificates: certificatesIn(x509Data),
  };
}

/** @throws JudgementError `rim-digest-mismatch`, `rim-signature-invalid` */
export async function verifySignedXml(signature: XmlSignature): Promise<void> {
  const isDigest = equalBytes(sha384(signature.signedDocument), signature.digest);
  // EV-273: only the digest is signed; the document that is read must be the one that it is of.
  if (!isDigest) throw refusal('rim-digest-mismatch', 'EV-273', 'the manifest was changed after it was signed');
  const [signer] = signature.certificates as [Certificate];
  const { signedInfo, value } = signature;
  const isSigned = await verifySignature('ecdsa-sha384', signer.publicKey, signedInfo, value, 'raw');
  // EV-274: without it anybody could write reference values.
  if (!isSigned) throw refusal('rim-signature-invalid', 'EV-274', 'the signature of the manifest does not verify');
}

type Part = readonly [localName: string, attribute?: string, value?: string];

/** The children, which are these elements in this order with these attributes and nothing but blanks between. */
function inOrder<const Parts extends readonly Part[]>(
  parent: XmlElement,
  parts: Parts,
): { [K in keyof Parts]: XmlElement } {
  const children = childElements(parent);
  const isBlank = parent.children.every((child) => typeof child !== 'string' || child.trim() === '');
  const isExact = isBlank && children.length === parts.length && parts.every((part, i) => isPart(children[i], part));
  // EV-271: every other algorithm, reference or transform is another meaning of "signed".
  if (!isExact) throw malformed('EV-271', 'the signature has another shape or other algorithms');
  return children as { [K in keyof Parts]: XmlElement };
}

function isPart(element: XmlElement | undefined, [localName, attribute, value]: Part): boolean {
  if (element === undefined || !isNamed(element, localName)) return false;
  const { attributes } = element;
  if (attribute === undefined) return attributes.length === 0;
  return attributes.length === 1 && attributes[0]?.name === attribute && attributes[0].value === value;
}

function countSignatures(element: XmlElement): number {
  const inside = childElements(element).reduce((sum, child) => sum + countSignatures(child), 0);
  return inside + Number(isNamed(element, 'Signature'));
}

function isNamed(element: XmlElement, localName: string): boolean {
  return element.namespace === DSIG && element.localName === localName;
}

function certificatesIn(x509Data: XmlElement): Certificate[] {
  const count = childElements(x509Data).length;
  // EV-272: a manifest needs a signer, and a hundred certificates would all be parsed.
  if (count === 0 || count > CERTIFICATES_LIMIT_COUNT)
    throw malformed('EV-272', 'there are too many or no certificates');
  const elements = inOrder(
    x509Data,
    Array.from({ length: count }, () => ['X509Certificate'] as const),
  );
  return elements.map((element) => parseCertificate(bytesIn(element)));
}

/** Base64 in which line breaks and blanks may stand. */
function bytesIn(element: XmlElement, lengthBytes?: number): Uint8Array {
  const [text] = element.children;
  // EV-272: an element between the characters would be skipped by one reader and not by another.
  if (element.children.length !== 1 || typeof text !== 'string') throw malformed('EV-272', 'bytes are not plain text');
  try {
    const bytes = parseBase64(text.replace(/[ \n\t]/g, ''));
    // EV-272: a digest or signature of another length is one of another algorithm.
    if (lengthBytes !== undefined && bytes.length !== lengthBytes)
      throw malformed('EV-272', 'bytes have another length');
    return bytes;
  } catch (error) {
    if (error instanceof BytesError) throw malformed('EV-272', 'bytes are not base64', error);
    throw error;
  }
}

function malformed(rule: string, message: string, cause?: unknown): Error {
  return refusal('rim-malformed', rule, message, cause);
}
