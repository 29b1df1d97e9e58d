/**
 * A guest's sealed records, in this browser only, over the sealed store: `guest/write/<sequence>` holds a record's id and envelope,
 * `guest/record/<id>` its sequence, `guest/last` the newest one. A removed record leaves its id and a higher sequence, as on the
 * server, and is purged.
 */
import { concatBytes, encodeHex, parseHex } from '@sotto/bytes';
import type { RecordStore, SealedChange } from '@sotto/ports';
import type { BrowserSealedStore } from './generations.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const PAGE_RECORDS = 500;
const PREFIX = 'guest/';
const WRITES = `${PREFIX}write/`;
const LAST = `${PREFIX}last`;
const ID_BYTES = 16;
/** Safe integers have at most 53 bits; hex digits of a fixed number keep names in order. */
const SEQUENCE_DIGITS = 14;

export interface BrowserRecordStore extends RecordStore {
  /** Forgets every record, once a guest's chats were kept in an account. */
  erase(): Promise<void>;
}

export function createBrowserRecordStore(sealed: BrowserSealedStore): BrowserRecordStore {
  const write = async (recordId: string, envelope: Bytes | undefined) => {
    let sequence = 0;
    await sealed.update([nameOfRecord(recordId), LAST], ([earlier, last]) => {
      sequence = (last === undefined ? 0 : sequenceOf(last)) + 1;
      const changes = recordChanges(recordId, sequence, envelope);
      if (earlier !== undefined) changes.push({ name: nameOfWrite(sequenceOf(earlier)), value: undefined });
      return changes;
    });
    return { sequence };
  };

  return {
    list: async (afterSequence) => {
      const found = await sealed.list(WRITES, { after: nameOfWrite(afterSequence), limit: PAGE_RECORDS + 1 });
      const records = found.slice(0, PAGE_RECORDS).map(({ name: place, value }) => ({
        recordId: encodeHex(value.subarray(0, ID_BYTES)),
        sequence: Number.parseInt(place.slice(WRITES.length), 16),
        envelope: value.length > ID_BYTES ? value.slice(ID_BYTES) : undefined,
      }));
      return {
        records,
        nextSequence: records.at(-1)?.sequence ?? afterSequence,
        more: found.length > PAGE_RECORDS,
      };
    },
    put: (recordId, envelope) => write(recordId, envelope.slice()),
    remove: async (recordId) => {
      const removed = await write(recordId, undefined);
      await sealed.purge();
      return removed;
    },
    erase: async () => {
      await sealed.erase(PREFIX);
      await sealed.purge();
    },
  };
}

/** What makes one record stand in the sealed store as the newest one. */
export function recordChanges(recordId: string, sequence: number, envelope: Bytes | undefined): SealedChange[] {
  const value = concatBytes(parseHex(recordId, ID_BYTES), envelope ?? new Uint8Array(0));
  return [
    { name: nameOfWrite(sequence), value },
    { name: nameOfRecord(recordId), value: sequenceBytes(sequence) },
    { name: LAST, value: sequenceBytes(sequence) },
  ];
}

function nameOfWrite(sequence: number): string {
  return `${WRITES}${sequence.toString(16).padStart(SEQUENCE_DIGITS, '0')}`;
}

function nameOfRecord(recordId: string): string {
  return `${PREFIX}record/${recordId}`;
}

function sequenceBytes(sequence: number): Bytes {
  return parseHex(sequence.toString(16).padStart(SEQUENCE_DIGITS, '0'));
}

function sequenceOf(bytes: Bytes): number {
  return Number.parseInt(encodeHex(bytes), 16);
}
