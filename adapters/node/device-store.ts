/**
 * `DeviceStore` as one file a value in a folder that only its owner may read. Values may be keys: files are 0600, and a
 * write is whole or absent (written aside, flushed, renamed, folder flushed). Who owns this user account reads them all.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeHex, encodeUtf8, SottoError } from '@sotto/bytes';
import type { DeviceStore } from '@sotto/ports';
import { flushFolder, writeWhole } from './whole-file.ts';

const KEY_LIMIT_BYTES = 100;

export type DeviceStoreErrorCode = 'device-store-full' | 'device-store-unavailable' | 'device-store-bad-key';

export class DeviceStoreError extends SottoError<DeviceStoreErrorCode> {
  constructor(code: DeviceStoreErrorCode, message: string, cause?: unknown) {
    super(code, message, { action: 'fix-input', ...(cause === undefined ? {} : { cause }) });
  }
}

/** @param folder made with mode 0700 when it does not exist */
export function createFileDeviceStore(folder: string): DeviceStore {
  return {
    async get(key) {
      try {
        return new Uint8Array(await readFile(fileOf(folder, key)));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw foreign(error);
      }
    },
    async set(key, value) {
      const file = fileOf(folder, key);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeWhole(file, value);
        await flushFolder(folder);
      } catch (error) {
        throw foreign(error);
      }
    },
    async delete(key) {
      try {
        await rm(fileOf(folder, key), { force: true });
        await flushFolder(folder);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw foreign(error);
      }
    },
  };
}

/** Hex keeps any key inside the folder and one file a key, also where file names ignore case. */
function fileOf(folder: string, key: string): string {
  const name = encodeUtf8(key);
  if (name.length === 0 || name.length > KEY_LIMIT_BYTES) {
    throw new DeviceStoreError('device-store-bad-key', 'a key has between 1 and 100 bytes');
  }
  return join(folder, encodeHex(name));
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function foreign(error: unknown): unknown {
  if (error instanceof SottoError) return error;
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DeviceStoreError('device-store-full', 'the disk is full: free some space and try again', error);
  }
  return new DeviceStoreError('device-store-unavailable', 'the folder for settings cannot be read or written', error);
}
