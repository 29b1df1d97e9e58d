/**
 * The sealed files of a backup: their parts stand behind the database, one after the other in the order of their rows, and nothing else
 * says where each begins. A restore checks every one by the digest in its row.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { BlobStore } from '@sotto/ports';
import { StartError } from './errors.ts';

interface PartRow {
  readonly account_id: string;
  readonly blob_id: string;
  readonly part: number;
  readonly digest: string;
  readonly bytes: number;
}

/** Of a copied database: only whole files, and how much they are. */
const KEEP_WHOLE = `
  delete from blobs where committed = 0;
  update accounts set blob_bytes =
    (select coalesce(sum(bytes), 0) from blob_parts where blob_parts.account_id = accounts.account_id);
`;

/**
 * Writes the parts of every whole file into `file`, and takes the others out of the copied database: what was begun and not finished
 * (its device sends it again), what was removed since the database was copied, and what the disk has spoiled.
 *
 * @returns how many files are in the backup, and how many of the disk's were spoiled
 */
export async function writeFiles(
  copy: DatabaseSync,
  blobs: BlobStore,
  file: string,
): Promise<{ files: number; spoiled: number }> {
  const handle = await open(file, 'wx', 0o600);
  let [files, spoiled, end] = [0, 0, 0];
  try {
    const whole = copy.prepare(
      'select account_id, blob_id from blobs where committed = 1 order by account_id, blob_id',
    );
    for (const blob of whole.all() as { account_id: string; blob_id: string }[]) {
      const length = await appendFile(copy, blobs, handle, end, blob);
      if (typeof length === 'number') {
        end += length;
        files++;
        continue;
      }
      if (length === 'spoiled') spoiled++;
      copy.prepare('delete from blobs where account_id = ? and blob_id = ?').run(blob.account_id, blob.blob_id);
    }
    await handle.truncate(end);
    copy.exec(KEEP_WHOLE);
  } finally {
    await handle.close();
  }
  return { files, spoiled };
}

async function appendFile(
  copy: DatabaseSync,
  blobs: BlobStore,
  handle: FileHandle,
  start: number,
  { account_id, blob_id }: { account_id: string; blob_id: string },
): Promise<number | 'removed' | 'spoiled'> {
  const rows = copy
    .prepare('select * from blob_parts where account_id = ? and blob_id = ? order by part')
    .all(account_id, blob_id) as unknown as PartRow[];
  let length = 0;
  for (const { part, digest } of rows) {
    const bytes = await blobs.get({ ownerId: account_id, blobId: blob_id, part });
    if (bytes === undefined) return 'removed';
    // SV-76: a spoiled part would pass for the file until somebody opens it, and take the place of a good backup
    if (encodeHex(sha256(bytes)) !== digest) return 'spoiled';
    await handle.write(bytes, 0, bytes.length, start + length);
    length += bytes.length;
  }
  return length;
}

/**
 * Puts the parts of a backup into a store, each judged by its row.
 *
 * @param file the backup, or a copy of it
 * @param start where its database ends
 * @throws StartError `backup-damaged`
 */
export async function readFiles(
  copy: DatabaseSync,
  blobs: BlobStore,
  file: string,
  start: number,
  end: number,
): Promise<void> {
  const isThere = copy.prepare("select 1 from sqlite_master where name = 'blob_parts'").get() !== undefined;
  const rows = (
    isThere ? copy.prepare('select * from blob_parts order by account_id, blob_id, part').all() : []
  ) as unknown[];
  const total = (rows as PartRow[]).reduce((sum, { bytes }) => sum + bytes, start);
  // SV-76: bytes that no row names, or rows without their bytes
  if (total !== end) throw new StartError('backup-damaged');
  const handle = await open(file, 'r');
  let at = start;
  try {
    for (const { account_id, blob_id, part, digest, bytes } of rows as PartRow[]) {
      const read = new Uint8Array(bytes);
      await handle.read(read, 0, bytes, at);
      at += bytes;
      // SV-76: another file's part, where rows were changed
      if (encodeHex(sha256(read)) !== digest) throw new StartError('backup-damaged');
      await blobs.put({ ownerId: account_id, blobId: blob_id, part }, read);
    }
  } finally {
    await handle.close();
  }
}

/** Appends one file to another. */
export async function append(from: string, to: string): Promise<void> {
  const handle = await open(to, 'a');
  try {
    for await (const piece of createReadStream(from)) await handle.write(piece as Buffer);
  } finally {
    await handle.close();
  }
}

/** The length of the database at the beginning of a file, by its own header; 0 where there is none. */
export async function databaseLength(file: string): Promise<number> {
  const handle = await open(file, 'r');
  try {
    const header = Buffer.alloc(100);
    const { bytesRead } = await handle.read(header, 0, header.length, 0);
    if (bytesRead < header.length || !header.subarray(0, 16).equals(Buffer.from('SQLite format 3\0'))) return 0;
    const pageSize = header.readUInt16BE(16);
    return (pageSize === 1 ? 65_536 : pageSize) * header.readUInt32BE(28);
  } finally {
    await handle.close();
  }
}
