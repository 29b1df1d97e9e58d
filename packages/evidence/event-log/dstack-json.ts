/**
 * dstack's list of a TDX guest's events: `{imr, event_type, digest, event, event_payload}` with `imr` 0 to 3.
 * spec/evidence-tpm.md §event logs. An application's own events (type 0x08000001) carry what was hashed, and it is hashed again. Hostile.
 */
import { concatBytes, encodeUtf8, equalBytes } from '@sotto/bytes';
import { sha384 } from '@sotto/crypto/hash';
import { JudgementError } from '../judgement-error.ts';
import { EV_NO_ACTION, type EventLog, type LoggedEvent, malformedLog } from './event-log.ts';
import { asHex, asInteger, type JsonFields, readJsonEntries } from './json-reader.ts';

const RUNTIME_EVENT = 0x0800_0001;
const DIGEST_BYTES = 48;
const RTMR_LIMIT = 3;
const COLON = encodeUtf8(':');

/** @throws JudgementError `event-log-too-large`, `event-log-malformed`, `event-digest-mismatch` */
export function parseDstackJsonLog(bytes: Uint8Array): EventLog {
  const events = readJsonEntries(bytes, 'EV-310', (text) => JSON.parse(text)).map(readEntry);
  return { format: 'dstack-json', events, banks: ['sha384'], startupLocality: 0 };
}

function readEntry(entry: JsonFields): LoggedEvent {
  const rtmr = asInteger(entry.imr, RTMR_LIMIT);
  const eventType = asInteger(entry.event_type, 0xffff_ffff);
  const name = entry.event;
  const data = asHex(entry.event_payload);
  const hasFields = rtmr !== undefined && eventType !== undefined && typeof name === 'string' && data !== undefined;
  // EV-310: an entry that is half read would be replayed as something that never happened.
  if (!hasFields) throw malformedLog('EV-310', 'an entry lacks a field, or one has another type');
  const written = entry.digest === '' ? undefined : entry.digest;
  const digest = eventType === RUNTIME_EVENT ? hashAgain(eventType, name, data, written) : asHex(written, DIGEST_BYTES);
  // EV-310: a shorter digest, filled up with zeros by some readers, is another digest.
  if (digest === undefined) throw malformedLog('EV-310', 'the digest of an entry is not 48 bytes of hex');
  return {
    register: `rtmr${rtmr}`,
    eventType,
    digests: new Map([['sha384', digest]]),
    data,
    extends: eventType !== EV_NO_ACTION,
  };
}

/** The digest of what the event says; the log may leave its own out. */
function hashAgain(eventType: number, name: string, data: Uint8Array, written: unknown): Uint8Array | undefined {
  const type = new Uint8Array(4);
  new DataView(type.buffer).setUint32(0, eventType, true);
  const digest = sha384(concatBytes(type, COLON, encodeUtf8(name), COLON, data));
  const claimed = written === undefined ? digest : asHex(written, DIGEST_BYTES);
  // EV-311: the words of an application's event are acted upon; they must be those that entered the register.
  if (claimed !== undefined && !equalBytes(claimed, digest)) {
    const message = 'an event of the application is not what its digest says';
    throw new JudgementError('event-digest-mismatch', 'binding', 'EV-311', message);
  }
  return claimed;
}
