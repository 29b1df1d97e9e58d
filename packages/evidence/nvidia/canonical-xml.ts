/**
 * Canonical XML 1.1, inclusive, without comments (W3C REC-xml-c14n11): the bytes that a manifest's digest and signature are
 * taken over (spec/evidence-nvidia.md §xml). Of what that recommendation has rules for, `parseXml` lets in elements,
 * attributes, namespaces and text only, so these few lines are all of it.
 */
import { encodeUtf8 } from '@sotto/bytes';
import type { XmlElement } from './xml.ts';

/** @param without an element inside that is left out: the signature, when it is inside what it signs */
export function canonicalize(element: XmlElement, without?: XmlElement): Uint8Array<ArrayBuffer> {
  const parts: string[] = [];
  write(element, new Map(), without, parts);
  return encodeUtf8(parts.join(''));
}

function write(
  element: XmlElement,
  outer: ReadonlyMap<string, string>,
  without: XmlElement | undefined,
  parts: string[],
): void {
  parts.push('<', element.name);
  const { scope } = element;
  const prefixes = scope === outer ? [] : [...scope.keys()].filter((prefix) => scope.get(prefix) !== outer.get(prefix));
  for (const prefix of prefixes.sort()) {
    const name = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
    parts.push(' ', name, '="', escapeAttribute(scope.get(prefix) as string), '"');
  }
  for (const { name, value } of inOrder(element)) parts.push(' ', name, '="', escapeAttribute(value), '"');
  parts.push('>');
  for (const child of element.children) {
    if (typeof child === 'string') parts.push(escapeText(child));
    else if (child !== without) write(child, scope, without, parts);
  }
  parts.push('</', element.name, '>');
}

/** Attributes without a namespace first; the others by the name of their namespace, then by their own. */
function inOrder(element: XmlElement) {
  return [...element.attributes].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.localName, b.localName));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Tabs and line breaks, which would be escaped too, cannot stand in an attribute that was parsed here. */
function escapeAttribute(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
