/**
 * The words of a text as the index knows them (spec/client.md "Search"): case and accents folded, scripts without spaces as
 * overlapping pairs of characters. Texts are a person's or a model's; every text has its words, none is refused.
 */

/** Code units; a longer word is several words of this length. */
const TERM_LIMIT = 64;

const SEPARATOR = 1;
const WORD = 2;
/** Cut into pairs. */
const PAIRED = 3;
/** Belongs to whatever it stands in: accents, and signs that are not seen. */
const JOINER = 4;

const IS_JOINER = /\p{Mn}|\u00ad|[\u200b-\u200d]|\u2060/u;
const IS_WORD = /[\p{L}\p{N}\p{M}]/u;
/** A character of a script that puts no spaces between words. */
export const UNSPACED =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Yi}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}]/u;
/**
 * Accents of Latin, Greek and Cyrillic, points of Hebrew, vowels of Arabic, and signs without a width. Marks of other scripts
 * stay: there they are letters.
 */
const LEFT_OUT = new RegExp(
  `[${[
    ['\u00ad', '\u00ad'],
    ['\u0300', '\u036f'],
    ['\u0591', '\u05c7'],
    ['\u0610', '\u061a'],
    ['\u0640', '\u0640'],
    ['\u064b', '\u065f'],
    ['\u0670', '\u0670'],
    ['\u06d6', '\u06ed'],
    ['\u1ab0', '\u1aff'],
    ['\u1dc0', '\u1dff'],
    ['\u200b', '\u200d'],
    ['\u2060', '\u2060'],
    ['\u20d0', '\u20ff'],
    ['\ufe00', '\ufe0f'],
    ['\ufe20', '\ufe2f'],
  ]
    .map(([from, to]) => `${from}-${to}`)
    .join('')}]`,
  'g',
);
/** Letters that people look for by another one and that Unicode does not take apart. */
const LIKE: Readonly<Record<string, string>> = {
  ß: 'ss',
  ς: 'σ',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
};
const HAS_LIKE = /[ßςıæœøłđðþ]/g;

/** What each code unit is, found out when it is first seen. */
const kinds = new Uint8Array(65_536);

/** @param start and @param end where it stands in the text, in code units */
export type VisitTerm = (term: string, position: number, start: number, end: number) => void;

/**
 * Visits the words of a text in order; positions count them from 0.
 *
 * @returns the position after the last one
 */
export function eachTerm(text: string, visit: VisitTerm): number {
  let position = 0;
  let start = 0;
  let run = SEPARATOR;
  const finish = (end: number) => {
    if (run === WORD) position = words(text.slice(start, end), position, start, end, visit);
    if (run === PAIRED) position = pairs(text.slice(start, end), position, start, end, visit);
    run = SEPARATOR;
  };
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at);
    const isPair = unit >= 0xd800 && unit < 0xdc00 && at + 1 < text.length;
    const kind = isPair ? kindOf(String.fromCodePoint(text.codePointAt(at) as number)) : kindOfUnit(unit);
    if (kind !== run && kind !== JOINER) {
      if (run !== SEPARATOR) finish(at);
      run = kind;
      start = at;
    }
    at += isPair ? 2 : 1;
  }
  finish(text.length);
  return position;
}

/** Case and accents away, compatible spellings made one: what differs only in them is the same word. */
export function foldWord(word: string): string {
  if (isAscii(word)) return word.toLowerCase();
  // Lower case before as well: some letters come apart only then, others only after.
  const folded = word.toLowerCase().normalize('NFKD').replace(LEFT_OUT, '').normalize('NFC').toLowerCase();
  return folded.replace(HAS_LIKE, (letter) => LIKE[letter] as string).toWellFormed();
}

function words(raw: string, position: number, start: number, end: number, visit: VisitTerm): number {
  const folded = foldWord(raw);
  let next = position;
  for (let from = 0; from < folded.length; ) {
    const to = cutAt(folded, from + TERM_LIMIT);
    visit(folded.slice(from, to), next++, start, end);
    from = to;
  }
  return next;
}

/** "abc" as "ab", "bc", "c": the last character alone too, so that each one begins a term. */
function pairs(raw: string, position: number, start: number, end: number, visit: VisitTerm): number {
  const folded = [...foldWord(raw)];
  const sizes = [...raw].map(({ length }) => length);
  const isSame = sizes.length === folded.length;
  let at = start;
  for (const [index, character] of folded.entries()) {
    const following = folded[index + 1] ?? '';
    const from = isSame ? at : start;
    if (isSame) at += sizes[index] as number;
    const to = isSame ? at + (following === '' ? 0 : (sizes[index + 1] as number)) : end;
    visit(character + following, position + index, from, to);
  }
  return position + folded.length;
}

/** `at`, or one less where that would part a character. */
function cutAt(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before < 0xdc00 ? at - 1 : at;
}

function isAscii(word: string): boolean {
  for (let i = 0; i < word.length; i++) if (word.charCodeAt(i) > 127) return false;
  return true;
}

function kindOfUnit(unit: number): number {
  const known = kinds[unit] as number;
  if (known !== 0) return known;
  const kind = kindOf(String.fromCharCode(unit));
  kinds[unit] = kind;
  return kind;
}

function kindOf(character: string): number {
  if (!IS_WORD.test(character)) return IS_JOINER.test(character) ? JOINER : SEPARATOR;
  if (UNSPACED.test(character)) return PAIRED;
  return IS_JOINER.test(character) ? JOINER : WORD;
}
