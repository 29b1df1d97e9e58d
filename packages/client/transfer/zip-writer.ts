/** Writes a ZIP file of stored (not compressed) entries, in the order given; names and contents are ours. */
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { crc32 } from './crc32.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const VERSION = 20;
/** The name is UTF-8. */
const UTF8_FLAG = 0x0800;
/** 1 January 1980: when an export was made stands inside it. */
const DATE = 0x0021;

export function writeZip(entries: readonly ZipEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const nameBytes = encodeUtf8(name);
    // What the local header and the directory say alike.
    const common = fields(
      [2, VERSION],
      [2, UTF8_FLAG],
      [2, 0],
      [2, 0],
      [2, DATE],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, nameBytes.length],
      [2, 0],
    );
    directory.push(
      fields([4, 0x02014b50], [2, VERSION]),
      common,
      fields([2, 0], [2, 0], [2, 0], [4, 0], [4, offset]),
      nameBytes,
    );
    parts.push(fields([4, 0x04034b50]), common, nameBytes, bytes);
    offset += 4 + common.length + nameBytes.length + bytes.length;
  }
  const directoryBytes = concatBytes(...directory);
  const end = fields(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, entries.length],
    [2, entries.length],
    [4, directoryBytes.length],
    [4, offset],
    [2, 0],
  );
  return concatBytes(...parts, directoryBytes, end);
}

/** Little-endian numbers of 2 or 4 bytes. */
function fields(...numbers: readonly (readonly [size: 2 | 4, value: number])[]): Uint8Array<ArrayBuffer> {
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
