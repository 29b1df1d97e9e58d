/**
 * The TCG's crypto-agile binary log: `ccel` as a TDX guest's firmware writes it, `tcg2` as a TPM machine's does. Little-endian.
 *
 *   header  u32 register ‖ u32 type = EV_NO_ACTION ‖ [20] zeros ‖ u32 length ‖ Spec ID
 *   Spec ID "Spec ID Event03" 00 ‖ u32 class ‖ u8 minor, major, errata, uintn ‖ u32 n ‖ n × { u16 hash, u16 length } ‖ u8 ‖ vendor
 *   entry   u32 register ‖ u32 type ‖ u32 n ‖ n × { u16 hash ‖ digest } ‖ u32 length ‖ data
 */
import { BytesError, encodeUtf8 } from '@sotto/bytes';
import { LittleEndianReader } from '../little-endian.ts';
import {
  BANKS,
  DIGESTS,
  EV_NO_ACTION,
  EVENTS_LIMIT_COUNT,
  type EventLog,
  LOG_LIMIT_BYTES,
  type LoggedEvent,
  malformedLog,
  startsWith,
  startupLocalityOf,
  tooLargeLog,
} from './event-log.ts';

const SPEC_ID = encodeUtf8('Spec ID Event03\0');
const HEADER_LIMIT_BYTES = 1024;
const BANKS_LIMIT_COUNT = 8;
const PCR_COUNT = 24;
const RTMR_COUNT = 4;

interface Hash {
  readonly name: string;
  readonly lengthBytes: number;
}

/** @throws JudgementError `event-log-too-large`, `event-log-malformed` */
export function parseBinaryLog(bytes: Uint8Array, format: 'ccel' | 'tcg2'): EventLog {
  // EV-300: the cap comes before any copy.
  if (bytes.length > LOG_LIMIT_BYTES) throw tooLargeLog('the event log is longer than its limit');
  try {
    return parseLog(new LittleEndianReader(bytes), format);
  } catch (error) {
    // EV-303: what the reader of bytes throws is a verdict on the log, and nothing of a field that is cut off is used.
    if (error instanceof BytesError) throw malformedLog('EV-303', 'the event log ends within an entry', error);
    throw error;
  }
}

function parseLog(reader: LittleEndianReader, format: 'ccel' | 'tcg2'): EventLog {
  const hashes = readHeader(reader);
  const events: LoggedEvent[] = [];
  while (!isAtEnd(reader)) {
    // EV-300: an entry may be as short as its fixed fields, so that bytes alone do not bound the memory.
    if (events.length >= EVENTS_LIMIT_COUNT) throw tooLargeLog('the event log has too many entries');
    events.push(readEntry(reader, format, hashes));
  }
  const banks = BANKS.filter((bank) => [...hashes.values()].some(({ name }) => name === bank));
  return { format, events, banks, startupLocality: startupLocalityOf(events) };
}

function readHeader(reader: LittleEndianReader): ReadonlyMap<number, Hash> {
  reader.u32();
  const type = reader.u32();
  const digest = reader.take(20);
  const specId = reader.vector32(HEADER_LIMIT_BYTES);
  const isHeader = type === EV_NO_ACTION && digest.every((byte) => byte === 0) && startsWith(specId, SPEC_ID);
  // EV-301: the older format has no banks, and its digests are read as something else.
  if (!isHeader) throw malformedLog('EV-301', 'the event log does not begin with the header of a crypto-agile log');
  const fields = new LittleEndianReader(specId);
  fields.take(SPEC_ID.length + 4);
  fields.take(4);
  const count = fields.u32();
  const hashes = new Map<number, Hash>();
  for (let index = 0; index < count; index++) {
    const id = fields.u16();
    const lengthBytes = fields.u16();
    const known = DIGESTS.get(id);
    const isNew = known?.[1] === lengthBytes && !hashes.has(id) && hashes.size < BANKS_LIMIT_COUNT;
    // EV-302: with a wrong length or a bank named twice, every entry after it is read from the wrong byte.
    if (!isNew) throw malformedLog('EV-302', 'a bank of the event log is unknown, has another length or stands twice');
    hashes.set(id, { name: known[0], lengthBytes });
  }
  // EV-302: a log without a bank says nothing of any register.
  if (hashes.size === 0) throw malformedLog('EV-302', 'the event log has no bank');
  fields.take(fields.u8());
  // EV-302: bytes that no field accounts for could be a second list of banks.
  if (fields.remaining !== 0) throw malformedLog('EV-302', 'the header of the event log has another length');
  return hashes;
}

/** Firmware hands over the whole area that it reserved, filled up with 00 or FF. */
function isAtEnd(reader: LittleEndianReader): boolean {
  const rest = reader.rest();
  const filler = rest[0];
  if (filler === undefined) return true;
  if (filler !== 0x00 && filler !== 0xff) return false;
  // An entry may begin with zeros too (register 0), but then its type or its count of digests is not zero.
  const isPadding = rest.subarray(0, 12).every((byte) => byte === filler);
  // EV-306: an entry hidden behind the padding would be shown by one reader and skipped by another.
  if (isPadding && rest.some((byte) => byte !== filler)) {
    throw malformedLog('EV-306', 'there is something behind the padding of the event log');
  }
  return isPadding;
}

function readEntry(
  reader: LittleEndianReader,
  format: 'ccel' | 'tcg2',
  hashes: ReadonlyMap<number, Hash>,
): LoggedEvent {
  const index = reader.u32();
  const eventType = reader.u32();
  const extendsRegister = eventType !== EV_NO_ACTION;
  const register = registerOf(format, index);
  // EV-305: the measurement at launch (index 0 of a CCEL) cannot be extended, and there are no registers beyond the last.
  if (register === undefined && extendsRegister) throw malformedLog('EV-305', 'an entry extends no known register');
  const count = reader.u32();
  // EV-304: an entry without a digest of a bank is left out of that bank's replay by some readers and refused by others.
  if (count !== hashes.size) throw malformedLog('EV-304', 'an entry does not have one digest for each bank');
  const digests = new Map<string, Uint8Array>();
  for (let at = 0; at < count; at++) {
    const hash = hashes.get(reader.u16());
    // EV-304: of two digests for one bank, which one counts would be the reader's choice.
    if (hash === undefined || digests.has(hash.name)) {
      throw malformedLog('EV-304', 'a digest of an entry is of an unknown bank or stands twice');
    }
    digests.set(hash.name, reader.take(hash.lengthBytes));
  }
  return { register, eventType, digests, data: reader.vector32(LOG_LIMIT_BYTES), extends: extendsRegister };
}

function registerOf(format: 'ccel' | 'tcg2', index: number): string | undefined {
  if (format === 'ccel') return index >= 1 && index <= RTMR_COUNT ? `rtmr${index - 1}` : undefined;
  return index < PCR_COUNT ? `pcr${index}` : undefined;
}
