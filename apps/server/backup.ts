/**
 * `sotto admin backup`: a copy of the database and of the sealed files beside it, taken while the server runs. The file is a SQLite
 * database without side files, the parts of the sealed files (backup-files.ts), a mark and the SHA-256 of all that stands before it, so
 * that a restore notices every changed or missing byte.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createFileBlobStore } from '@sotto/adapters-node/blob-store';
import { append, writeFiles } from './backup-files.ts';
import { openSqlite } from './database/dialect.ts';
import { BLOBS_FOLDER, DATABASE_FILE } from './database/open.ts';
import { StartError } from './errors.ts';

/** Sixteen bytes before the digest. */
export const BACKUP_MARK = 'sotto-backup-v1\n';
export const DIGEST_BYTES = 32;
const PIECE_BYTES = 1024 * 1024;

export interface BackedUp {
  /** Sealed files in the backup. */
  readonly files: number;
  /** Sealed files that the disk has spoiled, and that are not in it. */
  readonly spoiled: number;
}

/**
 * Writes everything that was answered before this call, and nothing that was removed before it.
 *
 * @throws StartError `backup-exists`, `backup-unwritable`, `data-unreadable` or `database-damaged`
 */
export async function backUp(dataDir: string, file: string): Promise<BackedUp> {
  // SV-82: writing over the only good backup would lose it at the moment when it is needed.
  if (existsSync(file)) throw new StartError('backup-exists');
  const partial = `${file}.partial-${process.pid}`;
  const parts = `${partial}-files`;
  try {
    closeSync(openSync(partial, 'wx', 0o600));
  } catch (error) {
    throw new StartError('backup-unwritable', error);
  }
  try {
    copyDatabase(dataDir, partial);
    const copied = await copyFiles(dataDir, partial, parts);
    sealFile(partial);
    renameSync(partial, file);
    syncFolder(dirname(file));
    return copied;
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError('backup-unwritable', error);
  } finally {
    rmSync(partial, { force: true });
    rmSync(parts, { force: true });
  }
}

async function copyFiles(dataDir: string, partial: string, parts: string): Promise<BackedUp> {
  const copy = new DatabaseSync(partial);
  let copied: BackedUp;
  try {
    copy.exec('pragma journal_mode = memory; pragma foreign_keys = on; pragma secure_delete = on');
    const isThere = copy.prepare("select 1 from sqlite_master where name = 'blobs'").get() !== undefined;
    if (!isThere) return { files: 0, spoiled: 0 };
    copied = await writeFiles(copy, createFileBlobStore(join(dataDir, BLOBS_FOLDER)), parts);
  } finally {
    copy.close();
  }
  await append(parts, partial);
  return copied;
}

/** A vacuumed copy holds the rows of one moment and no page that was freed: what was removed is in no byte of it (SV-83). */
function copyDatabase(dataDir: string, target: string): void {
  let sqlite: ReturnType<typeof openSqlite>['sqlite'];
  try {
    ({ sqlite } = openSqlite(join(dataDir, DATABASE_FILE), { readOnly: true }));
  } catch (error) {
    throw new StartError('data-unreadable', error);
  }
  try {
    const sound = sqlite.prepare('pragma integrity_check(1)').get()?.integrity_check === 'ok';
    // SV-82: a copy of a broken database would pass for a backup until the day of the restore.
    if (!sound) throw new StartError('database-damaged');
    sqlite.prepare('vacuum into ?').run(target);
  } finally {
    sqlite.close();
  }
}

function sealFile(file: string): void {
  const handle = openSync(file, 'r+');
  try {
    const { digest, length } = digestOf(handle);
    writeSync(handle, Buffer.concat([Buffer.from(BACKUP_MARK), digest]), 0, BACKUP_MARK.length + DIGEST_BYTES, length);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Reads from the beginning to `end` or to the end of the file, in pieces. @param each receives every piece, valid during the call */
export function digestOf(
  handle: number,
  end = Number.POSITIVE_INFINITY,
  each: (piece: Uint8Array) => void = () => undefined,
): { digest: Buffer; length: number } {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(PIECE_BYTES);
  let length = 0;
  while (length < end) {
    const count = readSync(handle, buffer, 0, Math.min(PIECE_BYTES, end - length), length);
    if (count === 0) break;
    hash.update(buffer.subarray(0, count));
    each(buffer.subarray(0, count));
    length += count;
  }
  return { digest: hash.digest(), length };
}

/** Makes a new name in the folder survive a power cut. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
