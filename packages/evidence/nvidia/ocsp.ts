/**
 * OCSP responses (RFC 6960): what the vendor says today about a certificate. Fetched by a server or a node, so hostile until the
 * signature is verified (spec/evidence-nvidia.md §revocation). One response is about one certificate.
 */
import { encodeHex, equalBytes } from '@sotto/bytes';
import {
  type Der,
  DerFields,
  explicit,
  NULL,
  parseDer,
  readBitStringOctets,
  readEnumerated,
  readObjectIdentifier,
  readOctetString,
  readTime,
  readUnsigned,
  SEQUENCE,
} from '@sotto/crypto/der';
import { sha256, sha384 } from '@sotto/crypto/hash';
import { verifySignature } from '@sotto/crypto/verify';
import {
  type Certificate,
  CertificateError,
  parseCertificate,
  readExtensions,
  readSignatureScheme,
  type SignatureScheme,
  verifyChain,
} from '@sotto/crypto/x509';
import { refusal } from './error.ts';

const OCSP_LIMIT_BYTES = 16 * 1024;
const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const NONCE = '1.3.6.1.5.5.7.48.1.2';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const HASHES: ReadonlyMap<string, (bytes: Uint8Array) => Uint8Array> = new Map([
  ['2.16.840.1.101.3.4.2.1', (bytes: Uint8Array) => sha256(bytes)],
  ['2.16.840.1.101.3.4.2.2', (bytes: Uint8Array) => sha384(bytes)],
]);
const GOOD = 0x80;
const CERTIFICATES_LIMIT_COUNT = 8;
/** How far the responder's clock may be ahead. */
const TOLERANCE_SECONDS = 300;
/** How long a response counts that does not say when the next one comes. */
const DEFAULT_LIFE_SECONDS = 24 * 3600;

export interface ParsedOcsp {
  readonly tbs: Uint8Array;
  readonly scheme: SignatureScheme;
  readonly signature: Uint8Array;
  /** Of a responder that the issuer appointed; the issuer itself signs without. */
  readonly responder: Certificate | undefined;
  /** What else the answer holds: certificates of the chain that the issuer is in. */
  readonly others: readonly Certificate[];
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** As in `Certificate.serial`. */
  readonly serial: string;
  readonly isGood: boolean;
  /** Seconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly nonce: Uint8Array | undefined;
}

/** @throws JudgementError `ocsp-malformed`, CertificateError of class `format` */
export function parseOcsp(bytes: Uint8Array): ParsedOcsp {
  const outer = new DerFields(parseDer(bytes, OCSP_LIMIT_BYTES));
  // EV-286: a responder that could not answer has said nothing about the certificate.
  if (readEnumerated(outer.next()) !== 0) throw malformed('EV-286', 'the responder gave no answer');
  const wrapped = new DerFields(explicit(outer.next(), 0xa0));
  outer.end();
  const kind = readObjectIdentifier(wrapped.next());
  // EV-286: an answer of another kind is not known here.
  if (kind !== BASIC_RESPONSE) throw malformed('EV-286', 'the answer is of another kind');
  const basic = new DerFields(parseDer(readOctetString(wrapped.next())));
  wrapped.end();
  const statement = basic.next(SEQUENCE);
  const scheme = readSignatureScheme(basic.next(SEQUENCE));
  const signature = readBitStringOctets(basic.next());
  const certificates = basic.remaining > 0 ? explicit(basic.next(), 0xa0).children : [];
  basic.end();
  // EV-287: a hundred certificates would all be read.
  if (certificates.length > CERTIFICATES_LIMIT_COUNT)
    throw malformed('EV-287', 'the answer holds too many certificates');
  const [responder, ...others] = certificates.map(({ raw }) => parseCertificate(raw));
  return { tbs: statement.raw, scheme, signature, responder, others, ...parseStatement(statement) };
}

function parseStatement(statement: Der) {
  const fields = new DerFields(statement);
  fields.optional(0xa1) ?? fields.next(0xa2);
  readTime(fields.next());
  const responses = new DerFields(fields.next(SEQUENCE));
  const single = new DerFields(responses.next(SEQUENCE));
  // EV-288: with several, one that is good could stand in front of one that is not.
  if (responses.remaining > 0) throw malformed('EV-288', 'the answer is about several certificates');
  const nonce = fields.remaining > 0 ? readNonce(explicit(fields.next(), 0xa1)) : undefined;
  fields.end();
  const id = parseCertificateId(single.next(SEQUENCE));
  const isGood = single.next().tag === GOOD;
  const thisUpdate = readTime(single.next());
  const next = single.optional(0xa0);
  if (single.remaining > 0) refuseCritical(explicit(single.next(), 0xa1));
  single.end();
  const nextUpdate = next ? readTime(explicit(next, 0xa0)) : thisUpdate + DEFAULT_LIFE_SECONDS;
  return { ...id, isGood, thisUpdate, nextUpdate, nonce };
}

function parseCertificateId(element: Der) {
  const fields = new DerFields(element);
  const algorithm = new DerFields(fields.next(SEQUENCE));
  const hash = HASHES.get(readObjectIdentifier(algorithm.next()));
  algorithm.optional(NULL);
  algorithm.end();
  // EV-289: under a weak hash, an answer about one issuer could be taken for one about another.
  if (hash === undefined) throw malformed('EV-289', 'the answer names the certificate by a weak hash');
  const issuerNameHash = readOctetString(fields.next());
  const issuerKeyHash = readOctetString(fields.next());
  const serial = encodeHex(readUnsigned(fields.next()));
  fields.end();
  return { hash, issuerNameHash, issuerKeyHash, serial };
}

function readNonce(element: Der): Uint8Array | undefined {
  refuseCritical(element);
  const value = readExtensions(element, 'certificate-malformed').get(NONCE)?.value;
  return value && readOctetString(parseDer(value));
}

function refuseCritical(element: Der): void {
  const extensions = readExtensions(element, 'certificate-malformed');
  const isKnown = [...extensions].every(([name, { critical }]) => !critical || name === NONCE);
  // EV-292: a critical extension changes what the answer means.
  if (!isKnown) throw malformed('EV-292', 'the answer has a critical extension that is not known');
}

/**
 * That the issuer of one of the certificates, or who it appointed, says that this certificate is good. Dates apart.
 *
 * @param chains each verified, leaf first and root last
 * @param nonce that was sent with the question, when the client itself asked
 * @returns the certificate that the answer is about
 * @throws JudgementError of class `revocation`
 */
export async function verifyOcsp(
  ocsp: ParsedOcsp,
  chains: readonly (readonly Certificate[])[],
  nonce?: Uint8Array,
): Promise<Certificate> {
  const found = chains.flatMap((chain) => chain.flatMap((one, i) => pairOf(ocsp, one, chain[i + 1])))[0];
  // EV-293: an answer about another certificate says nothing about these.
  if (found === undefined) throw refusal('ocsp-unrelated', 'EV-293', 'an answer is about none of the certificates');
  const { certificate, issuer } = found;
  const isKnown = ocsp.others.every((one) => chains.flat().some(({ raw }) => equalBytes(raw, one.raw)));
  // EV-287: what anybody may add to an answer could be read by somebody as the vendor's.
  if (!isKnown) throw responderInvalid('EV-287', 'the answer holds a certificate of another chain');
  const signer = await signerOf(ocsp, issuer);
  const isSigned = await verifySignature(ocsp.scheme, signer.publicKey, ocsp.tbs, ocsp.signature);
  // EV-295: whoever hands the answer over could else write it.
  if (!isSigned) throw refusal('ocsp-responder-invalid', 'EV-295', 'the responder did not sign the answer');
  const isAsked = nonce === undefined || (ocsp.nonce !== undefined && equalBytes(ocsp.nonce, nonce));
  // EV-296: an older answer, from before the certificate was revoked, has no nonce of ours.
  if (!isAsked) throw refusal('ocsp-nonce-mismatch', 'EV-296', 'the answer is to another question');
  // EV-297: "revoked" and "never heard of it" are both no.
  if (!ocsp.isGood) throw refusal('ocsp-not-good', 'EV-297', 'the vendor does not vouch for a certificate any more');
  return certificate;
}

function pairOf(ocsp: ParsedOcsp, certificate: Certificate, issuer: Certificate | undefined) {
  if (issuer === undefined || certificate.serial !== ocsp.serial) return [];
  const isIssuer =
    equalBytes(ocsp.issuerNameHash, ocsp.hash(issuer.subject)) &&
    equalBytes(ocsp.issuerKeyHash, ocsp.hash(keyBitsOf(issuer)));
  return isIssuer ? [{ certificate, issuer }] : [];
}

function keyBitsOf({ publicKey }: Certificate): Uint8Array {
  const [, bits] = parseDer(publicKey.spki).children;
  return readBitStringOctets(bits as Der);
}

async function signerOf({ responder }: ParsedOcsp, issuer: Certificate): Promise<Certificate> {
  if (responder === undefined || equalBytes(responder.raw, issuer.raw)) return issuer;
  const usage = responder.extensions.get(EXTENDED_KEY_USAGE);
  const uses = usage ? parseDer(usage.value).children.map(readObjectIdentifier) : [];
  // EV-294: every device holds a certificate of the same issuer, and could else answer for all others.
  if (!uses.includes(OCSP_SIGNING)) throw responderInvalid('EV-294', 'the signer was not appointed as responder');
  try {
    await verifyChain({ chain: [responder], roots: [issuer], knownCritical: [EXTENDED_KEY_USAGE] });
  } catch (error) {
    if (error instanceof CertificateError) throw responderInvalid('EV-294', 'the responder is not the issuer’s', error);
    throw error;
  }
  return responder;
}

/** @throws JudgementError `ocsp-stale` */
export function assertOcspValidAt(ocsp: ParsedOcsp, timeSeconds: number): void {
  const isCurrent = timeSeconds >= ocsp.thisUpdate - TOLERANCE_SECONDS && timeSeconds <= ocsp.nextUpdate;
  // EV-298: an old answer hides what was revoked since.
  if (!isCurrent) throw refusal('ocsp-stale', 'EV-298', 'an answer about revocation is out of date');
}

function responderInvalid(rule: string, message: string, cause?: unknown): Error {
  return refusal('ocsp-responder-invalid', rule, message, cause);
}

function malformed(rule: string, message: string): Error {
  return refusal('ocsp-malformed', rule, message);
}
