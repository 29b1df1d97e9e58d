/**
 * Reads chosen entries of a ZIP file that anybody may have made (spec/client.md "Taking chats along"). Only its directory and the
 * chosen entries are read; what they may unpack to is bounded by what the directory says, and that by a limit.
 */
import { parseUtf8 } from '@sotto/bytes';
import { Crc32 } from './crc32.ts';
import { TransferError } from './error.ts';
import type { TransferLimits } from './limits.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A file that the person chose, read in pieces. */
export interface ImportFile {
  readonly name: string;
  readonly sizeBytes: number;
  read(from: number, to: number): Promise<Bytes>;
}

export interface ZipItem {
  readonly name: string;
  /** As the directory says; `pieces` gives no more. */
  readonly bytes: number;
  /** @throws TransferError `zip-malformed`, `zip-unsupported`, `import-too-large` */
  read(): Promise<Bytes>;
  /** The same in pieces; whole when it ended without an error. */
  pieces(): AsyncGenerator<Bytes>;
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

const END_BYTES = 22;
const COMMENT_LIMIT = 65_535;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const PIECE_BYTES = 1024 * 1024;

/** The entries whose names are wanted, unread. @throws TransferError */
export async function openZip(
  file: ImportFile,
  isWanted: (name: string) => boolean,
  limits: TransferLimits,
): Promise<ZipItem[]> {
  const tailAt = Math.max(0, file.sizeBytes - END_BYTES - COMMENT_LIMIT);
  const tail = await file.read(tailAt, file.sizeBytes);
  const endAt = findEnd(tail);
  const end = viewOf(tail.subarray(endAt));
  const count = end.getUint16(10, true);
  const size = end.getUint32(12, true);
  const start = end.getUint32(16, true);
  // CL-284: a larger kind of ZIP keeps its numbers elsewhere; read here, they would be wrong ones
  if (count === 0xffff || start === 0xffffffff || size === 0xffffffff)
    throw new TransferError('zip-unsupported', 'CL-284');
  // CL-282: the directory is read into memory whole
  if (count > limits.entries || size > limits.directoryBytes) throw new TransferError('import-too-large', 'CL-282');
  // CL-284: a directory that lies elsewhere than it says is another file's
  if (start + size > tailAt + endAt) throw malformed();
  const entries = readDirectory(await file.read(start, start + size), count);
  return entries
    .filter(({ name }) => isWanted(name))
    .map((entry) => ({
      name: entry.name,
      bytes: entry.bytes,
      read: () => readEntry(file, entry, start, limits),
      pieces: () => piecesOf(file, entry, start, limits),
    }));
}

/** Where the last record begins: it ends with the file, comment included. */
function findEnd(tail: Bytes): number {
  const view = viewOf(tail);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    if (view.getUint16(at + 20, true) === tail.length - at - END_BYTES) return at;
  }
  throw malformed();
}

function readDirectory(bytes: Bytes, count: number): Entry[] {
  const view = viewOf(bytes);
  const entries: Entry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    // CL-284: reading on behind the directory would read a stranger's bytes as sizes
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== 0x02014b50) throw malformed();
    const nameBytes = view.getUint16(at + 28, true);
    const rest = view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    entries.push({
      name: nameOf(bytes.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += ENTRY_BYTES + nameBytes + rest;
  }
  return entries;
}

async function readEntry(file: ImportFile, entry: Entry, end: number, limits: TransferLimits): Promise<Bytes> {
  const out = new Uint8Array(Math.min(entry.bytes, limits.textBytes));
  let at = 0;
  for await (const piece of piecesOf(file, entry, end, limits)) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

async function* piecesOf(file: ImportFile, entry: Entry, end: number, limits: TransferLimits): AsyncGenerator<Bytes> {
  // CL-282: what it unpacks to is held in memory, or on the device
  if (entry.bytes > limits.textBytes || entry.packedBytes > limits.textBytes) throw tooLarge();
  // CL-284: an encrypted entry, or one packed in another way, would be read as noise
  if ((entry.flags & 1) !== 0 || (entry.method !== 0 && entry.method !== 8))
    throw new TransferError('zip-unsupported', 'CL-284');
  // CL-284: an entry inside the directory or behind it is another's bytes
  if (entry.offset + LOCAL_BYTES > end) throw malformed();
  const local = viewOf(await file.read(entry.offset, entry.offset + LOCAL_BYTES));
  const from = entry.offset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  // CL-284: as above, for what it holds
  if (local.getUint32(0, true) !== 0x04034b50 || from + entry.packedBytes > end) throw malformed();
  const packed = packedPieces(file, from, from + entry.packedBytes);
  const sum = new Crc32();
  let length = 0;
  for await (const piece of entry.method === 0 ? packed : inflate(packed)) {
    length += piece.length;
    // CL-283: a few bytes can unpack to more than any memory holds
    if (length > entry.bytes) throw new TransferError('zip-malformed', 'CL-283');
    sum.add(piece);
    yield piece;
  }
  // CL-284: half an entry, or a spoiled one, must not pass for all of somebody's chats
  if (length !== entry.bytes || sum.value !== entry.crc) throw malformed();
}

async function* packedPieces(file: ImportFile, from: number, to: number): AsyncGenerator<Bytes> {
  for (let at = from; at < to; at += PIECE_BYTES) yield await file.read(at, Math.min(to, at + PIECE_BYTES));
}

async function* inflate(packed: AsyncGenerator<Bytes>): AsyncGenerator<Bytes> {
  const source = new ReadableStream<Bytes>({
    pull: async (controller) => {
      const { done, value } = await packed.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const reader = source.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value as Bytes;
  } catch (cause) {
    throw cause instanceof TransferError ? cause : new TransferError('zip-malformed', 'CL-284', cause);
  } finally {
    // Whoever stops reading half-way lets go of the rest.
    await reader.cancel().catch(() => undefined);
  }
}

/** A name that is no text names nothing that is wanted here. */
function nameOf(bytes: Bytes): string {
  try {
    return parseUtf8(bytes);
  } catch {
    return '';
  }
}

const viewOf = (bytes: Bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const malformed = () => new TransferError('zip-malformed', 'CL-284');
const tooLarge = () => new TransferError('import-too-large', 'CL-282');
