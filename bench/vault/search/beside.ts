/** What search could have been made of instead, over the same messages and queries. */
import MiniSearch from 'minisearch';
import { documentsOf, madeConversations, madeQueries } from './searching.ts';

export interface BesideFigures {
  readonly buildMs: number;
  readonly megabytes: number;
  readonly queryMs: readonly number[];
}

/** minisearch, all of it in memory. @returns the index as well, for whoever reads the memory that it takes */
export function measureMiniSearch(messages: number, now: () => number): { figures: BesideFigures; index: object } {
  const index = new MiniSearch<{ id: string; text: string }>({ fields: ['text'] });
  let buildMs = 0;
  for (const conversation of madeConversations(messages)) {
    const documents = documentsOf(conversation);
    const startMs = now();
    index.addAll(documents.map(({ id, text }) => ({ id, text })));
    buildMs += now() - startMs;
  }
  const queryMs = madeQueries().map((query) => {
    const isPrefix = query.endsWith('*');
    const startMs = now();
    // It knows no phrases: all of their words is the nearest it has.
    index.search(query.replace(/["*]/g, ''), { combineWith: 'AND', prefix: isPrefix });
    return now() - startMs;
  });
  const megabytes = JSON.stringify(index).length / 1e6;
  return { figures: { buildMs, megabytes, queryMs }, index };
}
