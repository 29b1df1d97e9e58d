/**
 * The XML that reference manifests are written in, and no more: elements, attributes, namespaces, text and the five named
 * entities (spec/evidence-nvidia.md §xml). A document type, comment, CDATA section, processing instruction or numeric entity
 * is refused: each is a way to let a signature cover other words than a reader sees. Hostile until the signature is verified.
 * Time and memory are linear in the length of the text, which is capped.
 */
import { refusal } from './error.ts';

const TEXT_LIMIT = 256 * 1024;
const DEPTH_LIMIT = 16;
const ELEMENTS_LIMIT_COUNT = 2048;
const ATTRIBUTES_LIMIT_COUNT = 64;

const ILLEGAL = /[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const PROLOG = /^<\?xml version="1\.0" encoding="UTF-8"( standalone="(yes|no)")?\?>/;
const NAME = '([A-Za-z_][A-Za-z0-9._-]*(?::[A-Za-z_][A-Za-z0-9._-]*)?)';
const OPEN = new RegExp(`<${NAME}`, 'y');
const CLOSE = new RegExp(`</${NAME}[ \\n\\t]*>`, 'y');
const ATTRIBUTE = new RegExp(`[ \\n\\t]+${NAME}=(?:"([^"<\\n\\t]*)"|'([^'<\\n\\t]*)')`, 'y');
const TAG_END = /[ \n\t]*(\/?)>/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export interface XmlAttribute {
  /** As written, such as `ns2:Hash0`. */
  readonly name: string;
  readonly localName: string;
  /** Empty for an attribute without a prefix. */
  readonly namespace: string;
  readonly value: string;
}

export interface XmlElement {
  /** As written, such as `ns0:Meta`. */
  readonly name: string;
  readonly localName: string;
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  /** Every prefix that is bound here, by this element or one around it; the empty prefix is the default namespace. */
  readonly scope: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
}

/** @throws JudgementError `rim-malformed` */
export function parseXml(text: string): XmlElement {
  // EV-250: the cap comes before anything is read, so that a bomb costs what its size costs.
  if (text.length > TEXT_LIMIT) throw malformed('EV-250', 'the XML is longer than its limit');
  // EV-251: control characters, half surrogates and carriage returns have several spellings in canonical form.
  if (ILLEGAL.test(text)) throw malformed('EV-251', 'the XML holds a character that it must not');
  return new XmlParser(text).document();
}

/** The one value of the attribute without a prefix, or undefined. */
export function attributeOf(element: XmlElement, localName: string, namespace = ''): string | undefined {
  return element.attributes.find((one) => one.localName === localName && one.namespace === namespace)?.value;
}

/** The elements among the children. */
export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string');
}

type Written = readonly [name: string, value: string];

class XmlParser {
  readonly #text: string;
  #at = 0;
  #elements = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    this.#at = PROLOG.exec(this.#text)?.[0].length ?? 0;
    this.#skipBlanks();
    const root = this.#element(new Map(), 1);
    this.#skipBlanks();
    // EV-252: what stands behind the root element is signed by nobody.
    if (this.#at !== this.#text.length) throw malformed('EV-252', 'something stands behind the root element');
    return root;
  }

  #element(outer: ReadonlyMap<string, string>, depth: number): XmlElement {
    const name = this.#match(OPEN)?.[1];
    // EV-253: anything else that begins with "<" is a document type, comment, CDATA section or instruction.
    if (name === undefined) throw malformed('EV-253', 'only elements and text may stand in the XML');
    // EV-254: without a limit the nesting exhausts the stack.
    if (depth > DEPTH_LIMIT) throw malformed('EV-254', 'the elements are nested too deep');
    // EV-254: and the number of elements the memory.
    if (++this.#elements > ELEMENTS_LIMIT_COUNT) throw malformed('EV-254', 'there are too many elements');
    const { written, isEmpty } = this.#attributes();
    const scope = scopeOf(outer, written);
    const element = {
      ...qualified(name, scope, scope.get('') ?? ''),
      attributes: attributesIn(scope, written),
      scope,
    };
    return { ...element, children: isEmpty ? [] : this.#content(name, scope, depth) };
  }

  #attributes(): { written: Written[]; isEmpty: boolean } {
    const written: Written[] = [];
    for (let found = this.#match(ATTRIBUTE); found; found = this.#match(ATTRIBUTE)) {
      // EV-254: attributes are compared with each other, so their number is limited as well.
      if (written.length >= ATTRIBUTES_LIMIT_COUNT) throw malformed('EV-254', 'an element has too many attributes');
      written.push([found[1] as string, plainText(found[2] ?? found[3] ?? '')]);
    }
    const end = this.#match(TAG_END);
    // EV-252: a tag that does not end where it should.
    if (!end) throw malformed('EV-252', 'a tag is not well-formed');
    return { written, isEmpty: end[1] === '/' };
  }

  #content(name: string, scope: ReadonlyMap<string, string>, depth: number): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = [];
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      // EV-252: an element that is not closed.
      if (next < 0) throw malformed('EV-252', 'an element is not closed');
      if (next > this.#at) children.push(plainText(this.#text.slice(this.#at, next)));
      this.#at = next;
      const closed = this.#match(CLOSE)?.[1];
      if (closed === undefined) {
        children.push(this.#element(scope, depth + 1));
        continue;
      }
      // EV-252: an end tag of another element.
      if (closed !== name) throw malformed('EV-252', 'the tags do not match');
      return children;
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #skipBlanks(): void {
    this.#match(/[ \n\t]*/y);
  }
}

function plainText(text: string): string {
  // EV-252: the end of a CDATA section must not stand in text.
  if (text.includes(']]>')) throw malformed('EV-252', 'text holds the end of a CDATA section');
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]{0,8};)?/g, (_, name: string | undefined) => {
    const character = Object.hasOwn(ENTITIES, name?.slice(0, -1) ?? '')
      ? ENTITIES[name?.slice(0, -1) ?? '']
      : undefined;
    // EV-255: other entities grow without bound, read files, or write one character in a second way.
    if (character === undefined) throw malformed('EV-255', 'only the five named entities may be used');
    return character;
  });
}

function scopeOf(outer: ReadonlyMap<string, string>, written: readonly Written[]): ReadonlyMap<string, string> {
  const declared = written.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declared.length === 0) return outer;
  const scope = new Map(outer);
  for (const [name, uri] of declared) {
    // EV-256: an empty or odd name of a namespace, or the one that XML keeps for itself, has no canonical form.
    if (!/^[\x21-\x7e]+$/.test(uri) || uri.endsWith('/2000/xmlns/'))
      throw malformed('EV-256', 'a namespace has no name');
    scope.set(name.slice('xmlns:'.length), uri);
  }
  return scope;
}

function attributesIn(scope: ReadonlyMap<string, string>, written: readonly Written[]): XmlAttribute[] {
  const names = new Set<string>();
  const attributes: XmlAttribute[] = [];
  for (const [name, value] of written) {
    const isDeclaration = name === 'xmlns' || name.startsWith('xmlns:');
    const attribute = isDeclaration ? undefined : { ...qualified(name, scope, ''), value };
    const key = attribute ? `{${attribute.namespace}}${attribute.localName}` : name;
    // EV-257: of two attributes of one name, one reader takes the first and another the last.
    if (names.has(key)) throw malformed('EV-257', 'an attribute stands twice');
    names.add(key);
    if (attribute) attributes.push(attribute);
  }
  return attributes;
}

function qualified(name: string, scope: ReadonlyMap<string, string>, unprefixed: string) {
  const [prefix, localName] = name.includes(':') ? (name.split(':') as [string, string]) : ['', name];
  const namespace = prefix === '' ? unprefixed : scope.get(prefix);
  // EV-256: a prefix that nothing binds, `xml` among them: canonical form would have to inherit its attributes.
  if (namespace === undefined || prefix === 'xml') throw malformed('EV-256', 'a prefix is bound to no namespace');
  return { name, localName, namespace };
}

function malformed(rule: string, message: string): Error {
  return refusal('rim-malformed', rule, message);
}
