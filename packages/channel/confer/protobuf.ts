/**
 * As much of proto3 as confer's four messages need, with signed 64-bit integers and fields whose zero is written
 * (spec/confer.md, encoding). The bytes are the peer's and hostile: nothing is copied before its length is judged.
 */
import { ByteReader, BytesError, ByteWriter } from '@sotto/bytes';

const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;
const UNKNOWN_FIELDS_LIMIT = 16;
const LAST_FIELD = 0x1fff_ffffn;

/** A field that may stand `times` (1 unless said): an integer, or bytes of at most `limitBytes`. */
export type FieldRule =
  | { readonly kind: 'integer' }
  | { readonly kind: 'bytes'; readonly limitBytes: number; readonly times?: number };

/** A message that is not what its format says. Callers turn it into the error of their layer. */
export class ProtobufError extends Error {}

export class Fields {
  readonly #integers = new Map<number, bigint>();
  readonly #bytes = new Map<number, Uint8Array[]>();

  /** As it stands on the wire: 64 bits, unsigned. */
  unsigned(number: number): bigint | undefined {
    return this.#integers.get(number);
  }

  signed(number: number): bigint | undefined {
    const value = this.#integers.get(number);
    return value === undefined ? undefined : BigInt.asIntN(64, value);
  }

  bytes(number: number): Uint8Array | undefined {
    return this.#bytes.get(number)?.[0];
  }

  all(number: number): readonly Uint8Array[] {
    return this.#bytes.get(number) ?? [];
  }

  addInteger(number: number, value: bigint): void {
    // CO-20: with a field that stands twice, two readers may each believe another one.
    if (this.#integers.has(number)) throw new ProtobufError('a field stands twice');
    this.#integers.set(number, value);
  }

  addBytes(number: number, value: Uint8Array, times: number): void {
    const held = this.#bytes.get(number) ?? [];
    // CO-20: with a field that stands twice, two readers may each believe another one; uncapped, it is our memory.
    if (held.length >= times) throw new ProtobufError('a field stands too often');
    held.push(value);
    this.#bytes.set(number, held);
  }
}

/** @throws ProtobufError, never anything else */
export function parseFields(bytes: Uint8Array, rules: Readonly<Record<number, FieldRule>>): Fields {
  try {
    return parse(new ByteReader(bytes), rules);
  } catch (error) {
    if (error instanceof BytesError) throw new ProtobufError('the message ends too early');
    throw error;
  }
}

function parse(reader: ByteReader, rules: Readonly<Record<number, FieldRule>>): Fields {
  const fields = new Fields();
  let unknownFields = 0;
  while (reader.remaining > 0) {
    const tag = readVarint(reader);
    const wireType = Number(tag & 7n);
    const isField = tag >> 3n >= 1n && tag >> 3n <= LAST_FIELD;
    // CO-20: field 0 does not exist; what follows such a tag is not a message.
    if (!isField) throw new ProtobufError('no such field number');
    const number = Number(tag >> 3n);
    const rule = rules[number];
    if (rule === undefined) {
      unknownFields++;
      // CO-20: fields of later versions may be skipped, but not so many that they are the message.
      if (unknownFields > UNKNOWN_FIELDS_LIMIT) throw new ProtobufError('too many unknown fields');
      skip(reader, wireType);
      continue;
    }
    const expected = rule.kind === 'integer' ? VARINT : DELIMITED;
    // CO-20: a field read under another wire type shifts everything after it.
    if (wireType !== expected) throw new ProtobufError('a field has another wire type');
    if (rule.kind === 'integer') fields.addInteger(number, readVarint(reader));
    else fields.addBytes(number, readDelimited(reader, rule.limitBytes), rule.times ?? 1);
  }
  return fields;
}

function skip(reader: ByteReader, wireType: number): void {
  if (wireType === VARINT) readVarint(reader);
  else if (wireType === FIXED_64) reader.take(8);
  else if (wireType === FIXED_32) reader.take(4);
  else if (wireType === DELIMITED) readDelimited(reader, reader.remaining);
  else throw new ProtobufError('no such wire type');
}

function readDelimited(reader: ByteReader, limitBytes: number): Uint8Array {
  const length = readVarint(reader);
  // CO-20: the cap is judged before the copy is made.
  if (length > BigInt(limitBytes)) throw new ProtobufError('a field is longer than its limit');
  return reader.take(Number(length));
}

function readVarint(reader: ByteReader): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = reader.u8();
    value |= BigInt(byte & 127) << shift;
    // CO-20: eleven bytes, or a bit above the 64th, are no 64-bit integer.
    if (value >> 64n !== 0n || (shift >= 63n && byte >= 128)) throw new ProtobufError('a number is too large');
    if (byte < 128) return value;
  }
}

function writeVarint(writer: ByteWriter, value: bigint): void {
  let left = BigInt.asUintN(64, value);
  for (; left >= 128n; left >>= 7n) writer.u8(Number(left & 127n) + 128);
  writer.u8(Number(left));
}

/** Fields in the order in which they are added; zeros are written. */
export class FieldWriter {
  readonly #writer: ByteWriter;

  constructor(capacityBytes = 256) {
    this.#writer = new ByteWriter(capacityBytes);
  }

  /** @param value −2^63 … 2^64 − 1; a negative one takes ten bytes */
  integer(number: number, value: bigint): this {
    writeVarint(this.#writer, BigInt(number * 8 + VARINT));
    writeVarint(this.#writer, value);
    return this;
  }

  bytes(number: number, value: Uint8Array): this {
    writeVarint(this.#writer, BigInt(number * 8 + DELIMITED));
    writeVarint(this.#writer, BigInt(value.length));
    this.#writer.raw(value);
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish();
  }
}
