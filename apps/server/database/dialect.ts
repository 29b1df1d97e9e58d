/**
 * Kysely over `node:sqlite`: Kysely's own SQLite dialect wants the shape of another driver, so this is that shape and
 * nothing more. The file is ours; every value goes through bound parameters.
 */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type Dialect, SqliteDialect } from 'kysely';

/** How long a writer waits for another program that has the file. */
export const BUSY_TIMEOUT_MS = 5000;

/**
 * WAL lets the operator's tool read while the server writes. `synchronous=FULL`, because an answered write must survive
 * a power cut (`RecordStore`: durable when the promise resolves); NORMAL would only promise a consistent file. What is
 * deleted is overwritten in the file, because "removed" should mean removed.
 */
const WRITER_SETTINGS = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma foreign_keys = on;
  pragma secure_delete = on;
  pragma busy_timeout = ${BUSY_TIMEOUT_MS};
  pragma cache_size = -8000;
`;

const NOTHING_DONE = { changes: 0, lastInsertRowid: 0 };

/** @throws the driver's own error when the file cannot be opened; `openDatabase` names it */
export function openSqlite(file: string, options: { readOnly: boolean }): { sqlite: DatabaseSync; dialect: Dialect } {
  const sqlite = new DatabaseSync(file, { readOnly: options.readOnly });
  try {
    sqlite.exec(options.readOnly ? `pragma busy_timeout = ${BUSY_TIMEOUT_MS}` : WRITER_SETTINGS);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  // A full disk makes SQLite roll back by itself; a second rollback would hide that error behind its own.
  const isUndone = (sql: string) => sql === 'rollback' && !sqlite.isTransaction;
  const dialect = new SqliteDialect({
    database: {
      close: () => sqlite.close(),
      prepare(sql) {
        const statement = sqlite.prepare(sql);
        return {
          reader: statement.columns().length > 0,
          all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
          run: (parameters) => (isUndone(sql) ? NOTHING_DONE : statement.run(...(parameters as SQLInputValue[]))),
          iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
        };
      },
    },
  });
  return { sqlite, dialect };
}
