/** Writes a ZIP file of stored (not compressed) entries, in the order given; names and contents are ours. What it holds lies in blobs, outside our memory. */
import { encodeUtf8 } from '@sotto/bytes';
import { Crc32 } from './crc32.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const VERSION = 20;
/** The name is UTF-8. */
const UTF8_FLAG = 0x0800;
/** 1 January 1980: when an export was made stands inside it. */
const DATE = 0x0021;
/** Beyond it numbers are kept elsewhere, in a larger kind of ZIP. */
const LIMIT_BYTES = 0xffff0000;
const LIMIT_ENTRIES = 65_000;

export class ZipWriter {
  readonly #parts: Blob[] = [];
  readonly #directory: Bytes[] = [];
  #offset = 0;

  /** @returns false where the file has no room for it: then nothing of it was added, nor where `content` throws */
  async add(name: string, content: Iterable<Bytes> | AsyncIterable<Bytes>): Promise<boolean> {
    const sum = new Crc32();
    const parts: Blob[] = [];
    let size = 0;
    for await (const piece of content) {
      sum.add(piece);
      parts.push(new Blob([piece]));
      size += piece.length;
      if (this.#offset + size > LIMIT_BYTES) return false;
    }
    if (this.#directory.length >= LIMIT_ENTRIES) return false;
    const nameBytes = encodeUtf8(name);
    // What the local header and the directory say alike.
    const common = fields(
      [2, VERSION],
      [2, UTF8_FLAG],
      [2, 0],
      [2, 0],
      [2, DATE],
      [4, sum.value],
      [4, size],
      [4, size],
      [2, nameBytes.length],
      [2, 0],
    );
    const more = fields([2, 0], [2, 0], [2, 0], [4, 0], [4, this.#offset]);
    this.#directory.push(new Uint8Array([...fields([4, 0x02014b50], [2, VERSION]), ...common, ...more, ...nameBytes]));
    this.#parts.push(new Blob([fields([4, 0x04034b50]), common, nameBytes]), ...parts);
    this.#offset += 4 + common.length + nameBytes.length + size;
    return true;
  }

  finish(): Blob {
    const count = this.#directory.length;
    const size = this.#directory.reduce((sum, { length }) => sum + length, 0);
    const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, this.#offset], [2, 0]);
    return new Blob([...this.#parts, ...this.#directory, end], { type: 'application/zip' });
  }
}

/** Little-endian numbers of 2 or 4 bytes. */
function fields(...numbers: readonly (readonly [size: 2 | 4, value: number])[]): Bytes {
  const bytes = new Uint8Array(numbers.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return bytes;
}
