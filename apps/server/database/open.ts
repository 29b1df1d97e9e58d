/** Opens the server's one database file, and turns the driver's failures into ours. */
import { chmodSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { ServerError, StartError } from '../errors.ts';
import { BUSY_TIMEOUT_MS, openSqlite } from './dialect.ts';
import { migrate } from './migrations.ts';
import type { Database } from './schema.ts';

export const DATABASE_FILE = 'sotto.sqlite';
/** Sealed files, beside the database. */
export const BLOBS_FOLDER = 'blobs';

const SQLITE_READONLY = 8;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** @throws StartError `data-unwritable`, `database-damaged`, `database-newer` or `store-full` */
export async function openDatabase(
  dataDir: string,
  nowMs: number,
): Promise<{ db: Kysely<Database>; sqlite: DatabaseSync }> {
  let db: Kysely<Database> | undefined;
  try {
    closeToOthers(join(dataDir, DATABASE_FILE));
    const { sqlite, dialect } = openSqlite(join(dataDir, DATABASE_FILE), { readOnly: false });
    db = new Kysely<Database>({ dialect });
    await migrate(db, nowMs);
    return { db, sqlite };
  } catch (error) {
    await db?.destroy();
    const primary = sqliteCode(error);
    if (primary === SQLITE_READONLY || primary === SQLITE_CANTOPEN) throw new StartError('data-unwritable', error);
    if (primary === SQLITE_NOTADB) throw new StartError('database-damaged', error);
    if (isStoreFull(error)) throw new StartError('data-full', error);
    throw error;
  }
}

/** The folder may be one that others can open. SQLite gives its side files the mode of the database (SV-42). */
function closeToOthers(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  } catch {
    // What is wrong with the file or its folder, opening the database says.
  }
}

/**
 * Moves what stands in the log of writes into the database and empties the log: it holds what was removed since, as it was.
 * SV-43: a removed record would lie in it until enough was written after it, or for ever. Whoever reads at this moment is not
 * waited for: the next time does it. A disk that is full is met by the next write, which says so.
 */
export function emptyWriteLog(sqlite: DatabaseSync): void {
  try {
    sqlite.exec('pragma busy_timeout = 0');
    sqlite.exec('pragma wal_checkpoint(truncate)');
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
  } finally {
    sqlite.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
  }
}

/** For the operator's tool, beside a running server. @throws StartError `data-unreadable` */
export function openDatabaseReadOnly(dataDir: string): Kysely<Database> {
  try {
    return new Kysely<Database>({ dialect: openSqlite(join(dataDir, DATABASE_FILE), { readOnly: true }).dialect });
  } catch (error) {
    throw new StartError('data-unreadable', error);
  }
}

/** The disk, or the database's own limit, has no room for this write. */
export function isStoreFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_FULL;
}

/** What a request that met this error answers. */
export function storeErrorOf(error: unknown): ServerError | undefined {
  if (sqliteCode(error) === undefined) return undefined;
  return new ServerError(isStoreFull(error) ? 'store-full' : 'store-unavailable', error);
}

function sqliteCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}
