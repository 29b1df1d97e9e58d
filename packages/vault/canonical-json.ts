/**
 * Canonical JSON (spec/vault.md, "Content"): RFC 8785 with whole numbers only. One value has one spelling, so a parser
 * that accepts a text knows that there are no duplicate names, no second spelling of a number or letter, and no
 * surprise: it reads, writes again and compares.
 */
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { VaultError } from './error.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

const DEPTH_LIMIT = 16;

/**
 * The one spelling of a value: names sorted by UTF-16 code units, no white space, whole numbers within ±(2^53−1),
 * well-formed text, at most 16 levels.
 *
 * @throws VaultError `record-content-malformed` for a value that has no such spelling
 */
export function encodeCanonicalJson(value: JsonValue): Uint8Array<ArrayBuffer> {
  return encodeUtf8(spell(value, 0));
}

/** @throws VaultError `record-content-malformed` unless `bytes` are the canonical spelling of an object */
export function parseCanonicalJson(bytes: Uint8Array): JsonObject {
  let text: string;
  let value: JsonValue;
  try {
    text = parseUtf8(bytes);
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw new VaultError('record-content-malformed', 'VA-17');
  }
  // VA-17: two spellings of one record would be two records to a signature and one to a reader
  if (!isSpelledSo(value, text)) throw new VaultError('record-content-malformed', 'VA-17');
  // VA-18: everything below reads names of an object
  if (!isJsonObject(value)) throw new VaultError('record-content-malformed', 'VA-18');
  return value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is plain is spelled by the platform, in a third of the time; `spell` has the last word, and says what is wrong. */
function isSpelledSo(value: JsonValue, text: string): boolean {
  return (isPlain(value, 0) && JSON.stringify(value) === text) || spell(value, 0) === text;
}

/** True only where `JSON.stringify` gives the one spelling: names in order, whole numbers, well-formed text, not too deep. */
function isPlain(value: JsonValue, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (value === null || typeof value === 'boolean') return true;
  if (depth >= DEPTH_LIMIT) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  let before = '';
  for (const name of Object.keys(value)) {
    const isNext = (before < name || before === '') && name.isWellFormed();
    if (!isNext || !isPlain((value as JsonObject)[name] as JsonValue, depth + 1)) return false;
    before = name;
  }
  return true;
}

function spell(value: JsonValue, depth: number): string {
  // VA-19: nesting without end is a way to exhaust the reader's stack
  if (depth > DEPTH_LIMIT) throw new VaultError('record-content-malformed', 'VA-19');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return spellNumber(value);
  if (typeof value === 'string') return spellText(value);
  // VA-20: a value that is no JSON would vanish, or come back as something else
  if (typeof value !== 'object') throw new VaultError('record-content-malformed', 'VA-20');
  if (Array.isArray(value)) return `[${value.map((item) => spell(item, depth + 1)).join(',')}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((name) => `${spellText(name)}:${spell(object[name] as JsonValue, depth + 1)}`);
  return `{${members.join(',')}}`;
}

function spellNumber(value: number): string {
  // VA-20: fractions and huge numbers differ between languages; none is needed
  if (!Number.isSafeInteger(value)) throw new VaultError('record-content-malformed', 'VA-20');
  return String(value);
}

function spellText(value: string): string {
  // VA-21: half a surrogate pair has no UTF-8 spelling and reads differently everywhere
  if (!value.isWellFormed()) throw new VaultError('record-content-malformed', 'VA-21');
  return JSON.stringify(value);
}
