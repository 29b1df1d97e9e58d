/**
 * A whole fake Intel: root, platform CA, PCK and signing certificates, revocation lists, TCB info, QE identity and a quote, each
 * field of which a test can change before everything is signed. Keys come from labels; nothing here is secret, or Intel's.
 */
import { concatBytes, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { SeededEcdsaKey } from '@sotto/crypto/seeded-ecdsa';
import {
  createTestKey,
  derExtension,
  derOid,
  issueCertificate,
  issueCrl,
  type TestCertificate,
  type TestCrl,
  testPem,
} from './certificates.ts';
import { der, derInteger } from './der.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Everything about one quote and its collateral. Change what the case is about; the rest stays good. */
export interface TdxDraft {
  version: number;
  keyType: number;
  teeType: number;
  vendor: Uint8Array;
  /** Of version 5. */
  bodyType: number;
  bodySize: number | undefined;
  report: {
    teeTcbSvn: Uint8Array;
    mrSeam: Uint8Array;
    mrSignerSeam: Uint8Array;
    seamAttributes: Uint8Array;
    tdAttributes: Uint8Array;
    xfam: Uint8Array;
    mrTd: Uint8Array;
    mrConfigId: Uint8Array;
    mrOwner: Uint8Array;
    mrOwnerConfig: Uint8Array;
    rtmrs: Uint8Array[];
    reportData: Uint8Array;
    teeTcbSvn2: Uint8Array;
    mrServiceTd: Uint8Array;
  };
  attestationKey: SeededEcdsaKey;
  /** Signs the quote instead of the attestation key. */
  quoteSigner: SeededEcdsaKey | undefined;
  outerType: number;
  qe: {
    miscSelect: Uint8Array;
    attributes: Uint8Array;
    mrSigner: Uint8Array;
    isvProdId: number;
    isvSvn: number;
    /** Instead of the hash of attestation key and authentication data. */
    reportData: Uint8Array | undefined;
  };
  qeAuthData: Uint8Array;
  /** Signs the QE report instead of the PCK. */
  qeSigner: SeededEcdsaKey | undefined;
  certificationType: number;
  /** Instead of the chain in PEM. */
  certificationData: ((pem: string) => Uint8Array) | undefined;
  /** After the fields of the certification data, and of the signature data. */
  afterCertification: Uint8Array;
  afterSignature: Uint8Array;
  trailing: Uint8Array;
  pck: {
    key: SeededEcdsaKey;
    /** The pairs of the SGX extension: last arc and value in DER. */
    fields: [number, Uint8Array][];
    /** Those of its TCB. */
    tcb: [number, Uint8Array][];
    /** Instead of the extension. */
    extension: Uint8Array | undefined;
  };
  certificates: Record<'root' | 'ca' | 'pck' | 'signing', Partial<TestCertificate>>;
  pckChain: (chain: Bytes[]) => Bytes[];
  signingChain: (chain: Bytes[]) => Bytes[];
  crlChain: (chain: Bytes[]) => Bytes[];
  pckCrl: Partial<TestCrl>;
  rootCrl: Partial<TestCrl>;
  tcbInfo: Record<string, unknown>;
  qeIdentity: Record<string, unknown>;
  /** Changes the text after it was signed, or before. */
  tcbInfoText: ((text: string) => string) | undefined;
  qeIdentityText: ((text: string) => string) | undefined;
  tcbInfoSigner: SeededEcdsaKey | undefined;
  qeIdentitySigner: SeededEcdsaKey | undefined;
  /** Whole answers with the signature inside, as Intel's service gives them. */
  signatureInside: boolean;
  pckBeside: ((pem: string) => string) | undefined;
}

/** What the stage `tdx` takes, in bytes; collateral as `TdxCollateral` of `@sotto/evidence/tdx`. */
export interface TdxCase {
  quote: Bytes;
  collateral: {
    tcbInfoJson: string;
    tcbInfoSignatureHex?: string;
    qeIdentityJson: string;
    qeIdentitySignatureHex?: string;
    tcbInfoIssuerChainPem: string;
    qeIdentityIssuerChainPem: string;
    pckCrl: Bytes;
    pckCrlIssuerChainPem: string;
    rootCaCrl: Bytes;
    pckCertificateChainPem?: string;
  };
  rootPem: string;
  /** A moment at which everything is in date. */
  timeSeconds: number;
}

export const TDX_CASE_TIME = Date.UTC(2026, 10, 21, 12) / 1000;
const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const NAMES = {
  root: 'Intel SGX Root CA',
  ca: 'Intel SGX PCK Platform CA',
  pck: 'Intel SGX PCK Certificate',
  signing: 'Intel SGX TCB Signing',
} as const;
const SGX = '1.2.840.113741.1.13.1';
const ZERO_48 = '0'.repeat(96);

/** 16 components, each at one version. */
export const components = (svn: number): { svn: number }[] => Array.from({ length: 16 }, () => ({ svn }));

export function tcbLevel(svn: number, status: string, advisoryIDs?: string[]): Record<string, unknown> {
  return {
    tcb: { sgxtcbcomponents: components(svn), pcesvn: svn, tdxtcbcomponents: components(svn) },
    tcbDate: '2026-06-01T00:00:00Z',
    tcbStatus: status,
    ...(advisoryIDs && { advisoryIDs }),
  };
}

export function svnLevel(isvsvn: number, tcbStatus: string, advisoryIDs?: string[]): Record<string, unknown> {
  return { tcb: { isvsvn }, tcbDate: '2026-06-01T00:00:00Z', tcbStatus, ...(advisoryIDs && { advisoryIDs }) };
}

function goodDraft(): TdxDraft {
  const module = { mrsigner: ZERO_48, attributes: '0'.repeat(16), attributesMask: 'F'.repeat(16) };
  const issued = { issueDate: '2026-11-20T00:00:00Z', nextUpdate: '2026-12-20T00:00:00Z', tcbEvaluationDataNumber: 20 };
  return {
    ...{ version: 5, keyType: 2, teeType: 0x81, vendor: parseHex('939a7233f79c4ca9940a0db3957f0607') },
    ...{ bodyType: 3, bodySize: undefined },
    report: {
      teeTcbSvn: Uint8Array.of(5, 1, ...fill(14, 5)),
      mrSeam: fill(48, 0x10),
      mrSignerSeam: fill(48, 0),
      seamAttributes: fill(8, 0),
      tdAttributes: parseHex('0000001000000000'),
      xfam: parseHex('e700060000000000'),
      mrTd: fill(48, 0x11),
      mrConfigId: fill(48, 0x12),
      mrOwner: fill(48, 0x13),
      mrOwnerConfig: fill(48, 0x14),
      rtmrs: [0x20, 0x21, 0x22, 0x23].map((value) => fill(48, value)),
      reportData: fill(64, 0x30),
      teeTcbSvn2: Uint8Array.of(5, 1, ...fill(14, 5)),
      mrServiceTd: fill(48, 0),
    },
    ...{ attestationKey: createTestKey('tdx-attestation'), quoteSigner: undefined, outerType: 6 },
    qe: {
      miscSelect: fill(4, 0),
      attributes: parseHex('15000000000000000700000000000000'),
      mrSigner: fill(32, 0x40),
      ...{ isvProdId: 2, isvSvn: 5, reportData: undefined },
    },
    ...{ qeAuthData: fill(32, 0x41), qeSigner: undefined, certificationType: 5, certificationData: undefined },
    ...{ afterCertification: fill(0, 0), afterSignature: fill(0, 0), trailing: fill(0, 0) },
    pck: {
      key: createTestKey('tdx-pck'),
      fields: [
        [1, der(0x04, fill(16, 0x50))],
        [3, der(0x04, fill(2, 0))],
        [4, der(0x04, parseHex('00906ed50000'))],
        [5, der(0x0a, Uint8Array.of(1))],
        [6, der(0x04, fill(16, 0x51))],
        [7, der(0x30, ...[1, 2, 3].map((arc) => pair(`${SGX}.7.${arc}`, der(0x01, Uint8Array.of(0xff)))))],
      ],
      tcb: [
        ...Array.from({ length: 16 }, (_, at): [number, Uint8Array] => [at + 1, derInteger(Uint8Array.of(5))]),
        [17, derInteger(Uint8Array.of(5))],
        [18, der(0x04, fill(16, 5))],
      ],
      extension: undefined,
    },
    certificates: { root: {}, ca: {}, pck: {}, signing: {} },
    pckChain: (chain) => chain,
    signingChain: (chain) => chain,
    crlChain: (chain) => chain,
    pckCrl: {},
    rootCrl: {},
    tcbInfo: {
      ...{ id: 'TDX', version: 3, ...issued, fmspc: '00906ED50000', pceId: '0000', tcbType: 0 },
      tdxModule: module,
      tdxModuleIdentities: [
        { id: 'TDX_01', ...module, tcbLevels: [svnLevel(5, 'UpToDate'), svnLevel(2, 'OutOfDate', ['INTEL-SA-2'])] },
        { id: 'TDX_03', ...module, tcbLevels: [svnLevel(5, 'UpToDate')] },
      ],
      tcbLevels: [tcbLevel(5, 'UpToDate'), tcbLevel(3, 'OutOfDate', ['INTEL-SA-1'])],
    },
    qeIdentity: {
      ...{ id: 'TD_QE', version: 2, ...issued },
      ...{ miscselect: '00000000', miscselectMask: 'FFFFFFFF' },
      attributes: '11000000000000000000000000000000',
      attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
      ...{ mrsigner: '40'.repeat(32), isvprodid: 2 },
      tcbLevels: [svnLevel(5, 'UpToDate'), svnLevel(2, 'OutOfDate', ['INTEL-SA-3'])],
    },
    ...{ tcbInfoText: undefined, qeIdentityText: undefined, tcbInfoSigner: undefined, qeIdentitySigner: undefined },
    ...{ signatureInside: false, pckBeside: undefined },
  };
}

const pair = (oid: string, value: Uint8Array): Bytes => der(0x30, derOid(oid), value);
const le16 = (value: number): Bytes => Uint8Array.of(value & 0xff, value >> 8);
const le32 = (value: number): Bytes =>
  Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);

/** @param change of the good draft, before anything is signed */
export function makeTdxCase(change: (draft: TdxDraft) => void = () => {}): TdxCase {
  const draft = goodDraft();
  change(draft);
  const keys = {
    root: createTestKey('tdx-root'),
    ca: createTestKey('tdx-ca'),
    pck: draft.pck.key,
    signing: createTestKey('tdx-signing'),
  };
  const issue = (name: keyof typeof keys, issuer: 'root' | 'ca', more: Uint8Array[] = []) =>
    issueCertificate({
      ...{ subject: NAMES[name], issuer: NAMES[issuer], key: keys[name], signer: keys[issuer], more },
      ...{ isCa: name === 'root' || name === 'ca', serial: 1 + Object.keys(keys).indexOf(name) },
      ...draft.certificates[name],
    });
  const tcb = der(0x30, ...draft.pck.tcb.map(([arc, value]) => pair(`${SGX}.2.${arc}`, value)));
  const fields = [...draft.pck.fields, [2, tcb] as [number, Uint8Array]];
  const extension = draft.pck.extension ?? der(0x30, ...fields.map(([arc, value]) => pair(`${SGX}.${arc}`, value)));
  const root = issue('root', 'root');
  const ca = issue('ca', 'root');
  const pck = issue('pck', 'ca', [derExtension(SGX, false, extension)]);
  const signing = issue('signing', 'root');
  const pckPem = testPem('CERTIFICATE', draft.pckChain([pck, ca, root]));
  const signingPem = testPem('CERTIFICATE', draft.signingChain([signing, root]));
  const tcbInfo = signText(draft.tcbInfo, 'tcbInfo', draft.tcbInfoSigner ?? keys.signing, draft.signatureInside);
  const qeIdentity = signText(
    draft.qeIdentity,
    'enclaveIdentity',
    draft.qeIdentitySigner ?? keys.signing,
    draft.signatureInside,
  );
  return {
    quote: writeQuote(draft, pckPem),
    collateral: {
      tcbInfoJson: draft.tcbInfoText?.(tcbInfo.text) ?? tcbInfo.text,
      ...(draft.signatureInside ? {} : { tcbInfoSignatureHex: tcbInfo.signature }),
      qeIdentityJson: draft.qeIdentityText?.(qeIdentity.text) ?? qeIdentity.text,
      ...(draft.signatureInside ? {} : { qeIdentitySignatureHex: qeIdentity.signature }),
      ...{ tcbInfoIssuerChainPem: signingPem, qeIdentityIssuerChainPem: signingPem },
      pckCrl: issueCrl({ issuer: NAMES.ca, signer: keys.ca, ...draft.pckCrl }),
      pckCrlIssuerChainPem: testPem('CERTIFICATE', draft.crlChain([ca, root])),
      rootCaCrl: issueCrl({ issuer: NAMES.root, signer: keys.root, ...draft.rootCrl }),
      ...(draft.pckBeside && { pckCertificateChainPem: draft.pckBeside(pckPem) }),
    },
    rootPem: testPem('CERTIFICATE', [root]),
    timeSeconds: TDX_CASE_TIME,
  };
}

function signText(
  value: Record<string, unknown>,
  member: string,
  signer: SeededEcdsaKey,
  inside: boolean,
): { text: string; signature: string } {
  const text = JSON.stringify(value);
  const signature = encodeHex(signer.sign(encodeUtf8(text)));
  return { text: inside ? `{"${member}":${text},"signature":"${signature}"}` : text, signature };
}

function writeQuote(draft: TdxDraft, pckPem: string): Bytes {
  const { report, qe } = draft;
  const is15 = draft.version === 5 && draft.bodyType === 3;
  const body = concatBytes(
    ...[report.teeTcbSvn, report.mrSeam, report.mrSignerSeam, report.seamAttributes, report.tdAttributes, report.xfam],
    ...[report.mrTd, report.mrConfigId, report.mrOwner, report.mrOwnerConfig, ...report.rtmrs, report.reportData],
    ...(is15 ? [report.teeTcbSvn2, report.mrServiceTd] : []),
  );
  const head = concatBytes(
    ...[le16(draft.version), le16(draft.keyType), le32(draft.teeType), fill(4, 0), draft.vendor, fill(20, 0)],
    ...(draft.version === 5 ? [le16(draft.bodyType), le32(draft.bodySize ?? body.length)] : []),
  );
  const signed = concatBytes(head, body);
  const attestationKey = draft.attestationKey.publicKey as { point: Uint8Array };
  const key = attestationKey.point.slice(1);
  const reportData = qe.reportData ?? concatBytes(sha256(key, draft.qeAuthData), fill(32, 0));
  const qeReport = concatBytes(
    ...[fill(16, 5), qe.miscSelect, fill(28, 0), qe.attributes, fill(32, 0x42), fill(32, 0), qe.mrSigner, fill(96, 0)],
    ...[le16(qe.isvProdId), le16(qe.isvSvn), fill(60, 0), reportData],
  );
  const certificationData = draft.certificationData?.(pckPem) ?? concatBytes(encodeUtf8(pckPem), fill(1, 0));
  const certification = concatBytes(
    ...[qeReport, (draft.qeSigner ?? draft.pck.key).sign(qeReport)],
    ...[le16(draft.qeAuthData.length), draft.qeAuthData],
    ...[le16(draft.certificationType), le32(certificationData.length), certificationData, draft.afterCertification],
  );
  const signatureData = concatBytes(
    ...[(draft.quoteSigner ?? draft.attestationKey).sign(signed), key],
    ...[le16(draft.outerType), le32(certification.length), certification, draft.afterSignature],
  );
  return concatBytes(signed, le32(signatureData.length), signatureData, draft.trailing);
}
