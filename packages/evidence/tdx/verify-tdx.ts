/**
 * The judgement of a TDX quote (spec/evidence-tdx.md): bytes, collateral, roots, time and demands in; what the machine is out.
 * No clock, network or storage. Everything but `roots`, `timeSeconds`, `demands` and `seen` comes from the party that is judged.
 * The steps stand in the order of the classes: of two faults the one of the earlier class is reported.
 */
import { concatBytes, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { verifySignature } from '@sotto/crypto/verify';
import {
  assertCrlValidAt,
  assertNotRevoked,
  assertValidAt,
  type Certificate,
  ecPublicKey,
  verifyCrl,
} from '@sotto/crypto/x509';
import { type GuestProperties, judgeGuest, readGuestProperties } from './attributes.ts';
import {
  type ParsedCollateral,
  parseCollateral,
  parsePckChain,
  type TdxCollateral,
  verifyCrlChain,
  verifyPckChain,
  verifySigningChain,
} from './certificates.ts';
import type { QeIdentity, Signed, TcbStatus } from './collateral.ts';
import { refusal } from './error.ts';
import { type Platform, readPlatform } from './pck.ts';
import { parseTdxQuote, type TdxQuote } from './quote.ts';
import type { EnclaveReport } from './reports.ts';
import { intelRoots } from './roots.ts';
import { assertModule, evaluateTcb, type TdxTcb } from './tcb.ts';

/** What is refused although it is genuine. */
export interface TdxDemands {
  readonly collateral: 'required' | 'optional';
  /** The statuses that are good enough. `Revoked` never is, listed or not. */
  readonly tcbStatuses: readonly TcbStatus[];
  /** `production`: no debugging, no migration, no service guest, no attributes that we do not know. */
  readonly guest: 'production' | 'any';
  /** How long ago TCB info and QE identity may have been issued, though they are still valid. */
  readonly maxCollateralAgeSeconds?: number;
}

/** The highest numbers seen so far, kept by the client. Collateral below them is refused. */
export interface TdxSeen {
  readonly evaluationDataNumber?: number;
  readonly pckCrlNumber?: bigint;
  readonly rootCaCrlNumber?: bigint;
}

export interface TdxInput {
  readonly quote: Uint8Array;
  readonly collateral?: TdxCollateral;
  /** Seconds since 1970. */
  readonly timeSeconds: number;
  readonly demands: TdxDemands;
  /** Intel's production root when absent. */
  readonly roots?: readonly Certificate[];
  readonly seen?: TdxSeen;
}

/** A quote that held. */
export interface TdxVerdict {
  readonly quote: TdxQuote;
  readonly platform: Platform;
  readonly guest: GuestProperties;
  /** Absent without collateral. */
  readonly tcb?: TdxTcb;
  /** When all of it is in date; seconds since 1970, both included. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** To be kept, and given as `seen` the next time. */
  readonly seen: TdxSeen;
}

/** Everything that Intel calls good, on a machine that nobody looks into. */
export const PRODUCTION_DEMANDS: TdxDemands = {
  collateral: 'required',
  tcbStatuses: ['UpToDate'],
  guest: 'production',
};

/**
 * Judges a quote.
 *
 * @throws JudgementError with the codes of spec/evidence-tdx.md, CertificateError with those of spec/evidence-certificates.md
 * @example await verifyTdx({ quote, collateral, timeSeconds, demands: PRODUCTION_DEMANDS });
 */
export async function verifyTdx(input: TdxInput): Promise<TdxVerdict> {
  const { timeSeconds, demands, roots = intelRoots(), seen = {} } = input;
  const quote = parseTdxQuote(input.quote);
  const known = [...roots];
  const collateral = input.collateral && parseCollateral(input.collateral, known);
  const pck = parsePckChain(quote, input.collateral?.pckCertificateChainPem, known);
  const platform = readPlatform(pck[0] as Certificate);

  const pckChain = await verifyPckChain(pck, roots);
  const chains = collateral && (await verifyCollateralChains(collateral, pckChain, roots));
  if (collateral !== undefined && chains !== undefined) {
    await judgeRevocation(collateral, pckChain, chains, seen);
    await verifyCollateralSignatures(collateral);
  }
  await verifyQuoteSignatures(quote, pckChain[0] as Certificate);
  assertKeyBound(quote);
  if (collateral !== undefined) judgeMatch(quote, platform, collateral);
  const dates = collateral === undefined ? pckChain : [...pckChain, ...(chains as Certificate[])];
  assertValidAt(dates, timeSeconds);
  if (collateral !== undefined) judgeFreshness(collateral, timeSeconds, demands, seen);
  const tcb =
    collateral &&
    evaluateTcb(platform, quote.report, quote.qeReport, collateral.tcbInfo.value, collateral.qeIdentity.value);
  const isAccepted = tcb === undefined || demands.tcbStatuses.includes(tcb.status);
  // EV-156: Intel says that something on this machine is known to be weak.
  if (!isAccepted) throw refusal('tdx-tcb-not-accepted', 'EV-156', 'the TCB status is not one that is accepted');
  const isMissing = collateral === undefined && demands.collateral === 'required';
  // EV-160: without collateral nobody says whether the machine is revoked or broken.
  if (isMissing) throw refusal('tdx-collateral-required', 'EV-160', 'there is no collateral for the quote');
  const guest = readGuestProperties(quote.report);
  if (demands.guest === 'production') judgeGuest(guest);
  return {
    ...{ quote, platform, guest },
    ...(tcb === undefined ? {} : { tcb }),
    ...validity(dates, collateral),
    seen: collateral === undefined ? seen : seenIn(collateral),
  };
}

/** The chains of whoever signs collateral and lists, all certificates of them. */
async function verifyCollateralChains(
  collateral: ParsedCollateral,
  pckChain: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<readonly Certificate[]> {
  const { tcbInfoIssuers, qeIdentityIssuers, pckCrlIssuers } = collateral;
  const tcbInfo = await verifySigningChain(tcbInfoIssuers, roots);
  const qeIdentity = qeIdentityIssuers === tcbInfoIssuers ? [] : await verifySigningChain(qeIdentityIssuers, roots);
  return [...tcbInfo, ...qeIdentity, ...(await verifyCrlChain(pckCrlIssuers, pckChain, roots))];
}

async function judgeRevocation(
  collateral: ParsedCollateral,
  pckChain: readonly Certificate[],
  chains: readonly Certificate[],
  seen: TdxSeen,
): Promise<void> {
  const [leaf, ca, root] = pckChain as readonly [Certificate, Certificate, Certificate];
  await verifyCrl(collateral.rootCaCrl, root, seen.rootCaCrlNumber);
  await verifyCrl(collateral.pckCrl, ca, seen.pckCrlNumber);
  assertNotRevoked(collateral.pckCrl, leaf);
  for (const certificate of [ca, ...chains]) assertNotRevoked(collateral.rootCaCrl, certificate);
}

async function verifyCollateralSignatures(collateral: ParsedCollateral): Promise<void> {
  const { tcbInfo, tcbInfoIssuers, qeIdentity, qeIdentityIssuers } = collateral;
  const isTcbInfoSigned = await isSignedBy(tcbInfoIssuers, tcbInfo);
  // EV-132: whoever hands it over could else call an old machine up to date.
  if (!isTcbInfoSigned) throw refusal('tdx-collateral-signature-invalid', 'EV-132', 'Intel did not sign the TCB info');
  const isQeSigned = await isSignedBy(qeIdentityIssuers, qeIdentity);
  // EV-133: whoever hands it over could else name an enclave of their own.
  if (!isQeSigned) throw refusal('tdx-collateral-signature-invalid', 'EV-133', 'Intel did not sign the QE identity');
}

function isSignedBy([signer]: readonly Certificate[], { signedBytes, signature }: Signed<unknown>): Promise<boolean> {
  return verifySignature('ecdsa-sha256', (signer as Certificate).publicKey, signedBytes, signature, 'raw');
}

async function verifyQuoteSignatures(quote: TdxQuote, leaf: Certificate): Promise<void> {
  const { qeReport, qeReportSignature, signedBytes, signature, attestationKey } = quote;
  const isQeSigned = await verifySignature('ecdsa-sha256', leaf.publicKey, qeReport.raw, qeReportSignature, 'raw');
  // EV-130: anybody can write what a quoting enclave would have reported.
  if (!isQeSigned) throw refusal('tdx-qe-signature-invalid', 'EV-130', 'the platform did not sign the QE report');
  const key = ecPublicKey('P-256', attestationKey);
  const isSigned = await verifySignature('ecdsa-sha256', key, signedBytes, signature, 'raw');
  // EV-131: anybody can write what a guest would have reported.
  if (!isSigned) throw refusal('tdx-quote-signature-invalid', 'EV-131', 'the attestation key did not sign the quote');
}

function assertKeyBound({ attestationKey, qeAuthData, qeReport }: TdxQuote): void {
  const expected = concatBytes(sha256(attestationKey, qeAuthData), new Uint8Array(32));
  // EV-135: a key that the quoting enclave did not vouch for is anybody's.
  if (!equalBytes(expected, qeReport.reportData)) {
    throw refusal('tdx-attestation-key-unbound', 'EV-135', 'the QE report does not name the attestation key');
  }
}

function judgeMatch(quote: TdxQuote, platform: Platform, { tcbInfo, qeIdentity }: ParsedCollateral): void {
  // EV-136: the levels of another family of processors say nothing about this one.
  if (!equalBytes(platform.fmspc, tcbInfo.value.fmspc)) {
    throw refusal('tdx-platform-mismatch', 'EV-136', 'the TCB info is of another family of processors');
  }
  // EV-137: the levels of another certifying enclave say nothing about this one.
  if (!equalBytes(platform.pceId, tcbInfo.value.pceId)) {
    throw refusal('tdx-platform-mismatch', 'EV-137', 'the TCB info is of another provisioning enclave');
  }
  judgeQe(quote.qeReport, qeIdentity.value);
  assertModule(quote.report, tcbInfo.value);
}

function judgeQe(report: EnclaveReport, identity: QeIdentity): void {
  const mismatch = (rule: string, message: string) => refusal('tdx-qe-identity-mismatch', rule, message);
  const isSelected = equalsMasked(report.miscSelect, identity.miscSelect, identity.miscSelectMask);
  // EV-138: an enclave with other features is another build than Intel describes.
  if (!isSelected) throw mismatch('EV-138', 'the quoting enclave has other features than Intel says');
  const hasAttributes = equalsMasked(report.attributes, identity.attributes, identity.attributesMask);
  // EV-139: in a debug enclave the attestation key lies open.
  if (!hasAttributes) throw mismatch('EV-139', 'the quoting enclave has other attributes than Intel says');
  // EV-140: an enclave of another maker signs quotes for anybody.
  if (!equalBytes(report.mrSigner, identity.mrSigner)) {
    throw mismatch('EV-140', 'the quoting enclave has another signer than Intel says');
  }
  // EV-141: Intel's other enclaves do not check what they sign.
  if (report.isvProdId !== identity.isvProdId) {
    throw mismatch('EV-141', 'the quoting enclave is another product than Intel says');
  }
}

function equalsMasked(actual: Uint8Array, expected: Uint8Array, mask: Uint8Array): boolean {
  return actual.every((octet, at) => (octet & (mask[at] as number)) === expected[at]);
}

function judgeFreshness(collateral: ParsedCollateral, timeSeconds: number, demands: TdxDemands, seen: TdxSeen): void {
  assertCrlValidAt(collateral.rootCaCrl, timeSeconds);
  assertCrlValidAt(collateral.pckCrl, timeSeconds);
  const { maxCollateralAgeSeconds = Number.POSITIVE_INFINITY } = demands;
  for (const { value } of [collateral.tcbInfo, collateral.qeIdentity]) {
    const isEarly = timeSeconds < value.issueDate;
    // EV-146: collateral from the future was not made by a clock like ours.
    if (isEarly) throw refusal('tdx-collateral-not-yet-valid', 'EV-146', 'collateral is not yet valid');
    const isLate = timeSeconds > value.nextUpdate;
    // EV-147: expired collateral does not know what was found since.
    if (isLate) throw refusal('tdx-collateral-expired', 'EV-147', 'collateral has expired');
    const isOld = timeSeconds - value.issueDate > maxCollateralAgeSeconds;
    // EV-149: between two updates much may be found.
    if (isOld) throw refusal('tdx-collateral-too-old', 'EV-149', 'collateral is older than demanded');
    const isBelow = value.evaluationDataNumber < (seen.evaluationDataNumber ?? 0);
    // EV-148: older collateral that is still valid calls machines good that Intel no longer does.
    if (isBelow) throw refusal('tdx-collateral-older-than-seen', 'EV-148', 'newer collateral has been seen');
  }
}

function validity(
  dates: readonly Certificate[],
  collateral: ParsedCollateral | undefined,
): { validFrom: number; validUntil: number } {
  const all = [
    ...dates,
    ...(collateral === undefined ? [] : [collateral.pckCrl, collateral.rootCaCrl]),
    ...(collateral === undefined ? [] : [collateral.tcbInfo.value, collateral.qeIdentity.value]).map((value) => ({
      notBefore: value.issueDate,
      notAfter: value.nextUpdate,
    })),
  ];
  return {
    validFrom: Math.max(...all.map(({ notBefore }) => notBefore)),
    validUntil: Math.min(...all.map(({ notAfter }) => notAfter)),
  };
}

function seenIn({ tcbInfo, qeIdentity, pckCrl, rootCaCrl }: ParsedCollateral): TdxSeen {
  return {
    evaluationDataNumber: Math.min(tcbInfo.value.evaluationDataNumber, qeIdentity.value.evaluationDataNumber),
    pckCrlNumber: pckCrl.number,
    rootCaCrlNumber: rootCaCrl.number,
  };
}
