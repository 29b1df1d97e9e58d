/**
 * Recovery phrases (spec/vault.md, "Recovery phrase"): the 28 symbols of a recovery code, two and two, as fourteen words. For
 * people who write words more surely than letters. The words are loaded with this module alone.
 */
import type { Random } from '@sotto/ports';
import { VaultError } from '../error.ts';
import {
  areChecked,
  createRecoveryCode,
  PHRASE_TEXT_LIMIT,
  PHRASE_WORDS,
  parseRecoveryCode,
  type RecoverySecret,
  secretOfSymbols,
} from '../recovery-code.ts';
import { WORDS } from './words.ts';

/** Letters that tell any two words apart. */
const TELLING_LETTERS = 4;

const PLACES = new Map(WORDS.map((word, place) => [word.slice(0, TELLING_LETTERS), place]));

/** Fourteen words of 128 new random bits. */
export function createRecoveryPhrase(random: Random): string {
  return spellPhrase(parseRecoveryCode(createRecoveryCode(random).code));
}

/** The one canonical spelling: lower case, one space between words. */
export function spellPhrase(secret: RecoverySecret): string {
  const symbols = secret.symbols();
  return Array.from(
    { length: PHRASE_WORDS },
    (_, i) => WORDS[((symbols[2 * i] as number) << 5) | (symbols[2 * i + 1] as number)],
  ).join(' ');
}

/**
 * Reads a phrase as a person types it: any case, with numbers, commas, hyphens or line breaks between the words, each word
 * whole or from its first four letters on.
 *
 * @throws VaultError `recovery-phrase-length`, `recovery-phrase-word` (with the word's place from 1 as `group`),
 *   `recovery-phrase-typo`, `recovery-code-unsupported`
 */
export function parseRecoveryPhrase(text: string): RecoverySecret {
  // VA-150: work on what is typed or pasted is bounded
  if (text.length > PHRASE_TEXT_LIMIT) throw new VaultError('recovery-phrase-length', 'VA-150');
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  const places = words.map(placeOf);
  const unknown = places.indexOf(undefined);
  // VA-152: the person is told which word is none of the list, before anything is sent
  if (unknown >= 0) throw new VaultError('recovery-phrase-word', 'VA-152', { group: unknown + 1 });
  // VA-153: a word that is missing or written twice shifts all others
  if (words.length !== PHRASE_WORDS) throw new VaultError('recovery-phrase-length', 'VA-153');
  const symbols = (places as number[]).flatMap((place) => [place >> 5, place & 31]);
  // VA-154: a wrong word of the list would look up nothing and read as "no such account"
  if (!areChecked(symbols)) throw new VaultError('recovery-phrase-typo', 'VA-154');
  return secretOfSymbols(symbols);
}

/** A word's place in the list; the letters after its telling ones must be the word's own. */
function placeOf(typed: string): number | undefined {
  const place = PLACES.get(typed.slice(0, TELLING_LETTERS));
  const isOwn = place !== undefined && (WORDS[place] as string).startsWith(typed);
  // VA-152: another word with the same beginning is another word
  if (!isOwn) return undefined;
  return place;
}
