/**
 * Searching a history of years: the index made, opened anew, asked and added to. The same steps run in Node and, bundled, in a
 * browser; whoever runs them reads the memory between them.
 */
import { openSearchIndex, type SearchDocument, type SearchIndex } from '@sotto/client/search';
import type { Clock, Random, SealedStore } from '@sotto/ports';
import { LocalKey } from '@sotto/vault';
import { FULL_HISTORY, type MadeConversation, madeHistory, madeWord } from '../made-history.ts';

export interface SearchingPorts {
  readonly store: SealedStore;
  readonly random: Random;
  readonly clock: Clock;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Milliseconds, in the order in which they were taken. */
export interface Added {
  readonly times: number[];
  readonly bareTimes: number[];
}

/** As many as the feed writes at once. */
const BATCH = 4096;
const LIMIT = 30;
const ADDED = 300;
/** One small segment of messages, and the state beside it. */
const BARE_BYTES = 4096;
export const ADD_ROUNDS = 3;

/** Between what is measured: what others do on the machine comes and goes. */
export const pause = () => new Promise((resolve) => setTimeout(resolve, 2000));

/** What is looked for: rare and frequent words, several, beginnings and phrases, in turn. */
export function madeQueries(): string[] {
  const queries: string[] = [];
  for (let at = 0; at < 12; at++) {
    queries.push(
      madeWord(4000 + 613 * at),
      madeWord(at),
      `${madeWord(20 + at)} ${madeWord(300 + 7 * at)}`,
      `${madeWord(900 + 31 * at).slice(0, 4)}*`,
      `"${madeWord(at)} ${madeWord(at + 3)}"`,
    );
  }
  return queries;
}

export function* madeConversations(messages: number): Generator<MadeConversation> {
  const share = messages / FULL_HISTORY.messages;
  yield* madeHistory({ ...FULL_HISTORY, messages, conversations: Math.round(FULL_HISTORY.conversations * share) });
}

export function documentsOf({ conversationId, title, records }: MadeConversation): SearchDocument[] {
  return records.map(({ recordId, content }): SearchDocument => {
    if (content.type !== 'message') {
      return { id: conversationId, kind: 'title', createdAtMs: 0, text: title, fileNames: [] };
    }
    return { id: recordId, kind: content.role, createdAtMs: content.createdAtMs, text: content.text, fileNames: [] };
  });
}

export function createSearching({ store, random, clock, now }: SearchingPorts) {
  // The same in every page: what one has written, the next one opens.
  const owner = { accountId: new Uint8Array(16).fill(7), key: new LocalKey(new Uint8Array(32).fill(9)) };
  let index: SearchIndex | undefined;
  const open = async (): Promise<SearchIndex> => {
    index ??= await openSearchIndex({ owner, store, random, clock });
    return index;
  };
  const ask = async (text: string): Promise<number> => {
    let total = 0;
    for await (const answer of (await open()).query({ text, limit: LIMIT })) total = answer.total;
    return total;
  };
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startMs = now();
    await work();
    return now() - startMs;
  };

  return {
    /** Puts a history into the index, and lets go of it. @returns how long that took, and bytes in the store */
    async fill(messages: number): Promise<{ ms: number; bytes: number; segments: number }> {
      const into = await open();
      let ms = 0;
      let batch: Parameters<SearchIndex['update']>[0][number][] = [];
      let held = 0;
      const flush = async () => {
        ms += await timed(async () => {
          await into.update(batch);
          while (await into.maintain());
        });
        batch = [];
        held = 0;
      };
      for (const conversation of madeConversations(messages)) {
        const documents = documentsOf(conversation);
        batch.push({ conversationId: conversation.conversationId, version: 'made', isWhole: true, documents });
        held += documents.length;
        if (held >= BATCH) await flush();
      }
      await flush();
      const bytes = (await store.list('')).reduce((sum, { value }) => sum + value.length, 0);
      const segments = into.segmentCount;
      index = undefined;
      return { ms, bytes, segments };
    },

    /** Opens the index and asks it for the first time. */
    async first(): Promise<{ ms: number; total: number }> {
      index = undefined;
      let total = 0;
      const ms = await timed(async () => {
        total = await ask(`${madeWord(40)} ${madeWord(700)}`);
      });
      return { ms, total };
    },

    /** Every query twice: how long the second time took. */
    async warm(): Promise<number[]> {
      const times: number[] = [];
      for (const query of madeQueries()) {
        await ask(query);
        times.push(await timed(() => ask(query)));
      }
      return times;
    },

    /**
     * Messages that come one by one, durable each; what is put together afterwards is not counted. Beside each of them one bare value
     * of about what a message makes the index write: what the store takes for it then is not ours.
     */
    async add(): Promise<Added> {
      const into = await open();
      const [sample] = madeConversations(400);
      const texts = documentsOf(sample as MadeConversation);
      const added: Added = { times: [], bareTimes: [] };
      const bare = { name: 'bench/bare', value: random.bytes(BARE_BYTES) };
      for (let at = 0; at < ADDED; at++) {
        const id = [...random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        const text = texts[1 + (at % (texts.length - 1))] as SearchDocument;
        const documents = [{ ...text, id, createdAtMs: clock.nowMs() }];
        const change = { conversationId: 'ad'.repeat(16), version: `${at}`, isWhole: false, documents };
        added.times.push(await timed(() => into.update([change])));
        while (await into.maintain());
        added.bareTimes.push(await timed(() => store.write([bare])));
      }
      return added;
    },

    /** One chat forgotten, the longest, with every word of it. @param messages of the history that it was filled with */
    async forget(messages: number): Promise<number> {
      const [first] = madeConversations(messages);
      return timed(async () => (await open()).forget([(first as MadeConversation).conversationId]));
    },
  };
}
