/**
 * Searches bytes for secrets, whole or in 12-byte pieces, in every encoding, also inside what zlib, gzip or raw deflate had
 * packed, and with the blanks taken out. Says how much it looked at: a search of nothing proves nothing.
 */
import { brotliDecompressSync, inflateRawSync, inflateSync } from 'node:zlib';
import { ENCODINGS, SPREADABLE, TEXT_ONLY, WIDE } from './encodings.ts';

/** A secret is found when any run of this many bytes of one of its encodings is there. */
export const PIECE_BYTES = 12;
const INFLATE_LIMIT_BYTES = 64 * 1024 * 1024;

const HASH_BITS = 20;
const hashOf = (head: number): number => Math.imul(head, 0x9e3779b1) >>> (32 - HASH_BITS);

export interface Needle {
  readonly name: string;
  /** 16 bytes or more. */
  readonly bytes: Buffer;
  /** Text is looked for in every form; key bytes in those that make sense for bytes. */
  readonly kind: 'text' | 'key';
  /** How long a run must be, where 12 bytes are not like no other's: a word of a public list is in the app's own files. */
  readonly pieceBytes?: number;
}

export interface Find {
  readonly place: string;
  readonly needle: string;
  readonly encoding: string;
  readonly offset: number;
}

interface Piece {
  readonly bytes: Buffer;
  readonly needle: string;
  readonly encoding: string;
}

export class Searcher {
  readonly #pieces = new Map<number, Piece[]>();
  /** A mark per hash of the first four bytes, to leave most positions after one look-up. */
  readonly #first = new Uint8Array(1 << HASH_BITS);
  searchedBytes = 0;
  pieces = 0;

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.bytes.length < 16) throw new Error(`needle ${needle.name} is too short to be told from chance`);
      for (const encoding of ENCODINGS) {
        if (needle.kind === 'key' && TEXT_ONLY.has(encoding.name)) continue;
        const encoded = encoding.encode(needle.bytes);
        if (encoding.name !== 'raw' && encoded.equals(needle.bytes)) continue;
        this.#add(needle.name, encoding.name, encoded, needle.pieceBytes ?? PIECE_BYTES);
      }
    }
  }

  /** Every needle and encoding found in `bytes`, once each. */
  search(place: string, bytes: Buffer): Find[] {
    const found = new Map<string, Find>();
    this.#scan(place, '', bytes, found);
    for (const [packing, unpacked] of unpack(bytes)) this.#scan(place, `${packing}:`, unpacked, found);
    this.#scan(place, 'spaced:', withoutBlanks(bytes), found);
    if (bytes.includes(0)) this.#scan(place, 'wide:', withoutZeros(bytes), found);
    return [...found.values()];
  }

  #scan(place: string, prefix: string, bytes: Buffer, found: Map<string, Find>): void {
    this.searchedBytes += bytes.length;
    const last = bytes.length - PIECE_BYTES;
    const first = this.#first;
    let head = last < 0 ? 0 : bytes.readInt32LE(0) << 8;
    for (let at = 0; at <= last; at++) {
      head = (head >>> 8) | ((bytes[at + 3] as number) << 24);
      if (first[hashOf(head)] === 0) continue;
      const candidates = this.#pieces.get(head | 0);
      if (candidates === undefined) continue;
      for (const piece of candidates) {
        const end = at + piece.bytes.length;
        if (end > bytes.length || piece.bytes.compare(bytes, at, end) !== 0) continue;
        const isAscii = SPREADABLE.has(piece.encoding) || (prefix === 'wide:' && WIDE.has(piece.encoding));
        if ((prefix === 'spaced:' || prefix === 'wide:') && !isAscii) continue;
        const encoding = prefix + piece.encoding;
        const key = `${piece.needle}\0${encoding}`;
        if (!found.has(key)) found.set(key, { place, needle: piece.needle, encoding, offset: at });
      }
    }
  }

  #add(needle: string, encoding: string, bytes: Buffer, length: number): void {
    for (let at = 0; at + length <= bytes.length; at++) {
      const piece = bytes.subarray(at, at + length);
      const head = piece.readInt32LE(0);
      const same = this.#pieces.get(head);
      if (same?.some((other) => other.bytes.equals(piece) && other.needle === needle)) continue;
      const entry = { bytes: piece, needle, encoding };
      if (same === undefined) this.#pieces.set(head, [entry]);
      else same.push(entry);
      this.#first[hashOf(head)] = 1;
      this.pieces++;
    }
  }
}

/** What lies packed in `bytes`: every zlib and gzip stream by its header, and the whole as raw deflate or brotli. */
function* unpack(bytes: Buffer): Generator<[string, Buffer]> {
  const options = {
    maxOutputLength: INFLATE_LIMIT_BYTES,
    finishFlush: 2 /* Z_SYNC_FLUSH: a cut stream still yields */,
  };
  for (let at = 0; at + 2 < bytes.length; at++) {
    const isZlib = bytes[at] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(bytes[at + 1] as number);
    const isGzip = bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 0x08;
    if (!isZlib && !isGzip) continue;
    const packed = bytes.subarray(at);
    const unpacked = attempt(() =>
      isZlib ? inflateSync(packed, options) : inflateRawSync(packed.subarray(gzipHeaderLength(packed)), options),
    );
    if (unpacked !== undefined) yield [isZlib ? 'zlib' : 'gzip', unpacked];
  }
  const raw = attempt(() => inflateRawSync(bytes, options));
  if (raw !== undefined) yield ['deflate', raw];
  const brotli = attempt(() => brotliDecompressSync(bytes, { maxOutputLength: INFLATE_LIMIT_BYTES }));
  if (brotli !== undefined) yield ['brotli', brotli];
}

/** Blanks, tabs and line breaks taken out, also where each character has 16 bits. */
function withoutBlanks(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (const byte of bytes) {
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9 && byte !== 0) kept[length++] = byte;
  }
  return kept.subarray(0, length);
}

/** As browsers keep strings in 16 bits a character: what is plain ASCII stands there with a zero after each. */
function withoutZeros(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (const byte of bytes) if (byte !== 0) kept[length++] = byte;
  return kept.subarray(0, length);
}

/** RFC 1952: ten bytes, then the optional extra field, name, comment and checksum that the flags announce. */
function gzipHeaderLength(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  let length = 10;
  if (flags & 4) length += 2 + bytes.readUInt16LE(length);
  if (flags & 8) length = bytes.indexOf(0, length) + 1;
  if (flags & 16) length = bytes.indexOf(0, length) + 1;
  return flags & 2 ? length + 2 : length;
}

function attempt(run: () => Buffer): Buffer | undefined {
  try {
    const bytes = run();
    return bytes.length >= PIECE_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}
