/**
 * A chain of certificates up to a pinned root (RFC 5280 §6, without what nobody here uses: policies and name constraints are
 * refused when critical). The chain comes from the party that is judged; the roots are ours. Time is judged by `assertValidAt`,
 * and the caller must ask: it is kept apart because what is out of date is reported after what is forged.
 */
import { equalBytes } from '@sotto/bytes';
import { verifySignature } from '@sotto/crypto/verify';
import type { Certificate, Validity } from './certificate.ts';
import { CertificateError } from './error.ts';
import { AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, KEY_CERT_SIGN, KEY_USAGE, SUBJECT_KEY_ID } from './extensions.ts';

export interface ChainInput {
  /** The leaf first, each then followed by its issuer. The root may stand at the end or be left out. */
  readonly chain: readonly Certificate[];
  /** Pinned: compiled in, or given by the policy. Their bytes are trusted. */
  readonly roots: readonly Certificate[];
  /** Whether the chain is one of a CA, as those are that come with revocation lists. A leaf's is not. */
  readonly ofCa?: boolean;
  /** Critical extensions that the caller itself reads, dotted. */
  readonly knownCritical?: readonly string[];
}

const CHAIN_LIMIT = 8;
const CHAIN_EXTENSIONS = [BASIC_CONSTRAINTS, KEY_USAGE, AUTHORITY_KEY_ID, SUBJECT_KEY_ID];

const invalid = (rule: string, message: string) => new CertificateError('certificate-chain-invalid', rule, message);

/**
 * @returns the chain with its root: leaf first, pinned root last
 * @throws CertificateError of class `chain`
 */
export async function verifyChain({
  chain,
  roots,
  ofCa = false,
  knownCritical = [],
}: ChainInput): Promise<readonly Certificate[]> {
  const length = chain.length;
  // EV-379: a chain of nothing has nothing to refuse; a long one costs a signature check a certificate.
  if (length < 1 || length > CHAIN_LIMIT) throw invalid('EV-379', 'a chain has no certificate, or more than eight');
  const whole = withRoot(chain, roots);
  const leaf = whole[0] as Certificate;
  const isWrongLeaf = leaf.isCa !== ofCa && whole.length > 1;
  // EV-378: the key of a CA signs certificates; what else it signs was not meant as evidence.
  if (isWrongLeaf) throw invalid('EV-378', 'the leaf is the certificate of a CA, or the CA is a leaf');
  const known = new Set([...CHAIN_EXTENSIONS, ...knownCritical]);
  for (const { extensions } of whole) {
    for (const [name, { critical }] of extensions) {
      // EV-376: a critical extension limits what the certificate may be used for.
      if (critical && !known.has(name)) throw invalid('EV-376', 'a critical extension is not known');
    }
  }
  for (let i = 0; i + 1 < whole.length; i++) assertMayIssue(whole[i + 1] as Certificate, whole[i] as Certificate, i);
  for (let i = 0; i + 1 < whole.length; i++) await assertSigned(whole[i + 1] as Certificate, whole[i] as Certificate);
  return whole;
}

/** The chain, ending in a pinned root: the last certificate is one, or names one as its issuer. */
function withRoot(chain: readonly Certificate[], roots: readonly Certificate[]): readonly Certificate[] {
  const last = chain[chain.length - 1] as Certificate;
  const pinned = roots.find((root) => equalBytes(root.raw, last.raw));
  if (pinned !== undefined) return [...chain.slice(0, -1), pinned];
  const root = roots.find((one) => equalBytes(one.subject, last.issuer) && isKeyOf(one, last));
  const isItsOwn = equalBytes(last.issuer, last.subject);
  // EV-370: anybody can make a chain that ends in a root of their own.
  if (root === undefined || isItsOwn) {
    throw new CertificateError('certificate-root-unknown', 'EV-370', 'the chain does not end in a pinned root');
  }
  return [...chain, root];
}

/** Whether the key that the certificate names as its issuer's is this one, as far as both say. */
function isKeyOf(issuer: Certificate, certificate: Certificate): boolean {
  const { authorityKeyId } = certificate;
  const { subjectKeyId } = issuer;
  return authorityKeyId === undefined || subjectKeyId === undefined || equalBytes(authorityKeyId, subjectKeyId);
}

/** @param below how many certificates stand below `certificate` in the chain */
function assertMayIssue(issuer: Certificate, certificate: Certificate, below: number): void {
  // EV-371: certificates whose names do not meet belong to two chains.
  if (!equalBytes(certificate.issuer, issuer.subject)) throw invalid('EV-371', 'an issuer has another name');
  // EV-372: an issuer with two keys is two issuers.
  if (!isKeyOf(issuer, certificate)) throw invalid('EV-372', 'an issuer has another key identifier');
  const isMarkedCa = issuer.isCa && issuer.extensions.get(BASIC_CONSTRAINTS)?.critical === true;
  // EV-373: every owner of a certificate could else issue further ones.
  if (!isMarkedCa) throw invalid('EV-373', 'an issuer is not marked as a CA');
  const maySign = ((issuer.keyUsage ?? 0) & KEY_CERT_SIGN) !== 0;
  // EV-374: a key that was meant for other things signs what others chose.
  if (!maySign) throw invalid('EV-374', 'the key of an issuer may not sign certificates');
  const isTooDeep = issuer.pathLength !== undefined && below > issuer.pathLength;
  // EV-375: a CA for leaves could else make CAs.
  if (isTooDeep) throw invalid('EV-375', 'a chain is longer than an issuer allows');
}

async function assertSigned(issuer: Certificate, certificate: Certificate): Promise<void> {
  const isSigned = await verifySignature(certificate.scheme, issuer.publicKey, certificate.tbs, certificate.signature);
  // EV-377: names can be written by anybody.
  if (!isSigned) throw invalid('EV-377', 'an issuer did not sign the certificate that names it');
}

/** @throws CertificateError `certificate-not-yet-valid`, `certificate-expired` */
export function assertValidAt(certificates: readonly Validity[], timeSeconds: number): void {
  for (const { notBefore, notAfter } of certificates) {
    const isEarly = timeSeconds < notBefore;
    // EV-380: before its time nobody had checked who holds the key.
    if (isEarly) throw new CertificateError('certificate-not-yet-valid', 'EV-380', 'a certificate is not yet valid');
    const isLate = timeSeconds > notAfter;
    // EV-380: after its time nobody says any more whether the key is safe.
    if (isLate) throw new CertificateError('certificate-expired', 'EV-380', 'a certificate has expired');
  }
}
