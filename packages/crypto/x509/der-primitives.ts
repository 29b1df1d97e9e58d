/** The primitive universal types of DER, and what their content must look like. Content comes from hostile input. */
import { notDer } from './error.ts';

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OBJECT_IDENTIFIER = 0x06;
export const ENUMERATED = 0x0a;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;

/** Those above, and the strings: UTF-8, numeric, printable, teletex, IA5, visible, universal, BMP. */
export const PRIMITIVES: ReadonlySet<number> = new Set([
  BOOLEAN,
  INTEGER,
  BIT_STRING,
  OCTET_STRING,
  NULL,
  OBJECT_IDENTIFIER,
  ENUMERATED,
  UTC_TIME,
  GENERALIZED_TIME,
  ...[0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a, 0x1c, 0x1e],
]);

/** @throws CertificateError `der-malformed` unless the content has the one spelling that its type allows */
export function checkPrimitive(tag: number, content: Uint8Array): void {
  const [first = 0, second = 0] = content;
  if (tag === BOOLEAN) {
    const isBoolean = content.length === 1 && (first === 0 || first === 0xff);
    // EV-354: 254 other octets would also be true.
    if (!isBoolean) throw notDer('EV-354', 'a boolean is neither 00 nor FF');
  } else if (tag === INTEGER || tag === ENUMERATED) {
    const isPadded = content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    // EV-355: an integer with a spare octet is a second spelling of the same number.
    if (content.length === 0 || isPadded) throw notDer('EV-355', 'an integer is not in its shortest form');
  } else if (tag === BIT_STRING) {
    const last = content[content.length - 1] ?? 0;
    const isExact =
      content.length > 0 && first <= 7 && (content.length > 1 || first === 0) && (last & ((1 << first) - 1)) === 0;
    // EV-356: spare bits that are set change bytes and not the value.
    if (!isExact) throw notDer('EV-356', 'the spare bits of a bit string are not zero');
  } else if (tag === NULL) {
    // EV-357: a null that holds something has a second spelling.
    if (content.length !== 0) throw notDer('EV-357', 'a null is not empty');
  } else if (tag === OBJECT_IDENTIFIER) {
    // EV-357: an arc with leading zeros, or one that does not end, has a second spelling or none.
    if (!isObjectIdentifier(content)) throw notDer('EV-357', 'an object identifier is not in its shortest form');
  }
}

function isObjectIdentifier(content: Uint8Array): boolean {
  let isArcStart = true;
  for (const octet of content) {
    if (isArcStart && octet === 0x80) return false;
    isArcStart = octet < 0x80;
  }
  return content.length > 0 && content.length <= 32 && isArcStart;
}
