/** SQLite's own full text search, native: what it would be at best, before WebAssembly and a sealed file make it slower. */
import { DatabaseSync } from 'node:sqlite';
import type { BesideFigures } from './beside.ts';
import { documentsOf, madeConversations, madeQueries } from './searching.ts';

/** Words only, without the texts. */
export function measureSqlite(messages: number): BesideFigures {
  const database = new DatabaseSync(':memory:');
  database.exec(
    `CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2")`,
  );
  const insert = database.prepare('INSERT INTO words(rowid, text) VALUES (?, ?)');
  let buildMs = 0;
  let row = 0;
  for (const conversation of madeConversations(messages)) {
    const documents = documentsOf(conversation);
    const startMs = performance.now();
    database.exec('BEGIN');
    for (const { text } of documents) insert.run(++row, text);
    database.exec('COMMIT');
    buildMs += performance.now() - startMs;
  }
  const select = database.prepare('SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 30');
  const queryMs = madeQueries().map((query) => {
    select.all(query);
    const startMs = performance.now();
    select.all(query);
    return performance.now() - startMs;
  });
  const size = database
    .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size')
    .get();
  database.close();
  return { buildMs, megabytes: Number(size?.bytes) / 1e6, queryMs };
}
