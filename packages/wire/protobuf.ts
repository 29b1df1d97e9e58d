/**
 * A strict, declarative subset of Protocol Buffers (proto3): varints, length-delimited fields, nested messages. spec/wire.md §encoding.
 * The bytes come from the peer, or from anyone between, and are hostile: every field has a cap, and one field one place.
 */
import { ByteReader, BytesError, ByteWriter, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { WireError } from './error.ts';

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const UNKNOWN_FIELDS_LIMIT = 16;

/** How one kind of value is written, and read back from a number (varint) or from bytes (length-delimited). */
interface ValueType<T> {
  readonly wireType: typeof VARINT | typeof LENGTH_DELIMITED;
  /** Longest accepted encoding of one value, in bytes. */
  readonly limitBytes: number;
  readonly empty: T;
  isEmpty(value: T): boolean;
  write(value: T): number | Uint8Array;
  read(payload: number | Uint8Array): T;
}

/** A field of a message: its number, its type, and how often it may stand there. */
interface Field<T> {
  readonly number: number;
  readonly empty: T;
  write(writer: ByteWriter, value: T): void;
  /** A reader of this field in one message; it is called once for each occurrence. */
  collect(): { add(wireType: number, reader: ByteReader): void; value(): T };
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;

/** A message type made of named fields. */
export interface MessageType<T> extends ValueType<T> {
  encode(value: T): Uint8Array<ArrayBuffer>;
  /** @throws WireError `wire-malformed`, `wire-too-large` */
  parse(bytes: Uint8Array): T;
}

/** An unsigned integer of at most `max`. */
export function unsigned(max: number): ValueType<number> {
  return {
    wireType: VARINT,
    limitBytes: 8,
    empty: 0,
    isEmpty: (value) => value === 0,
    write: (value) => value,
    read: (payload) => {
      const value = payload as number;
      // WI-05: a number above its range would be cut or rounded by whoever uses it.
      if (value > max) throw new WireError('wire-malformed', 'a number is out of its range', 'WI-05');
      return value;
    },
  };
}

/** Well-formed UTF-8 of at most `limitBytes` bytes. */
export function text(limitBytes: number): ValueType<string> {
  return {
    wireType: LENGTH_DELIMITED,
    limitBytes,
    empty: '',
    isEmpty: (value) => value === '',
    write: encodeUtf8,
    read: (payload) => parseUtf8(payload as Uint8Array),
  };
}

/** Bytes of exactly one length, or none. */
export function bytes(lengthBytes: number): ValueType<Uint8Array> {
  return {
    wireType: LENGTH_DELIMITED,
    limitBytes: lengthBytes,
    empty: new Uint8Array(0),
    isEmpty: (value) => value.length === 0,
    write: (value) => value,
    read: (payload) => {
      const read = payload as Uint8Array;
      // WI-26: a key or id of another length is another thing.
      if (read.length !== lengthBytes) throw new WireError('wire-malformed', 'bytes have another length', 'WI-26');
      // In a buffer of its own the collector does not move it: a key can be erased by whoever reads it.
      const value = new Uint8Array(new ArrayBuffer(lengthBytes));
      value.set(read);
      read.fill(0);
      return value;
    },
  };
}

/** A field that stands at most once. */
export function singular<T>(number: number, type: ValueType<T>): Field<T> {
  return {
    number,
    empty: type.empty,
    write: (writer, value) => {
      if (!type.isEmpty(value)) writeValue(writer, number, type, value);
    },
    collect: () => {
      let found: { readonly value: T } | undefined;
      return {
        add: (wireType, reader) => {
          // WI-02: with two spellings of one field, two readers may each believe another one.
          if (found !== undefined) throw new WireError('wire-malformed', 'a field stands twice', 'WI-02');
          found = { value: readValue(wireType, reader, type) };
        },
        value: () => (found === undefined ? type.empty : found.value),
      };
    },
  };
}

/** A field that may stand up to `limitCount` times. */
export function repeated<T>(number: number, type: ValueType<T>, limitCount: number): Field<readonly T[]> {
  return {
    number,
    empty: [],
    write: (writer, values) => {
      for (const value of values) writeValue(writer, number, type, value);
    },
    collect: () => {
      const values: T[] = [];
      return {
        add: (wireType, reader) => {
          // WI-01: without a cap a peer decides how much memory we hold.
          if (values.length >= limitCount) throw new WireError('wire-too-large', 'too many entries', 'WI-01');
          values.push(readValue(wireType, reader, type));
        },
        value: () => values,
      };
    },
  };
}

/** Declares a message; `limitBytes` caps its whole encoding. */
export function message<F extends Fields>(
  limitBytes: number,
  fields: F,
): MessageType<{ readonly [K in keyof F]: ValueOf<F[K]> }> {
  type T = { readonly [K in keyof F]: ValueOf<F[K]> };
  const encode = (value: T) => {
    const writer = new ByteWriter();
    for (const [name, field] of Object.entries(fields)) field.write(writer, value[name]);
    return writer.finish();
  };
  const parse = (bytes: Uint8Array) => turnBytesErrors(() => parseFields(bytes, limitBytes, fields) as T);
  const empty = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.empty])) as T;
  return {
    wireType: LENGTH_DELIMITED,
    limitBytes,
    empty,
    isEmpty: () => false,
    write: encode,
    read: (payload) => parseFields(payload as Uint8Array, limitBytes, fields) as T,
    encode,
    parse,
  };
}

function parseFields(bytes: Uint8Array, limitBytes: number, fields: Fields): Record<string, unknown> {
  // WI-01: without a cap a peer decides how much memory we hold.
  if (bytes.length > limitBytes) throw new WireError('wire-too-large', 'the message is longer than its limit', 'WI-01');
  const reader = new ByteReader(bytes);
  const collectors = Object.entries(fields).map(([name, field]) => ({ name, field, collector: field.collect() }));
  let unknownFields = 0;
  while (reader.remaining > 0) {
    const tag = readVarint(reader);
    const number = Math.floor(tag / 8);
    const known = collectors.find(({ field }) => field.number === number);
    if (known) {
      known.collector.add(tag % 8, reader);
      continue;
    }
    unknownFields += 1;
    // WI-03: fields of later versions may be skipped, but not so many that they hide a second message.
    if (unknownFields > UNKNOWN_FIELDS_LIMIT) throw new WireError('wire-too-large', 'too many unknown fields', 'WI-03');
    skipValue(tag % 8, reader);
  }
  return Object.fromEntries(collectors.map(({ name, collector }) => [name, collector.value()]));
}

function readValue<T>(wireType: number, reader: ByteReader, type: ValueType<T>): T {
  // WI-04: a field read under another wire type shifts everything after it.
  if (wireType !== type.wireType) throw new WireError('wire-malformed', 'a field has another wire type', 'WI-04');
  return type.read(wireType === VARINT ? readVarint(reader) : readDelimited(reader, type.limitBytes));
}

function skipValue(wireType: number, reader: ByteReader): void {
  const skippable = wireType === VARINT || wireType === LENGTH_DELIMITED;
  // WI-04: the end of a field of another wire type is not known, so nothing after it can be read.
  if (!skippable) throw new WireError('wire-malformed', 'an unknown wire type', 'WI-04');
  if (wireType === VARINT) readVarint(reader);
  else readDelimited(reader, reader.remaining);
}

function writeValue<T>(writer: ByteWriter, number: number, type: ValueType<T>, value: T): void {
  writeVarint(writer, number * 8 + type.wireType);
  const payload = type.write(value);
  if (typeof payload === 'number') {
    writeVarint(writer, payload);
    return;
  }
  writeVarint(writer, payload.length);
  writer.raw(payload);
}

function readDelimited(reader: ByteReader, limitBytes: number): Uint8Array {
  const length = readVarint(reader);
  // WI-01: the cap is checked before the copy is made.
  if (length > limitBytes) throw new WireError('wire-too-large', 'a field is longer than its limit', 'WI-01');
  return reader.take(length);
}

function readVarint(reader: ByteReader): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.u8();
    value += (byte & 127) * scale;
    // WI-05: a varint beyond 2^53 - 1 cannot be held exactly.
    if (value > Number.MAX_SAFE_INTEGER) throw new WireError('wire-malformed', 'a number is too large', 'WI-05');
    // WI-06: a padded varint is a second spelling of the same number.
    if (byte === 0 && scale > 1) throw new WireError('wire-malformed', 'a number is not minimal', 'WI-06');
    if (byte < 128) return value;
  }
}

function writeVarint(writer: ByteWriter, value: number): void {
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) writer.u8((left % 128) + 128);
  writer.u8(left);
}

/** Bad UTF-8 (WI-07) and early ends are found by the byte reader; here they become this package's error. */
function turnBytesErrors<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    // WI-08: half a message must not be taken for a shorter one.
    if (error.code === 'bytes-truncated') throw new WireError('wire-truncated', 'the message ends too early', 'WI-08');
    throw new WireError('wire-malformed', 'the message holds bytes that are not text', 'WI-07');
  }
}
