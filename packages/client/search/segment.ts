/**
 * The head of a segment: what its documents are, and which terms begin its blocks of postings (spec/client.md "Search").
 * A segment is written once and never changed. Made by this device and sealed; read as if by somebody else.
 *
 *     struct Head { u8 version = 1; u32 documents; u32 conversations; u32 blocks;
 *                   { byte id[16]; v16 covered } conversations[]; v16 firstTerms[blocks];
 *                   byte ids[16 × documents]; u32 conversation[]; u32 createdAtSeconds[]; u32 hash[]; u16 length[]; u8 kind[] }
 *
 * `covered` names the state of the conversation that the index holds, as its source names it; empty where that is not known.
 */
import { ByteReader, ByteWriter, encodeHex, encodeUtf8, parseHex, parseUtf8, SottoError } from '@sotto/bytes';
import { SearchError } from './error.ts';

/** Rises with the form of the segments and with what counts as a word: an index of another version is made anew. */
export const INDEX_VERSION = 1;
/** Documents of one segment at most: what one rewrite has to read and write. */
export const SEGMENT_LIMIT = 16_384;
const COVERED_LIMIT = 256;
const TERM_BYTES_LIMIT = 4_096;

/** What a document is: who wrote a message, or the title of a chat. */
export type DocumentKind = 'user' | 'assistant' | 'system' | 'title';
const KINDS: readonly DocumentKind[] = ['user', 'assistant', 'system', 'title'];
const KIND_MASK = 7;
const HAS_FILE = 8;

export interface Conversation {
  /** 16 bytes as hex. */
  readonly conversationId: string;
  readonly covered: string;
}

/** The documents of a segment, a column a property. */
export interface Documents {
  readonly count: number;
  /** 16 bytes a document. */
  readonly ids: Uint8Array;
  /** Index into the conversations. */
  readonly conversation: Uint32Array;
  /** Seconds since 1970. */
  readonly createdAtSeconds: Uint32Array;
  /** Of what was indexed: another text of the same message has another hash. */
  readonly hash: Uint32Array;
  /** Words; at most 65,535 are counted. */
  readonly length: Uint16Array;
  readonly kind: Uint8Array;
}

export interface Head {
  readonly conversations: readonly Conversation[];
  readonly documents: Documents;
  /** The first term of each block, ascending; the same one again where an entry was continued. */
  readonly firstTerms: readonly Uint8Array[];
}

export function createDocuments(count: number): Documents {
  return {
    count,
    ids: new Uint8Array(16 * count),
    conversation: new Uint32Array(count),
    createdAtSeconds: new Uint32Array(count),
    hash: new Uint32Array(count),
    length: new Uint16Array(count),
    kind: new Uint8Array(count),
  };
}

/** Copies one document from one table to another. */
export function copyDocument(
  from: Documents,
  source: number,
  to: Documents,
  target: number,
  conversation: number,
): void {
  to.ids.set(from.ids.subarray(16 * source, 16 * source + 16), 16 * target);
  to.conversation[target] = conversation;
  to.createdAtSeconds[target] = from.createdAtSeconds[source] as number;
  to.hash[target] = from.hash[source] as number;
  to.length[target] = from.length[source] as number;
  to.kind[target] = from.kind[source] as number;
}

export function encodeKind(kind: DocumentKind, hasFile: boolean): number {
  return KINDS.indexOf(kind) | (hasFile ? HAS_FILE : 0);
}

export function kindOf(code: number): DocumentKind {
  return KINDS[code & KIND_MASK] ?? 'system';
}

export function hasFile(code: number): boolean {
  return (code & HAS_FILE) !== 0;
}

export function documentId({ ids }: Documents, document: number): string {
  return encodeHex(ids.subarray(16 * document, 16 * document + 16));
}

/** The first 32 bits of its id: quicker to compare than the whole. */
export function idBeginning({ ids }: Documents, document: number): number {
  const at = 16 * document;
  const [a = 0, b = 0, c = 0, d = 0] = [ids[at], ids[at + 1], ids[at + 2], ids[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export function encodeHead({ conversations, documents, firstTerms }: Head): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 * documents.count + 4096);
  writer.u8(INDEX_VERSION).u32(documents.count).u32(conversations.length).u32(firstTerms.length);
  for (const { conversationId, covered } of conversations) {
    writer.raw(parseHex(conversationId, 16)).vector16(encodeUtf8(covered));
  }
  for (const term of firstTerms) writer.vector16(term);
  writer.raw(documents.ids);
  for (const column of columnsOf(documents)) writer.raw(littleEndian(column));
  return writer.finish();
}

/** @throws SearchError `index-damaged` */
export function parseHead(bytes: Uint8Array): Head {
  try {
    return readHead(new ByteReader(bytes));
  } catch (cause) {
    if (cause instanceof SottoError) throw new SearchError('index-damaged', { cause });
    throw cause;
  }
}

function readHead(reader: ByteReader): Head {
  const version = reader.u8();
  const count = reader.u32();
  const conversationCount = reader.u32();
  const blockCount = reader.u32();
  if (version !== INDEX_VERSION) throw new SearchError('index-damaged');
  // Each is read before there is room made for the next: a head that counts too many ends too early.
  const conversations = Array.from({ length: conversationCount }, () => ({
    conversationId: encodeHex(reader.view(16)),
    covered: parseUtf8(reader.vector16(COVERED_LIMIT)),
  }));
  const firstTerms = Array.from({ length: blockCount }, () => reader.vector16(TERM_BYTES_LIMIT));
  const documents: Documents = { ...createDocuments(0), count, ids: reader.take(16 * count) };
  const columns = columnsOf(createDocuments(count));
  for (const column of columns) fromLittleEndian(column, reader.view(column.byteLength));
  reader.end();
  const [conversation, createdAtSeconds, hash, length, kind] = columns as Columns;
  if (conversation.some((index) => index >= conversationCount)) throw new SearchError('index-damaged');
  return { conversations, firstTerms, documents: { ...documents, conversation, createdAtSeconds, hash, length, kind } };
}

type Columns = [Uint32Array, Uint32Array, Uint32Array, Uint16Array, Uint8Array];

function columnsOf({ conversation, createdAtSeconds, hash, length, kind }: Documents): Columns {
  return [conversation, createdAtSeconds, hash, length, kind];
}

function littleEndian(column: Uint32Array | Uint16Array | Uint8Array): Uint8Array {
  const bytes = new Uint8Array(column.byteLength);
  const view = new DataView(bytes.buffer);
  const width = column.BYTES_PER_ELEMENT;
  for (let i = 0; i < column.length; i++) {
    if (width === 4) view.setUint32(4 * i, column[i] as number, true);
    else if (width === 2) view.setUint16(2 * i, column[i] as number, true);
    else bytes[i] = column[i] as number;
  }
  return bytes;
}

function fromLittleEndian(column: Uint32Array | Uint16Array | Uint8Array, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = column.BYTES_PER_ELEMENT;
  for (let i = 0; i < column.length; i++) {
    column[i] =
      width === 4 ? view.getUint32(4 * i, true) : width === 2 ? view.getUint16(2 * i, true) : (bytes[i] as number);
  }
}
