/** What a running process of ours holds, byte for byte, where the system lets us read it. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 8 * 1024 * 1024;
/** A secret that lies across two chunks is in both readings. */
const OVERLAP_BYTES = 4096;
const PAGE_BYTES = 4096;
const ZEROS = Buffer.alloc(PAGE_BYTES);

/** Every writable page that holds something, in runs. Yields nothing where the system refuses. */
export function* readMemory(pid: number): Generator<Buffer, void, undefined> {
  let file: number;
  try {
    file = openSync(`/proc/${pid}/mem`, 'r');
  } catch {
    return;
  }
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      const end = Number.parseInt(to, 16);
      for (let at = Number.parseInt(from, 16); at < end; at += CHUNK_BYTES) {
        const bytes = Buffer.allocUnsafe(Math.min(CHUNK_BYTES + OVERLAP_BYTES, end - at));
        yield* present(bytes.subarray(0, readAt(file, bytes, at)));
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The runs of pages that are not all zeros. */
function* present(bytes: Buffer): Generator<Buffer, void, undefined> {
  let from = -1;
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const page = bytes.subarray(at, at + PAGE_BYTES);
    const isEmpty = page.equals(ZEROS.subarray(0, page.length));
    if (isEmpty && from >= 0) {
      yield bytes.subarray(from, at + PAGE_BYTES);
      from = -1;
    } else if (!isEmpty && from < 0) from = at;
  }
  if (from >= 0) yield bytes.subarray(from);
}

function readAt(file: number, bytes: Buffer, at: number): number {
  try {
    return readSync(file, bytes, 0, bytes.length, at);
  } catch {
    return 0;
  }
}
