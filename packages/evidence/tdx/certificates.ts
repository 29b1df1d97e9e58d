/**
 * The certificates around a quote, from their PEM to chains that end in Intel's root: the platform's (PCK), the one that signs
 * collateral, and the one that signs the list of revoked platforms. All of them come from the party that is judged, or through it.
 */
import { equalBytes } from '@sotto/bytes';
import {
  type Certificate,
  CertificateError,
  type Crl,
  commonName,
  parseCertificate,
  parseCrl,
  parsePem,
  verifyChain,
} from '@sotto/crypto/x509';
import { parseQeIdentity, parseTcbInfo, type QeIdentity, type Signed, type TcbInfo } from './collateral.ts';
import { refusal } from './error.ts';
import type { TdxQuote } from './quote.ts';

/** What Intel publishes for a platform, as its service answers. Nothing in it is trusted for where it came from. */
export interface TdxCollateral {
  /** The signed object with its signature beside it, or Intel's whole answer with the signature inside. */
  readonly tcbInfoJson: string;
  readonly tcbInfoSignatureHex?: string;
  readonly qeIdentityJson: string;
  readonly qeIdentitySignatureHex?: string;
  /** PEM, leaf first. */
  readonly tcbInfoIssuerChainPem: string;
  readonly qeIdentityIssuerChainPem: string;
  /** DER. */
  readonly pckCrl: Uint8Array;
  readonly pckCrlIssuerChainPem: string;
  readonly rootCaCrl: Uint8Array;
  /** Only of quotes that do not hold it, or equal to the one in the quote. */
  readonly pckCertificateChainPem?: string;
}

export interface ParsedCollateral {
  readonly tcbInfo: Signed<TcbInfo>;
  readonly qeIdentity: Signed<QeIdentity>;
  readonly tcbInfoIssuers: readonly Certificate[];
  readonly qeIdentityIssuers: readonly Certificate[];
  readonly pckCrl: Crl;
  readonly pckCrlIssuers: readonly Certificate[];
  readonly rootCaCrl: Crl;
}

const PCK_CHAIN_CERTIFICATION = 5;
const CHAIN_LIMIT = 3;

/** @throws JudgementError, CertificateError of class `format` */
export function parseCollateral(collateral: TdxCollateral, known: Certificate[] = []): ParsedCollateral {
  const tcbInfoIssuers = parseChain(collateral.tcbInfoIssuerChainPem, known);
  const isOneChain = collateral.tcbInfoIssuerChainPem === collateral.qeIdentityIssuerChainPem;
  return {
    tcbInfo: parseTcbInfo(collateral.tcbInfoJson, collateral.tcbInfoSignatureHex),
    qeIdentity: parseQeIdentity(collateral.qeIdentityJson, collateral.qeIdentitySignatureHex),
    tcbInfoIssuers,
    qeIdentityIssuers: isOneChain ? tcbInfoIssuers : parseChain(collateral.qeIdentityIssuerChainPem, known),
    pckCrl: parseCrl(collateral.pckCrl),
    pckCrlIssuers: parseChain(collateral.pckCrlIssuerChainPem, known),
    rootCaCrl: parseCrl(collateral.rootCaCrl),
  };
}

/**
 * The platform's certificates, leaf first: from the quote, or from beside it.
 *
 * @throws JudgementError, CertificateError of class `format`
 */
export function parsePckChain(
  quote: TdxQuote,
  besidePem: string | undefined,
  known: Certificate[] = [],
): readonly Certificate[] {
  const inside =
    quote.certificationType === PCK_CHAIN_CERTIFICATION
      ? parseChain(textOf(quote.certificationData), known)
      : undefined;
  const beside = besidePem === undefined ? undefined : parseChain(besidePem, known);
  const chain = inside ?? beside;
  // EV-107: without the platform's certificate nothing says whose the quote is.
  if (chain === undefined) {
    throw refusal('tdx-quote-unsupported', 'EV-107', 'neither the quote nor the collateral holds a PCK chain');
  }
  const isOne = (beside ?? chain).every((certificate, at) =>
    equalBytes(certificate.raw, chain[at]?.raw ?? certificate.tbs),
  );
  // EV-108: of two chains for one quote, two readers may take different ones.
  if (!isOne) throw refusal('tdx-chain-mismatch', 'EV-108', 'the collateral holds another PCK chain than the quote');
  return chain;
}

/** @param known certificates read so far, so that Intel's root, which stands in every chain, is read once */
function parseChain(pem: string, known: Certificate[]): readonly Certificate[] {
  return parsePem(pem, 'CERTIFICATE', CHAIN_LIMIT).map((der) => {
    const same = known.find(({ raw }) => equalBytes(raw, der));
    if (same !== undefined) return same;
    const certificate = parseCertificate(der);
    known.push(certificate);
    return certificate;
  });
}

/** PEM as quotes hold it: it may end with one null. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.length - (bytes[bytes.length - 1] === 0 ? 1 : 0);
  let text = '';
  for (let at = 0; at < end; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}

const mismatch = (rule: string, message: string) => refusal('tdx-chain-mismatch', rule, message);

/** Leaf, CA and root of a platform. */
export async function verifyPckChain(
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<readonly Certificate[]> {
  const whole = await verifyChain({ chain, roots });
  const [leaf, ca] = whole as readonly [Certificate, Certificate];
  const isNamed =
    nameOf(leaf) === 'Intel SGX PCK Certificate' && /^Intel SGX PCK (?:Platform|Processor) CA$/.test(nameOf(ca));
  // EV-120: Intel's root stands above other keys too, which certify no platform.
  if (whole.length !== 3 || !isNamed) throw mismatch('EV-120', 'the chain is not one of a PCK certificate');
  // EV-110: another curve's key cannot have signed what the quoting enclave shows.
  if (leaf.publicKey.kind !== 'ec' || leaf.publicKey.curve !== 'P-256') {
    throw mismatch('EV-110', 'the key of the PCK certificate is not one of P-256');
  }
  return whole;
}

/** The certificate that signs TCB info and identities, directly below the root. */
export async function verifySigningChain(
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<readonly Certificate[]> {
  const whole = await verifyChain({ chain, roots });
  const isSigning = whole.length === 2 && nameOf(whole[0] as Certificate) === 'Intel SGX TCB Signing';
  // EV-121: a platform's own key, which is certified too, could else sign its own good marks.
  if (!isSigning) throw mismatch('EV-121', 'the chain is not the one that signs TCB info');
  return whole;
}

/** The CA that signs the list of revoked platforms: the same as the platform's. */
export async function verifyCrlChain(
  chain: readonly Certificate[],
  pckChain: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<readonly Certificate[]> {
  const [ca, ...rest] = chain as readonly [Certificate, ...Certificate[]];
  const [, pckCa, root] = pckChain as readonly [Certificate, Certificate, Certificate];
  const isKnown = equalBytes(ca.raw, pckCa.raw) && rest.every((one) => equalBytes(one.raw, root.raw));
  const whole = isKnown ? [pckCa, root] : await verifyChain({ chain, roots, ofCa: true });
  const isCaOfPck = equalBytes(ca.subject, pckCa.subject) && equalBytes(ca.publicKey.spki, pckCa.publicKey.spki);
  // EV-125: a list of Intel's other CA names none of this platform's certificates.
  if (!isCaOfPck) throw refusal('tdx-crl-mismatch', 'EV-125', 'the revocation list is of another CA than the platform');
  return whole;
}

function nameOf(certificate: Certificate): string {
  try {
    return commonName(certificate.subject) ?? '';
  } catch (error) {
    if (error instanceof CertificateError) return '';
    throw error;
  }
}
