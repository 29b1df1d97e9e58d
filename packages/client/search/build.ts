/**
 * Makes segments: from messages, and from other segments with some of their documents left out (spec/client.md "Search").
 */
import { encodeUtf8, parseHex } from '@sotto/bytes';
import {
  compareBytes,
  type Entry,
  EntryWriter,
  eachDocument,
  readEntries,
  takeVarints,
  VarintReader,
  VarintWriter,
  writeEntry,
} from './postings.ts';
import {
  type Conversation,
  copyDocument,
  createDocuments,
  type DocumentKind,
  encodeKind,
  type Head,
} from './segment.ts';
import { eachTerm } from './terms.ts';

/** What the index is told of a message, or of the title of a chat. */
export interface SearchDocument {
  /** 16 bytes as hex: of the message; of the chat for its title. */
  readonly id: string;
  readonly kind: DocumentKind;
  readonly createdAtMs: number;
  readonly text: string;
  /** Of the files that hang on it. */
  readonly fileNames: readonly string[];
}

/** A segment as bytes, before they are sealed. */
export interface Segment {
  readonly head: Head;
  readonly blocks: readonly Uint8Array[];
}

const BLOCK_BYTES = 32_768;
const MAX_SECONDS = 0xffff_ffff;
/** Words of different fields stand this far apart, so that no phrase spans them. */
const FIELD_GAP = 2;

/** 32 bits of what is indexed of a document. */
export function hashOf({ kind, createdAtMs, text, fileNames }: SearchDocument): number {
  let hash = 0x811c9dc5;
  for (const part of [kind, String(secondsOf(createdAtMs)), text, ...fileNames]) {
    for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0x10000, 0x01000193);
  }
  return hash >>> 0;
}

/** @param conversations what is new of each, with the state that is then covered; none of their documents twice */
export function buildSegment(
  conversations: readonly (Conversation & { readonly documents: readonly SearchDocument[] })[],
): Segment {
  const documents = createDocuments(conversations.reduce((sum, each) => sum + each.documents.length, 0));
  /** Of each term: document, occurrences, places; again and again. */
  const terms = new Map<string, number[]>();
  const own = new Map<string, number[]>();
  let number = 0;
  for (const [index, conversation] of conversations.entries()) {
    for (const document of conversation.documents) {
      own.clear();
      const length = placesOf(document, own);
      documents.ids.set(parseHex(document.id, 16), 16 * number);
      documents.conversation[number] = index;
      documents.createdAtSeconds[number] = secondsOf(document.createdAtMs);
      documents.hash[number] = hashOf(document);
      documents.length[number] = Math.min(length, 0xffff);
      documents.kind[number] = encodeKind(document.kind, document.fileNames.length > 0);
      for (const [term, places] of own) {
        const known = terms.get(term);
        if (known === undefined) terms.set(term, [number, places.length].concat(places));
        else {
          known.push(number, places.length);
          for (const place of places) known.push(place);
        }
      }
      number++;
    }
  }
  const out = new BlockWriter();
  const sorted = [...terms].map(([term, numbers]) => ({ term: encodeUtf8(term), numbers }));
  sorted.sort((a, b) => compareBytes(a.term, b.term));
  const entry = new EntryWriter();
  for (const { term, numbers } of sorted) {
    writePlaces(numbers, entry);
    out.add(entry.entry(term));
  }
  return { head: { conversations: conversations.map(stateOf), documents, ...out.end() }, blocks: out.blocks };
}

/**
 * One segment of several.
 *
 * @param kept whether a document of the `segment`-th stays
 * @param covered the state of a conversation; undefined for one that is to be forgotten
 */
export function mergeSegments(
  segments: readonly Segment[],
  kept: (segment: number, document: number) => boolean,
  covered: (conversationId: string) => string | undefined,
): Segment {
  const conversations = new Map<string, number>();
  const numbers: Int32Array[] = [];
  let count = 0;
  for (const [at, { head }] of segments.entries()) {
    for (const { conversationId } of head.conversations) {
      if (covered(conversationId) !== undefined && !conversations.has(conversationId)) {
        conversations.set(conversationId, conversations.size);
      }
    }
    const remap = new Int32Array(head.documents.count).fill(-1);
    for (let document = 0; document < remap.length; document++) {
      const { conversationId } = head.conversations[head.documents.conversation[document] as number] as Conversation;
      if (covered(conversationId) !== undefined && kept(at, document)) remap[document] = count++;
    }
    numbers.push(remap);
  }
  const documents = createDocuments(count);
  for (const [at, { head }] of segments.entries()) {
    for (const [document, target] of (numbers[at] as Int32Array).entries()) {
      if (target < 0) continue;
      const { conversationId } = head.conversations[head.documents.conversation[document] as number] as Conversation;
      copyDocument(head.documents, document, documents, target, conversations.get(conversationId) as number);
    }
  }
  const out = new BlockWriter();
  mergeEntries(segments, numbers, out);
  const states = [...conversations.keys()].map((conversationId) => ({
    conversationId,
    covered: covered(conversationId) as string,
  }));
  return { head: { conversations: states, documents, ...out.end() }, blocks: out.blocks };
}

function mergeEntries(segments: readonly Segment[], numbers: readonly Int32Array[], out: BlockWriter): void {
  const sources = segments.map(({ blocks }) => entriesOf(blocks));
  const heads = sources.map((source) => source.next().value as Entry | undefined);
  const collected = new EntryWriter();
  for (;;) {
    let least: Uint8Array | undefined;
    for (const head of heads) if (head && (!least || compareBytes(head.term, least) < 0)) least = head.term;
    if (least === undefined) return;
    collected.clear();
    for (const [at, source] of sources.entries()) {
      // An entry may go on in the next block, under the same term.
      for (let entry = heads[at]; entry && compareBytes(entry.term, least) === 0; entry = heads[at]) {
        renumber(entry, numbers[at] as Int32Array, collected);
        heads[at] = source.next().value as Entry | undefined;
      }
    }
    if (!collected.isEmpty) out.add(collected.entry(least));
  }
}

function* entriesOf(blocks: readonly Uint8Array[]): Generator<Entry, void, undefined> {
  for (const block of blocks) yield* readEntries(block);
}

function renumber(entry: Entry, numbers: Int32Array, collected: EntryWriter): void {
  const positions = new VarintReader(entry.positions);
  eachDocument(entry, numbers.length, (document, occurrences) => {
    const places = takeVarints(positions, occurrences);
    const target = numbers[document] as number;
    if (target >= 0) collected.add(target, occurrences, places);
  });
}

/** Cuts entries into blocks of about the same size. */
class BlockWriter {
  readonly blocks: Uint8Array[] = [];
  readonly #firstTerms: Uint8Array[] = [];
  readonly #block = new VarintWriter();

  add(entry: Entry): void {
    if (this.#block.length > 0 && this.#block.length + entry.docs.length + entry.positions.length > BLOCK_BYTES) {
      this.#close();
    }
    if (entry.docs.length + entry.positions.length > BLOCK_BYTES) this.#writeInParts(entry);
    else this.#write(entry);
  }

  /** In one piece, a word of every message would have to be read whole whatever else a block is read for. */
  #writeInParts(entry: Entry): void {
    const positions = new VarintReader(entry.positions);
    const part = new EntryWriter();
    eachDocument(entry, SAFE_COUNT, (document, occurrences) => {
      part.add(document, occurrences, takeVarints(positions, occurrences));
      if (part.length < BLOCK_BYTES) return;
      this.#write(part.entry(entry.term));
      this.#close();
      part.clear();
    });
    if (!part.isEmpty) this.#write(part.entry(entry.term));
  }

  end(): { readonly firstTerms: readonly Uint8Array[] } {
    if (this.#block.length > 0) this.#close();
    return { firstTerms: this.#firstTerms };
  }

  #write(entry: Entry): void {
    if (this.#block.length === 0) this.#firstTerms.push(entry.term.slice());
    writeEntry(this.#block, entry);
  }

  #close(): void {
    this.blocks.push(this.#block.finish());
    this.#block.clear();
  }
}

const SAFE_COUNT = Number.MAX_SAFE_INTEGER;

/** @returns its length in words */
function placesOf({ text, fileNames }: SearchDocument, into: Map<string, number[]>): number {
  let start = 0;
  let length = 0;
  for (const field of [text, ...fileNames]) {
    const count = eachTerm(field, (term, position) => {
      const places = into.get(term);
      if (places === undefined) into.set(term, [start + position]);
      else places.push(start + position);
    });
    start += count + FIELD_GAP;
    length += count;
  }
  return length;
}

function writePlaces(numbers: readonly number[], entry: EntryWriter): void {
  const places = new VarintWriter();
  entry.clear();
  for (let at = 0; at < numbers.length; ) {
    const document = numbers[at++] as number;
    const occurrences = numbers[at++] as number;
    places.clear();
    let before = 0;
    for (const end = at + occurrences; at < end; at++) {
      places.varint((numbers[at] as number) - before);
      before = numbers[at] as number;
    }
    entry.add(document, occurrences, places.view());
  }
}

function secondsOf(timeMs: number): number {
  return Math.min(Math.max(Math.floor(timeMs / 1000), 0), MAX_SECONDS);
}

function stateOf({ conversationId, covered }: Conversation): Conversation {
  return { conversationId, covered };
}
