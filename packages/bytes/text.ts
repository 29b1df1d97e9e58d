/**
 * Strict text encodings of bytes. One value has one spelling: wrong padding, wrong case, stray characters and non-zero
 * spare bits are errors (`bytes-bad-encoding`), so that a digest or id cannot be written in two ways.
 */
import { BytesError } from './error.ts';

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE64URL = `${BASE64.slice(0, 62)}-_`;
const NO_VALUE = 0xff;
/** What each ASCII character stands for in an alphabet: evidence holds long texts, and looking each one up is slow. */
const VALUES: Record<string, Uint8Array> = { [BASE64]: valuesOf(BASE64), [BASE64URL]: valuesOf(BASE64URL) };
const HEX = '0123456789abcdef';
const HEX_VALUES = valuesOf(HEX);
const HEX_CODES = Uint8Array.from(HEX, (digit) => digit.charCodeAt(0));
const ASCII = new TextDecoder('latin1');
/** Up to here (ids, digests, keys) a call with a code an argument is twice as quick as a decoder. */
const SHORT_BYTES = 64;

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(NO_VALUE);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

function badEncoding(name: string): BytesError {
  return new BytesError('bytes-bad-encoding', `not canonical ${name}`);
}

/**
 * Lower-case hex. In one piece: a text that is joined from its digits takes ten times the memory for as long as it lives, and a
 * history of years has a million ids and digests.
 */
export function encodeHex(bytes: Uint8Array): string {
  const codes = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    codes[2 * i] = HEX_CODES[byte >> 4] as number;
    codes[2 * i + 1] = HEX_CODES[byte & 15] as number;
  }
  if (bytes.length > SHORT_BYTES) return ASCII.decode(codes);
  return String.fromCharCode.apply(null, codes as unknown as number[]);
}

/** @throws BytesError unless `text` is lower-case hex of an even length (and of `expectedBytes` bytes, when given). */
export function parseHex(text: string, expectedBytes?: number): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0) throw badEncoding('hex');
  if (expectedBytes !== undefined && text.length !== expectedBytes * 2) throw badEncoding('hex of the expected length');
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = HEX_VALUES[text.charCodeAt(2 * i)] ?? NO_VALUE;
    const low = HEX_VALUES[text.charCodeAt(2 * i + 1)] ?? NO_VALUE;
    if (high === NO_VALUE || low === NO_VALUE) throw badEncoding('hex');
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

function encode64(bytes: Uint8Array, alphabet: string, padded: boolean): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = Math.min(3, bytes.length - i);
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let j = 0; j <= left; j++) text += alphabet[(group >> (18 - 6 * j)) & 63] as string;
    if (padded && left < 3) text += '='.repeat(3 - left);
  }
  return text;
}

function parse64(text: string, alphabet: string, padded: boolean, name: string): Uint8Array<ArrayBuffer> {
  if (padded && text.length % 4 !== 0) throw badEncoding(name);
  const body = padded ? text.replace(/={1,2}$/, '') : text;
  if (body.length % 4 === 1) throw badEncoding(name);
  const bytes = new Uint8Array(Math.floor((body.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  const values = VALUES[alphabet] as Uint8Array;
  for (let i = 0; i < body.length; i++) {
    const value = values[body.charCodeAt(i)] ?? NO_VALUE;
    if (value === NO_VALUE) throw badEncoding(name);
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
      bits &= (1 << held) - 1;
    }
  }
  if (bits !== 0) throw badEncoding(name);
  return bytes;
}

/** RFC 4648 base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return encode64(bytes, BASE64, true);
}

/** @throws BytesError unless `text` is canonical padded base64. */
export function parseBase64(text: string): Uint8Array<ArrayBuffer> {
  return parse64(text, BASE64, true, 'base64');
}

/** RFC 4648 base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode64(bytes, BASE64URL, false);
}

/** @throws BytesError unless `text` is canonical unpadded base64url. */
export function parseBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return parse64(text, BASE64URL, false, 'base64url');
}

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
}

/** @throws BytesError when the bytes are not well-formed UTF-8; a byte order mark is kept. */
export function parseUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badEncoding('UTF-8');
  }
}
