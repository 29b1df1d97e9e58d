/**
 * Small values that can be erased for good: one file each in the origin's private file system. A value deleted from
 * IndexedDB stays in the database's files until the browser compacts them (measured: a guest's key was still in the
 * profile after the database was deleted); a removed file leaves no copy in any file of the profile. Where a browser
 * lacks the private file system, values go to `fallback`, and only that weaker erasure holds (docs/known-gaps.md).
 */
import { encodeHex, encodeUtf8 } from '@sotto/bytes';
import type { DeviceStore } from '@sotto/ports';
import { BrowserError } from './error.ts';

const FOLDER = 'erasable';

export async function createErasableStore(fallback: DeviceStore): Promise<DeviceStore> {
  let folder: FileSystemDirectoryHandle;
  try {
    folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    if (!('createWritable' in FileSystemFileHandle.prototype)) return fallback;
  } catch {
    return fallback;
  }
  const nameOf = (key: string) => encodeHex(encodeUtf8(key));
  return {
    get: async (key) => {
      try {
        const file = await (await folder.getFileHandle(nameOf(key))).getFile();
        return new Uint8Array(await file.arrayBuffer());
      } catch (cause) {
        if (isAbsent(cause)) return undefined;
        throw storeError(cause);
      }
    },
    set: async (key, value) => {
      try {
        // Written beside the old file and put in its place when closed: a value is never half there.
        const writable = await (await folder.getFileHandle(nameOf(key), { create: true })).createWritable();
        await writable.write(value);
        await writable.close();
      } catch (cause) {
        throw storeError(cause);
      }
    },
    delete: async (key) => {
      try {
        await folder.removeEntry(nameOf(key));
      } catch (cause) {
        if (!isAbsent(cause)) throw storeError(cause);
      }
    },
  };
}

function isAbsent(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'NotFoundError';
}

function storeError(cause: unknown): BrowserError {
  const isFull = cause instanceof DOMException && cause.name === 'QuotaExceededError';
  return new BrowserError(isFull ? 'store-full' : 'store-unavailable', cause);
}
