/** Finds, in one segment, the documents that hold every phrase of a query (spec/client.md "Search"). Pure: blocks in, matches out. */
import { encodeUtf8 } from '@sotto/bytes';
import { compareBytes, type Entry, eachDocument, readEntries, startsWith, VarintReader } from './postings.ts';
import type { Phrase, Slot } from './query.ts';
import type { Head } from './segment.ts';

/** What one segment gives to a query. */
export interface Matches {
  /** Ascending. */
  readonly documents: Uint32Array;
  /** How often each phrase occurs: of document i and phrase p at `i * phrases + p`. */
  readonly occurrences: Uint16Array;
  /** For each slot of each phrase, the documents of the segment that hold it. */
  readonly slotDocuments: readonly (readonly number[])[];
}

/** The numbers of the blocks in which a slot's term may stand: from, and up to but not including. */
export function blocksOf({ firstTerms }: Head, { term, isPrefix }: Slot): readonly [from: number, to: number] {
  const wanted = encodeUtf8(term);
  let from = 0;
  for (let to = firstTerms.length; from < to; ) {
    const middle = (from + to) >>> 1;
    if (compareBytes(firstTerms[middle] as Uint8Array, wanted) < 0) from = middle + 1;
    else to = middle;
  }
  let to = from;
  for (; to < firstTerms.length; to++) {
    const first = firstTerms[to] as Uint8Array;
    if (isPrefix ? !startsWith(first, wanted) : compareBytes(first, wanted) !== 0) break;
  }
  // The block before the first that begins with it or after it may hold it too.
  return [Math.max(from - 1, 0), to];
}

/**
 * @param blockAt of those that `blocksOf` named
 * @param isEligible for the filters; asked once a document that holds the first phrase
 * @throws SearchError `index-damaged`
 */
export function matchSegment(
  head: Head,
  phrases: readonly Phrase[],
  blockAt: (block: number) => Uint8Array,
  isEligible: (document: number) => boolean,
): Matches {
  const { count } = head.documents;
  const width = phrases.length;
  const slotDocuments = phrases.map((phrase) => phrase.map(() => 0));
  /** How many of the phrases looked at so far a document holds. */
  const held = new Uint8Array(count);
  const occurrences = new Uint16Array(count * width);
  let done = 0;
  const take = (at: number, document: number, times: number) => {
    if (held[document] !== done || (done === 0 && !isEligible(document))) return;
    held[document] = done + 1;
    occurrences[document * width + at] = Math.min(times, 0xffff);
  };
  // Single words first: what they leave over is all that a phrase must be looked for in.
  const order = [...phrases.keys()].sort((a, b) => lengthOf(phrases, a) - lengthOf(phrases, b));
  for (const at of order) {
    const phrase = phrases[at] as Phrase;
    const counted = slotDocuments[at] as number[];
    const entries = phrase.map((slot) => entriesOf(head, slot, blockAt));
    const found = entries.map((each) => documentsOf(each, count));
    for (const [slot, { size }] of found.entries()) counted[slot] = size;
    if (phrase.length === 1) {
      const { times } = found[0] as Found;
      for (let document = 0; document < count; document++) {
        if (times[document] !== 0) take(at, document, times[document] as number);
      }
    } else {
      const isCandidate = new Uint8Array(count);
      for (let document = 0; document < count; document++) {
        if (held[document] !== done || !areAllIn(found, document)) continue;
        if (done > 0 || isEligible(document)) isCandidate[document] = 1;
      }
      for (const [document, times] of together(phrase, entries, isCandidate, count)) take(at, document, times);
    }
    done++;
  }
  const documents = collect(held, width);
  const packed = new Uint16Array(documents.length * width);
  for (const [index, document] of documents.entries()) {
    packed.set(occurrences.subarray(document * width, (document + 1) * width), index * width);
  }
  return { documents, occurrences: packed, slotDocuments };
}

function lengthOf(phrases: readonly Phrase[], at: number): number {
  return (phrases[at] as Phrase).length;
}

function collect(held: Uint8Array, width: number): Uint32Array {
  const found: number[] = [];
  for (let document = 0; document < held.length; document++) if (held[document] === width) found.push(document);
  return Uint32Array.from(found);
}

function entriesOf(head: Head, slot: Slot, blockAt: (block: number) => Uint8Array): readonly Entry[] {
  const wanted = encodeUtf8(slot.term);
  const [from, to] = blocksOf(head, slot);
  const found: Entry[] = [];
  for (let block = from; block < to; block++) {
    for (const entry of readEntries(blockAt(block))) {
      const isFound = slot.isPrefix ? startsWith(entry.term, wanted) : compareBytes(entry.term, wanted) === 0;
      if (isFound) found.push(entry);
      else if (compareBytes(entry.term, wanted) > 0) break;
    }
  }
  return found;
}

interface Found {
  /** How often each document of the segment holds any of the terms. */
  readonly times: Uint16Array;
  /** How many hold one. */
  readonly size: number;
}

function documentsOf(entries: readonly Entry[], documentCount: number): Found {
  const times = new Uint16Array(documentCount);
  let size = 0;
  for (const entry of entries) {
    eachDocument(entry, documentCount, (document, occurrences) => {
      const before = times[document] as number;
      if (before === 0) size++;
      times[document] = Math.min(before + occurrences, 0xffff);
    });
  }
  return { times, size };
}

function areAllIn(found: readonly Found[], document: number): boolean {
  for (const { times } of found) if (times[document] === 0) return false;
  return true;
}

/** How often the slots of a phrase stand where they should, in documents that hold all of them. */
function together(
  phrase: Phrase,
  entries: readonly (readonly Entry[])[],
  isCandidate: Uint8Array,
  documentCount: number,
): Map<number, number> {
  /** Of each document, where the phrase may begin: where every slot so far stands as it should. */
  let starts: Map<number, number[]> | undefined;
  for (const [index, { offset }] of phrase.entries()) {
    const next = new Map<number, number[]>();
    for (const [document, positions] of placesOf(entries[index] as readonly Entry[], isCandidate, documentCount)) {
      const before = starts?.get(document);
      if (starts !== undefined && before === undefined) continue;
      const own: number[] = [];
      // Both ascend, so that a text that is one word again and again costs its length and not the square of it.
      let at = 0;
      for (const position of positions) {
        const start = position - offset;
        while (before !== undefined && (before[at] ?? start) < start) at++;
        if (before === undefined || before[at] === start) own.push(start);
      }
      if (own.length > 0) next.set(document, own);
    }
    starts = next;
  }
  return new Map([...(starts ?? [])].map(([document, { length }]) => [document, length]));
}

function placesOf(entries: readonly Entry[], isCandidate: Uint8Array, documentCount: number): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const entry of entries) {
    const reader = new VarintReader(entry.positions);
    eachDocument(entry, documentCount, (document, times) => {
      if (isCandidate[document] === 0) return reader.skip(times);
      const known = places.get(document);
      const own = known ?? [];
      let position = 0;
      for (let left = times; left > 0; left--) {
        position += reader.varint();
        own.push(position);
      }
      if (known === undefined) places.set(document, own);
    });
  }
  // Several words of one beginning come one after the other.
  if (entries.length > 1) for (const own of places.values()) own.sort((a, b) => a - b);
  return places;
}
