/**
 * The forms in which the control run leaks a secret, made by other means than `encodings.ts` looks for them: what a careless
 * program would call. Each says under which name the search must report it.
 */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { TEXT_ONLY } from './encodings.ts';
import type { Needle } from './search.ts';

export interface Form {
  readonly name: string;
  readonly bytes: Buffer;
  /** The name of the find that proves it, as `Searcher` gives it. */
  readonly expect: string;
  /** Bears no mark of its own and is recognised only where it is the whole of a file, a body or a frame. */
  readonly whole?: true;
}

/**
 * Text with few plain characters between those that some form escapes, so that each form of it has 12 bytes like no other's.
 */
export function controlText(name: string): Needle {
  const marks = ['"', 'ü', '\\', '?', 'ß', '?', '\\', '?'];
  const made = () => Array.from({ length: 16 }, (_, at) => randomBytes(2).toString('hex').slice(1) + marks[at % 8]);
  return untilDistinct(() => ({ name, bytes: Buffer.from(made().join('')), kind: 'text' }));
}

export const controlKey = (name: string): Needle =>
  untilDistinct(() => ({ name, bytes: randomBytes(32), kind: 'key' }));

/** The two alphabets of base64 differ in two characters: a secret that has neither could not tell them apart. */
function untilDistinct(make: () => Needle): Needle {
  for (;;) {
    const needle = make();
    const text = (shift: number) => Buffer.concat([Buffer.alloc(shift), needle.bytes]).toString('base64url');
    if ([0, 1, 2].every((shift) => /[-_]/.test(text(shift).slice(4, -4)))) return needle;
  }
}

export function formsOf(needle: Needle): Form[] {
  const { bytes } = needle;
  const text = bytes.toString('utf8');
  const ascii = (name: string, value: string, expect = name): Form => ({ name, bytes: Buffer.from(value), expect });
  const wide = Buffer.from(text, 'utf16le');
  const base64 = (shift: number, url: boolean): Form => {
    const around = Buffer.concat([randomBytes(shift), bytes, randomBytes(4)]);
    const name = `base64${url ? 'url' : ''}+${shift}`;
    return ascii(name, around.toString(url ? 'base64url' : 'base64'));
  };
  const all: Form[] = [
    { name: 'raw', bytes, expect: 'raw' },
    { name: '12 bytes of it', bytes: bytes.subarray(3, 15), expect: 'raw' },
    { name: 'latin1', bytes: Buffer.from([...text].map((one) => one.charCodeAt(0))), expect: 'latin1' },
    { name: 'utf-16le', bytes: wide, expect: 'utf-16le' },
    { name: 'utf-16be', bytes: Buffer.from(wide).swap16(), expect: 'utf-16be' },
    ascii('hex', [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')),
    ascii('hex-upper', [...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('')),
    ...[0, 1, 2].flatMap((shift) => [base64(shift, false), base64(shift, true)]),
    ascii('json', `{"said":"${[...text].map(escapeForJson).join('')}"}`),
    ascii('json-utf8', JSON.stringify({ said: text })),
    ascii('url', `?said=${encodeURIComponent(text)}`),
    ascii('url-all', bytes.toString('hex').toUpperCase().replace(/../g, '%$&')),
    ascii('byte-list', JSON.stringify([...bytes])),
    ...wide16(bytes),
    { name: 'number list, cloned', bytes: serialize([...bytes]), expect: 'clone-list' },
    ascii('printed Buffer', inspect(bytes.subarray(0, 48)), 'spaced:hex'),
    ascii('printed Uint8Array', inspect(new Uint8Array(bytes), { maxArrayLength: null }), 'spaced:byte-list'),
    { name: 'zlib', bytes: deflateSync(bytes), expect: 'zlib:raw' },
    { name: 'gzip', bytes: gzipSync(bytes), expect: 'gzip:raw' },
    { name: 'deflate', bytes: deflateRawSync(bytes), expect: 'deflate:raw', whole: true },
    { name: 'brotli', bytes: brotliCompressSync(bytes), expect: 'brotli:raw', whole: true },
  ];
  return needle.kind === 'key' ? all.filter(({ name }) => !TEXT_ONLY.has(name)) : all;
}

/** As a browser keeps a string of plain characters with 16 bits each. */
function wide16(bytes: Buffer): Form[] {
  const wide = (text: string) => Buffer.from(text, 'utf16le');
  return [
    { name: 'hex in 16 bits', bytes: wide(bytes.toString('hex')), expect: 'wide:hex' },
    { name: 'list in 16 bits', bytes: wide(JSON.stringify([...bytes])), expect: 'wide:byte-list' },
  ];
}

/** All but letters and digits as \u…, as strict encoders for other languages do. */
function escapeForJson(character: string): string {
  if (/[A-Za-z0-9]/.test(character)) return character;
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Whether a log line can carry these bytes as text. */
export const isText = (bytes: Buffer): boolean => Buffer.from(bytes.toString('utf8')).equals(bytes);
