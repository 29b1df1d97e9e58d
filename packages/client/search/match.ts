/** Finds, in one segment, the documents that hold every phrase of a query (spec/client.md "Search"). Pure: blocks in, matches out. */
import { encodeUtf8 } from '@sotto/bytes';
import {
  compareBytes,
  type Entry,
  eachDocument,
  readEntries,
  startsWith,
  takeVarints,
  VarintReader,
} from './postings.ts';
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
      for (const [document, times] of (found[0] as Found).times.entries()) if (times > 0) take(at, document, times);
    } else {
      const candidates = new Set<number>();
      for (let document = 0; document < count; document++) {
        const isHeld = held[document] === done && found.every(({ times }) => (times[document] as number) > 0);
        if (isHeld && (done > 0 || isEligible(document))) candidates.add(document);
      }
      for (const [document, times] of together(phrase, entries, candidates, count)) take(at, document, times);
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

/** How often the slots of a phrase stand where they should, in documents that hold all of them. */
function together(
  phrase: Phrase,
  entries: readonly (readonly Entry[])[],
  candidates: ReadonlySet<number>,
  documentCount: number,
): Map<number, number> {
  let starts: Map<number, Set<number>> | undefined;
  for (const [index, slot] of phrase.entries()) {
    const places = placesOf(entries[index] as readonly Entry[], candidates, documentCount);
    const next = new Map<number, Set<number>>();
    for (const [document, positions] of places) {
      const before = starts?.get(document);
      const kept = new Set<number>();
      for (const position of positions) {
        const start = position - slot.offset;
        if (starts === undefined || before?.has(start)) kept.add(start);
      }
      if (kept.size > 0) next.set(document, kept);
    }
    starts = next;
  }
  return new Map([...(starts ?? [])].map(([document, { size }]) => [document, size]));
}

function placesOf(
  entries: readonly Entry[],
  candidates: ReadonlySet<number>,
  documentCount: number,
): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const entry of entries) {
    const reader = new VarintReader(entry.positions);
    eachDocument(entry, documentCount, (document, times) => {
      if (!candidates.has(document)) return void takeVarints(reader, times);
      const known = places.get(document) ?? [];
      let position = 0;
      for (let left = times; left > 0; left--) {
        position += reader.varint();
        known.push(position);
      }
      places.set(document, known);
    });
  }
  return places;
}
