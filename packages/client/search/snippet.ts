/** The piece of a text in which what was looked for stands, and what of it to mark (spec/client.md "Search"). */
import { type Phrase, parseQuery, type Slot } from './query.ts';
import { eachTerm } from './terms.ts';

export interface SnippetPart {
  readonly text: string;
  readonly isMarked: boolean;
}

interface Place {
  readonly position: number;
  readonly start: number;
  readonly end: number;
  /** Which of the slots of the query it fills. */
  readonly slots: readonly number[];
}

/** Characters before the first word that is marked. */
const BEFORE = 40;
const LENGTH = 180;
/** Of Markdown: they say nothing in a line of text. */
const SIGNS = /\*\*|`{3}\w*|#{2,}\s/g;
/** Of a long text only the beginning is looked through for marks: the rest is not drawn either. */
const TEXT_LIMIT = 100_000;
/** Words that are weighed against each other: in a text that is nothing but what was looked for, the first of them will do. */
const PLACE_LIMIT = 1_000;

/**
 * @param asTyped as it was asked
 * @returns the densest piece of about 180 characters, on one line; the beginning of the text where nothing in it matches
 */
export function makeSnippet(text: string, query: string, { asTyped = false } = {}): readonly SnippetPart[] {
  const phrases = parseQuery(query, { asTyped });
  const places = placesOf(text.slice(0, TEXT_LIMIT), phrases);
  const first = densest(places);
  const [from, to] = bounds(text, first === undefined ? 0 : (places[first] as Place).start - BEFORE);
  const parts: SnippetPart[] = [];
  const add = (piece: string, isMarked: boolean) => {
    const flat = piece.replace(SIGNS, '').replace(/\s+/g, ' ');
    const last = parts.at(-1);
    if (last?.isMarked === isMarked) parts[parts.length - 1] = { text: last.text + flat, isMarked };
    else if (flat !== '') parts.push({ text: flat, isMarked });
  };
  if (from > 0) add('… ', false);
  let at = from;
  for (const { start, end } of places) {
    if (start < at && end > at) add(text.slice(at, Math.min(end, to)), true);
    else if (start >= at && start < to) {
      add(text.slice(at, start), false);
      add(text.slice(start, Math.min(end, to)), true);
    } else continue;
    at = Math.min(end, to);
  }
  add(text.slice(at, to), false);
  if (to < text.length) add(' …', false);
  return parts;
}

/** The words of the text that are part of what was found. */
function placesOf(text: string, phrases: readonly Phrase[]): readonly Place[] {
  const slots = phrases.flat();
  const found: Place[] = [];
  eachTerm(text, (term, position, start, end) => {
    if (found.length === PLACE_LIMIT) return;
    const filled = slots.flatMap((slot, index) => (fills(slot, term) ? [index] : []));
    if (filled.length > 0) found.push({ position, start, end, slots: filled });
  });
  const byPosition = new Map(found.map((place) => [place.position, place]));
  let first = 0;
  const kept = new Set<Place>();
  for (const phrase of phrases) {
    for (const place of found) {
      const together = phrase.map(({ offset }) => byPosition.get(place.position + offset));
      if (!together.every((one, index) => one?.slots.includes(first + index))) continue;
      for (const one of together) if (one !== undefined) kept.add(one);
    }
    first += phrase.length;
  }
  return found.filter((place) => kept.has(place));
}

function fills({ term, isPrefix }: Slot, word: string): boolean {
  return isPrefix ? word.startsWith(term) : word === term;
}

/** The place from which a piece holds the most different words that were looked for. */
function densest(places: readonly Place[]): number | undefined {
  let best: number | undefined;
  let most = 0;
  for (const [index, place] of places.entries()) {
    const slots = new Set<number>();
    for (let at = index; at < places.length; at++) {
      const each = places[at] as Place;
      if (each.end - place.start > LENGTH - BEFORE) break;
      for (const slot of each.slots) slots.add(slot);
    }
    if (slots.size > most) [best, most] = [index, slots.size];
  }
  return best;
}

/** A piece that begins and ends between words where one is near. */
function bounds(text: string, wanted: number): readonly [from: number, to: number] {
  if (wanted <= 0) return [0, wordEnd(text, LENGTH)];
  const space = text.slice(wanted, wanted + BEFORE).search(/\s/);
  const from = space < 0 ? wholeCharacter(text, wanted) : wanted + space + 1;
  return [from, wordEnd(text, from + LENGTH)];
}

function wordEnd(text: string, wanted: number): number {
  if (wanted >= text.length) return text.length;
  const space = text.lastIndexOf(' ', wanted);
  return space > wanted - BEFORE ? space : wholeCharacter(text, wanted);
}

/** `at`, or one less where that would part a character. */
function wholeCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000 ? at - 1 : at;
}
