/**
 * Reads a stage's input strictly: each field is in the stage's table, has its type, and nothing else is there, so that a
 * typing error never passes as a weaker check. The input is anybody's.
 */
import { BytesError, parseBase64, parseHex } from '@sotto/bytes';
import { Malformed } from './outcome.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Turns one JSON value into what the stage works with. A field that is not there reads as undefined. */
export type Reader<Value> = (value: unknown, field: string) => Value;
type Fields = Readonly<Record<string, Reader<unknown>>>;
export type Read<Table extends Fields> = { [Name in keyof Table]: ReturnType<Table[Name]> };

function malformed(field: string, expected: string): Malformed {
  return new Malformed('input-malformed', 'CF-03', `expected ${expected}`, field);
}

/** @throws Malformed `input-unreadable` unless the bytes are one JSON value in UTF-8 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new Malformed('input-unreadable', 'CF-01', 'the input is not JSON in UTF-8');
  }
}

/** An object with exactly these fields; those read by `optional` may be absent. */
export function struct<Table extends Fields>(table: Table): Reader<Read<Table>> {
  return (value, field) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // CF-03: a list or a word where an object should be would read as an object without fields.
    if (!isObject) throw malformed(field, 'an object');
    const at = (name: string) => (field === '' ? name : `${field}.${name}`);
    for (const name of Object.keys(value)) {
      // CF-02: a field with a typing error in its name would leave out the check that it asks for.
      if (!Object.hasOwn(table, name)) {
        throw new Malformed('input-unknown-field', 'CF-02', 'there is no such field in this stage', at(name));
      }
    }
    const read = Object.entries(table).map(([name, reader]) => [
      name,
      reader(Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined, at(name)),
    ]);
    return Object.fromEntries(read) as Read<Table>;
  };
}

/** Allows that a field is absent; `null` is a value, and not absent. */
export function optional<Value>(reader: Reader<Value>): Reader<Value | undefined> {
  return (value, field) => (value === undefined ? undefined : reader(value, field));
}

export function list<Value>(reader: Reader<Value>): Reader<Value[]> {
  return (value, field) => {
    // CF-03: a single value where a list should be is not a list of one.
    if (!Array.isArray(value)) throw malformed(field, 'a list');
    return value.map((one, index) => reader(one, `${field}[${index}]`));
  };
}

/** An object whose names are free and whose values are all of one type. */
export function record<Value>(reader: Reader<Value>): Reader<Readonly<Record<string, Value>>> {
  return (value, field) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    // CF-03: a list would read as a record of its positions.
    if (!isObject) throw malformed(field, 'an object');
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, reader(one, `${field}.${name}`)]));
  };
}

/** A word of a closed list. */
export function oneOf<const Word extends string>(words: readonly Word[]): Reader<Word> {
  return (value, field) => {
    const word = words.find((one) => one === value);
    // CF-03: a word that is guessed at would be judged by the rules of another one.
    if (word === undefined) throw malformed(field, `one of ${words.join(', ')}`);
    return word;
  };
}

export const text: Reader<string> = (value, field) => {
  // CF-03: a number that reads as text would make two spellings of one case.
  if (typeof value !== 'string') throw malformed(field, 'text');
  return value;
};

export const flag: Reader<boolean> = (value, field) => {
  // CF-03: "false" in quotation marks would be true.
  if (typeof value !== 'boolean') throw malformed(field, 'true or false');
  return value;
};

/** A whole number of at least 0; above 2^53 − 1 only as decimal text, which is kept exact. */
export const count: Reader<number | bigint> = (value, field) => {
  if (typeof value === 'string' && /^(?:0|[1-9][0-9]{0,19})$/.test(value)) {
    const exact = BigInt(value);
    return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
  }
  // CF-03: a number above 2^53 − 1 has been rounded before anybody here saw it.
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(field, 'a whole number');
  return value as number;
};

/** Hex in either case. @param lengthBytes when there is only one */
export function hex(lengthBytes?: number): Reader<Bytes> {
  return (value, field) =>
    decoded(field, `${lengthBytes ?? 'some'} bytes in hex`, lengthBytes, () =>
      parseHex(text(value, field).toLowerCase()),
    );
}

/** Base64 in the standard alphabet, padded. */
export function base64(lengthBytes?: number): Reader<Bytes> {
  return (value, field) =>
    decoded(field, `${lengthBytes ?? 'some'} bytes in base64`, lengthBytes, () => parseBase64(text(value, field)));
}

/** 16 bytes, in hex as Sotto writes ids everywhere else, or in base64; their lengths tell the two apart. */
export const id: Reader<Bytes> = (value, field) =>
  text(value, field).length === 32 ? hex(16)(value, field) : base64(16)(value, field);

const DIGEST_BYTES: readonly number[] = [20, 32, 48, 64];

/** A digest in hex: of SHA-1, SHA-256, SHA-384 or SHA-512 by its length. */
export const digest: Reader<Bytes> = (value, field) => {
  const bytes = hex()(value, field);
  // CF-03: a digest of another length is a part of one.
  if (!DIGEST_BYTES.includes(bytes.length)) throw malformed(field, '20, 32, 48 or 64 bytes in hex');
  return bytes;
};

function decoded(field: string, expected: string, lengthBytes: number | undefined, decode: () => Bytes): Bytes {
  let bytes: Bytes;
  try {
    bytes = decode();
  } catch (error) {
    if (error instanceof BytesError) throw malformed(field, expected);
    throw error;
  }
  // CF-03: a digest or key of another length is another thing, not a weak one of its kind.
  if (lengthBytes !== undefined && bytes.length !== lengthBytes) throw malformed(field, expected);
  return bytes;
}

/** Says that a field is missing which only some inputs of the stage need. */
export function required<Value>(value: Value | undefined, field: string): Value {
  // CF-03: going on without it would judge another case than the one that was asked.
  if (value === undefined) throw malformed(field, 'a value: this case needs the field');
  return value;
}

/** Says that a field stands there which this input of the stage has no use for. */
export function refused(value: unknown, field: string): void {
  // CF-02: a key that is given and not used would pass for one that was checked.
  if (value !== undefined)
    throw new Malformed('input-unknown-field', 'CF-02', 'this case has no use for the field', field);
}
