/** One good case and, rule by rule, cases that differ from it in one thing. `generate.ts` writes them down. */
import { concatBytes, encodeUtf8, parseHex } from '@sotto/bytes';
import { createTestKey, derExtension, issueCertificate } from '@sotto/testkit/certificates';
import { components, svnLevel, TDX_CASE_TIME, type TdxDraft, tcbLevel } from '@sotto/testkit/evidence-tdx';

export interface TdxDemandsInput {
  collateral?: 'required' | 'optional';
  tcb_statuses?: string[];
  guest?: 'production' | 'any';
  max_collateral_age_seconds?: number;
}

export interface TdxVectorCase {
  id: string;
  rule: string;
  note: string;
  change?: (draft: TdxDraft) => void;
  /** Fields of the input itself; null takes one away. */
  input?: {
    time?: number;
    collateral?: null;
    demands?: TdxDemandsInput;
    seen?: Record<string, number>;
    root_ca_pem?: string;
  };
  /** Changes the finished bytes. */
  quote?: (quote: Uint8Array) => Uint8Array;
  expect: { accept: { tcb_status: string; advisory_ids: string[] } } | { code: string };
}

const other = createTestKey('tdx-other');
const ROOT = 'Intel SGX Root CA';
const CA = 'Intel SGX PCK Platform CA';
const rootKey = createTestKey('tdx-root');
const caKey = createTestKey('tdx-ca');
/** The platform's CA; the same with an issuer that nobody knows; Intel's other CA. */
const platformCa = issueCertificate({ subject: CA, issuer: ROOT, key: caKey, signer: rootKey, isCa: true, serial: 2 });
const forgedCa = issueCertificate({
  subject: CA,
  issuer: 'Elsewhere',
  key: caKey,
  signer: other,
  isCa: true,
  serial: 2,
});
const processorCa = issueCertificate({
  ...{ subject: 'Intel SGX PCK Processor CA', issuer: ROOT, key: other, signer: rootKey, isCa: true, serial: 5 },
});
const hex = (text: string) => parseHex(text.replaceAll(' ', ''));
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const good = (tcb_status = 'UpToDate', advisory_ids: string[] = []) => ({ accept: { tcb_status, advisory_ids } });
const code = (name: string) => ({ code: name });
const anyStatus = [
  ...['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'TDRelaunchAdvised'],
  ...['TDRelaunchAdvisedConfigurationNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded'],
];
const anyway = { demands: { tcb_statuses: [...anyStatus, 'Revoked'] } };

const quoteMalformed = code('tdx-quote-malformed');
const unsupported = code('tdx-quote-unsupported');
const pckMalformed = code('tdx-pck-malformed');
const collateralMalformed = code('tdx-collateral-malformed');
const levels = (draft: TdxDraft, value: unknown[]) => {
  draft.tcbInfo.tcbLevels = value;
};
const modules = (draft: TdxDraft) => draft.tcbInfo.tdxModuleIdentities as Record<string, unknown>[];

const format: TdxVectorCase[] = [
  { id: 'good', rule: 'EV-153', note: 'everything is in order', expect: good() },
  {
    id: 'good-v4',
    rule: 'EV-102',
    note: 'the same in version 4, TDX 1.0',
    change: (d) => {
      d.version = 4;
    },
    expect: good(),
  },
  {
    id: 'good-v5-report-1.0',
    rule: 'EV-102',
    note: 'version 5 with a report of TDX 1.0',
    change: (d) => {
      d.bodyType = 2;
    },
    expect: good(),
  },
  {
    id: 'trailing-bytes',
    rule: 'EV-100',
    note: 'bytes after the signature data are allowed',
    change: (d) => {
      d.trailing = fill(70, 0);
    },
    expect: good(),
  },
  {
    id: 'cut',
    rule: 'EV-100',
    note: 'the last byte is missing',
    quote: (quote) => quote.slice(0, -1),
    expect: quoteMalformed,
  },
  { id: 'empty', rule: 'EV-100', note: 'no byte at all', quote: () => new Uint8Array(), expect: quoteMalformed },
  {
    id: 'sgx-v3',
    rule: 'EV-101',
    note: 'an SGX quote of version 3',
    change: (d) => {
      d.version = 3;
      d.teeType = 0;
    },
    expect: unsupported,
  },
  {
    id: 'sgx-v5',
    rule: 'EV-101',
    note: 'an SGX quote of version 5',
    change: (d) => {
      d.teeType = 0;
    },
    expect: unsupported,
  },
  {
    id: 'version-6',
    rule: 'EV-102',
    note: 'a version that does not exist',
    quote: (quote) => quote.with(0, 6),
    expect: unsupported,
  },
  {
    id: 'tee-type',
    rule: 'EV-102',
    note: 'a kind of machine that does not exist',
    change: (d) => {
      d.teeType = 0x82;
    },
    expect: unsupported,
  },
  {
    id: 'body-type',
    rule: 'EV-102',
    note: 'the body of an enclave in a TDX quote',
    change: (d) => {
      d.bodyType = 1;
    },
    expect: unsupported,
  },
  {
    id: 'body-size',
    rule: 'EV-102',
    note: 'a body of another size than its type has',
    change: (d) => {
      d.bodySize = 584;
    },
    expect: quoteMalformed,
  },
  {
    id: 'key-type',
    rule: 'EV-103',
    note: 'an attestation key of P-384',
    change: (d) => {
      d.keyType = 3;
    },
    expect: unsupported,
  },
  {
    id: 'vendor',
    rule: 'EV-104',
    note: 'the quoting enclave of another vendor',
    change: (d) => {
      d.vendor = fill(16, 1);
    },
    expect: unsupported,
  },
  {
    id: 'outer-type',
    rule: 'EV-105',
    note: 'another kind of certification',
    change: (d) => {
      d.outerType = 5;
    },
    expect: unsupported,
  },
  {
    id: 'after-signature',
    rule: 'EV-105',
    note: 'a byte more in the signature data',
    change: (d) => {
      d.afterSignature = fill(1, 0);
    },
    expect: quoteMalformed,
  },
  {
    id: 'after-certification',
    rule: 'EV-106',
    note: 'a byte more in the certification data',
    change: (d) => {
      d.afterCertification = fill(1, 0);
    },
    expect: quoteMalformed,
  },
  {
    id: 'inner-type',
    rule: 'EV-106',
    note: 'certification data of type 6 inside type 6',
    change: (d) => {
      d.certificationType = 6;
    },
    expect: unsupported,
  },
  {
    id: 'auth-data-empty',
    rule: 'EV-106',
    note: 'no authentication data',
    change: (d) => {
      d.qeAuthData = fill(0, 0);
    },
    expect: good(),
  },
  {
    id: 'auth-data-long',
    rule: 'EV-106',
    note: 'authentication data of 1,000 bytes',
    change: (d) => {
      d.qeAuthData = fill(1000, 7);
    },
    expect: good(),
  },
  {
    id: 'no-pck-chain',
    rule: 'EV-107',
    note: 'an encrypted id in place of the chain, and none beside',
    change: (d) => {
      d.certificationType = 3;
    },
    expect: unsupported,
  },
  {
    id: 'pck-chain-beside',
    rule: 'EV-107',
    note: 'the chain beside the quote',
    change: (d) => {
      d.certificationType = 3;
      d.certificationData = () => fill(404, 9);
      d.pckBeside = (pem) => pem;
    },
    expect: good(),
  },
  {
    id: 'pck-chain-both',
    rule: 'EV-108',
    note: 'the chain in both places',
    change: (d) => {
      d.pckBeside = (pem) => pem;
    },
    expect: good(),
  },
  {
    id: 'pck-chain-differs',
    rule: 'EV-108',
    note: 'another chain beside than inside',
    change: (d) => {
      d.pckBeside = (pem) => `${pem.split('-----END CERTIFICATE-----\n').slice(1).join('-----END CERTIFICATE-----\n')}`;
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'pck-pem',
    rule: 'EV-360',
    note: 'DER where PEM belongs',
    change: (d) => {
      d.certificationData = () => hex('3003 020101');
    },
    expect: code('pem-malformed'),
  },
  {
    id: 'pck-two-nulls',
    rule: 'EV-360',
    note: 'two nulls after the PEM',
    change: (d) => {
      d.certificationData = (pem) => concatBytes(encodeUtf8(pem), fill(2, 0));
    },
    expect: code('pem-malformed'),
  },
  {
    id: 'pck-no-extension',
    rule: 'EV-109',
    note: 'a certificate without SGX extension',
    change: (d) => {
      d.certificates.pck = { more: [] };
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-extension-not-der',
    rule: 'EV-109',
    note: 'an extension that is not DER',
    change: (d) => {
      d.pck.extension = hex('3001');
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-field-unknown',
    rule: 'EV-109',
    note: 'a field that does not exist',
    change: (d) => {
      d.pck.fields.push([9, hex('0500')]);
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-field-twice',
    rule: 'EV-109',
    note: 'the FMSPC twice',
    change: (d) => {
      d.pck.fields.push([4, hex('0406 00906ed50000')]);
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-field-missing',
    rule: 'EV-109',
    note: 'no FMSPC',
    change: (d) => {
      d.pck.fields = d.pck.fields.filter(([arc]) => arc !== 4);
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-svn-missing',
    rule: 'EV-109',
    note: 'fifteen components',
    change: (d) => {
      d.pck.tcb = d.pck.tcb.filter(([arc]) => arc !== 16);
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-fmspc-length',
    rule: 'EV-109',
    note: 'an FMSPC of five bytes',
    change: (d) => {
      d.pck.fields = d.pck.fields.map(([arc, value]) => [arc, arc === 4 ? hex('0405 00906ed500') : value]);
    },
    expect: pckMalformed,
  },
  {
    id: 'pck-curve',
    rule: 'EV-110',
    note: 'a PCK of P-384',
    change: (d) => {
      d.pck.key = createTestKey('tdx-pck', 'P-384');
      d.qeSigner = createTestKey('tdx-pck');
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'json-after',
    rule: 'EV-111',
    note: 'a second object after the first',
    change: (d) => {
      d.tcbInfoText = (text) => `${text}{}`;
    },
    expect: collateralMalformed,
  },
  {
    id: 'json-twice',
    rule: 'EV-111',
    note: 'a name twice',
    change: (d) => {
      d.tcbInfoText = (text) => text.replace('{', '{"id":"SGX",');
    },
    expect: collateralMalformed,
  },
  {
    id: 'json-deep',
    rule: 'EV-111',
    note: '10,000 levels',
    change: (d) => {
      d.tcbInfoText = (text) => text.replace('{', `{"deep":${'['.repeat(10_000)}${']'.repeat(10_000)},`);
    },
    expect: collateralMalformed,
  },
  {
    id: 'json-escape',
    rule: 'EV-111',
    note: 'an escape in a text',
    change: (d) => {
      d.tcbInfoText = (text) => text.replace('"TDX"', '"\\u0054DX"');
    },
    expect: collateralMalformed,
  },
  {
    id: 'json-fraction',
    rule: 'EV-111',
    note: 'a fraction',
    change: (d) => {
      d.tcbInfoText = (text) => text.replace('"version":3', '"version":3.0');
    },
    expect: collateralMalformed,
  },
  {
    id: 'json-not',
    rule: 'EV-111',
    note: 'no JSON',
    change: (d) => {
      d.tcbInfoText = () => '[]';
    },
    expect: collateralMalformed,
  },
  {
    id: 'json-cut',
    rule: 'EV-111',
    note: 'JSON that does not end',
    change: (d) => {
      d.tcbInfoText = (text) => text.slice(0, -1);
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-sgx',
    rule: 'EV-112',
    note: 'TCB info of SGX',
    change: (d) => {
      d.tcbInfo.id = 'SGX';
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-version',
    rule: 'EV-112',
    note: 'TCB info of version 2',
    change: (d) => {
      d.tcbInfo.version = 2;
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-type',
    rule: 'EV-112',
    note: 'components of another type',
    change: (d) => {
      d.tcbInfo.tcbType = 1;
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-missing',
    rule: 'EV-112',
    note: 'TCB info without FMSPC',
    change: (d) => {
      delete d.tcbInfo.fmspc;
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-kind',
    rule: 'EV-112',
    note: 'levels that are no list',
    change: (d) => {
      d.tcbInfo.tcbLevels = 'none';
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-hex',
    rule: 'EV-112',
    note: 'an FMSPC of five bytes',
    change: (d) => {
      d.tcbInfo.fmspc = '00906ED500';
    },
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-components',
    rule: 'EV-112',
    note: 'a level of fifteen components',
    change: (d) =>
      levels(d, [
        {
          ...tcbLevel(5, 'UpToDate'),
          tcb: { sgxtcbcomponents: components(5).slice(1), pcesvn: 5, tdxtcbcomponents: components(5) },
        },
      ]),
    expect: collateralMalformed,
  },
  {
    id: 'tcb-info-module-twice',
    rule: 'EV-112',
    note: 'a module named twice',
    change: (d) => {
      modules(d).push({ ...modules(d)[0], id: 'tdx_01' });
    },
    expect: collateralMalformed,
  },
  {
    id: 'qe-identity-sgx',
    rule: 'EV-113',
    note: 'the identity of the SGX quoting enclave',
    change: (d) => {
      d.qeIdentity.id = 'QE';
    },
    expect: collateralMalformed,
  },
  {
    id: 'qe-identity-version',
    rule: 'EV-113',
    note: 'an identity of version 1',
    change: (d) => {
      d.qeIdentity.version = 1;
    },
    expect: collateralMalformed,
  },
  {
    id: 'qe-identity-missing',
    rule: 'EV-113',
    note: 'an identity without signer',
    change: (d) => {
      delete d.qeIdentity.mrsigner;
    },
    expect: collateralMalformed,
  },
  {
    id: 'signature-inside',
    rule: 'EV-114',
    note: 'Intel’s whole answers',
    change: (d) => {
      d.signatureInside = true;
    },
    expect: good(),
  },
  {
    id: 'signature-inside-more',
    rule: 'EV-114',
    note: 'a third member beside the two',
    change: (d) => {
      d.signatureInside = true;
      d.tcbInfoText = (text) => text.replace('{', '{"more":1,');
    },
    expect: collateralMalformed,
  },
  {
    id: 'signature-inside-length',
    rule: 'EV-112',
    note: 'a signature inside of 63 bytes',
    change: (d) => {
      d.signatureInside = true;
      d.tcbInfoText = (text) => text.replace(/..(?="}$)/, '');
    },
    expect: collateralMalformed,
  },
  {
    id: 'status-unknown',
    rule: 'EV-115',
    note: 'a status that does not exist',
    change: (d) => levels(d, [tcbLevel(5, 'Fine')]),
    expect: collateralMalformed,
  },
  {
    id: 'time-form',
    rule: 'EV-116',
    note: 'a time with an offset',
    change: (d) => {
      d.tcbInfo.issueDate = '2026-11-20T00:00:00+00:00';
    },
    expect: collateralMalformed,
  },
  {
    id: 'time-unreal',
    rule: 'EV-116',
    note: 'the 31st of November',
    change: (d) => {
      d.tcbInfo.issueDate = '2026-11-31T00:00:00Z';
    },
    expect: collateralMalformed,
  },
  {
    id: 'time-backwards',
    rule: 'EV-116',
    note: 'collateral that ends before it begins',
    change: (d) => {
      d.qeIdentity.nextUpdate = '2026-11-19T00:00:00Z';
    },
    expect: collateralMalformed,
  },
];

const chain: TdxVectorCase[] = [
  {
    id: 'root-unknown',
    rule: 'EV-370',
    note: 'a root of somebody else',
    change: (d) => {
      d.certificates.root = { serial: 9 };
    },
    input: { root_ca_pem: 'good' },
    expect: code('certificate-root-unknown'),
  },
  {
    id: 'pck-name',
    rule: 'EV-120',
    note: 'a leaf with another name',
    change: (d) => {
      d.certificates.pck = { subject: 'Intel SGX TCB Signing' };
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'pck-ca-name',
    rule: 'EV-120',
    note: 'a CA with another name',
    change: (d) => {
      d.certificates.ca = { subject: 'Intel SGX Other CA' };
      d.certificates.pck = { issuer: 'Intel SGX Other CA' };
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'pck-short',
    rule: 'EV-120',
    note: 'a PCK directly below the root',
    change: (d) => {
      d.certificates.pck = { issuer: 'Intel SGX Root CA', signer: rootKey };
      d.pckChain = ([pck, , root]) => [pck, root] as never;
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'signing-name',
    rule: 'EV-121',
    note: 'collateral signed under another name',
    change: (d) => {
      d.certificates.signing = { subject: 'Intel SGX PCK Certificate' };
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'signing-depth',
    rule: 'EV-121',
    note: 'collateral signed two levels below the root',
    change: (d) => {
      d.certificates.signing = { issuer: 'Intel SGX PCK Platform CA', signer: caKey };
      d.signingChain = ([signing, root]) => [signing, platformCa, root] as never;
    },
    expect: code('tdx-chain-mismatch'),
  },
  {
    id: 'crl-chain-unknown',
    rule: 'EV-122',
    note: 'a list whose CA nobody certified',
    change: (d) => {
      d.crlChain = () => [forgedCa];
    },
    expect: code('certificate-root-unknown'),
  },
];

const revocation: TdxVectorCase[] = [
  {
    id: 'root-crl-unsigned',
    rule: 'EV-123',
    note: 'a list of the root that it did not sign',
    change: (d) => {
      d.rootCrl = { signer: other, extensions: [derExtension('2.5.29.20', false, hex('020101'))] };
    },
    expect: code('crl-invalid'),
  },
  {
    id: 'pck-crl-unsigned',
    rule: 'EV-123',
    note: 'a list of the CA that it did not sign',
    change: (d) => {
      d.pckCrl = { signer: other, extensions: [derExtension('2.5.29.20', false, hex('020101'))] };
    },
    expect: code('crl-invalid'),
  },
  {
    id: 'crl-other-ca',
    rule: 'EV-125',
    note: 'the list of Intel’s other CA',
    change: (d) => {
      d.crlChain = ([, root]) => [processorCa, root] as never;
    },
    expect: code('tdx-crl-mismatch'),
  },
  {
    id: 'pck-revoked',
    rule: 'EV-126',
    note: 'the platform is revoked',
    change: (d) => {
      d.pckCrl = { revoked: [7, 3] };
    },
    expect: code('certificate-revoked'),
  },
  {
    id: 'ca-revoked',
    rule: 'EV-127',
    note: 'the CA is revoked',
    change: (d) => {
      d.rootCrl = { revoked: [2] };
    },
    expect: code('certificate-revoked'),
  },
  {
    id: 'signing-revoked',
    rule: 'EV-127',
    note: 'the signer of collateral is revoked',
    change: (d) => {
      d.rootCrl = { revoked: [4] };
    },
    expect: code('certificate-revoked'),
  },
  {
    id: 'pck-crl-seen',
    rule: 'EV-128',
    note: 'a newer list of the CA was seen',
    change: (d) => {
      d.pckCrl = { number: 6 };
    },
    input: { seen: { pck_crl_number: 7 } },
    expect: code('crl-older-than-seen'),
  },
  {
    id: 'root-crl-seen',
    rule: 'EV-128',
    note: 'a newer list of the root was seen',
    change: (d) => {
      d.rootCrl = { number: 6 };
    },
    input: { seen: { root_ca_crl_number: 7 } },
    expect: code('crl-older-than-seen'),
  },
];

const signatures: TdxVectorCase[] = [
  {
    id: 'qe-unsigned',
    rule: 'EV-130',
    note: 'a QE report signed by another platform',
    change: (d) => {
      d.qeSigner = other;
    },
    expect: code('tdx-qe-signature-invalid'),
  },
  {
    id: 'quote-unsigned',
    rule: 'EV-131',
    note: 'a quote signed by another key',
    change: (d) => {
      d.quoteSigner = other;
    },
    expect: code('tdx-quote-signature-invalid'),
  },
  {
    id: 'tcb-info-unsigned',
    rule: 'EV-132',
    note: 'TCB info signed by another key',
    change: (d) => {
      d.tcbInfoSigner = other;
    },
    expect: code('tdx-collateral-signature-invalid'),
  },
  {
    id: 'tcb-info-space',
    rule: 'EV-132',
    note: 'TCB info with a blank more, which means the same',
    change: (d) => {
      d.tcbInfoText = (text) => text.replace('{', '{ ');
    },
    expect: code('tdx-collateral-signature-invalid'),
  },
  {
    id: 'qe-identity-unsigned',
    rule: 'EV-133',
    note: 'a QE identity signed by another key',
    change: (d) => {
      d.qeIdentitySigner = other;
    },
    expect: code('tdx-collateral-signature-invalid'),
  },
];

const binding: TdxVectorCase[] = [
  {
    id: 'key-unbound',
    rule: 'EV-135',
    note: 'a QE report that names another key',
    change: (d) => {
      d.qe.reportData = fill(64, 0);
    },
    expect: code('tdx-attestation-key-unbound'),
  },
  {
    id: 'fmspc',
    rule: 'EV-136',
    note: 'TCB info of other processors',
    change: (d) => {
      d.tcbInfo.fmspc = '00906ED50001';
    },
    expect: code('tdx-platform-mismatch'),
  },
  {
    id: 'pceid',
    rule: 'EV-137',
    note: 'TCB info of another provisioning enclave',
    change: (d) => {
      d.tcbInfo.pceId = '0001';
    },
    expect: code('tdx-platform-mismatch'),
  },
  {
    id: 'qe-misc',
    rule: 'EV-138',
    note: 'a quoting enclave with other features',
    change: (d) => {
      d.qe.miscSelect = hex('01000000');
    },
    expect: code('tdx-qe-identity-mismatch'),
  },
  {
    id: 'qe-debug',
    rule: 'EV-139',
    note: 'a quoting enclave that is debugged',
    change: (d) => {
      d.qe.attributes = hex('17000000000000000700000000000000');
    },
    expect: code('tdx-qe-identity-mismatch'),
  },
  {
    id: 'qe-signer',
    rule: 'EV-140',
    note: 'a quoting enclave of another maker',
    change: (d) => {
      d.qe.mrSigner = fill(32, 0x99);
    },
    expect: code('tdx-qe-identity-mismatch'),
  },
  {
    id: 'qe-product',
    rule: 'EV-141',
    note: 'another enclave of the same maker',
    change: (d) => {
      d.qe.isvProdId = 1;
    },
    expect: code('tdx-qe-identity-mismatch'),
  },
  {
    id: 'module-unknown',
    rule: 'EV-142',
    note: 'a TDX module of a version that Intel does not name',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(5, 2, ...fill(14, 5));
    },
    expect: code('tdx-module-mismatch'),
  },
  {
    id: 'module-signer',
    rule: 'EV-142',
    note: 'a TDX module of another maker',
    change: (d) => {
      d.report.mrSignerSeam = fill(48, 1);
    },
    expect: code('tdx-module-mismatch'),
  },
  {
    id: 'module-attributes',
    rule: 'EV-143',
    note: 'a TDX module with attributes',
    change: (d) => {
      d.report.seamAttributes = fill(8, 1);
    },
    expect: code('tdx-module-mismatch'),
  },
];

const DAY = 86_400;
const freshness: TdxVectorCase[] = [
  {
    id: 'certificate-expired',
    rule: 'EV-145',
    note: 'a PCK that has expired',
    change: (d) => {
      d.certificates.pck = { notAfter: TDX_CASE_TIME - 1 };
    },
    expect: code('certificate-expired'),
  },
  {
    id: 'crl-chain-expired',
    rule: 'EV-145',
    note: 'a signer of collateral that has expired',
    change: (d) => {
      d.certificates.signing = { notAfter: TDX_CASE_TIME - 1 };
    },
    expect: code('certificate-expired'),
  },
  {
    id: 'root-crl-expired',
    rule: 'EV-145',
    note: 'a list of the root that has expired',
    change: (d) => {
      d.rootCrl = { notAfter: TDX_CASE_TIME - 1 };
    },
    expect: code('crl-expired'),
  },
  {
    id: 'pck-crl-expired',
    rule: 'EV-145',
    note: 'a list of the CA that has expired',
    change: (d) => {
      d.pckCrl = { notAfter: TDX_CASE_TIME - 1 };
    },
    expect: code('crl-expired'),
  },
  {
    id: 'tcb-info-early',
    rule: 'EV-146',
    note: 'TCB info of tomorrow',
    change: (d) => {
      d.tcbInfo.issueDate = '2026-11-22T00:00:00Z';
    },
    expect: code('tdx-collateral-not-yet-valid'),
  },
  {
    id: 'qe-identity-early',
    rule: 'EV-146',
    note: 'a QE identity of tomorrow',
    change: (d) => {
      d.qeIdentity.issueDate = '2026-11-22T00:00:00Z';
    },
    expect: code('tdx-collateral-not-yet-valid'),
  },
  {
    id: 'tcb-info-late',
    rule: 'EV-147',
    note: 'TCB info that has expired',
    change: (d) => {
      d.tcbInfo.nextUpdate = '2026-11-21T00:00:00Z';
    },
    expect: code('tdx-collateral-expired'),
  },
  {
    id: 'qe-identity-late',
    rule: 'EV-147',
    note: 'a QE identity that has expired',
    change: (d) => {
      d.qeIdentity.nextUpdate = '2026-11-21T00:00:00Z';
    },
    expect: code('tdx-collateral-expired'),
  },
  {
    id: 'last-second',
    rule: 'EV-147',
    note: 'the last second of the collateral',
    change: (d) => {
      d.tcbInfo.nextUpdate = '2026-11-21T12:00:00Z';
    },
    expect: good(),
  },
  {
    id: 'evaluation-seen',
    rule: 'EV-148',
    note: 'newer TCB info was seen',
    change: (d) => {
      d.tcbInfo.tcbEvaluationDataNumber = 19;
    },
    input: { seen: { evaluation_data_number: 20 } },
    expect: code('tdx-collateral-older-than-seen'),
  },
  {
    id: 'evaluation-seen-qe',
    rule: 'EV-148',
    note: 'a newer QE identity was seen',
    change: (d) => {
      d.qeIdentity.tcbEvaluationDataNumber = 19;
    },
    input: { seen: { evaluation_data_number: 20 } },
    expect: code('tdx-collateral-older-than-seen'),
  },
  {
    id: 'evaluation-same',
    rule: 'EV-148',
    note: 'the same number as was seen',
    input: { seen: { evaluation_data_number: 20, pck_crl_number: 1, root_ca_crl_number: 1 } },
    expect: good(),
  },
  {
    id: 'age',
    rule: 'EV-149',
    note: 'collateral of yesterday where an hour is allowed',
    input: { demands: { max_collateral_age_seconds: 3600 } },
    expect: code('tdx-collateral-too-old'),
  },
  {
    id: 'age-within',
    rule: 'EV-149',
    note: 'collateral of yesterday where two days are allowed',
    input: { demands: { max_collateral_age_seconds: 2 * DAY } },
    expect: good(),
  },
];

/** Versions of the machine: of processor parts and PCE. */
const machine = (d: TdxDraft, svn: number, pceSvn = svn): void => {
  d.pck.tcb = d.pck.tcb.map(([arc, value]) => [
    arc,
    arc <= 16 ? Uint8Array.of(2, 1, svn) : arc === 17 ? Uint8Array.of(2, 1, pceSvn) : value,
  ]);
};

const tcb: TdxVectorCase[] = [
  {
    id: 'level-second',
    rule: 'EV-150',
    note: 'the second level: one processor part is older',
    change: (d) => {
      d.pck.tcb[3] = [4, Uint8Array.of(2, 1, 4)];
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-1']),
  },
  {
    id: 'level-pce',
    rule: 'EV-150',
    note: 'the second level: the provisioning enclave is older',
    change: (d) => machine(d, 5, 4),
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-1']),
  },
  {
    id: 'level-tdx',
    rule: 'EV-150',
    note: 'the second level: the SEAM loader is older',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(5, 1, 4, ...fill(13, 5));
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-1']),
  },
  {
    id: 'level-module-ignored',
    rule: 'EV-150',
    note: 'since TDX 1.5 levels do not judge the module: versions 0 and 1 are not compared',
    change: (d) =>
      levels(d, [
        {
          ...tcbLevel(5, 'UpToDate'),
          tcb: {
            sgxtcbcomponents: components(5),
            pcesvn: 5,
            tdxtcbcomponents: components(5).with(0, { svn: 99 }).with(1, { svn: 99 }),
          },
        },
      ]),
    expect: good(),
  },
  {
    id: 'level-module-1.0',
    rule: 'EV-150',
    note: 'in TDX 1.0 they are',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(4, 0, ...fill(14, 5));
      levels(
        d,
        [tcbLevel(0, 'UpToDate')].map((level) => ({
          ...level,
          tcb: { sgxtcbcomponents: components(5), pcesvn: 5, tdxtcbcomponents: components(0).with(0, { svn: 5 }) },
        })),
      );
    },
    expect: code('tdx-tcb-unsupported'),
  },
  {
    id: 'level-none',
    rule: 'EV-150',
    note: 'no level is reached',
    change: (d) => machine(d, 2),
    expect: code('tdx-tcb-unsupported'),
  },
  {
    id: 'level-none-tdx',
    rule: 'EV-150',
    note: 'only the TDX part reaches no level',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(5, 1, ...fill(14, 2));
    },
    expect: code('tdx-tcb-unsupported'),
  },
  {
    id: 'module-old',
    rule: 'EV-151',
    note: 'the module is out of date',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
      d.report.teeTcbSvn2 = d.report.teeTcbSvn;
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-2']),
  },
  {
    id: 'module-none',
    rule: 'EV-151',
    note: 'the module reaches no level',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(1, 1, ...fill(14, 5));
    },
    expect: code('tdx-tcb-unsupported'),
  },
  {
    id: 'qe-old',
    rule: 'EV-152',
    note: 'the quoting enclave is out of date',
    change: (d) => {
      d.qe.isvSvn = 3;
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-3']),
  },
  {
    id: 'qe-none',
    rule: 'EV-152',
    note: 'the quoting enclave reaches no level',
    change: (d) => {
      d.qe.isvSvn = 1;
    },
    expect: code('tdx-tcb-unsupported'),
  },
  ...(
    [
      'SWHardeningNeeded',
      'ConfigurationNeeded',
      'ConfigurationAndSWHardeningNeeded',
      'OutOfDate',
      'OutOfDateConfigurationNeeded',
    ] as const
  ).flatMap((status): TdxVectorCase[] => {
    const worse = status.startsWith('Configuration')
      ? 'OutOfDateConfigurationNeeded'
      : status === 'SWHardeningNeeded'
        ? 'OutOfDate'
        : status;
    return [
      {
        id: `status-${status}`,
        rule: 'EV-153',
        note: 'the platform alone',
        change: (d) => levels(d, [tcbLevel(5, status)]),
        input: anyway,
        expect: good(status),
      },
      {
        id: `status-${status}-qe`,
        rule: 'EV-153',
        note: 'with a quoting enclave that is out of date',
        change: (d) => {
          levels(d, [tcbLevel(5, status)]);
          d.qe.isvSvn = 3;
        },
        input: anyway,
        expect: good(worse, ['INTEL-SA-3']),
      },
      {
        id: `status-${status}-module`,
        rule: 'EV-153',
        note: 'with a module that is out of date',
        change: (d) => {
          levels(d, [tcbLevel(5, status)]);
          d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
          d.version = 4;
        },
        input: anyway,
        expect: good(worse, ['INTEL-SA-2']),
      },
    ];
  }),
  {
    id: 'relaunch',
    rule: 'EV-154',
    note: 'the module was updated under the guest',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
    },
    input: anyway,
    expect: good('TDRelaunchAdvised', ['INTEL-SA-2']),
  },
  {
    id: 'relaunch-configuration',
    rule: 'EV-154',
    note: 'the same where configuration is needed',
    change: (d) => {
      levels(d, [tcbLevel(5, 'ConfigurationNeeded')]);
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
    },
    input: anyway,
    expect: good('TDRelaunchAdvisedConfigurationNeeded', ['INTEL-SA-2']),
  },
  {
    id: 'relaunch-qe-old',
    rule: 'EV-154',
    note: 'not when the quoting enclave is out of date too',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
      d.qe.isvSvn = 3;
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-2', 'INTEL-SA-3']),
  },
  {
    id: 'relaunch-platform-old',
    rule: 'EV-154',
    note: 'not when the processor is out of date too',
    change: (d) => {
      machine(d, 3);
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-1', 'INTEL-SA-2']),
  },
  {
    id: 'relaunch-microcode-old',
    rule: 'EV-154',
    note: 'not when the running microcode is older than the latest level',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
      d.report.teeTcbSvn2 = Uint8Array.of(5, 1, 4, ...fill(13, 5));
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-2']),
  },
  {
    id: 'relaunch-module-1.0',
    rule: 'EV-154',
    note: 'a running module of version 0 is judged by the latest level',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
      d.report.teeTcbSvn2 = Uint8Array.of(4, 0, ...fill(14, 5));
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-2']),
  },
  {
    id: 'relaunch-module-unknown',
    rule: 'EV-154',
    note: 'a running module of a version that Intel does not name',
    change: (d) => {
      d.report.teeTcbSvn = Uint8Array.of(3, 1, ...fill(14, 5));
      d.report.teeTcbSvn2 = Uint8Array.of(5, 2, ...fill(14, 5));
    },
    input: anyway,
    expect: code('tdx-module-mismatch'),
  },
  {
    id: 'revoked-platform',
    rule: 'EV-155',
    note: 'the level is revoked; accepting it is not possible',
    change: (d) => levels(d, [tcbLevel(5, 'Revoked')]),
    input: anyway,
    expect: code('tdx-tcb-revoked'),
  },
  {
    id: 'revoked-module',
    rule: 'EV-155',
    note: 'the module is revoked',
    change: (d) => {
      (modules(d)[0] as Record<string, unknown>).tcbLevels = [svnLevel(5, 'Revoked')];
    },
    input: anyway,
    expect: code('tdx-tcb-revoked'),
  },
  {
    id: 'revoked-qe',
    rule: 'EV-155',
    note: 'the quoting enclave is revoked',
    change: (d) => {
      d.qeIdentity.tcbLevels = [svnLevel(5, 'Revoked')];
    },
    input: anyway,
    expect: code('tdx-tcb-revoked'),
  },
  {
    id: 'status-refused',
    rule: 'EV-156',
    note: 'out of date where only up to date is accepted',
    change: (d) => machine(d, 3),
    expect: code('tdx-tcb-not-accepted'),
  },
  {
    id: 'advisories',
    rule: 'EV-157',
    note: 'advisories of three parts, each once',
    change: (d) => {
      levels(d, [tcbLevel(5, 'OutOfDate', ['INTEL-SA-1', 'INTEL-SA-9'])]);
      (modules(d)[0] as Record<string, unknown>).tcbLevels = [svnLevel(5, 'OutOfDate', ['INTEL-SA-9', 'INTEL-SA-2'])];
      d.qeIdentity.tcbLevels = [svnLevel(5, 'OutOfDate', ['INTEL-SA-3'])];
    },
    input: anyway,
    expect: good('OutOfDate', ['INTEL-SA-1', 'INTEL-SA-9', 'INTEL-SA-2', 'INTEL-SA-3']),
  },
];

const policy: TdxVectorCase[] = [
  {
    id: 'no-collateral',
    rule: 'EV-160',
    note: 'no collateral',
    input: { collateral: null },
    expect: code('tdx-collateral-required'),
  },
  {
    id: 'debug',
    rule: 'EV-161',
    note: 'a guest that is debugged',
    change: (d) => {
      d.report.tdAttributes = hex('0100001000000000');
    },
    expect: code('tdx-debug'),
  },
  {
    id: 'debug-reported',
    rule: 'EV-161',
    note: 'the same where any guest is accepted',
    change: (d) => {
      d.report.tdAttributes = hex('0100001000000000');
    },
    input: { demands: { guest: 'any' } },
    expect: good(),
  },
  {
    id: 'migratable',
    rule: 'EV-162',
    note: 'a guest that can be moved',
    change: (d) => {
      d.report.tdAttributes = hex('0000003000000000');
    },
    expect: code('tdx-migratable'),
  },
  {
    id: 'service-td',
    rule: 'EV-163',
    note: 'a guest with a service guest',
    change: (d) => {
      d.report.mrServiceTd = fill(48, 1);
    },
    expect: code('tdx-service-td'),
  },
  {
    id: 'attributes-unknown',
    rule: 'EV-164',
    note: 'a reserved attribute',
    change: (d) => {
      d.report.tdAttributes = hex('0200001000000000');
    },
    expect: code('tdx-attributes-not-accepted'),
  },
  {
    id: 'xfam-unknown',
    rule: 'EV-164',
    note: 'a processor feature that no module grants',
    change: (d) => {
      d.report.xfam = hex('e700160000000000');
    },
    expect: code('tdx-attributes-not-accepted'),
  },
  {
    id: 'xfam-fixed',
    rule: 'EV-164',
    note: 'no SSE',
    change: (d) => {
      d.report.xfam = hex('e500060000000000');
    },
    expect: code('tdx-attributes-not-accepted'),
  },
  {
    id: 'sept-ve',
    rule: 'EV-165',
    note: 'the host may inject faults',
    change: (d) => {
      d.report.tdAttributes = hex('0000000000000000');
    },
    expect: code('tdx-attributes-not-accepted'),
  },
];

export const TDX_CASES: readonly TdxVectorCase[] = [
  ...[...format, ...chain, ...revocation, ...signatures],
  ...[...binding, ...freshness, ...tcb, ...policy],
];
