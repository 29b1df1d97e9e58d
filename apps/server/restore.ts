/**
 * `sotto admin restore`: puts a backup into a data folder that holds no account. The file may have been changed or cut since it
 * was written: it is copied, judged as a copy, made ready, and takes its place in one step. spec/server.md §backup and restore.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createFileBlobStore } from '@sotto/adapters-node/blob-store';
import { Kysely } from 'kysely';
import { BACKUP_MARK, DIGEST_BYTES, digestOf, syncFolder } from './backup.ts';
import { databaseLength, readFiles } from './backup-files.ts';
import { openSqlite } from './database/dialect.ts';
import { MIGRATIONS, migrate } from './database/migrations.ts';
import { BLOBS_FOLDER, DATABASE_FILE, isStoreFull } from './database/open.ts';
import type { Database } from './database/schema.ts';
import { StartError } from './errors.ts';

/** Above every number that an account can have been given since the backup. */
const SEQUENCE_STEP = 2 ** 32;
/** No program knows this version, so none takes a retired file for its database (SV-27). */
const RETIRED_VERSION = 2 ** 31;
const SQLITE_BUSY = 5;
const SIDE_FILES = ['-wal', '-journal'];

/** What a restore means, for whoever did it. */
export const RESTORE_WORDS: readonly string[] = [
  'The data folder now holds what the server held when the backup was made, and nothing that was written since.',
  'Files that go with chats are back as they were then; one that was being sent is sent again by its device.',
  'Devices that have seen something newer will say so: history-rolled-back (rule VA-104). That is right; tell people that you restored.',
  'What they wrote since stands on their devices at most. What they removed since is here again, sealed; a device that remembers the removal removes it again.',
  'Passkeys and other locks removed since the backup are back; whoever removed one because it was lost must remove it again.',
  'Accounts removed since the backup are back, sealed; whoever removed one must remove it again.',
  'Everybody is signed out.',
];

/**
 * @throws StartError `backup-unreadable`, `backup-damaged`, `database-newer`, `server-running`, `restore-over-data`,
 * `data-unwritable` or `data-full`
 */
export async function restore(file: string, dataDir: string): Promise<void> {
  const target = join(dataDir, DATABASE_FILE);
  const partial = `${target}.restore-${process.pid}`;
  const files = `${partial}-files`;
  const blobs = join(dataDir, BLOBS_FOLDER);
  let old: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    copyVerified(file, partial);
    const end = statSync(partial).size;
    const start = Math.min(await databaseLength(partial), end);
    cutTo(partial, start);
    await makeReady(partial);
    await restoreFiles(file, partial, files, start, end);
    old = takeDatabase(target);
    const isTaken = existsSync(blobs) && readdirSync(blobs).length > 0;
    // SV-86: files whose database was moved away would be removed as nobody's
    if (isTaken) throw new StartError('restore-over-data');
    retire(old);
    // Before the database: rows without their files would be a loss, files without rows are not.
    rmSync(blobs, { recursive: true, force: true });
    if (existsSync(files)) renameSync(files, blobs);
    renameSync(partial, target);
    old.exec('commit');
    syncFolder(dataDir);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new StartError(code === 'ENOSPC' || isStoreFull(error) ? 'data-full' : 'data-unwritable', error);
  } finally {
    old?.close();
    for (const name of [partial, ...SIDE_FILES.map((end) => partial + end), `${partial}-shm`])
      rmSync(name, { force: true });
    rmSync(files, { recursive: true, force: true });
  }
}

/** From the backup itself into a folder beside its place: each part is judged by a row of the copy, whoever writes to the backup. */
async function restoreFiles(file: string, partial: string, files: string, start: number, end: number): Promise<void> {
  const copy = new DatabaseSync(partial, { readOnly: true });
  try {
    await readFiles(copy, createFileBlobStore(files), file, start, end);
  } finally {
    copy.close();
  }
}

function cutTo(file: string, length: number): void {
  const handle = openSync(file, 'r+');
  try {
    ftruncateSync(handle, length);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Copies while it hashes: what is judged afterwards is the copy, which nobody else writes to. */
function copyVerified(file: string, partial: string): void {
  let source: number;
  try {
    source = openSync(file, 'r');
  } catch (error) {
    throw new StartError('backup-unreadable', error);
  }
  const copy = openSync(partial, 'wx', 0o600);
  try {
    const end = Math.max(0, fstatSync(source).size - BACKUP_MARK.length - DIGEST_BYTES);
    const { digest } = digestOf(source, end, (piece) => writeSync(copy, piece));
    const trailer = Buffer.alloc(BACKUP_MARK.length + DIGEST_BYTES);
    readSync(source, trailer, 0, trailer.length, end);
    const whole = trailer.equals(Buffer.concat([Buffer.from(BACKUP_MARK), digest]));
    // SV-84: a flipped byte in a record would be handed out as that record; a cut file lacks acknowledged ones.
    if (!whole) throw new StartError('backup-damaged');
    fsyncSync(copy);
  } finally {
    closeSync(copy);
    closeSync(source);
  }
}

/** Judges the copy, and takes out what must not come back. */
async function makeReady(partial: string): Promise<void> {
  const { sqlite } = judged(() => openSqlite(partial, { readOnly: false }));
  try {
    const version = judged(() => Number(sqlite.prepare('select max(version) as v from migrations').get()?.v));
    // SV-84: an older program cannot know what a newer one's rows mean.
    if (version > MIGRATIONS.length) throw new StartError('database-newer');
    const expected = await schemaOfVersion(version);
    // SV-84: a trigger or a column that no migration made is somebody else's program in our database.
    if (JSON.stringify(schemaOf(sqlite)) !== JSON.stringify(expected)) throw new StartError('backup-damaged');
    const sound = judged(() => sqlite.prepare('pragma integrity_check(1)').get()?.integrity_check) === 'ok';
    // SV-84: SQLite would find the damage only when the row is asked for.
    if (!sound) throw new StartError('backup-damaged');
    const orphans = sqlite.prepare('pragma foreign_key_check').all().length;
    // SV-84: a row of an account that is not there belongs to nobody, and nobody could have it removed.
    if (orphans > 0) throw new StartError('backup-damaged');
    sqlite.exec('begin');
    sqlite.exec('delete from sessions; delete from challenges');
    sqlite.exec(`update accounts set last_sequence = last_sequence + ${SEQUENCE_STEP}`);
    sqlite.exec('commit');
    sqlite.exec('pragma journal_mode = delete');
  } finally {
    sqlite.close();
  }
  const handle = openSync(partial, 'r+');
  fsyncSync(handle);
  closeSync(handle);
}

function judged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new StartError('backup-damaged', error);
  }
}

function schemaOf(sqlite: DatabaseSync): unknown[] {
  return judged(() => sqlite.prepare('select type, name, tbl_name, sql from sqlite_master order by type, name').all());
}

async function schemaOfVersion(version: number): Promise<unknown[]> {
  const { sqlite, dialect } = openSqlite(':memory:', { readOnly: false });
  const db = new Kysely<Database>({ dialect });
  try {
    await migrate(
      db,
      0,
      MIGRATIONS.filter((migration) => migration.version <= version),
    );
    return schemaOf(sqlite);
  } finally {
    await db.destroy();
  }
}

/**
 * Takes the database in the folder for this process alone, so that no server starts on it meanwhile; an absent one is made,
 * empty, so that there is something to take. @returns it, locked; whoever opens it now waits
 */
function takeDatabase(target: string): DatabaseSync {
  const leftover = !existsSync(target) && SIDE_FILES.some((end) => existsSync(target + end));
  // SV-86: SQLite would play what a moved-away database left behind into the restored one.
  if (leftover) throw new StartError('restore-over-data');
  closeSync(openSync(target, 'a', 0o600));
  const sqlite = new DatabaseSync(target);
  try {
    const locked = lock(sqlite);
    // SV-85: a running server would go on writing into a file that is no longer the database, and answer "saved".
    if (!locked) throw new StartError('server-running');
    const held = holdsPeople(sqlite);
    // SV-86: which of two states is newer nobody can tell for sure, because a removal leaves no time.
    if (held) throw new StartError('restore-over-data');
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** A program that has the database open holds a lock that leaving WAL mode needs. The journal is in memory: no file of it may stay behind. */
function lock(sqlite: DatabaseSync): boolean {
  try {
    sqlite.exec('pragma journal_mode = delete; pragma journal_mode = memory; begin exclusive');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw new StartError('restore-over-data', error);
  }
}

function holdsPeople(sqlite: DatabaseSync): boolean {
  const tables = sqlite.prepare("select name from sqlite_master where type = 'table'").all();
  if (tables.length === 0) return false;
  if (!tables.some(({ name }) => name === 'accounts')) return true;
  return sqlite.prepare('select 1 from accounts limit 1').get() !== undefined;
}

/** A server that opened this file before the rename, and waits, must not begin to write into what is no longer the database. */
function retire(sqlite: DatabaseSync): void {
  sqlite.exec('create table if not exists migrations (version bigint primary key, name text, applied_at_ms bigint)');
  sqlite.exec(`insert or replace into migrations values (${RETIRED_VERSION}, 'replaced by a restore', 0)`);
}
