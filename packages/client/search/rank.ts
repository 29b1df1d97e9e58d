/**
 * The order of what was found: BM25 over all segments, and what is newer first among equals (spec/client.md "Search").
 * A phrase weighs as its words together.
 */
import type { Matches } from './match.ts';
import { type Documents, documentId, type Head, kindOf } from './segment.ts';
import type { SearchHit } from './types.ts';

/** The usual constants: how much more a second occurrence says, and how much a long text is held against it. */
const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.75;
/** What was written now counts twice as much as what was written long ago; half of that is gone after a month. */
const RECENT_SECONDS = 30 * 86_400;

export interface Statistics {
  readonly documents: number;
  /** Words of all of them. */
  readonly words: number;
}

/** The weight of each phrase. @param slotDocuments of all segments, added up */
function weightsOf(slotDocuments: readonly (readonly number[])[], { documents }: Statistics): readonly number[] {
  return slotDocuments.map((slots) =>
    slots.reduce((sum, held) => sum + Math.log(1 + (documents - held + 0.5) / (held + 0.5)), 0),
  );
}

/** @param index which of the matches */
function scoreOf(
  { documents, occurrences }: Matches,
  index: number,
  table: Documents,
  weights: readonly number[],
  statistics: Statistics,
  nowSeconds: number,
): number {
  const document = documents[index] as number;
  const average = Math.max(statistics.words / Math.max(statistics.documents, 1), 1);
  const length = (table.length[document] as number) / average;
  const damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length);
  let score = 0;
  for (let phrase = 0; phrase < weights.length; phrase++) {
    const times = occurrences[index * weights.length + phrase] as number;
    score += ((weights[phrase] as number) * times * (SATURATION + 1)) / (times + damping);
  }
  const ageSeconds = Math.max(nowSeconds - (table.createdAtSeconds[document] as number), 0);
  return score * (1 + 2 ** (-ageSeconds / RECENT_SECONDS));
}

/** What one segment gave to a query. */
export interface Found {
  readonly head: Head;
  readonly matches: Matches;
}

/** The best of what was found in all segments, and how many there are. */
export function rankHits(
  found: readonly Found[],
  statistics: Statistics,
  limit: number,
  nowMs: number,
): { readonly hits: readonly SearchHit[]; readonly total: number } {
  const first = found[0]?.matches.slotDocuments ?? [];
  const slotDocuments = first.map((slots, phrase) =>
    slots.map((_, slot) => found.reduce((sum, { matches }) => sum + (matches.slotDocuments[phrase]?.[slot] ?? 0), 0)),
  );
  const weights = weightsOf(slotDocuments, statistics);
  const best: { readonly head: Head; readonly document: number; readonly score: number }[] = [];
  let total = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (const { head, matches } of found) {
    total += matches.documents.length;
    for (const [index, document] of matches.documents.entries()) {
      const score = scoreOf(matches, index, head.documents, weights, statistics, nowMs / 1000);
      if (score > least) best.push({ head, document, score });
    }
    best.sort((a, b) => b.score - a.score);
    if (best.length < limit) continue;
    // Only the best are carried on: a word of every message is in a hundred thousand of them.
    best.length = limit;
    least = best.at(-1)?.score ?? least;
  }
  return { hits: best.map(({ head, document, score }) => toHit(head, document, score)), total };
}

function toHit({ documents, conversations }: Head, document: number, score: number): SearchHit {
  return {
    conversationId: conversations[documents.conversation[document] as number]?.conversationId ?? '',
    id: documentId(documents, document),
    kind: kindOf(documents.kind[document] as number),
    createdAtMs: 1000 * (documents.createdAtSeconds[document] as number),
    score,
  };
}
