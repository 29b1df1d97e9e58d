/**
 * What a person is looking for (spec/client.md "Search"): words that must all occur, "phrases", and beginnings of words.
 * A query is typed by anyone; it is cut to a size that can be answered, never refused.
 */
import { eachTerm, UNSPACED } from './terms.ts';

/** One place of a phrase. */
export interface Slot {
  readonly term: string;
  /** Any word that begins so. */
  readonly isPrefix: boolean;
  /** Words after the first one of the phrase. */
  readonly offset: number;
}

/** Slots that stand beside each other; most phrases have one. */
export type Phrase = readonly Slot[];

const QUERY_LIMIT = 1_000;
export const PHRASE_LIMIT = 16;
export const SLOT_LIMIT = 64;
const ENDS_IN_WORD = /[\p{L}\p{N}\p{M}]$/u;

/**
 * Every phrase must occur. Quotes hold words together; a `*` after a word asks for its beginning only.
 *
 * @param asTyped the person may still be typing: the last word counts as a beginning
 * @returns [] where the text holds no word
 */
export function parseQuery(text: string, { asTyped = false } = {}): readonly Phrase[] {
  const phrases: Phrase[] = [];
  let slotCount = 0;
  const pieces = text.slice(0, QUERY_LIMIT).split(/["“”„«»]/);
  for (const [index, piece] of pieces.entries()) {
    // An odd number of quotes before it: within them.
    const chunks = index % 2 === 1 ? [piece] : piece.split(/\s+/);
    for (const [at, chunk] of chunks.entries()) {
      const isLast = index === pieces.length - 1 && at === chunks.length - 1;
      const phrase = phraseOf(chunk, chunk.endsWith('*') || (asTyped && isLast && ENDS_IN_WORD.test(chunk)));
      if (phrase.length === 0) continue;
      // CL-250: without it one long query would keep the device busy for minutes.
      if (phrases.length >= PHRASE_LIMIT || slotCount >= SLOT_LIMIT) return phrases;
      const cut = phrase.slice(0, SLOT_LIMIT - slotCount);
      slotCount += cut.length;
      phrases.push(cut);
    }
  }
  return phrases;
}

function phraseOf(text: string, isPrefix: boolean): Phrase {
  const found: Slot[] = [];
  eachTerm(text, (term, offset) => found.push({ term, isPrefix: false, offset }));
  const slots = found.filter((slot, index) => !isSaidBy(found[index - 1], slot));
  const last = slots.at(-1);
  if (last === undefined) return [];
  return [...slots.slice(0, -1), { ...last, isPrefix: isPrefix || isUnspaced(last.term, 1) }];
}

/** The character that ends a run of pairs is in the pair before it; in the text looked for, the run may go on. */
function isSaidBy(before: Slot | undefined, { term }: Slot): boolean {
  return before !== undefined && isUnspaced(term, 1) && isUnspaced(before.term, 2) && before.term.endsWith(term);
}

function isUnspaced(term: string, characters: number): boolean {
  return [...term].length === characters && UNSPACED.test(term);
}
