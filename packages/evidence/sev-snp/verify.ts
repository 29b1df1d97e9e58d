/**
 * Whether AMD's hardware made a report. spec/evidence-sev-snp.md. Pure: bytes, roots and time in, claims out. What the claims are worth
 * (generation, TCB, debug, SMT, whose program) is the policy's to say, and no claim was refused for it here.
 */
import { equalBytes } from '@sotto/bytes';
import { verifySignature } from '@sotto/crypto/verify';
import {
  assertCrlValidAt,
  assertNotRevoked,
  assertValidAt,
  type Certificate,
  type Crl,
  commonName,
  parseCrl,
  verifyChain,
  verifyCrl,
} from '@sotto/crypto/x509';
import { JudgementError } from '../judgement-error.ts';
import { type Endorsement, parseEndorsement } from './endorsement.ts';
import { parseSnpReport, type SnpReport } from './report.ts';
import { isSameTcb, SNP_PRODUCTS, type SnpProduct } from './tcb.ts';

export interface SevSnpInput {
  /** 1,184 bytes. */
  readonly report: Uint8Array;
  /** The certificate of the key that signed it, in DER: of the chip (`vcek`) or lent to a cloud (`vlek`). */
  readonly endorsement: { readonly kind: 'vcek' | 'vlek'; readonly certificate: Uint8Array };
  /** AMD's keys between root and endorsement; the one that the endorsement names is taken, and checked. */
  readonly intermediates: readonly Certificate[];
  /** `amdRoots()`, or those of a test. */
  readonly roots: readonly Certificate[];
  /** The root's revocation list in DER; without it the verdict says that revocation was not checked. */
  readonly crl?: Uint8Array | undefined;
  /** The highest number of this root's lists that was seen so far. */
  readonly lowestCrlNumber?: bigint | undefined;
  /** Seconds since the Unix epoch. */
  readonly timeSeconds: number;
}

/** Claims that AMD's hardware signed. */
export interface SevSnpVerdict {
  readonly report: SnpReport;
  /** Whose root signed. */
  readonly product: SnpProduct;
  readonly endorsedBy: 'vcek' | 'vlek';
  readonly measurement: Uint8Array;
  readonly reportData: Uint8Array;
  readonly reportedTcb: SnpReport['reportedTcb'];
  /** All 64 bytes; zeros where the key was lent to a cloud and the cloud hides it. */
  readonly chipId: Uint8Array;
  readonly debug: boolean;
  readonly migratable: boolean;
  /** Firmware runs that can still be rolled back. */
  readonly provisionalFirmware: boolean;
  readonly vmpl: number;
  readonly smt: boolean;
  readonly ciphertextHiding: boolean;
  readonly aliasCheckComplete: boolean;
  /** The number of the revocation list, or undefined where none was shown. */
  readonly crlNumber: bigint | undefined;
}

/** @throws JudgementError with a `SevSnpCode`; CertificateError */
export async function verifySevSnp(input: SevSnpInput): Promise<SevSnpVerdict> {
  // Class format
  const report = parseSnpReport(input.report);
  const endorsement = parseEndorsement(input.endorsement.certificate, input.endorsement.kind);
  const crl = input.crl === undefined ? undefined : parseCrl(input.crl);

  // Class chain
  const { certificate } = endorsement;
  const issuer = input.intermediates.find(({ subject }) => equalBytes(subject, certificate.issuer));
  const sent = issuer === undefined ? [certificate] : [certificate, issuer];
  const chain = await verifyChain({ chain: sent, roots: input.roots });
  const product = productOf(endorsement, chain);

  // Class revocation
  // EV-205: a list that is shown and not looked at would be taken for one that was.
  if (crl !== undefined) await checkRevocation(crl, chain, input.lowestCrlNumber);

  // Class signature
  const { publicKey } = certificate;
  const isSigned = await verifySignature('ecdsa-sha384', publicKey, report.signedBytes, report.signature, 'raw');
  // EV-210: without it anybody could have written the report.
  if (!isSigned) throw refusal('report-signature-invalid', 'signature', 'EV-210', 'the machine’s key did not sign');

  // Class binding
  checkBinding(report, endorsement, product);

  // Class freshness
  assertValidAt(chain, input.timeSeconds);
  // EV-220: an old list hides what was revoked since.
  if (crl !== undefined) assertCrlValidAt(crl, input.timeSeconds);
  return verdictOf(report, endorsement, product, crl);
}

/** The root says the product; everything below it must be of the same, and of the kind that it is shown as. */
function productOf({ kind, productName }: Endorsement, chain: readonly Certificate[]): SnpProduct {
  const [leaf, issuer, root] = chain.map(({ subject }) => commonName(subject));
  const product = SNP_PRODUCTS.find((name) => root === `ARK-${name}`);
  // EV-200: a chain without AMD's key in between, or under a root that is none of its products', is not one of AMD's.
  if (product === undefined || chain.length !== 3) {
    throw notOfProduct('EV-200', 'the chain is not one of endorsement, signing key and root of a product');
  }
  const isVcek = kind === 'vcek';
  const isOfKind = issuer === `SEV-${isVcek ? '' : 'VLEK-'}${product}` && leaf === `SEV-${isVcek ? 'VCEK' : 'VLEK'}`;
  // EV-201: a key that was lent to a cloud, shown as a chip's, would pass without its chip.
  if (!isOfKind) throw notOfProduct('EV-201', 'the certificate is of another kind or product than it is shown as');
  const named = productName.split('-')[0];
  // EV-202: a certificate that names another product than its root was not made for it.
  if (named !== product) throw notOfProduct('EV-202', 'the certificate names another product than its root');
  return product;
}

async function checkRevocation(
  crl: Crl,
  chain: readonly Certificate[],
  lowestNumber: bigint | undefined,
): Promise<void> {
  await verifyCrl(crl, chain.at(-1) as Certificate, lowestNumber);
  for (const certificate of chain) assertNotRevoked(crl, certificate);
}

function checkBinding(report: SnpReport, endorsement: Endorsement, product: SnpProduct): void {
  const isSigner = report.signer === endorsement.kind;
  // EV-215: the report says whether the chip's key signed; another kind of key was not the one that was asked.
  if (!isSigner) throw refusal('signer-mismatch', 'binding', 'EV-215', 'the report names another kind of key');
  const isOfProduct = report.version === 2 ? product !== 'Turin' : report.product === product;
  // EV-216: bytes of one product's report mean other things on another.
  if (!isOfProduct)
    throw refusal('product-mismatch', 'binding', 'EV-216', 'the processor is not of the root’s product');
  const { hardwareId } = endorsement;
  const isOfChip = hardwareId === undefined || isChip(report.chipId, hardwareId, product);
  // EV-217: the certificate is that of one chip, and the report must be from it.
  if (!isOfChip) throw refusal('chip-id-mismatch', 'binding', 'EV-217', 'the report is from another chip');
  const isTcb = isSameTcb(report.reportedTcb, endorsement.tcb);
  // EV-218: the key exists once for each TCB; a report under another one would claim firmware that does not run.
  if (!isTcb) throw refusal('tcb-mismatch', 'binding', 'EV-218', 'the report is of another TCB than its certificate');
}

/** Turin's ids are 8 bytes long and fill the field up with zeros. */
function isChip(chipId: Uint8Array, hardwareId: Uint8Array, product: SnpProduct): boolean {
  const expectedBytes = product === 'Turin' ? 8 : 64;
  const isRest = chipId.subarray(expectedBytes).every((byte) => byte === 0);
  return hardwareId.length === expectedBytes && equalBytes(chipId.subarray(0, expectedBytes), hardwareId) && isRest;
}

function verdictOf(report: SnpReport, { kind }: Endorsement, product: SnpProduct, crl: Crl | undefined): SevSnpVerdict {
  const { currentFirmware: current, committedFirmware: committed } = report;
  const isCommitted =
    isSameTcb(report.currentTcb, report.committedTcb) &&
    current.major === committed.major &&
    current.minor === committed.minor &&
    current.build === committed.build;
  return {
    report,
    product,
    endorsedBy: kind,
    measurement: report.measurement,
    reportData: report.reportData,
    reportedTcb: report.reportedTcb,
    chipId: report.chipId,
    debug: report.policy.debugAllowed,
    migratable: report.policy.migrationAllowed,
    provisionalFirmware: !isCommitted,
    vmpl: report.vmpl,
    smt: report.platformInfo.smtEnabled,
    ciphertextHiding: report.platformInfo.ciphertextHidingEnabled,
    aliasCheckComplete: report.platformInfo.aliasCheckComplete,
    crlNumber: crl?.number,
  };
}

function notOfProduct(rule: string, message: string): JudgementError {
  return refusal('endorsement-not-of-product', 'chain', rule, message);
}

function refusal(
  code:
    | 'endorsement-not-of-product'
    | 'report-signature-invalid'
    | 'signer-mismatch'
    | 'product-mismatch'
    | 'chip-id-mismatch'
    | 'tcb-mismatch',
  failureClass: 'chain' | 'signature' | 'binding',
  rule: string,
  message: string,
): JudgementError {
  return new JudgementError(code, failureClass, rule, message);
}
