/**
 * A download that survives being cut: bytes are appended to `NAME.part`, the next run goes on where it ended, and only a
 * file with the right digest is renamed into place. What is half or wrong never stands under the final name.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/** Bytes of the file at `path`; 0 where there is none. */
export async function fileSize(path: string): Promise<number> {
  return stat(path).then(
    (file) => file.size,
    () => 0,
  );
}

/** SHA-256 in hex of the file at `path`. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) }))
    hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Appends what is missing of `total` bytes to `partPath`.
 *
 * @param readFrom gives the bytes from an offset on
 */
export async function fillPart(options: {
  readonly partPath: string;
  readonly total: number;
  readonly readFrom: (offset: number) => AsyncIterable<Uint8Array>;
  readonly onBytes: (done: number) => void;
}): Promise<void> {
  let done = await fileSize(options.partPath);
  if (done > options.total) {
    await rm(options.partPath);
    done = 0;
  }
  options.onBytes(done);
  if (done === options.total) return;
  const file = await open(options.partPath, 'a', 0o600);
  try {
    for await (const chunk of options.readFrom(done)) {
      await file.appendFile(chunk);
      done += chunk.length;
      options.onBytes(done);
    }
  } finally {
    await file.close();
  }
}

/** Unpacks `packedPath` into `plainPath`, never beyond `plainBytes`. */
export async function inflatePart(
  packedPath: string,
  plainPath: string,
  plainBytes: number,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(
    createReadStream(packedPath),
    createInflateRaw(),
    async function* (chunks: AsyncIterable<Buffer>) {
      let length = 0;
      for await (const chunk of chunks) {
        length += chunk.length;
        if (length > plainBytes) throw new Error('the file is longer than it says');
        yield chunk;
      }
    },
    createWriteStream(plainPath, { mode: 0o600 }),
    { signal },
  );
}

/** The file's digest is not the expected one. */
export class DigestError extends Error {}

/** Renames `partPath` to `path` when its digest is right; deletes it when not. @throws DigestError */
export async function acceptPart(
  partPath: string,
  path: string,
  expectedSha256: string,
  signal: AbortSignal,
): Promise<void> {
  if ((await sha256OfFile(partPath, signal)) !== expectedSha256) {
    await rm(partPath, { force: true });
    throw new DigestError('the file that arrived is not the one that was expected');
  }
  const file = await open(partPath, 'r');
  await file.sync().finally(() => file.close());
  await rename(partPath, path);
}
