/**
 * A reference integrity manifest: which measurements a driver or firmware of one version should have, as the vendor signed it
 * (spec/evidence-nvidia.md §manifest; ISO/IEC 19770-2 with the TCG's additions). What `parseRim` returns is hostile until
 * `verifySignedXml` has held for the same document.
 */
import { parseHex } from '@sotto/bytes';
import { refusal } from './error.ts';
import { parseSignature, type XmlSignature } from './rim-signature.ts';
import { attributeOf, childElements, parseXml, type XmlElement } from './xml.ts';

const SWID = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const SHA384 = 'http://www.w3.org/2001/04/xmlenc#sha384';
const INDEX_LIMIT = 255;
const ALTERNATIVES_LIMIT_COUNT = 32;

export interface ReferenceValue {
  /** From 0: one less than the SPDM index of the block that it judges. */
  readonly index: number;
  /** An inactive value judges nothing. */
  readonly active: boolean;
  /** SHA-384 digests, one of which the device must show. */
  readonly digests: readonly Uint8Array[];
}

export interface ParsedRim {
  /** The chip, such as `GH100`. */
  readonly product: string;
  /** Of the driver or of the VBIOS, as printed. */
  readonly version: string;
  readonly values: readonly ReferenceValue[];
  readonly signature: XmlSignature;
}

/** @throws JudgementError `rim-malformed`, CertificateError `certificate-malformed` */
export function parseRim(xml: string): ParsedRim {
  const root = parseXml(xml);
  // EV-260: another document that the same vendor signed would be read as reference values.
  if (!isNamed(root, 'SoftwareIdentity')) throw malformed('EV-260', 'this is not a software identity');
  const signature = parseSignature(root);
  const meta = onlyChild(root, 'Meta');
  const version = attributeOf(meta, 'colloquialVersion') ?? '';
  const product = attributeOf(meta, 'product') ?? '';
  // EV-262: a manifest that names no version would match none, or with a careless comparison any.
  if (version === '' || product === '') throw malformed('EV-262', 'the manifest names no product or version');
  return { product, version: version.toUpperCase(), values: parseValues(onlyChild(root, 'Payload')), signature };
}

function onlyChild(root: XmlElement, localName: string): XmlElement {
  const [found, another] = childElements(root).filter((child) => isNamed(child, localName));
  // EV-261: of two payloads, one reader takes the first and another the last.
  if (!found || another) throw malformed('EV-261', 'a part of the manifest is missing or stands twice');
  return found;
}

function isNamed(element: XmlElement, localName: string): boolean {
  return element.namespace === SWID && element.localName === localName;
}

function parseValues(payload: XmlElement): ReferenceValue[] {
  const values = childElements(payload).map(parseValue);
  const indexes = new Set(values.map((value) => value.index));
  // EV-264: with two values for one measurement, the weaker one could be the one that is used.
  if (indexes.size !== values.length) throw malformed('EV-264', 'two values are for one measurement');
  // EV-265: a manifest without active values would match every device.
  if (!values.some((value) => value.active)) throw malformed('EV-265', 'the manifest judges no measurement');
  return values;
}

function parseValue(resource: XmlElement): ReferenceValue {
  const active = attributeOf(resource, 'active');
  const isMeasurement = isNamed(resource, 'Resource') && attributeOf(resource, 'type') === 'Measurement';
  // EV-263: what is no measurement, or neither active nor inactive, would be passed over in silence.
  if (!isMeasurement || (active !== 'True' && active !== 'False'))
    throw malformed('EV-263', 'the payload holds something else than measurements');
  const count = smallNumber(resource, 'alternatives', ALTERNATIVES_LIMIT_COUNT);
  const hashes = resource.attributes.filter((one) => one.namespace === SHA384);
  const isWhole = count > 0 && hashes.length === count && attributeOf(resource, 'size') === '48';
  // EV-266: a value with fewer digests than it says has lost some; with none, nothing could match.
  if (!isWhole) throw malformed('EV-266', 'a value has another number of digests than it says');
  const digests = hashes.map((_, i) => parseDigest(attributeOf(resource, `Hash${i}`, SHA384)));
  return { index: smallNumber(resource, 'index', INDEX_LIMIT), active: active === 'True', digests };
}

function smallNumber(resource: XmlElement, name: string, limit: number): number {
  const text = attributeOf(resource, name) ?? '';
  // EV-267: a number in another spelling would be read as another number by someone else.
  if (!/^(0|[1-9]\d{0,2})$/.test(text) || Number(text) > limit) throw malformed('EV-267', 'a number is out of range');
  return Number(text);
}

function parseDigest(text = ''): Uint8Array {
  // EV-266: a shorter digest could be met by chance.
  if (!/^[0-9a-f]{96}$/i.test(text)) throw malformed('EV-266', 'a digest is not SHA-384 in hex');
  return parseHex(text.toLowerCase());
}

function malformed(rule: string, message: string): Error {
  return refusal('rim-malformed', rule, message);
}
