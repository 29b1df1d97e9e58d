/** What the tests of search share: an index over a store that can fail, and made documents. */
import { encodeHex } from '@sotto/bytes';
import { createMemorySealedStore, createSeededRandom, type MemorySealedStore } from '@sotto/testkit';
import { createLocalKey, openLocal } from '@sotto/vault';
import type { SearchDocument } from './build.ts';
import { openSearchIndex, type SearchIndex } from './engine.ts';
import type { NaiveDocument } from './naive-for-testing.ts';
import type { DocumentKind } from './segment.ts';
import type { ConversationChange, SearchAnswer, SearchIndexLike, SearchRequest } from './types.ts';

export const NOW_MS = Date.UTC(2026, 10, 2);
export const DAY_MS = 86_400_000;
export const KINDS: readonly DocumentKind[] = ['user', 'assistant', 'system', 'title'];

export interface World {
  readonly store: MemorySealedStore;
  readonly documents: Map<string, NaiveDocument>;
  open(store?: MemorySealedStore): Promise<SearchIndex>;
  /** Everything in the store, opened and joined: what a thief with the device's key would read. */
  readAll(store?: MemorySealedStore): Promise<string>;
}

export function createWorld(seed: string, store = createMemorySealedStore()): World {
  const random = createSeededRandom(seed);
  const owner = { key: createLocalKey(random), accountId: random.bytes(16) };
  const clock = { nowMs: () => NOW_MS, sleep: async () => {} };
  return {
    store,
    documents: new Map(),
    open: (over = store) => openSearchIndex({ owner, store: over, random, clock }),
    readAll: async (over = store) => {
      const values = await over.list('');
      const opened = await Promise.all(values.map(({ name, value }) => openLocal(owner, name, value)));
      return opened.map((bytes) => new TextDecoder('latin1').decode(bytes)).join('\n');
    },
  };
}

/** Another store with the same values. */
export async function copyOf(store: MemorySealedStore): Promise<MemorySealedStore> {
  const copy = createMemorySealedStore();
  await copy.write(await store.list(''));
  return copy;
}

export type Dice = (sides: number) => number;

/** A small generator with the same numbers for the same seed. */
export function createDice(seed: string): Dice {
  const random = createSeededRandom(seed);
  let held = random.bytes(0);
  let at = 0;
  return (sides) => {
    if (at + 2 > held.length) [held, at] = [random.bytes(4096), 0];
    const value = (held[at] as number) * 256 + (held[at + 1] as number);
    at += 2;
    return value % sides;
  };
}

export function idOf(dice: Dice): string {
  return encodeHex(Uint8Array.from({ length: 16 }, () => dice(256)));
}

/** An id that says which one it is. */
export function id(number: number): string {
  return number.toString(16).padStart(32, '0');
}

export function message(number: number, text: string, more: Partial<SearchDocument> = {}): SearchDocument {
  return { id: id(number), kind: 'user', createdAtMs: NOW_MS - DAY_MS, text, fileNames: [], ...more };
}

export function whole(conversation: number, documents: readonly SearchDocument[], version = 'v1'): ConversationChange {
  return { conversationId: id(conversation), version, documents, isWhole: true };
}

/** The last answer. */
export async function search(
  index: SearchIndexLike,
  request: Omit<SearchRequest, 'limit'>,
  limit = 10_000,
): Promise<SearchAnswer> {
  for await (const answer of index.query({ ...request, limit })) if (answer.isComplete) return answer;
  throw new Error('no complete answer');
}

/** Ids of what is found, the best first. */
export async function found(index: SearchIndexLike, text: string): Promise<string[]> {
  return (await search(index, { text })).hits.map((hit) => hit.id);
}
