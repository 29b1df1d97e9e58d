/**
 * What one device shows and a person types on the other where there is no camera (spec/vault.md, "Device link"). It only
 * brings the two together and is no secret: the digits that the person compares decide.
 *
 *     code       = 8 symbols of the recovery code's alphabet: 35 random bits and a check symbol, such as `7KQF-2M9D`
 *     check      = Σ (2i + 1) · value(i) mod 32 over the first seven, i from 0
 *     mailbox id = first 16 bytes of SHA-256("sotto/link/short-code/v1" ‖ the eight symbols)
 */
import { encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';
import { VaultError } from '../error.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LOOK_ALIKES: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1', U: 'V' };
const LABEL = encodeUtf8('sotto/link/short-code/v1');
const DATA_SYMBOLS = 7;
const TEXT_LIMIT = 64;

/** As eight symbols without a hyphen. */
export type ShortCode = string & { readonly kind: 'short-code' };

export function createShortCode(random: Random): ShortCode {
  const values = [...random.bytes(DATA_SYMBOLS)].map((byte) => byte & 31);
  return [...values, checkOf(values)].map((value) => ALPHABET[value]).join('') as ShortCode;
}

/** In two groups of four, to be read aloud or copied by hand. */
export function spellShortCode(code: ShortCode): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** Forgiving as a recovery code's reader is. @throws VaultError `link-code-typo` */
export function parseShortCode(text: string): ShortCode {
  const typed = text
    .slice(0, TEXT_LIMIT)
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}\p{Cf}.,_·•]/gu, '');
  const symbols = [...typed].map((one) => LOOK_ALIKES[one] ?? one);
  const values = symbols.map((one) => ALPHABET.indexOf(one));
  const isWhole = values.length === DATA_SYMBOLS + 1 && !values.includes(-1);
  // VA-180: a mistyped code waits ten minutes for nobody
  if (!isWhole || checkOf(values) !== values[DATA_SYMBOLS]) throw new VaultError('link-code-typo', 'VA-180');
  return symbols.join('') as ShortCode;
}

/** 16 bytes. */
export function mailboxOfShortCode(code: ShortCode): Uint8Array<ArrayBuffer> {
  return sha256(LABEL, encodeUtf8(code)).slice(0, 16);
}

/** Odd weights: any one wrong symbol is noticed, and any swap of neighbours whose values are not 16 apart. */
function checkOf(values: readonly number[]): number {
  return values.slice(0, DATA_SYMBOLS).reduce((sum, value, index) => sum + (2 * index + 1) * value, 0) % 32;
}
