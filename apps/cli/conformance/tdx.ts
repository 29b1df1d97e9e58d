/** Stage `tdx`: a quote of an Intel TDX guest with Intel's collateral (spec/evidence-tdx.md). */
import { encodeHex } from '@sotto/bytes';
import { parseCertificate, parsePem } from '@sotto/crypto/x509';
import { TCB_STATUSES, type TdxCollateral, type TdxDemands, verifyTdx } from '@sotto/evidence/tdx';
import { reportTdx } from '@sotto/verify/files';
import { base64, count, hex, optional, type Reader, struct, text } from './input.ts';
import type { JsonObject } from './outcome.ts';
import { assertAccepted, policyFor } from './policy.ts';

const INPUT = struct({
  quote: base64(),
  collateral: optional(readCollateral),
  time: count,
  root_ca_pem: optional(text),
  policy: policyFor('tdx'),
});

const COLLATERAL = struct({
  tcb_info_json: text,
  tcb_info_signature_hex: optional(hex(64)),
  qe_identity_json: text,
  qe_identity_signature_hex: optional(hex(64)),
  tcb_info_issuer_chain_pem: text,
  qe_identity_issuer_chain_pem: text,
  pck_crl: base64(),
  pck_crl_issuer_chain_pem: text,
  root_ca_crl: base64(),
  pck_certificate_chain_pem: optional(text),
});

/** The same as other tools write it into a file: without endings that name the encoding, revocation lists in hex. */
const COLLATERAL_FILE = struct({
  tcb_info: text,
  tcb_info_signature: hex(64),
  qe_identity: text,
  qe_identity_signature: hex(64),
  tcb_info_issuer_chain: text,
  qe_identity_issuer_chain: text,
  pck_crl: hex(),
  pck_crl_issuer_chain: text,
  root_ca_crl: hex(),
  // Some write null where there is none.
  pck_certificate_chain: (value, field) => optional(text)(value ?? undefined, field),
});

function readCollateral(value: unknown, field: string): TdxCollateral {
  const isFile = typeof value === 'object' && value !== null && Object.hasOwn(value, 'tcb_info');
  return isFile ? fromFile(value, field) : fromFields(value, field);
}

const fromFields: Reader<TdxCollateral> = (value, field) => {
  const read = COLLATERAL(value, field);
  return {
    tcbInfoJson: read.tcb_info_json,
    ...(read.tcb_info_signature_hex && { tcbInfoSignatureHex: encodeHex(read.tcb_info_signature_hex) }),
    qeIdentityJson: read.qe_identity_json,
    ...(read.qe_identity_signature_hex && { qeIdentitySignatureHex: encodeHex(read.qe_identity_signature_hex) }),
    tcbInfoIssuerChainPem: read.tcb_info_issuer_chain_pem,
    qeIdentityIssuerChainPem: read.qe_identity_issuer_chain_pem,
    pckCrl: read.pck_crl,
    pckCrlIssuerChainPem: read.pck_crl_issuer_chain_pem,
    rootCaCrl: read.root_ca_crl,
    ...(read.pck_certificate_chain_pem && { pckCertificateChainPem: read.pck_certificate_chain_pem }),
  };
};

const fromFile: Reader<TdxCollateral> = (value, field) => {
  const read = COLLATERAL_FILE(value, field);
  return {
    tcbInfoJson: read.tcb_info,
    tcbInfoSignatureHex: encodeHex(read.tcb_info_signature),
    qeIdentityJson: read.qe_identity,
    qeIdentitySignatureHex: encodeHex(read.qe_identity_signature),
    tcbInfoIssuerChainPem: read.tcb_info_issuer_chain,
    qeIdentityIssuerChainPem: read.qe_identity_issuer_chain,
    pckCrl: read.pck_crl,
    pckCrlIssuerChainPem: read.pck_crl_issuer_chain,
    rootCaCrl: read.root_ca_crl,
    ...(read.pck_certificate_chain && { pckCertificateChainPem: read.pck_certificate_chain }),
  };
};

/** Reports everything that is genuine, so that old evidence can be judged. */
const SIGNATURE_ONLY: TdxDemands = { collateral: 'optional', tcbStatuses: TCB_STATUSES, guest: 'any' };

export async function judgeTdx(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  const { root_ca_pem: rootPem, collateral, policy } = input;
  const timeSeconds = Number(input.time);
  const evidence = {
    quote: input.quote,
    ...(collateral === undefined ? {} : { collateral }),
    ...(rootPem === undefined ? {} : { roots: parsePem(rootPem, 'CERTIFICATE').map((der) => parseCertificate(der)) }),
  };
  if (policy !== undefined) await assertAccepted(reportTdx(evidence, policy, timeSeconds));
  const { quote, platform, guest, tcb } = await verifyTdx({ ...evidence, timeSeconds, demands: SIGNATURE_ONLY });
  const { report } = quote;
  return {
    tcb_status: tcb?.status,
    advisory_ids: tcb?.advisoryIds ?? [],
    mrtd_hex: encodeHex(report.mrTd),
    rtmr_hex: report.rtmrs.map(encodeHex),
    report_data_hex: encodeHex(report.reportData),
    td_attributes_hex: encodeHex(report.tdAttributes),
    fmspc_hex: encodeHex(platform.fmspc),
    ppid_hex: encodeHex(platform.ppid),
    mr_seam_hex: encodeHex(report.mrSeam),
    mr_config_id_hex: encodeHex(report.mrConfigId),
    mr_owner_hex: encodeHex(report.mrOwner),
    debug: guest.debug,
    trailing_bytes: quote.trailingBytes,
  };
}
