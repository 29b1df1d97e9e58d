/**
 * Total checks of JSON values: what came over HTTP, from a party that may be hostile, becomes a typed value or a `WireError`.
 * spec/wire.md §json. Text encodings are checked and kept as text: the type is exactly what is sent.
 */
import { BytesError, parseBase64, parseBase64Url, parseHex, parseUtf8 } from '@sotto/bytes';
import { WireError } from './error.ts';

/** Returns the value narrowed, or throws `WireError`. */
export type Shape<T> = (value: unknown) => T;
export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

type Shapes = Readonly<Record<string, Shape<unknown>>>;
type ObjectOf<R extends Shapes, O extends Shapes> = { readonly [K in keyof R]: ShapeOf<R[K]> } & {
  readonly [K in keyof O]?: ShapeOf<O[K]>;
};

function malformed(message: string): WireError {
  return new WireError('wire-malformed', message, 'WI-14');
}

/** JSON text or bytes of at most `limitBytes` into a value that a `Shape` then checks. */
export function parseJson(input: Uint8Array | string, limitBytes: number): unknown {
  // WI-01: the cap is checked before the text is read.
  if (input.length > limitBytes) throw new WireError('wire-too-large', 'the JSON is longer than its limit', 'WI-01');
  try {
    return JSON.parse(typeof input === 'string' ? input : parseUtf8(input));
  } catch {
    throw malformed('not JSON');
  }
}

/** Text of at most `limitLength` UTF-16 units, matching `pattern` when one is given. */
export function textShape(limitLength: number, pattern?: RegExp): Shape<string> {
  return (value) => {
    // WI-14: a value of another type reaches code that was written for text.
    if (typeof value !== 'string') throw malformed('a field is not text');
    // WI-01: an uncapped text is an uncapped buffer.
    if (value.length > limitLength) throw new WireError('wire-too-large', 'a text is too long', 'WI-01');
    // WI-15: an id or code of another form could carry a path, markup or a second meaning.
    if (pattern !== undefined && !pattern.test(value))
      throw new WireError('wire-malformed', 'a text has another form', 'WI-15');
    return value;
  };
}

/** Lower-case hex of exactly `lengthBytes` bytes. */
export function hexShape(lengthBytes: number): Shape<string> {
  return encodedShape(lengthBytes * 2, (value) => parseHex(value, lengthBytes));
}

/** Canonical padded base64 of `minBytes` to `limitBytes` bytes. */
export function base64Shape(minBytes: number, limitBytes: number): Shape<string> {
  return encodedShape(Math.ceil(limitBytes / 3) * 4, (value) => withinLength(parseBase64(value), minBytes, limitBytes));
}

/** Canonical unpadded base64url of `minBytes` to `limitBytes` bytes (WebAuthn's own spelling). */
export function base64UrlShape(minBytes: number, limitBytes: number): Shape<string> {
  return encodedShape(Math.ceil((limitBytes * 4) / 3), (value) =>
    withinLength(parseBase64Url(value), minBytes, limitBytes),
  );
}

export function integerShape(min: number, max: number): Shape<number> {
  return (value) => {
    const integer = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
    // WI-16: NaN, fractions and numbers out of range pass through comparisons that were meant to stop them.
    if (!integer) throw new WireError('wire-malformed', 'a field is not an integer in its range', 'WI-16');
    return value;
  };
}

/** A finite number from `min` to `max`. */
export function numberShape(min: number, max: number): Shape<number> {
  return (value) => {
    const inRange = typeof value === 'number' && value >= min && value <= max;
    // WI-16: NaN and numbers out of range pass through comparisons that were meant to stop them.
    if (!inRange) throw new WireError('wire-malformed', 'a field is not a number in its range', 'WI-16');
    return value;
  };
}

export const booleanShape: Shape<boolean> = (value) => {
  // WI-14: any text, "false" too, would count as true.
  if (typeof value !== 'boolean') throw malformed('a field is not true or false');
  return value;
};

export function oneOfShape<const T extends string>(...values: readonly T[]): Shape<T> {
  return (value) => {
    const found = values.find((known) => known === value);
    // WI-17: an unknown word would fall into whatever branch comes last.
    if (found === undefined) throw new WireError('wire-malformed', 'a word is not one of the known', 'WI-17');
    return found;
  };
}

export function listShape<T>(entry: Shape<T>, limitCount: number): Shape<readonly T[]> {
  return (value) => {
    // WI-14: an object with a `length` is not a list.
    if (!Array.isArray(value)) throw malformed('a field is not a list');
    // WI-01: an uncapped list is an uncapped buffer.
    if (value.length > limitCount) throw new WireError('wire-too-large', 'a list is too long', 'WI-01');
    return value.map(entry);
  };
}

export function nullableShape<T>(shape: Shape<T>): Shape<T | null> {
  return (value) => (value === null ? null : shape(value));
}

/** An object whose fields are left as they are: for what another standard defines (WebAuthn). */
export const opaqueObjectShape: Shape<Readonly<Record<string, unknown>>> = (value) => {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
  // WI-14: null and lists answer `typeof` with "object".
  if (!plain) throw malformed('a field is not an object');
  return value as Readonly<Record<string, unknown>>;
};

/** An object of an answer: fields of later versions are dropped. */
export function answerShape<R extends Shapes, O extends Shapes = Record<never, never>>(
  required: R,
  optional?: O,
): Shape<ObjectOf<R, O>> {
  return (value) => {
    const object = opaqueObjectShape(value);
    const result: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(required)) {
      // WI-18: only the object's own fields count: what a prototype holds was never sent.
      if (!Object.hasOwn(object, name)) throw new WireError('wire-malformed', 'a field is missing', 'WI-18');
      result[name] = shape(object[name]);
    }
    for (const [name, shape] of Object.entries(optional ?? {})) {
      if (Object.hasOwn(object, name)) result[name] = shape(object[name]);
    }
    return result as ObjectOf<R, O>;
  };
}

/** An object of a request: a field that is not declared is refused. */
export function requestShape<R extends Shapes, O extends Shapes = Record<never, never>>(
  required: R,
  optional?: O,
): Shape<ObjectOf<R, O>> {
  const check = answerShape(required, optional);
  const names = new Set([...Object.keys(required), ...Object.keys(optional ?? {})]);
  return (value) => {
    const unknownField = Object.keys(opaqueObjectShape(value)).some((name) => !names.has(name));
    // WI-19: a request with a field that nobody reads may hold what the server must never be sent.
    if (unknownField) throw new WireError('wire-malformed', 'a request holds an unknown field', 'WI-19');
    return check(value);
  };
}

function encodedShape(limitLength: number, parse: (value: string) => unknown): Shape<string> {
  const asText = textShape(limitLength);
  return (value) => {
    const encoded = asText(value);
    try {
      parse(encoded);
    } catch (error) {
      if (error instanceof BytesError)
        throw new WireError('wire-malformed', 'bytes are not spelled canonically', 'WI-20');
      throw error;
    }
    return encoded;
  };
}

function withinLength(bytes: Uint8Array, minBytes: number, limitBytes: number): void {
  const within = bytes.length >= minBytes && bytes.length <= limitBytes;
  // WI-20: a key or id of another length is another thing.
  if (!within) throw new WireError('wire-malformed', 'bytes have another length', 'WI-20');
}
