/**
 * Files that somebody has at hand, sorted by what is in them into evidence that can be judged: a quote with its collateral, a
 * report with its certificate, devices with their manifests (spec/evidence.md §files). Everything in them is hostile; what a
 * file is, is read from its content and never from its name.
 */
import { BytesError, concatBytes, encodeUtf8, parseBase64, parseHex, parseUtf8, SottoError } from '@sotto/bytes';
import {
  type Certificate,
  CertificateError,
  commonName,
  parseCertificate,
  parseCrl,
  parsePem,
} from '@sotto/crypto/x509';
import { productionRoots } from '@sotto/evidence/nvidia';
import { amdRoots, REPORT_BYTES } from '@sotto/evidence/sev-snp';
import type { TdxCollateral } from '@sotto/evidence/tdx';
import type { TestRoots } from './collateral.ts';
import { reportNvidia, reportSevSnp, reportTdx } from './hardware-platforms.ts';
import type { HardwarePolicy } from './hardware-policy.ts';
import type { HardwareReport } from './hardware-report.ts';

export const FILE_LIMIT_BYTES = 4 * 1024 * 1024;
const FILES_LIMIT_COUNT = 32;

export interface EvidenceFile {
  /** For messages only. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type EvidenceFileCode = 'files-unreadable' | 'files-incomplete' | 'files-mixed' | 'files-policy-mismatch';

/** Files that are not evidence, or not all of it. The message says what is missing. */
export class EvidenceFileError extends SottoError<EvidenceFileCode> {
  constructor(code: EvidenceFileCode, message: string) {
    super(code, message, { action: 'fix-input', rule: 'EV-441' });
  }
}

export interface FilesInput {
  readonly files: readonly EvidenceFile[];
  /** Undefined to learn only whether the evidence is genuine. */
  readonly policy: HardwarePolicy | undefined;
  /** The time that it is judged for; seconds since 1970. */
  readonly timeSeconds: number;
  /** AMD's signing keys, for those who have only the chip's certificate (`@sotto/evidence/sev-snp/intermediates`). */
  readonly amdIntermediates: readonly Certificate[];
  /** What NVIDIA devices or a TPM had to answer to, 32 bytes. */
  readonly nonce?: Uint8Array | undefined;
  readonly roots?: TestRoots;
}

/** The length of the label, and the label. */
const TPM_STATEMENT = concatBytes(Uint8Array.of(0, 22), encodeUtf8('sotto/tpm-statement/v1'));
const FOR_OTHER_HARDWARE = 'The policy is for another kind of hardware.';

interface Sorted {
  quote?: Uint8Array;
  collateral?: TdxCollateral;
  report?: Uint8Array;
  tpm?: Uint8Array;
  readonly certificates: Certificate[];
  readonly chains: Uint8Array[][];
  crl?: Uint8Array;
  readonly deviceReports: Uint8Array[];
  readonly rims: string[];
  readonly ocsp: Uint8Array[];
}

/**
 * Judges what the files hold.
 *
 * @throws EvidenceFileError when there is nothing to judge; a refusal is a report
 */
export async function judgeFiles(input: FilesInput): Promise<HardwareReport> {
  const { policy, timeSeconds } = input;
  const found = sortFiles(input.files);
  const kinds = [found.quote, found.report, found.tpm, found.deviceReports[0]].filter((each) => each !== undefined);
  if (kinds.length > 1) {
    throw new EvidenceFileError('files-mixed', 'These are files of several machines or devices. Judge each by itself.');
  }
  if (found.quote !== undefined) {
    const evidence = {
      quote: found.quote,
      ...(found.collateral && { collateral: found.collateral }),
      ...(input.roots?.intel && { roots: input.roots.intel }),
    };
    return reportTdx(evidence, policyFor('tdx', policy), timeSeconds);
  }
  if (found.report !== undefined) {
    return reportSevSnp(snpEvidence(found, found.report, input), policyFor('sev-snp', policy), timeSeconds);
  }
  if (found.tpm !== undefined) return reportTpm(found.tpm, input);
  if (found.deviceReports.length > 0) return reportDevices(found, input);
  throw new EvidenceFileError(
    'files-incomplete',
    'There is no quote or report among these files. Sotto reads TDX quotes, SEV-SNP reports (1,184 bytes), TPM statements and NVIDIA reports.',
  );
}

function policyFor<K extends HardwarePolicy['kind']>(
  kind: K,
  policy: HardwarePolicy | undefined,
): Extract<HardwarePolicy, { kind: K }> | undefined {
  const isForThis = policy === undefined || policy.kind === kind;
  // EV-442: a policy for other hardware would be met by not being asked.
  if (!isForThis) throw new EvidenceFileError('files-policy-mismatch', FOR_OTHER_HARDWARE);
  return policy as Extract<HardwarePolicy, { kind: K }> | undefined;
}

function snpEvidence(found: Sorted, report: Uint8Array, { amdIntermediates, roots }: FilesInput) {
  const named = (name: string) => found.certificates.find(({ subject }) => commonName(subject)?.startsWith(name));
  const [vcek, vlek] = [named('SEV-VCEK'), named('SEV-VLEK')].map((each) =>
    each !== undefined && !commonName(each.subject)?.startsWith('SEV-VLEK-') ? each : undefined,
  );
  const endorsement = vcek ?? vlek;
  if (endorsement === undefined) {
    throw new EvidenceFileError(
      'files-incomplete',
      "A SEV-SNP report is judged with the certificate of the key that signed it: add the chip's VCEK (or VLEK) file.",
    );
  }
  const others = found.certificates.filter((certificate) => certificate !== endorsement);
  return {
    report,
    endorsement: { kind: endorsement === vcek ? 'vcek' : 'vlek', certificate: endorsement.raw } as const,
    intermediates: [...others, ...amdIntermediates],
    roots: roots?.amd ?? amdRoots(),
    crl: found.crl,
  };
}

async function reportTpm(statement: Uint8Array, { nonce, policy, timeSeconds }: FilesInput): Promise<HardwareReport> {
  const demanded = policyFor('tpm-test', policy);
  if (nonce === undefined) {
    throw new EvidenceFileError('files-incomplete', 'A TPM answers to a nonce: say which (64 hex digits).');
  }
  // Fetched where it is needed: few people hold such a file.
  const { reportTpmStatement } = await import('./hardware-tpm.ts');
  return reportTpmStatement(statement, nonce, demanded, timeSeconds);
}

function reportDevices(found: Sorted, { nonce, policy, roots, timeSeconds }: FilesInput): Promise<HardwareReport> {
  // EV-442: no policy asks for devices without the machine that they are in.
  if (policy !== undefined) throw new EvidenceFileError('files-policy-mismatch', FOR_OTHER_HARDWARE);
  if (nonce === undefined) {
    throw new EvidenceFileError('files-incomplete', 'NVIDIA reports answer to a nonce: say which (64 hex digits).');
  }
  if (found.chains.length !== found.deviceReports.length) {
    throw new EvidenceFileError(
      'files-incomplete',
      "Every device's report is judged with its certificate chain: add the file.",
    );
  }
  const devices = found.deviceReports.map((report, i) => ({ report, certificates: found.chains[i] as Uint8Array[] }));
  const { rims, ocsp } = found;
  return reportNvidia(
    { devices, expectedNonce: nonce, rims, ocsp, roots: roots?.nvidia ?? productionRoots() },
    timeSeconds,
  );
}

function sortFiles(files: readonly EvidenceFile[]): Sorted {
  const isWithin = files.length <= FILES_LIMIT_COUNT && files.every(({ bytes }) => bytes.length <= FILE_LIMIT_BYTES);
  // EV-443: what somebody drops on a page is read whole into memory.
  if (!isWithin) throw new EvidenceFileError('files-unreadable', 'There are too many files, or one is above 4 MiB.');
  const sorted: Sorted = { certificates: [], chains: [], deviceReports: [], rims: [], ocsp: [] };
  for (const file of files) {
    const isKnown = sortBinary(file.bytes, sorted) || sortText(file.bytes, sorted);
    // EV-441: a file that is left aside would leave aside what it says.
    if (!isKnown)
      throw new EvidenceFileError('files-unreadable', `Nothing that Sotto knows is in the file ${file.name}.`);
  }
  return sorted;
}

function sortBinary(bytes: Uint8Array, sorted: Sorted): boolean {
  const [first, second, , , type] = bytes;
  const isQuote = (first === 4 || first === 5 || first === 3) && second === 0 && bytes.length > REPORT_BYTES;
  if (isQuote || (first === 4 && type === 0x81)) {
    sorted.quote = bytes;
    return true;
  }
  if (bytes.length === REPORT_BYTES && first !== undefined && first >= 2 && first <= 5) {
    sorted.report = bytes;
    return true;
  }
  if (startsWith(bytes, TPM_STATEMENT)) {
    sorted.tpm = bytes;
    return true;
  }
  if (first === 0x11 && second === 0xe0) {
    sorted.deviceReports.push(bytes);
    return true;
  }
  return isDer(bytes) && sortDer(bytes, sorted);
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.every((octet, at) => bytes[at] === octet);
}

/** A sequence that fills the file; hexadecimal text begins with the same byte. */
function isDer(bytes: Uint8Array): boolean {
  const [tag, form = 0, high = 0, low = 0] = bytes;
  const lengthBytes = form === 0x82 ? high * 256 + low + 4 : form === 0x81 ? high + 3 : form + 2;
  return tag === 0x30 && lengthBytes === bytes.length;
}

function sortDer(bytes: Uint8Array, sorted: Sorted): boolean {
  const certificate = ifItIs(() => parseCertificate(bytes));
  if (certificate !== undefined) sorted.certificates.push(certificate);
  else if (ifItIs(() => parseCrl(bytes)) !== undefined) sorted.crl = bytes;
  else sorted.ocsp.push(bytes);
  return true;
}

function sortText(bytes: Uint8Array, sorted: Sorted): boolean {
  const text = ifItIs(() => parseUtf8(bytes))?.trim();
  if (text === undefined) return false;
  if (text.startsWith('{')) return sortJson(text, sorted);
  if (text.startsWith('<')) {
    sorted.rims.push(text);
    return true;
  }
  if (text.includes('-----BEGIN X509 CRL-----')) {
    const [crl] = ifItIs(() => parsePem(text, 'X509 CRL')) ?? [];
    if (crl === undefined) return false;
    sorted.crl = crl;
    return true;
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) {
    const chain = ifItIs(() => parsePem(text, 'CERTIFICATE'));
    const certificates = ifItIs(() => chain?.map((der) => parseCertificate(der)));
    if (chain === undefined || certificates === undefined) return false;
    sorted.chains.push([...chain]);
    sorted.certificates.push(...certificates);
    return true;
  }
  const packed = text.replace(/\s+/g, '');
  const decoded = ifItIs(() => parseHex(packed.toLowerCase(), packed.length / 2)) ?? ifItIs(() => parseBase64(packed));
  return decoded !== undefined && sortBinary(decoded, sorted);
}

/** Collateral as tools write it into a file. */
function sortJson(text: string, sorted: Sorted): boolean {
  const value = ifItIs(() => JSON.parse(text) as Readonly<Record<string, unknown>>);
  if (value === undefined) return false;
  const read = (name: string): string => (typeof value[name] === 'string' ? value[name] : '');
  const hex = (name: string): Uint8Array =>
    ifItIs(() => parseHex(read(name), read(name).length / 2)) ?? new Uint8Array();
  if (read('tcb_info') === '' || read('qe_identity') === '') return false;
  sorted.collateral = {
    tcbInfoJson: read('tcb_info'),
    tcbInfoSignatureHex: read('tcb_info_signature'),
    qeIdentityJson: read('qe_identity'),
    qeIdentitySignatureHex: read('qe_identity_signature'),
    tcbInfoIssuerChainPem: read('tcb_info_issuer_chain'),
    qeIdentityIssuerChainPem: read('qe_identity_issuer_chain'),
    pckCrl: hex('pck_crl'),
    pckCrlIssuerChainPem: read('pck_crl_issuer_chain'),
    rootCaCrl: hex('root_ca_crl'),
    ...(read('pck_certificate_chain') !== '' && { pckCertificateChainPem: read('pck_certificate_chain') }),
  };
  return true;
}

/** The value, or undefined when the bytes are something else. */
function ifItIs<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BytesError || error instanceof CertificateError || error instanceof SyntaxError)
      return undefined;
    throw error;
  }
}
