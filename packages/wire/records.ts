/**
 * The binary bodies of sealed records (spec/wire.md §records): many at once, without the third that base64 adds. Batches come
 * from clients, who may be anybody; pages come from a server that may be hostile.
 *
 *     struct RecordPage  { "SRP"; u8 version = 1; u64 newest; u8 more; RecordEntry entries[]; }      entries to the end
 *     struct RecordEntry { id[16]; u64 sequence; u32 length; envelope[length]; }                      length 0: removed
 *     struct RecordIndex { "SRI"; u8 version = 1; u64 newest; u8 more; { id[16]; u64 sequence }[]; }
 *     struct RecordBatch { "SRB"; u8 version = 1; { id[16]; u64 base; u32 length; envelope[length] }[]; }
 *     struct LiveMessage { u64 newest; }
 */
import { ByteReader, BytesError, ByteWriter, encodeHex, parseHex } from '@sotto/bytes';
import type { StoredRecord } from '@sotto/ports';
import { ENVELOPE_LIMIT_BYTES } from './api.ts';
import { WireError } from './error.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A bulk page ends before it is longer, unless its only record is. */
export const RECORD_PAGE_LIMIT_BYTES = 4 * 1024 * 1024;
export const RECORD_PAGE_LIMIT_COUNT = 16_384;
export const RECORD_INDEX_LIMIT_COUNT = 32_768;
export const RECORD_BATCH_LIMIT_BYTES = 2 * 1024 * 1024;
export const RECORD_BATCH_LIMIT_COUNT = 256;

const VERSION = 1;
const ID_BYTES = 16;
const MAGIC = { page: [0x53, 0x52, 0x50], index: [0x53, 0x52, 0x49], batch: [0x53, 0x52, 0x42] } as const;

export interface RecordBulkPage {
  /** In order of sequence. */
  readonly records: readonly StoredRecord[];
  /** The newest sequence of the account. */
  readonly newest: number;
  readonly more: boolean;
}

export interface RecordIndexPage {
  /** Records that are not removed, in order of ids. */
  readonly entries: readonly { readonly recordId: string; readonly sequence: number }[];
  readonly newest: number;
  readonly more: boolean;
}

export interface BatchWrite {
  /** 16 bytes as hex. */
  readonly recordId: string;
  /** The newest sequence that the writer has merged: a stored record that is newer is a conflict. */
  readonly base: number;
  /** Undefined removes. */
  readonly envelope: Bytes | undefined;
}

export function encodeRecordPage({ records, newest, more }: RecordBulkPage): Bytes {
  const writer = begin(
    'page',
    records.reduce((sum, { envelope }) => sum + 28 + (envelope?.length ?? 0), 16),
  );
  writer.u64(newest).u8(more ? 1 : 0);
  for (const { recordId, sequence, envelope } of records) {
    writer
      .raw(parseHex(recordId, ID_BYTES))
      .u64(sequence)
      .vector32(envelope ?? new Uint8Array());
  }
  return writer.finish();
}

/** The envelopes are views of `bytes`. @throws WireError */
export function parseRecordPage(bytes: Uint8Array): RecordBulkPage {
  return total(bytes, RECORD_PAGE_LIMIT_BYTES + ENVELOPE_LIMIT_BYTES, (reader) => {
    const { newest, more } = parseHead(reader, 'page');
    const records: StoredRecord[] = [];
    let last = 0;
    while (reader.remaining > 0) {
      const recordId = encodeHex(reader.view(ID_BYTES));
      const sequence = reader.u64Number();
      const envelope = reader.view32(ENVELOPE_LIMIT_BYTES) as Bytes;
      // WI-28: a page out of order would move a reader's place past what it has not seen.
      if (sequence <= last || sequence > newest) throw malformed('the sequences of a page do not rise', 'WI-28');
      last = sequence;
      records.push({ recordId, sequence, envelope: envelope.length === 0 ? undefined : envelope });
      // WI-01: an uncapped list is an uncapped buffer.
      if (records.length > RECORD_PAGE_LIMIT_COUNT) throw tooLarge();
    }
    // WI-29: a page that promises more and gives nothing would be asked for again for ever.
    if (more && records.length === 0) throw malformed('a page that is empty says there is more', 'WI-29');
    return { records, newest, more };
  });
}

export function encodeRecordIndex({ entries, newest, more }: RecordIndexPage): Bytes {
  const writer = begin('index', 16 + entries.length * 24)
    .u64(newest)
    .u8(more ? 1 : 0);
  for (const { recordId, sequence } of entries) writer.raw(parseHex(recordId, ID_BYTES)).u64(sequence);
  return writer.finish();
}

/** @throws WireError */
export function parseRecordIndex(bytes: Uint8Array): RecordIndexPage {
  return total(bytes, 16 + RECORD_INDEX_LIMIT_COUNT * 24, (reader) => {
    const { newest, more } = parseHead(reader, 'index');
    const entries: { recordId: string; sequence: number }[] = [];
    let last = '';
    while (reader.remaining > 0) {
      const recordId = encodeHex(reader.view(ID_BYTES));
      // WI-28: a list out of order could name a record twice, and go round for ever.
      if (recordId <= last) throw malformed('the ids of an index do not rise', 'WI-28');
      last = recordId;
      entries.push({ recordId, sequence: reader.u64Number() });
    }
    // WI-29: as for pages.
    if (more && entries.length === 0) throw malformed('an index that is empty says there is more', 'WI-29');
    return { entries, newest, more };
  });
}

/** @throws WireError `wire-too-large` for more than `RECORD_BATCH_LIMIT_COUNT` writes */
export function encodeRecordBatch(writes: readonly BatchWrite[]): Bytes {
  const writer = begin(
    'batch',
    writes.reduce((sum, { envelope }) => sum + 28 + (envelope?.length ?? 0), 8),
  );
  for (const { recordId, base, envelope } of writes) {
    writer
      .raw(parseHex(recordId, ID_BYTES))
      .u64(base)
      .vector32(envelope ?? new Uint8Array());
  }
  return writer.finish();
}

/** @throws WireError */
export function parseRecordBatch(bytes: Uint8Array): BatchWrite[] {
  return total(bytes, RECORD_BATCH_LIMIT_BYTES, (reader) => {
    parseMagic(reader, 'batch');
    const writes: BatchWrite[] = [];
    while (reader.remaining > 0) {
      const recordId = encodeHex(reader.view(ID_BYTES));
      const base = reader.u64Number();
      const envelope = reader.vector32(ENVELOPE_LIMIT_BYTES) as Bytes;
      writes.push({ recordId, base, envelope: envelope.length === 0 ? undefined : envelope });
      // WI-01: each one is a row to look for.
      if (writes.length > RECORD_BATCH_LIMIT_COUNT) throw tooLarge();
    }
    return writes;
  });
}

export function encodeLiveMessage(newest: number): Bytes {
  return new ByteWriter(8).u64(newest).finish();
}

/** @returns the newest sequence of the account @throws WireError */
export function parseLiveMessage(bytes: Uint8Array): number {
  return total(bytes, 8, (reader) => {
    const newest = reader.u64Number();
    reader.end();
    return newest;
  });
}

function begin(kind: keyof typeof MAGIC, capacityBytes: number): ByteWriter {
  return new ByteWriter(capacityBytes).raw(Uint8Array.of(...MAGIC[kind], VERSION));
}

function parseMagic(reader: ByteReader, kind: keyof typeof MAGIC): void {
  const magic = reader.view(3);
  const isOther = MAGIC[kind].some((byte, at) => magic[at] !== byte);
  // WI-30: a body of another kind would be read as if it were this one.
  if (isOther) throw malformed('a body of another kind', 'WI-30');
  // WI-09: bytes of a later version mean something else.
  if (reader.u8() !== VERSION) throw new WireError('wire-version', 'a version that is not known', 'WI-09');
}

function parseHead(reader: ByteReader, kind: 'page' | 'index'): { newest: number; more: boolean } {
  parseMagic(reader, kind);
  const newest = reader.u64Number();
  const more = reader.u8();
  // WI-31: one meaning, one spelling.
  if (more > 1) throw malformed('a flag is neither 0 nor 1', 'WI-31');
  return { newest, more: more === 1 };
}

/** Foreign exceptions become ours here. */
function total<Value>(bytes: Uint8Array, limitBytes: number, parse: (reader: ByteReader) => Value): Value {
  // WI-01: the cap is checked before anything is read.
  if (bytes.length > limitBytes) throw tooLarge();
  try {
    return parse(new ByteReader(bytes));
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    if (error.code === 'bytes-too-long') throw tooLarge();
    // WI-08: half a body must not look whole.
    if (error.code === 'bytes-truncated') throw new WireError('wire-truncated', 'a body ends too early', 'WI-08');
    throw malformed('a number is out of its range', 'WI-05');
  }
}

const malformed = (message: string, rule: string) => new WireError('wire-malformed', message, rule);
const tooLarge = () => new WireError('wire-too-large', 'a body is longer than its limit', 'WI-01');
