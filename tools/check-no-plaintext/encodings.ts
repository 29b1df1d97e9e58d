/**
 * The forms in which a secret could lie somewhere: each turns the needle's bytes into the bytes to look for. A form that is
 * missing here is a leak that would not be found, so every one has a planted leak in the control run.
 */

export interface Encoding {
  readonly name: string;
  encode(needle: Buffer): Buffer;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');

function utf16(needle: Buffer, bigEndian: boolean): Buffer {
  const bytes = Buffer.from(needle.toString('utf8'), 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
}

/** Base64 with `shift` unknown bytes before the needle, less the characters that those and the end decide. */
function base64At(needle: Buffer, shift: 0 | 1 | 2, url: boolean): Buffer {
  const text = Buffer.concat([Buffer.alloc(shift), needle]).toString(url ? 'base64url' : 'base64');
  const first = [0, 2, 3][shift] as number;
  const whole = Math.floor(((shift + needle.length) * 8) / 6);
  return latin1(text.slice(first, whole));
}

function jsonEscaped(needle: Buffer): Buffer {
  const text = JSON.stringify(needle.toString('utf8')).slice(1, -1);
  return latin1(text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

function percent(needle: Buffer, everything: boolean): Buffer {
  let text = '';
  for (const byte of needle) {
    const character = String.fromCharCode(byte);
    const plain = !everything && /[A-Za-z0-9\-_.!~*'()]/.test(character);
    text += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return latin1(text);
}

/** Forms that only text has: for key bytes they are not looked for. */
export const TEXT_ONLY: ReadonlySet<string> = new Set(['latin1', 'utf-16le', 'utf-16be', 'json', 'json-utf8', 'url']);

/** Forms that mean the same with blanks and line breaks anywhere in them, as when numbers or hex are printed in columns. */
export const SPREADABLE: ReadonlySet<string> = new Set([
  ...['hex', 'hex-upper', 'byte-list', 'base64+0', 'base64+1', 'base64+2'],
  ...['base64url+0', 'base64url+1', 'base64url+2'],
]);

/** Forms in plain ASCII, which a browser may keep with 16 bits a character. */
export const WIDE: ReadonlySet<string> = new Set([...SPREADABLE, 'json', 'url', 'url-all']);

/** A list of numbers in a browser's structured clone (IndexedDB, `history.state`): a mark and the number, zigzag and varint. */
function cloneList(needle: Buffer): Buffer {
  return Buffer.from(
    [...needle].flatMap((byte) => (byte < 64 ? [0x49, byte * 2] : [0x49, ((byte * 2) & 0x7f) | 0x80, byte >> 6])),
  );
}

export const ENCODINGS: readonly Encoding[] = [
  { name: 'raw', encode: (needle) => needle },
  // As Chromium keeps a short string whose characters all fit into a byte.
  { name: 'latin1', encode: (needle) => latin1(needle.toString('utf8')) },
  { name: 'utf-16le', encode: (needle) => utf16(needle, false) },
  { name: 'utf-16be', encode: (needle) => utf16(needle, true) },
  { name: 'hex', encode: (needle) => latin1(needle.toString('hex')) },
  { name: 'hex-upper', encode: (needle) => latin1(needle.toString('hex').toUpperCase()) },
  { name: 'base64+0', encode: (needle) => base64At(needle, 0, false) },
  { name: 'base64+1', encode: (needle) => base64At(needle, 1, false) },
  { name: 'base64+2', encode: (needle) => base64At(needle, 2, false) },
  { name: 'base64url+0', encode: (needle) => base64At(needle, 0, true) },
  { name: 'base64url+1', encode: (needle) => base64At(needle, 1, true) },
  { name: 'base64url+2', encode: (needle) => base64At(needle, 2, true) },
  { name: 'json', encode: jsonEscaped },
  { name: 'json-utf8', encode: (needle) => Buffer.from(JSON.stringify(needle.toString('utf8')).slice(1, -1)) },
  { name: 'url', encode: (needle) => percent(needle, false) },
  { name: 'url-all', encode: (needle) => percent(needle, true) },
  { name: 'clone-list', encode: cloneList },
  { name: 'byte-list', encode: (needle) => latin1([...needle].join(',')) },
];
