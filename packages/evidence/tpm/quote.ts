/**
 * What a TPM signs over its registers (TPMS_ATTEST of a quote). spec/evidence-tpm.md §quote. Big-endian. Hostile until its signature
 * has been checked.
 *
 *   u32 "\xffTCG" ‖ u16 0x8018 ‖ v16 name of the signer ‖ v16 extra data ‖ u64 clock ‖ u32 resets ‖ u32 restarts ‖ u8 safe
 *   ‖ u64 firmware ‖ u32 1 ‖ u16 hash ‖ u8 length ‖ bit map of registers ‖ v16 digest
 */
import { ByteReader, BytesError } from '@sotto/bytes';
import type { Bank } from '../event-log/index.ts';
import { malformedQuote } from './error.ts';

const MAGIC = 0xff54_4347;
const ATTEST_QUOTE = 0x8018;
const QUOTE_LIMIT_BYTES = 1024;
const NAME_LIMIT_BYTES = 66;
const DATA_LIMIT_BYTES = 64;
const DIGEST_LIMIT_BYTES = 64;
const MAP_BYTES = 3;
/** Banks that are still collision-free. */
const BANKS: ReadonlyMap<number, Bank> = new Map([
  [0x000b, 'sha256'],
  [0x000c, 'sha384'],
  [0x000d, 'sha512'],
]);

export interface TpmQuote {
  /** Extra data: the verifier's nonce. */
  readonly nonce: Uint8Array;
  readonly bank: Bank;
  /** Numbers of the registers, rising. */
  readonly selected: readonly number[];
  /** Over the selected registers' values, by the hash of the signature. */
  readonly digest: Uint8Array;
  /** Milliseconds since the TPM was cleared. */
  readonly clock: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  /** False when the clock may have gone back. */
  readonly isClockSafe: boolean;
  readonly firmwareVersion: bigint;
}

/** @throws JudgementError `quote-malformed` */
export function parseTpmQuote(bytes: Uint8Array): TpmQuote {
  // EV-320: the cap comes before any copy.
  if (bytes.length > QUOTE_LIMIT_BYTES) throw malformedQuote('EV-320', 'the quote is longer than its limit');
  try {
    return readQuote(new ByteReader(bytes));
  } catch (error) {
    // EV-323: a field that is cut off, or followed by more, is another field.
    if (error instanceof BytesError) throw malformedQuote('EV-323', 'the quote has another length', error);
    throw error;
  }
}

function readQuote(reader: ByteReader): TpmQuote {
  const magic = reader.u32();
  // EV-321: a TPM signs anything that a user gives it, unless it begins like this: then it made it itself.
  if (magic !== MAGIC) throw malformedQuote('EV-321', 'the statement was not made by a TPM');
  const type = reader.u16();
  // EV-322: statements on keys, times and audits hold other things in the same places.
  if (type !== ATTEST_QUOTE) throw malformedQuote('EV-322', 'the statement is not a quote');
  reader.vector16(NAME_LIMIT_BYTES);
  const nonce = reader.vector16(DATA_LIMIT_BYTES);
  const clock = reader.u64();
  const resetCount = reader.u32();
  const restartCount = reader.u32();
  const safe = reader.u8();
  // EV-324: it says yes or no, and nothing else.
  if (safe > 1) throw malformedQuote('EV-324', 'a field is neither yes nor no');
  const firmwareVersion = reader.u64();
  const { bank, selected } = readSelection(reader);
  const digest = reader.vector16(DIGEST_LIMIT_BYTES);
  reader.end();
  return { nonce, bank, selected, digest, clock, resetCount, restartCount, isClockSafe: safe === 1, firmwareVersion };
}

function readSelection(reader: ByteReader): Pick<TpmQuote, 'bank' | 'selected'> {
  const count = reader.u32();
  // EV-330: with two banks, which values belong to which would be a guess.
  if (count !== 1) throw malformedQuote('EV-330', 'the quote is not over exactly one bank');
  const bank = BANKS.get(reader.u16());
  // EV-330: a broken hash lets somebody choose what a register means.
  if (bank === undefined) throw malformedQuote('EV-330', 'the bank is not SHA-256, SHA-384 or SHA-512');
  const lengthBytes = reader.u8();
  // EV-331: 24 registers have 24 bits, in one spelling.
  if (lengthBytes !== MAP_BYTES) throw malformedQuote('EV-331', 'the map of registers is not 24 bits long');
  const map = reader.take(MAP_BYTES);
  const selected = [...Array(8 * MAP_BYTES).keys()].filter((index) => ((map[index >> 3] as number) >> (index & 7)) & 1);
  // EV-331: a quote of nothing is true of every machine.
  if (selected.length === 0) throw malformedQuote('EV-331', 'the quote is over no register');
  return { bank, selected };
}
