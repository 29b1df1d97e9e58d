/**
 * A device's report: the SPDM 1.1 request for measurements and the device's signed answer, one directly after the other
 * (spec/evidence-nvidia.md §report; DMTF DSP0274). From a node's host: hostile until its signature is verified.
 *
 *   request   0x11 0xe0 0x01 0xff   [32] nonce   u8 slot = 0
 *   response  0x11 0x60 0x00 0x00   u8 count   u24 record length   block[count]   [32] nonce   u16 length, opaque   [96] signature
 *   block     u8 index   u8 specification = 1   u16 size = 51   u8 kind   u16 size = 48   [48] SHA-384
 *
 * Integers are little-endian. The signature is over everything before it.
 */
import { ByteReader, BytesError } from '@sotto/bytes';
import { refusal } from './error.ts';
import { type OpaqueFields, parseOpaqueFields } from './opaque.ts';

const REPORT_LIMIT_BYTES = 16 * 1024;
const REQUEST_HEAD = 0x11_e0_01_ff;
const RESPONSE_HEAD = 0x11_60_00_00;
const SIGNATURE_BYTES = 96;
const DIGEST_BYTES = 48;
/** Bit 7 of a block's kind says that it holds raw bytes and no digest. */
const RAW = 0x80;

export interface Measurement {
  /** The SPDM block index, from 1. */
  readonly index: number;
  /** SHA-384, 48 bytes. */
  readonly digest: Uint8Array;
}

export interface ParsedReport {
  /** The nonce that the request asked with, 32 bytes. */
  readonly nonce: Uint8Array;
  readonly measurements: readonly Measurement[];
  readonly opaque: OpaqueFields;
  /** Everything that the signature covers: the request, and the response up to the signature. */
  readonly signed: Uint8Array;
  /** ECDSA P-384 as r ‖ s, 96 bytes. */
  readonly signature: Uint8Array;
}

/** @throws JudgementError `report-malformed`; there is not a byte that no field accounts for */
export function parseReport(bytes: Uint8Array): ParsedReport {
  // EV-240: the cap comes before any copy.
  if (bytes.length > REPORT_LIMIT_BYTES) throw malformed('EV-240', 'the report is longer than its limit');
  try {
    return parseFields(bytes);
  } catch (error) {
    if (error instanceof BytesError) throw malformed('EV-241', 'the report has another length than its fields', error);
    throw error;
  }
}

function parseFields(bytes: Uint8Array): ParsedReport {
  const reader = new ByteReader(bytes);
  const requestHead = reader.u32();
  // EV-242: an answer to another question (one block only, or unsigned) would be read as the whole state of the device.
  if (requestHead !== REQUEST_HEAD) throw malformed('EV-242', 'the request is not for all measurements, signed');
  const nonce = reader.take(32);
  const slot = reader.u8();
  // EV-242: certificates of other slots are the owner's, not the vendor's.
  if (slot !== 0) throw malformed('EV-242', 'the request is not for the key of slot 0');
  const responseHead = reader.u32();
  // EV-243: what the bytes of another message or version mean is not known here.
  if (responseHead !== RESPONSE_HEAD) throw malformed('EV-243', 'the response is not the measurements of SPDM 1.1');
  const count = reader.u8();
  const record = new ByteReader(reader.take(littleEndian(reader, 3)));
  const measurements = Array.from({ length: count }, (_, position) => parseBlock(record, position + 1));
  // EV-241: bytes behind the last block would be signed and mean nothing.
  if (record.remaining !== 0) throw malformed('EV-241', 'bytes after the last measurement');
  reader.take(32);
  const opaque = parseOpaqueFields(reader.take(littleEndian(reader, 2)));
  const signed = bytes.slice(0, reader.offset);
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  return { nonce, measurements, opaque, signed, signature };
}

function parseBlock(record: ByteReader, expectedIndex: number): Measurement {
  const index = record.u8();
  // EV-244: with gaps or repetitions, the measurement that is compared need not be the one that was meant.
  if (index !== expectedIndex) throw malformed('EV-244', 'the measurements are not numbered from 1 without a gap');
  const framed = record.u8() === 1 && littleEndian(record, 2) === DIGEST_BYTES + 3;
  const isDigest = (record.u8() & RAW) === 0 && littleEndian(record, 2) === DIGEST_BYTES;
  // EV-245: raw bytes, or a digest of another length, cannot equal a reference value.
  if (!framed || !isDigest) throw malformed('EV-245', 'a measurement is not a SHA-384 digest');
  return { index, digest: record.take(DIGEST_BYTES) };
}

/** An unsigned integer of up to four bytes. */
export function littleEndian(reader: ByteReader, lengthBytes: number): number {
  return reader.take(lengthBytes).reduceRight((value, byte) => value * 256 + byte, 0);
}

function malformed(rule: string, message: string, cause?: unknown): Error {
  return refusal('report-malformed', rule, message, cause);
}
