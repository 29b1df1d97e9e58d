/** What the elements of a parsed structure mean. Each function takes an element that `parseDer` has checked. */
import type { Der } from './der.ts';
import { SEQUENCE } from './der.ts';
import {
  BIT_STRING,
  BOOLEAN,
  ENUMERATED,
  GENERALIZED_TIME,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  UTC_TIME,
} from './der-primitives.ts';
import { notDer } from './error.ts';

/** The fields of a SEQUENCE (or of what the caller says) in order; what is not asked for is an error at `end`. */
export class DerFields {
  readonly #fields: readonly Der[];
  #next = 0;

  /** @throws CertificateError `der-malformed` when the element has another tag */
  constructor(element: Der, tag: number = SEQUENCE) {
    this.#fields = expectTag(element, tag).children;
  }

  get remaining(): number {
    return this.#fields.length - this.#next;
  }

  /** The next field, of this tag (any tag when none is given). @throws CertificateError `der-malformed` */
  next(tag?: number): Der {
    const field = this.#fields[this.#next];
    // EV-352: a field that is not there has no value that could be assumed.
    if (field === undefined) throw notDer('EV-352', 'a field is missing');
    this.#next++;
    return tag === undefined ? field : expectTag(field, tag);
  }

  /** The next field when it has this tag. */
  optional(tag: number): Der | undefined {
    const field = this.#fields[this.#next];
    if (field?.tag !== tag) return undefined;
    this.#next++;
    return field;
  }

  /** @throws CertificateError `der-malformed` when a field is left */
  end(): void {
    // EV-352: a field that nobody reads may have been meant.
    if (this.remaining > 0) throw notDer('EV-352', 'there are fields after the last one');
  }
}

/** @throws CertificateError `der-malformed` unless the element has this tag */
export function expectTag(element: Der, tag: number): Der {
  // EV-351: a field of another type would be read as what it is not.
  if (element.tag !== tag) throw notDer('EV-351', 'an element has another type than the structure says');
  return element;
}

/** The one element inside an explicit tag. */
export function explicit(element: Der, tag: number): Der {
  const fields = new DerFields(element, tag);
  const inner = fields.next();
  fields.end();
  return inner;
}

export function readBoolean(element: Der): boolean {
  return expectTag(element, BOOLEAN).content[0] === 0xff;
}

/** The content of an INTEGER, two's complement, big-endian, in its shortest form. */
export function readInteger(element: Der): Uint8Array {
  return expectTag(element, INTEGER).content;
}

/** An INTEGER that is not negative, without the octet that says so. */
export function readUnsigned(element: Der): Uint8Array {
  const content = readInteger(element);
  // EV-355: a negative number where only others make sense would be read as a large one.
  if ((content[0] as number) >= 0x80) throw notDer('EV-355', 'an integer is negative');
  return content.length > 1 && content[0] === 0 ? content.subarray(1) : content;
}

/** An INTEGER from 0 to `limit` (at most 2^32 − 1). */
export function readSmallInteger(element: Der, limit = 0xffff_ffff): number {
  return smallNumber(readUnsigned(element), limit);
}

/** An ENUMERATED from 0 to `limit`. */
export function readEnumerated(element: Der, limit = 0xff): number {
  const { content } = expectTag(element, ENUMERATED);
  return smallNumber(content, limit);
}

function smallNumber(digits: Uint8Array, limit: number): number {
  const value = digits.length > 5 ? Number.POSITIVE_INFINITY : digits.reduce((sum, digit) => sum * 256 + digit, 0);
  // EV-355: a number that does not fit would be cut off.
  if (value > limit) throw notDer('EV-355', 'an integer is larger than its limit');
  return value;
}

export function readOctetString(element: Der): Uint8Array {
  return expectTag(element, OCTET_STRING).content;
}

/** The octets of a BIT STRING that has no spare bits. */
export function readBitStringOctets(element: Der): Uint8Array {
  const { content } = expectTag(element, BIT_STRING);
  // EV-356: a key or signature is made of whole octets.
  if (content[0] !== 0) throw notDer('EV-356', 'a bit string is not made of whole octets');
  return content.subarray(1);
}

/**
 * A BIT STRING of named bits, at most 16: bit 0 of the name is bit 0 of the number. Trailing zeros are allowed though DER
 * leaves them out: AMD writes them.
 */
export function readNamedBits(element: Der): number {
  const { content } = expectTag(element, BIT_STRING);
  // EV-356: bits above those that are read could be ones that matter.
  if (content.length > 3) throw notDer('EV-356', 'there are more named bits than are known');
  const [, first = 0, second = 0] = content;
  let bits = 0;
  for (let i = 0; i < 8; i++) {
    if ((first >> (7 - i)) & 1) bits |= 1 << i;
    if ((second >> (7 - i)) & 1) bits |= 1 << (8 + i);
  }
  return bits;
}

/** Dotted, such as `1.2.840.113741.1.13.1`. */
export function readObjectIdentifier(element: Der): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of expectTag(element, OBJECT_IDENTIFIER).content) {
    arc = arc * 128 + (octet & 0x7f);
    // EV-357: arcs above 2^53 would be rounded, and two of them be one.
    if (arc > Number.MAX_SAFE_INTEGER) throw notDer('EV-357', 'an arc of an object identifier is too large');
    if (octet >= 0x80) continue;
    if (arcs.length > 0) arcs.push(arc);
    else {
      const top = Math.min(2, Math.floor(arc / 40));
      arcs.push(top, arc - 40 * top);
    }
    arc = 0;
  }
  return arcs.join('.');
}

/** A UTCTime or GeneralizedTime in the one form that RFC 5280 allows, as seconds since 1970. */
export function readTime(element: Der): number {
  const { tag, content } = element;
  const isShort = tag === UTC_TIME && content.length === 13;
  const isLong = tag === GENERALIZED_TIME && content.length === 15;
  const digits = content.subarray(0, -1).map((octet) => octet - 0x30);
  const isPlain = content[content.length - 1] === 0x5a && digits.every((digit) => digit <= 9);
  // EV-359: fractions, offsets and missing seconds are further spellings of one moment.
  if (!(isShort || isLong) || !isPlain) throw notDer('EV-359', 'a time is not in its one form');
  const two = (at: number) => 10 * (digits[at] as number) + (digits[at + 1] as number);
  const rest = isShort ? 2 : 4;
  const year = isLong ? 100 * two(0) + two(2) : two(0) + (two(0) < 50 ? 2000 : 1900);
  const [month, day, hour, minute, second] = [two(rest), two(rest + 2), two(rest + 4), two(rest + 6), two(rest + 8)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, 0);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  // EV-359: the 31st of February would silently be a day in March.
  if (!isReal || minute > 59 || second > 59) throw notDer('EV-359', 'a time names no moment that there is');
  return date.getTime() / 1000;
}
