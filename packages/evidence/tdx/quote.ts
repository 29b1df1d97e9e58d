/**
 * Quotes of versions 4 and 5 (Intel TDX DCAP quoting library API, appendix A). The node sends them: hostile until `verifyTdx`
 * has judged them. SGX quotes of version 3 are read as far as needed to be refused for what they are.
 *
 *   v4: header 48 ‖ TD report 584 ‖ u32 length ‖ signature data ‖ trailing bytes
 *   v5: header 48 ‖ u16 body type ‖ u32 body size ‖ TD report ‖ u32 length ‖ signature data ‖ trailing bytes
 *   signature data:     signature 64 ‖ attestation key 64 ‖ u16 6 ‖ u32 length ‖ QE certification data
 *   QE certification:   QE report 384 ‖ signature 64 ‖ u16 length ‖ authentication data ‖ u16 type ‖ u32 length ‖ certification data
 */
import { BytesError, equalBytes, parseHex } from '@sotto/bytes';
import { LittleEndianReader } from '../little-endian.ts';
import { refusal } from './error.ts';
import {
  ENCLAVE_REPORT_BYTES,
  type EnclaveReport,
  readEnclaveReport,
  readTdReport,
  TD_REPORT_10_BYTES,
  TD_REPORT_15_BYTES,
  type TdReport,
} from './reports.ts';

export interface TdxQuote {
  readonly version: 4 | 5;
  /** Header and report: what the attestation key signs. */
  readonly signedBytes: Uint8Array;
  readonly report: TdReport;
  /** r ‖ s. */
  readonly signature: Uint8Array;
  /** x ‖ y, P-256. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: EnclaveReport;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** 1 to 3: the platform's id; 4: the leaf alone; 5: the whole PCK chain in PEM. */
  readonly certificationType: number;
  readonly certificationData: Uint8Array;
  /** Bytes after the signature data, which nobody signs and nobody reads. */
  readonly trailingBytes: number;
}

export const QUOTE_LIMIT_BYTES = 65_536;
const TEE_SGX = 0;
const TEE_TDX = 0x81;
const ECDSA_P256 = 2;
const INTEL_QE_VENDOR = parseHex('939a7233f79c4ca9940a0db3957f0607');
const QE_REPORT_CERTIFICATION = 6;
/** By the body types of version 5. */
const TD_REPORT_BYTES: ReadonlyMap<number, number> = new Map([
  [2, TD_REPORT_10_BYTES],
  [3, TD_REPORT_15_BYTES],
]);

const malformed = (rule: string, message: string, cause?: unknown) =>
  refusal('tdx-quote-malformed', rule, message, cause);
const unsupported = (rule: string, message: string) => refusal('tdx-quote-unsupported', rule, message);

/**
 * Reads a quote. Nothing in it is believed.
 *
 * @param bytes at most 64 KiB; bytes after the signature data are counted
 * @throws JudgementError of class `format`
 */
export function parseTdxQuote(bytes: Uint8Array): TdxQuote {
  // EV-100: without a limit the input decides how much is read.
  if (bytes.length > QUOTE_LIMIT_BYTES) throw malformed('EV-100', 'the quote is longer than its limit');
  try {
    return readQuote(bytes);
  } catch (error) {
    // EV-100: whatever ends too early, or claims more than there is, is no quote.
    if (error instanceof BytesError) throw malformed('EV-100', 'the quote ends too early', error);
    throw error;
  }
}

function readQuote(bytes: Uint8Array): TdxQuote {
  const reader = new LittleEndianReader(bytes);
  const version = reader.u16();
  const keyType = reader.u16();
  const teeType = reader.u32();
  reader.take(4);
  const vendor = reader.take(16);
  reader.take(20);
  const isSgx = teeType === TEE_SGX && version >= 3 && version <= 5;
  // EV-101: an SGX enclave is another machine than a confidential VM, with other claims at the same places.
  if (isSgx) throw unsupported('EV-101', 'the quote is one of an SGX enclave');
  // EV-102: of later versions nothing is known, and older ones know no TDX.
  if (version !== 4 && version !== 5) throw unsupported('EV-102', 'the quote is not of version 4 or 5');
  // EV-102: another kind of machine has other claims at the same places.
  if (teeType !== TEE_TDX) throw unsupported('EV-102', 'the quote is not of a TDX guest');
  // EV-103: a key of another kind is read and checked otherwise.
  if (keyType !== ECDSA_P256) throw unsupported('EV-103', 'the attestation key is not ECDSA over P-256');
  // EV-104: the enclave of another vendor answers for nothing that Intel's identities say.
  if (!equalBytes(vendor, INTEL_QE_VENDOR)) throw unsupported('EV-104', 'the quoting enclave is not Intel’s');

  const report = readTdReport(reader.take(version === 4 ? TD_REPORT_10_BYTES : readBodySize(reader)));
  const signedBytes = bytes.subarray(0, reader.offset);
  const signatureData = new LittleEndianReader(reader.vector32(QUOTE_LIMIT_BYTES));
  const trailingBytes = reader.remaining;
  const signature = signatureData.take(64);
  const attestationKey = signatureData.take(64);
  const outerType = signatureData.u16();
  // EV-105: another kind of certification data says nothing about the quoting enclave.
  if (outerType !== QE_REPORT_CERTIFICATION)
    throw unsupported('EV-105', 'the quote does not certify its quoting enclave');
  const certification = new LittleEndianReader(signatureData.vector32(QUOTE_LIMIT_BYTES));
  // EV-105: bytes inside a signed quote that nobody reads could be changed unseen.
  if (signatureData.remaining > 0) throw malformed('EV-105', 'the signature data is longer than its fields');
  const qeReport = readEnclaveReport(certification.take(ENCLAVE_REPORT_BYTES));
  const qeReportSignature = certification.take(64);
  const qeAuthData = certification.take(certification.u16());
  const certificationType = certification.u16();
  const certificationData = certification.vector32(QUOTE_LIMIT_BYTES);
  // EV-106: bytes inside a signed quote that nobody reads could be changed unseen.
  if (certification.remaining > 0) throw malformed('EV-106', 'the certification data is longer than its fields');
  const isKnownType = certificationType >= 1 && certificationType <= 5;
  // EV-106: of other certification data nothing is known.
  if (!isKnownType) throw unsupported('EV-106', 'the certification data is of an unknown type');
  return {
    ...{ version, signedBytes, report, signature, attestationKey, qeReport, qeReportSignature, qeAuthData },
    ...{ certificationType, certificationData, trailingBytes },
  };
}

function readBodySize(reader: LittleEndianReader): number {
  const expectedBytes = TD_REPORT_BYTES.get(reader.u16());
  const sizeBytes = reader.u32();
  // EV-102: an enclave's report, or one of a later TDX, has other claims at the same places.
  if (expectedBytes === undefined) throw unsupported('EV-102', 'the body of the quote is not a known TD report');
  // EV-102: a report of another size is another report.
  if (sizeBytes !== expectedBytes) throw malformed('EV-102', 'the body of the quote has not the size of its type');
  return sizeBytes;
}
