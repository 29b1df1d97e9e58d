/**
 * The TCG's canonical event log in JSON: a list (or a text sequence, RFC 7464, as systemd writes it) of
 * `{recnum?, pcr, digests: [{hashAlg, digest}], content_type?, content?}`. spec/evidence-tpm.md §event logs. Hostile.
 */
import {
  BANKS,
  DIGESTS,
  EV_NO_ACTION,
  type EventLog,
  type LoggedEvent,
  malformedLog,
  startupLocalityOf,
} from './event-log.ts';
import { asHex, asInteger, isObject, type JsonFields, readJsonEntries } from './json-reader.ts';

const PCR_LIMIT = 23;
const RECORD_SEPARATOR = '\x1e';
const NOTHING = new Uint8Array(0);

/** @throws JudgementError `event-log-too-large`, `event-log-malformed` */
export function parseCanonicalJsonLog(bytes: Uint8Array): EventLog {
  const entries = readJsonEntries(bytes, 'EV-312', (text) =>
    text.startsWith(RECORD_SEPARATOR)
      ? text
          .slice(1)
          .split(RECORD_SEPARATOR)
          .map((one) => JSON.parse(one) as unknown)
      : JSON.parse(text),
  );
  const lastRecord = new Map<string, number>();
  const events = entries.map((entry) => readEntry(entry, lastRecord));
  const banks = BANKS.filter((bank) => events.every((event) => !event.extends || event.digests.has(bank)));
  return { format: 'canonical-json', events, banks, startupLocality: startupLocalityOf(events) };
}

function readEntry(entry: JsonFields, lastRecord: Map<string, number>): LoggedEvent {
  const pcr = asInteger(entry.pcr, PCR_LIMIT);
  // EV-312: an entry without a register would be counted and replayed nowhere.
  if (pcr === undefined) throw malformedLog('EV-312', 'an entry names no register from 0 to 23');
  const register = `pcr${pcr}`;
  if (entry.recnum !== undefined) checkOrder(entry.recnum, register, lastRecord);
  const digests = readDigests(entry.digests);
  const content = isObject(entry.content) ? entry.content : {};
  const eventType = readEventType(content.event_type);
  const data = asHex(content.event_data) ?? NOTHING;
  // Entries about the log itself carry no digest and extend nothing.
  const isAboutTheLog = entry.content_type === 'cel' && digests.size === 0;
  return { register, eventType, digests, data, extends: eventType !== EV_NO_ACTION && !isAboutTheLog };
}

function checkOrder(recnum: unknown, register: string, lastRecord: Map<string, number>): void {
  const record = asInteger(recnum, 0xffff_ffff);
  const last = lastRecord.get(register) ?? -1;
  // EV-313: registers depend on the order, and a list whose numbers say another one has two readings.
  if (record === undefined || record <= last)
    throw malformedLog('EV-313', 'the records of a register are out of order');
  lastRecord.set(register, record);
}

function readDigests(value: unknown): Map<string, Uint8Array> {
  const list = Array.isArray(value) ? value : [undefined];
  const digests = new Map<string, Uint8Array>();
  for (const one of list) {
    const [name, lengthBytes] = hashNamed(isObject(one) ? one.hashAlg : undefined) ?? [];
    const digest = asHex(isObject(one) ? one.digest : undefined, lengthBytes);
    // EV-312: a digest of an unknown hash or another length, or two for one bank, has no one meaning.
    if (name === undefined || digest === undefined || digests.has(name)) {
      throw malformedLog('EV-312', 'the digests of an entry are not one for each of some known banks');
    }
    digests.set(name, digest);
  }
  return digests;
}

/** By name (`sha256`, `SHA-256`), or by number (`0x000B`, `11`). */
function hashNamed(value: unknown): readonly [string, number] | undefined {
  // Nothing but text and numbers: a list of one number would pass for it, and a deep one fill the stack.
  const isPlain = typeof value === 'number' || typeof value === 'string';
  const byNumber = isPlain ? DIGESTS.get(Number(value)) : undefined;
  const plain = (name: string) => name.toLowerCase().replaceAll('-', '');
  const wanted = typeof value === 'string' ? plain(value) : undefined;
  return byNumber ?? [...DIGESTS.values()].find(([name]) => plain(name) === wanted);
}

function readEventType(value: unknown): number | undefined {
  if (value === 'EV_NO_ACTION') return EV_NO_ACTION;
  return asInteger(typeof value === 'string' && value !== '' ? Number(value) : value, 0xffff_ffff);
}
