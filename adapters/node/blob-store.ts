/**
 * `BlobStore` as files: `FOLDER/owner/blob/part`, for the server's own user alone. A write is whole or absent (written aside, flushed,
 * renamed, folders flushed). What is in the files is sealed; who owns this user account sees their sizes and times.
 */
import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SottoError } from '@sotto/bytes';
import type { BlobPart, BlobStore } from '@sotto/ports';
import { flushFolder, writeWhole } from './whole-file.ts';

export type BlobStoreErrorCode = 'store-full' | 'store-unavailable';

export class BlobStoreError extends SottoError<BlobStoreErrorCode> {
  constructor(code: BlobStoreErrorCode, cause: unknown) {
    const full = code === 'store-full';
    super(code, full ? 'the disk is full' : 'the folder for files cannot be read or written', {
      action: 'retry',
      cause,
    });
  }
}

const ID = /^[0-9a-f]{32}$/;
const PART = /^[0-9]{1,6}$/;

/** @param folder made with mode 0700 at the first write */
export function createFileBlobStore(folder: string): BlobStore {
  const folderOf = (ownerId: string, blobId: string) => join(folder, nameOf(ID, ownerId), nameOf(ID, blobId));
  const fileOf = ({ ownerId, blobId, part }: BlobPart) => join(folderOf(ownerId, blobId), nameOf(PART, String(part)));

  return {
    put: (name, bytes) =>
      named(async () => {
        const file = fileOf(name);
        const inside = folderOf(name.ownerId, name.blobId);
        const made = await mkdir(inside, { recursive: true, mode: 0o700 });
        await writeWhole(file, bytes);
        await flushFolder(inside);
        if (made === undefined) return;
        await flushFolder(join(folder, name.ownerId));
        await flushFolder(folder);
      }),
    get: (name) => named(async () => new Uint8Array(await readFile(fileOf(name))), undefined),
    sizes: (ownerId, blobId) =>
      named(async () => {
        const inside = folderOf(ownerId, blobId);
        const parts = (await readdir(inside)).filter((part) => PART.test(part));
        const sizes = parts.map(async (part) => [Number(part), (await stat(join(inside, part))).size] as const);
        return new Map(await Promise.all(sizes));
      }, new Map()),
    remove: (ownerId, blobId) =>
      named(async () => {
        await rm(folderOf(ownerId, blobId), { recursive: true, force: true });
        await flushFolder(join(folder, ownerId));
        // Only an empty one goes.
        await rmdir(join(folder, ownerId)).catch(() => undefined);
      }, undefined),
    async *list() {
      for (const ownerId of await names(folder)) {
        for (const blobId of await names(join(folder, ownerId))) {
          const written = await named(() => stat(join(folder, ownerId, blobId)), undefined);
          if (written !== undefined) yield { ownerId, blobId, writtenAtMs: written.mtimeMs };
        }
      }
    },
  };
}

function names(folder: string): Promise<string[]> {
  return named(async () => (await readdir(folder)).filter((name) => ID.test(name)), []);
}

/** Names come from requests; one of another form could leave the folder. */
function nameOf(form: RegExp, name: string): string {
  if (!form.test(name)) throw new BlobStoreError('store-unavailable', new TypeError('a name of another form'));
  return name;
}

/** Turns the system's errors into ours. @param absent what it gives where the file or folder is not there */
async function named<Result, Absent = Result>(
  work: () => Promise<Result>,
  ...absent: [Absent?]
): Promise<Result | Absent> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SottoError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && absent.length > 0) return absent[0] as Absent;
    throw new BlobStoreError(code === 'ENOSPC' || code === 'EDQUOT' ? 'store-full' : 'store-unavailable', error);
  }
}
