/**
 * A history that nobody wrote, for measuring: the same seed gives the same chats, in Node and in a browser. Words follow Zipf's law
 * over a vocabulary of made words, as those of people do.
 */
import type { OpenedRecord } from '@sotto/vault';

export interface MadeHistoryOptions {
  readonly conversations: number;
  /** In all; some chats are long, most are short. */
  readonly messages: number;
  /** In a message. */
  readonly words: number;
  /** Of one chat among them, the first; the others share the rest. */
  readonly longest?: number;
  readonly seed?: number;
  /** 16 bytes as hex: the device that wrote it. */
  readonly deviceId?: string;
  /** Of the newest message. */
  readonly endsAtMs?: number;
}

/** What the budgets of issue 6 are measured with. */
export const FULL_HISTORY: MadeHistoryOptions = { conversations: 5000, messages: 100_000, words: 60, longest: 500 };

export interface MadeConversation {
  readonly conversationId: string;
  readonly title: string;
  /** The conversation's own record first, then its messages, oldest first. */
  readonly records: readonly OpenedRecord[];
}

const VOCABULARY = 30_000;
const SYLLABLES = [
  'ka',
  'lo',
  'mi',
  'ne',
  'ru',
  'sa',
  'te',
  'vo',
  'za',
  'ber',
  'dol',
  'fin',
  'gar',
  'hel',
  'jun',
  'pri',
];
const MINUTE_MS = 60_000;

/** One conversation after the other, the oldest first; nothing of it is kept here. */
export function* madeHistory(options: MadeHistoryOptions): Generator<MadeConversation> {
  const { conversations, messages, words, longest = 0, seed = 1, deviceId = '0d'.repeat(16) } = options;
  const { endsAtMs = Date.UTC(2026, 10, 1) } = options;
  const random = createGenerator(seed);
  const counts = divide(conversations, messages, longest, random);
  let atMs = endsAtMs - (messages + conversations) * MINUTE_MS;
  let deviceCounter = 0;
  for (const count of counts) {
    const conversationId = idOf(random);
    const title = madeText(random, 2 + Math.floor(random() * 5));
    const records: OpenedRecord[] = [];
    const add = (content: OpenedRecord['content']) => {
      const recordId = idOf(random);
      records.push({ recordId, deviceId, deviceCounter: ++deviceCounter, epoch: 1, content });
      return recordId;
    };
    atMs += MINUTE_MS;
    const createdAtMs = atMs;
    const registers = { title: { value: title, clock: createdAtMs, deviceId } };
    add({ type: 'conversation', clock: createdAtMs, conversationId, createdAtMs, registers });
    let parents: string[] = [];
    for (let index = 0; index < count; index++) {
      atMs += MINUTE_MS;
      const isAnswer = index % 2 === 1;
      parents = [
        add({
          type: 'message',
          clock: atMs,
          conversationId,
          parents,
          role: isAnswer ? 'assistant' : 'user',
          text: madeText(random, words),
          status: 'complete',
          createdAtMs: atMs,
          ...(isAnswer ? { model: 'made' } : {}),
        }),
      ];
    }
    yield { conversationId, title, records };
  }
}

/** The word of a rank, 0 the most frequent: what a search is measured with. */
export function madeWord(rank: number): string {
  let word = '';
  for (let left = rank + SYLLABLES.length; left > 0; left = Math.floor(left / SYLLABLES.length)) {
    word += SYLLABLES[left % SYLLABLES.length];
  }
  return word;
}

function madeText(random: () => number, words: number): string {
  const said = Array.from({ length: words }, (_, index) => {
    const word = madeWord(Math.floor(VOCABULARY ** random()) - 1);
    return index % 12 === 11 ? `${word}.` : word;
  });
  return said.join(' ');
}

/** How many messages each chat has: a few long ones, many short ones, at least one each. */
function divide(conversations: number, messages: number, longest: number, random: () => number): number[] {
  const weights = Array.from({ length: conversations }, (_, index) => (longest > 0 && index === 0 ? 0 : random() ** 3));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const rest = messages - longest - conversations + (longest > 0 ? 1 : 0);
  const counts = weights.map((weight, index) =>
    longest > 0 && index === 0 ? longest : 1 + Math.floor((weight / sum) * rest),
  );
  let missing = messages - counts.reduce((total, count) => total + count, 0);
  for (let index = 1; missing > 0; index = 1 + (index % Math.max(1, conversations - 1)), missing--) {
    counts[index % conversations] = (counts[index % conversations] ?? 0) + 1;
  }
  return counts;
}

function idOf(random: () => number): string {
  let id = '';
  for (let part = 0; part < 4; part++)
    id += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return id;
}

/** Mulberry32: 0 to below 1, the same everywhere, good enough for what is only measured. */
function createGenerator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
