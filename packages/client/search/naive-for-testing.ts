/** The slow twin of the index: reads every message for every query (search.test.ts). */
import type { SearchDocument } from './build.ts';
import { type Phrase, parseQuery } from './query.ts';
import { eachTerm } from './terms.ts';
import type { SearchRequest } from './types.ts';

const MONTH_SECONDS = 30 * 86_400;

export interface NaiveDocument extends SearchDocument {
  readonly conversationId: string;
}

/** Ids of all that match, best first; equal scores in any order. */
export function naiveSearch(
  documents: readonly NaiveDocument[],
  { text, asTyped = false, filters = {} }: Omit<SearchRequest, 'limit'>,
  nowMs: number,
): readonly { readonly id: string; readonly score: number }[] {
  const phrases = parseQuery(text, { asTyped });
  if (phrases.length === 0) return [];
  const worded = documents.map((document) => ({ document, fields: fieldsOf(document) }));
  const lengthOf = (fields: readonly (readonly string[])[]) => fields.reduce((sum, field) => sum + field.length, 0);
  const average = Math.max(worded.reduce((sum, { fields }) => sum + lengthOf(fields), 0) / worded.length, 1);
  const weights = phrases.map((phrase) =>
    phrase.reduce((sum, slot) => {
      const held = worded.filter(({ fields }) => count(fields, [{ ...slot, offset: 0 }]) > 0).length;
      return sum + Math.log(1 + (documents.length - held + 0.5) / (held + 0.5));
    }, 0),
  );
  return worded
    .filter(({ document }) => passes(document, filters))
    .map(({ document, fields }) => {
      const times = phrases.map((phrase) => count(fields, phrase));
      const damping = 1.2 * (0.25 + (0.75 * lengthOf(fields)) / average);
      const relevance = times.reduce(
        (sum, each, at) => sum + ((weights[at] as number) * each * 2.2) / (each + damping),
        0,
      );
      const age = Math.max(nowMs / 1000 - Math.floor(document.createdAtMs / 1000), 0);
      return { id: document.id, score: relevance * (1 + 2 ** (-age / MONTH_SECONDS)), times };
    })
    .filter(({ times }) => times.every((each) => each > 0))
    .sort((a, b) => b.score - a.score);
}

function passes(document: NaiveDocument, filters: NonNullable<SearchRequest['filters']>): boolean {
  const second = Math.floor(document.createdAtMs / 1000);
  return (
    (filters.kinds?.includes(document.kind) ?? true) &&
    second >= Math.floor((filters.fromMs ?? 0) / 1000) &&
    1000 * second <= (filters.toMs ?? Number.POSITIVE_INFINITY) &&
    (filters.conversationIds?.includes(document.conversationId) ?? true) &&
    (filters.hasFile ?? document.fileNames.length > 0) === document.fileNames.length > 0
  );
}

function fieldsOf({ text, fileNames }: SearchDocument): string[][] {
  return [text, ...fileNames].map((field) => {
    const terms: string[] = [];
    eachTerm(field, (term) => terms.push(term));
    return terms;
  });
}

function count(fields: readonly (readonly string[])[], phrase: Phrase): number {
  let times = 0;
  for (const field of fields) {
    for (let start = 0; start < field.length; start++) {
      const isHere = phrase.every(({ term, isPrefix, offset }) => {
        const word = field[start + offset];
        return word !== undefined && (isPrefix ? word.startsWith(term) : word === term);
      });
      if (isHere) times++;
    }
  }
  return times;
}
