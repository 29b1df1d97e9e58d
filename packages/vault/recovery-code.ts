/**
 * Recovery codes (spec/vault.md, "Recovery code"): 128 random bits that a person writes down and types again, years
 * later, from bad handwriting. 26 symbols of 5 bits (2 bits version, 128 bits secret) and 2 check symbols over GF(32):
 * any one or two wrong symbols, and any two swapped ones, are noticed. What is typed is forgiven case, spacing and
 * look-alikes. The code's secret is never sent; the server gets values derived from it.
 */
import { encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import type { Random } from '@sotto/ports';
import { VaultError } from './error.ts';
import { LockSecret } from './keys.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LOOK_ALIKES: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1', U: 'V' };
const SECRET_BYTES = 16;
const DATA_SYMBOLS = 26;
const SYMBOLS = 28;
const GROUP_SYMBOLS = 4;
const VERSION = 0n;
/** Longest text that is looked at: a code with generous spacing. */
const TEXT_LIMIT = 256;
/** A phrase (phrase/phrase.ts) spells two symbols a word. */
export const PHRASE_WORDS = SYMBOLS / 2;
/** Longest text that is looked at: a phrase with numbers and generous spacing. */
export const PHRASE_TEXT_LIMIT = 512;

/** A new code, to be shown once, and what it derives. */
export interface RecoveryCode {
  /** Seven groups of four, such as `0ABC-…`. */
  readonly code: string;
  readonly recovery: Recovery;
}

/** What a recovery code derives; none of it depends on the account, so that it can be looked up first. */
export interface Recovery {
  /** 16 bytes: finds the account on the server. */
  readonly lookupId: Bytes;
  /** 32 bytes: proves the code to the server, which keeps `recoveryVerifier` of it. */
  readonly authenticator: Bytes;
  /** Opens the lock; never leaves the device. The KEK itself is bound to account, lock and epoch (lock.ts). */
  readonly kek: LockSecret;
}

/** A parsed code: 16 secret bytes that are not shown when it is printed. */
export class RecoverySecret {
  readonly #bytes: Bytes;

  constructor(bytes: Uint8Array) {
    // VA-48: fewer bits could be guessed
    if (bytes.length !== SECRET_BYTES) throw new VaultError('key-malformed', 'VA-48');
    this.#bytes = new Uint8Array(bytes);
  }

  /** Lookup id, authenticator and KEK: three labels, so that knowing one tells nothing of another. */
  derive(): Recovery {
    const derive = (use: string, lengthBytes: number) =>
      hkdfSha256(this.#bytes, new Uint8Array(0), encodeUtf8(`sotto/vault/recovery-${use}/v1`), lengthBytes);
    return {
      lookupId: derive('lookup', 16),
      authenticator: derive('authenticator', 32),
      kek: new LockSecret(derive('kek', 32)),
    };
  }

  /** The one canonical spelling. */
  spell(): string {
    const text = this.symbols()
      .map((symbol) => ALPHABET[symbol])
      .join('');
    return (text.match(/.{4}/g) as string[]).join('-');
  }

  /** 28 values of 5 bits, the two of the check among them: what a code and a phrase spell. */
  symbols(): readonly number[] {
    const symbols = toSymbols(this.#bytes);
    return [...symbols, ...checkSymbols(symbols)];
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** Makes a new code of 128 random bits. */
export function createRecoveryCode(random: Random): RecoveryCode {
  const secret = new RecoverySecret(random.bytes(SECRET_BYTES));
  return { code: secret.spell(), recovery: secret.derive() };
}

/**
 * Reads a code as a person types it: any case, spaces, hyphens and dots anywhere, O for 0, I and L for 1, U for V,
 * full-width letters.
 *
 * @throws VaultError `recovery-code-character`, `recovery-code-length`, `recovery-code-typo` (with the group, where one
 *   symbol is wrong), `recovery-code-unsupported`
 */
export function parseRecoveryCode(text: string): RecoverySecret {
  // VA-42: work on what is typed or pasted is bounded
  if (text.length > TEXT_LIMIT) throw new VaultError('recovery-code-length', 'VA-42');
  const typed = text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}\p{Cf}.,_·•]/gu, '');
  const symbols = [...typed].map((character) => ALPHABET.indexOf(LOOK_ALIKES[character] ?? character));
  // VA-43: the person is told what is wrong, before anything is sent
  if (symbols.includes(-1)) throw new VaultError('recovery-code-character', 'VA-43');
  // VA-44: a missing or doubled symbol shifts all others
  if (symbols.length !== SYMBOLS) throw new VaultError('recovery-code-length', 'VA-44');
  const [sum, weighted] = syndromes(symbols);
  // VA-45: a mistyped code would look up nothing and read as "no such account"
  if (sum !== 0 || weighted !== 0) {
    const group = groupOfSingleError(sum, weighted);
    throw new VaultError('recovery-code-typo', 'VA-45', group === undefined ? {} : { group });
  }
  return secretOfSymbols(symbols);
}

/** Whether a text is meant as a phrase (phrase/phrase.ts) and not as a code: words, with more letters than a code has symbols. */
export function looksLikePhrase(text: string): boolean {
  const words = text.slice(0, PHRASE_TEXT_LIMIT).match(/\p{L}{3,}/gu) ?? [];
  // VA-157: of 500 codes one has three letters in a row in each of its groups, and read as words it would open nothing
  if (words.join('').length <= SYMBOLS) return false;
  // Half of them may be missing, and it is still meant as one.
  return words.length >= PHRASE_WORDS / 2;
}

/** True for 28 symbols whose two check symbols fit. */
export function areChecked(symbols: readonly number[]): boolean {
  return symbols.length === SYMBOLS && syndromes(symbols).every((each) => each === 0);
}

/** @param symbols 28, checked. @throws VaultError `recovery-code-unsupported` */
export function secretOfSymbols(symbols: readonly number[]): RecoverySecret {
  const value = symbols.slice(0, DATA_SYMBOLS).reduce((bits, symbol) => (bits << 5n) | BigInt(symbol), 0n);
  // VA-46: a later kind of code derives other keys
  if (value >> 128n !== VERSION) throw new VaultError('recovery-code-unsupported', 'VA-46');
  return new RecoverySecret(fromInteger(value));
}

/** What a recovery code derives. */
export function deriveRecovery(secret: RecoverySecret): Recovery {
  return secret.derive();
}

/** What the server keeps to check an authenticator: SHA-256 of it, 32 bytes. */
export function recoveryVerifier(authenticator: Uint8Array): Bytes {
  return sha256(authenticator);
}

// Powers of a = 2 in GF(32) = GF(2)[x] / (x^5 + x^2 + 1), and their logarithms.
const POWERS: number[] = [];
const LOGARITHMS: number[] = [];
for (let exponent = 0, power = 1; exponent < 31; exponent++) {
  POWERS[exponent] = power;
  LOGARITHMS[power] = exponent;
  power = power & 16 ? ((power << 1) ^ 0b100101) & 31 : power << 1;
}

/** symbol · a^exponent */
function scale(symbol: number, exponent: number): number {
  return symbol === 0 ? 0 : (POWERS[((LOGARITHMS[symbol] as number) + exponent) % 31] as number);
}

/** A code is right where Σ c(i) = 0 and Σ c(i) · a^i = 0. */
function syndromes(symbols: readonly number[]): readonly [number, number] {
  let sum = 0;
  let weighted = 0;
  symbols.forEach((symbol, index) => {
    sum ^= symbol;
    weighted ^= scale(symbol, index);
  });
  return [sum, weighted];
}

/** Solves both sums for the last two symbols: x + y = s and x·a^26 + y·a^27 = w. */
function checkSymbols(data: readonly number[]): readonly [number, number] {
  const [sum, weighted] = syndromes(data);
  const difference = weighted ^ scale(sum, DATA_SYMBOLS);
  const inverse = 31 - (LOGARITHMS[scale(1, DATA_SYMBOLS) ^ scale(1, DATA_SYMBOLS + 1)] as number);
  const last = scale(difference, inverse);
  return [sum ^ last, last];
}

function groupOfSingleError(sum: number, weighted: number): number | undefined {
  if (sum === 0 || weighted === 0) return undefined;
  const index = ((LOGARITHMS[weighted] as number) - (LOGARITHMS[sum] as number) + 31) % 31;
  return index < SYMBOLS ? Math.floor(index / GROUP_SYMBOLS) + 1 : undefined;
}

function toSymbols(secret: Uint8Array): number[] {
  const value = secret.reduce((bits, byte) => (bits << 8n) | BigInt(byte), VERSION);
  return Array.from({ length: DATA_SYMBOLS }, (_, index) =>
    Number((value >> BigInt(5 * (DATA_SYMBOLS - 1 - index))) & 31n),
  );
}

function fromInteger(value: bigint): Bytes {
  return Uint8Array.from({ length: SECRET_BYTES }, (_, index) =>
    Number((value >> BigInt(8 * (SECRET_BYTES - 1 - index))) & 255n),
  );
}
