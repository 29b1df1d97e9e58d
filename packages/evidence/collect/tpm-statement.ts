/**
 * What a bundle of platform `tpm` holds as its statement (spec/evidence-collect.md §tpm). From a node's host: hostile.
 *
 *   v16 "sotto/tpm-statement/v1"
 *   v16 TPMS_ATTEST   v16 TPMT_SIGNATURE   v16 SPKI of the attestation key
 *   u8 count (≤ 4)    v16 certificate[]          DER, the key's own first; none when only the key is pinned
 *   u8 count (≤ 24)   { u8 register, [32] SHA-256 }[]    rising
 *   v32 event log (≤ 512 KiB)
 */
import { ByteReader, BytesError, parseUtf8 } from '@sotto/bytes';
import { JudgementError } from '../judgement-error.ts';

const LABEL = 'sotto/tpm-statement/v1';
const PART_LIMIT_BYTES = 16 * 1024;
const CERTIFICATES_LIMIT_COUNT = 4;
const REGISTERS_LIMIT_COUNT = 24;
const LOG_LIMIT_BYTES = 512 * 1024;

export interface TpmStatement {
  readonly quote: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  /** Register number to SHA-256 value, 32 bytes. */
  readonly registers: ReadonlyMap<number, Uint8Array>;
  readonly eventLog: Uint8Array;
}

/** @throws JudgementError `tpm-statement-malformed` */
export function parseTpmStatement(bytes: Uint8Array): TpmStatement {
  try {
    return parseFields(bytes);
  } catch (error) {
    if (error instanceof BytesError) throw malformed('the statement has another length than its fields', error);
    throw error;
  }
}

function parseFields(bytes: Uint8Array): TpmStatement {
  const reader = new ByteReader(bytes);
  const label = parseUtf8(reader.vector16(LABEL.length));
  // EV-456: what the same bytes mean under another label is not known here.
  if (label !== LABEL) throw malformed('this is not the statement of a TPM');
  const part = () => reader.vector16(PART_LIMIT_BYTES);
  const [quote, signature, publicKey] = [part(), part(), part()];
  const certificateCount = reader.u8();
  // EV-456: a hundred certificates would all be read.
  if (certificateCount > CERTIFICATES_LIMIT_COUNT) throw malformed('there are too many certificates');
  const certificates = Array.from({ length: certificateCount }, part);
  const registers = readRegisters(reader);
  const eventLog = reader.vector32(LOG_LIMIT_BYTES);
  reader.end();
  return { quote, signature, publicKey, certificates, registers, eventLog };
}

function readRegisters(reader: ByteReader): Map<number, Uint8Array> {
  const registers = new Map<number, Uint8Array>();
  const count = reader.u8();
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const index = reader.u8();
    // EV-456: with a register twice, the one that is shown need not be the one that is judged.
    if (index <= previous || index >= REGISTERS_LIMIT_COUNT) throw malformed('the registers do not rise');
    registers.set(index, reader.take(32));
    previous = index;
  }
  return registers;
}

function malformed(message: string, cause?: unknown): JudgementError {
  return new JudgementError('tpm-statement-malformed', 'format', 'EV-456', message, cause);
}
