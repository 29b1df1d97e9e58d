/**
 * The few operations on the kernel's file trees that collecting needs, as a port: a test puts a folder of its own in their
 * place. Whoever owns the host chooses what is read here; every size is capped.
 */
import { constants, mkdir, open, rmdir } from 'node:fs/promises';

type Bytes = Uint8Array<ArrayBuffer>;

export interface TeeFiles {
  makeFolder(path: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  /** The whole content; rejects when it is longer than the limit. */
  read(path: string, limitBytes: number): Promise<Bytes>;
  /** In one write: the kernel takes what one write brings for the whole value. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/** On the real trees. Attributes say nothing true about their size, so they are read to their end. */
export const nodeTeeFiles: TeeFiles = {
  makeFolder: (path) => mkdir(path),
  removeFolder: (path) => rmdir(path),
  async read(path, limitBytes) {
    const file = await open(path, constants.O_RDONLY);
    try {
      const bytes = new Uint8Array(limitBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        if (bytesRead === 0) return bytes.slice(0, length);
        length += bytesRead;
        if (length > limitBytes) throw new RangeError('longer than the limit');
      }
    } finally {
      await file.close();
    }
  },
  async write(path, bytes) {
    const file = await open(path, constants.O_WRONLY);
    try {
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length) throw new RangeError('written in part');
    } finally {
      await file.close();
    }
  },
};
