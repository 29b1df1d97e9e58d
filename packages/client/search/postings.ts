/**
 * Which documents of a segment hold a term, and where (spec/client.md "Search"). Numbers are little-endian base 128 with a
 * continuation bit. Made by this device and sealed; read as if by somebody else.
 *
 *     struct Block   { Entry entries[] }          terms in the order of their bytes; a long entry is continued in the next block
 *     struct Entry   { varint termBytes; byte term[]; varint documents; varint docsBytes; varint positionsBytes;
 *                      byte docs[docsBytes]; byte positions[positionsBytes] }
 *     struct Doc     { varint gapAndMore; varint countLess2 if more }    gap from the document before, from -1 at first
 *     struct Places  { varint gap[count] }        from the position before, from 0 at first
 */
import { SearchError } from './error.ts';

/** Bytes that grow. */
export class VarintWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  varint(value: number): this {
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** What was written; good until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

/** Reads what `VarintWriter` wrote. @throws SearchError `index-damaged` past the end */
export class VarintReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): number {
    const { bytes } = this;
    const first = bytes[this.at] ?? 128;
    // Most numbers are small.
    if (first < 128) {
      this.at++;
      return first;
    }
    let value = 0;
    for (let scale = 1; scale <= 2 ** 42; scale *= 128) {
      // Past the end it is undefined, which ends the number and is refused below.
      const byte = bytes[this.at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new SearchError('index-damaged');
  }

  /** Passes over the next `count` numbers. */
  skip(count: number): void {
    const { bytes } = this;
    for (let left = count; left > 0; this.at++) {
      const byte = bytes[this.at];
      if (byte === undefined) throw new SearchError('index-damaged');
      if (byte < 128) left--;
    }
  }

  view(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new SearchError('index-damaged');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** Of one term: some of its documents, ascending. */
export interface Entry {
  readonly term: Uint8Array;
  readonly documents: number;
  readonly docs: Uint8Array;
  readonly positions: Uint8Array;
}

/** The entries of a block in order. @throws SearchError `index-damaged` */
export function* readEntries(block: Uint8Array): Generator<Entry, void, undefined> {
  const reader = new VarintReader(block);
  while (!reader.isAtEnd) {
    const term = reader.view(reader.varint());
    const documents = reader.varint();
    const docsBytes = reader.varint();
    const positionsBytes = reader.varint();
    yield { term, documents, docs: reader.view(docsBytes), positions: reader.view(positionsBytes) };
  }
}

export function writeEntry(writer: VarintWriter, { term, documents, docs, positions }: Entry): void {
  writer.varint(term.length).raw(term).varint(documents).varint(docs.length).varint(positions.length);
  writer.raw(docs).raw(positions);
}

/** Visits the documents of an entry. @param documentCount of the segment @throws SearchError `index-damaged` */
export function eachDocument(
  entry: Entry,
  documentCount: number,
  visit: (document: number, occurrences: number) => void,
): void {
  const reader = new VarintReader(entry.docs);
  let document = -1;
  for (let left = entry.documents; left > 0; left--) {
    const gapAndMore = reader.varint();
    document += Math.floor(gapAndMore / 2);
    const occurrences = gapAndMore % 2 === 1 ? reader.varint() + 2 : 1;
    if (document >= documentCount) throw new SearchError('index-damaged');
    visit(document, occurrences);
  }
}

/** Collects an entry document by document. */
export class EntryWriter {
  readonly #docs = new VarintWriter();
  readonly #positions = new VarintWriter();
  #documents = 0;
  #last = -1;

  get isEmpty(): boolean {
    return this.#documents === 0;
  }

  get length(): number {
    return this.#docs.length + this.#positions.length;
  }

  /** @param document greater than the one before @param positions as written */
  add(document: number, occurrences: number, positions: Uint8Array): void {
    const gap = document - this.#last;
    this.#last = document;
    this.#documents++;
    this.#docs.varint(gap * 2 + (occurrences > 1 ? 1 : 0));
    if (occurrences > 1) this.#docs.varint(occurrences - 2);
    this.#positions.raw(positions);
  }

  /** What was collected; good until the next `add` or `clear`. */
  entry(term: Uint8Array): Entry {
    return { term, documents: this.#documents, docs: this.#docs.view(), positions: this.#positions.view() };
  }

  clear(): void {
    this.#docs.clear();
    this.#positions.clear();
    this.#documents = 0;
    this.#last = -1;
  }
}

/** The bytes of the next `count` numbers. */
export function takeVarints(reader: VarintReader, count: number): Uint8Array {
  const start = reader.at;
  reader.skip(count);
  return reader.bytes.subarray(start, reader.at);
}

/** Negative where `a` comes before `b`, by bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return bytes.length >= beginning.length && compareBytes(bytes.subarray(0, beginning.length), beginning) === 0;
}
