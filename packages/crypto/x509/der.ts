/**
 * A strict reader of DER (X.690), the one spelling that certificates, revocation lists and vendors' extensions have. The input
 * is anybody's. Everything is checked before anything is returned: form, lengths, depth, and the value of every universal type
 * (spec/evidence-certificates.md §DER). What is returned are views into the input, never copies.
 */

import { checkPrimitive, PRIMITIVES } from './der-primitives.ts';
import { notDer } from './error.ts';

/** One element. */
export interface Der {
  /** The identifier octet: 0x30 is a SEQUENCE, 0xa0 the constructed context tag 0. */
  readonly tag: number;
  /** Identifier, length and content. */
  readonly raw: Uint8Array;
  readonly content: Uint8Array;
  /** The elements inside a constructed one; empty for a primitive one. */
  readonly children: readonly Der[];
}

export const SEQUENCE = 0x30;
export const SET = 0x31;
const CONSTRUCTED = 0x20;
const DEPTH_LIMIT = 16;
/** Ten thousand entries of a revocation list. */
const ELEMENT_LIMIT = 65_536;

/** Large enough for every certificate; revocation lists ask for more. */
export const DER_LIMIT_BYTES = 65_536;

/**
 * One element that fills the input exactly.
 *
 * @param limitBytes refused above it, before anything is read
 * @throws CertificateError `der-malformed`
 */
export function parseDer(bytes: Uint8Array, limitBytes = DER_LIMIT_BYTES): Der {
  // EV-353: without a limit the input decides how much time and memory reading it takes.
  if (bytes.length > limitBytes) throw notDer('EV-353', 'the input is longer than its limit');
  const element = readElement(bytes, 0, bytes.length, 0, { left: ELEMENT_LIMIT });
  // EV-352: bytes after the end could carry a second meaning.
  if (element.raw.length !== bytes.length) throw notDer('EV-352', 'there are bytes after the end of the element');
  return element;
}

function readElement(bytes: Uint8Array, start: number, end: number, depth: number, budget: { left: number }): Der {
  // EV-353: half a million empty elements fit into a mebibyte, and each is an object in memory.
  if (budget.left-- <= 0) throw notDer('EV-353', 'there are too many elements');
  // EV-353: ten thousand levels would end the stack.
  if (depth > DEPTH_LIMIT) throw notDer('EV-353', 'the elements are nested too deeply');
  // EV-352: an element that is not there cannot be read.
  if (end - start < 2) throw notDer('EV-352', 'the input ends inside an element');
  const tag = bytes[start] as number;
  checkTag(tag);
  const { contentStart, length } = readLength(bytes, start + 1, end);
  // EV-352: an element that is longer than the one around it would be read from foreign bytes.
  if (length > end - contentStart) throw notDer('EV-352', 'an element is longer than what is left');
  const contentEnd = contentStart + length;
  const children: Der[] = [];
  if ((tag & CONSTRUCTED) !== 0) {
    for (let at = contentStart; at < contentEnd; ) {
      const child = readElement(bytes, at, contentEnd, depth + 1, budget);
      children.push(child);
      at += child.raw.length;
    }
  }
  const content = bytes.subarray(contentStart, contentEnd);
  if (tag === SET) checkSetOrder(children);
  else if (tag < CONSTRUCTED) checkPrimitive(tag, content);
  return { tag, raw: bytes.subarray(start, contentEnd), content, children };
}

function readLength(bytes: Uint8Array, start: number, end: number): { contentStart: number; length: number } {
  const first = bytes[start] as number;
  if (first < 0x80) return { contentStart: start + 1, length: first };
  const octets = first & 0x7f;
  // EV-350: an indefinite length ends where its content says, and lengths of five octets are longer than any input.
  if (octets === 0 || octets > 4) throw notDer('EV-350', 'the form of a length is not one of DER');
  // EV-352: a length that is cut off cannot be read.
  if (octets > end - start - 1) throw notDer('EV-352', 'the input ends inside a length');
  let length = 0;
  for (let i = 1; i <= octets; i++) length = length * 256 + (bytes[start + i] as number);
  const shortest = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4;
  // EV-350: a length in more octets than it needs gives one value two spellings.
  if (octets !== shortest) throw notDer('EV-350', 'a length is not in its shortest form');
  return { contentStart: start + 1 + octets, length };
}

/** Universal types in their own form; application tags and tags above 30 occur in nothing that we read. */
function checkTag(tag: number): void {
  const tagClass = tag & 0xc0;
  const number = tag & 0x1f;
  const isKnown =
    tagClass === 0 ? tag === SEQUENCE || tag === SET || PRIMITIVES.has(tag) : tagClass === 0x80 && number !== 0x1f;
  // EV-351: strings in pieces, unknown types and long tags have spellings that DER forbids or that we cannot check.
  if (!isKnown) throw notDer('EV-351', 'a tag is not one that is read here');
}

function checkSetOrder(children: readonly Der[]): void {
  for (let i = 1; i < children.length; i++) {
    const isInOrder = compare((children[i - 1] as Der).raw, (children[i] as Der).raw) < 0;
    // EV-358: a set in another order is the same set in a second spelling.
    if (!isInOrder) throw notDer('EV-358', 'the elements of a set are not in order');
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
