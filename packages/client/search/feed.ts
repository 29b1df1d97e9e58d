/**
 * Keeps an index up to what a history holds (spec/client.md "Search"): at first whatever the index does not cover, chat by chat,
 * then every change. It can stop at any moment and goes on where it was. Of several tabs one feeds, while it holds its turn.
 */
import { SottoError } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import { conversationOf, greatestClock, type OpenedRecord } from '@sotto/vault';
import type { ConversationSummary, RecordChange, WholeConversation } from '../record-keeper.ts';
import type { TakingTurns } from '../watch/turns.ts';
import { documentsOf, messageOf, readWhole, titleOf, versionOf } from './documents.ts';
import type { ConversationChange, SearchAnswer, SearchIndexLike, SearchRequest } from './types.ts';

/** What the feed needs of a `History`. */
export interface SearchSource {
  conversations(): readonly ConversationSummary[];
  wholeConversation(conversationId: string): Promise<WholeConversation | undefined>;
  onRecords(listener: (changes: readonly RecordChange[]) => void): () => void;
}

export interface SearchFeedOptions {
  readonly source: SearchSource;
  readonly index: SearchIndexLike;
  readonly clock: Clock;
  readonly takingTurns: TakingTurns;
  /** The same in every tab of one account. */
  readonly turnName: string;
}

export interface FeedProgress {
  /** Chats that can be found. */
  readonly done: number;
  readonly total: number;
}

/** An answer on its way is written again and again: it is read when it has been still for so long. */
const QUIET_MS = 300;
/** It is never quiet while much is fetched. */
const QUIET_WAITS = 10;
/** Records that are remembered between two looks. */
const NEWS_LIMIT = 500;
const RETRY_MS = 30_000;
/** Of one write. */
const BATCH_DOCUMENTS = 4_096;
const BATCH_CHARACTERS = 2_000_000;

/** The version of a chat of which the index may hold anything. */
const UNSURE = '';

export class SearchFeed {
  readonly #options: SearchFeedOptions;
  readonly #listeners = new Set<() => void>();
  /** The version of each chat that the index covers; undefined until this tab has its turn. */
  #covered: Map<string, string> | undefined;
  /** Records since the last look, by chat; a record that went says no chat. */
  readonly #news = new Map<string, RecordChange>();
  /** More was written than is remembered. */
  #hasMore = false;
  #wake: (() => void) | undefined;
  /** What the index covers is to be asked; and was, and has not been gone through yet. */
  #mustCheck = true;
  #isChecking = false;
  readonly #stopping = new AbortController();
  #progress: FeedProgress | undefined;

  constructor(options: SearchFeedOptions) {
    this.#options = options;
  }

  /** Undefined while another tab feeds. */
  get progress(): FeedProgress | undefined {
    return this.#progress;
  }

  /** Told when `progress` changes. Returns the way to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Feeds until `stop`; resolves then. */
  async run(): Promise<void> {
    const { source, clock, takingTurns, turnName } = this.#options;
    const unfollow = source.onRecords((changes) => {
      for (const change of changes) this.#note(change);
      this.#wake?.();
    });
    try {
      await takingTurns(turnName, async () => {
        while (!this.#stopping.signal.aborted) {
          const isDone = await this.#step().catch(onlySotto);
          if (isDone) await this.#sleep();
          else if (isDone === undefined) await clock.sleep(RETRY_MS, this.#stopping.signal).catch(() => undefined);
        }
      });
    } finally {
      unfollow();
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#wake?.();
  }

  /** Asks the index; what it finds damaged is looked at anew. */
  async *query(request: SearchRequest, signal?: AbortSignal): AsyncGenerator<SearchAnswer, void, undefined> {
    for await (const answer of this.#options.index.query(request, signal)) {
      if (answer.isDamaged) this.#checkAgain();
      yield answer;
    }
  }

  /** A first sync brings more than can be held: then the chats that changed are read whole. */
  #note(change: RecordChange): void {
    if (this.#hasMore || this.#news.size === NEWS_LIMIT) {
      this.#hasMore = true;
      this.#news.clear();
    } else this.#news.set(change.recordId, change);
  }

  #checkAgain(): void {
    this.#mustCheck = true;
    this.#wake?.();
  }

  /** One batch of what is missing. @returns whether that was all */
  async #step(): Promise<boolean> {
    const { source, index } = this.#options;
    if (this.#mustCheck) {
      this.#covered = new Map(await index.covered());
      this.#mustCheck = false;
      this.#isChecking = true;
    }
    const covered = this.#covered as Map<string, string>;
    const news = [...this.#news.values()];
    this.#news.clear();
    this.#hasMore = false;
    const summaries = source.conversations();
    const here = new Set(summaries.map(({ conversationId }) => conversationId));
    const gone = [...covered.keys()].filter((conversationId) => !here.has(conversationId));
    const missing = summaries.filter((one) => covered.get(one.conversationId) !== versionOf(one));
    this.#tell(summaries.length - missing.length, summaries.length);
    const changes = [...this.#additions(summaries, news)];
    const added = new Set(changes.map(({ conversationId }) => conversationId));
    const rest = missing.filter(({ conversationId }) => !added.has(conversationId));
    const wholes = await this.#wholes(rest);
    changes.push(...wholes);
    // What was tried may be in the index or not: until it is, its chats are to be read whole, or to be forgotten.
    for (const { conversationId } of changes) covered.set(conversationId, UNSURE);
    if (changes.length > 0) await index.update(changes);
    for (const { conversationId, version } of changes) covered.set(conversationId, version as string);
    if (wholes.length < rest.length) return false;
    // Everything has been looked at: what is left of other chats goes, and damage is over.
    if (this.#isChecking || gone.length > 0) await index.retain([...here]);
    this.#isChecking = false;
    for (const conversationId of gone) covered.delete(conversationId);
    this.#tell(summaries.length, summaries.length);
    let isMore = true;
    while (isMore && !this.#stopping.signal.aborted) isMore = await index.maintain();
    return !this.#hasNews;
  }

  /** What was written of chats that are covered but for that. */
  *#additions(summaries: readonly ConversationSummary[], news: readonly RecordChange[]): Generator<ConversationChange> {
    // Of a record that went, nobody says from which chat.
    if (news.some(({ record }) => record === undefined)) return;
    const written = new Map<string, OpenedRecord[]>();
    for (const { record } of news) {
      const conversationId = record && conversationOf(record);
      const isCovered = (this.#covered?.get(conversationId ?? '') ?? UNSURE) !== UNSURE;
      if (conversationId === undefined || !isCovered) continue;
      const records = written.get(conversationId) ?? [];
      records.push(record as OpenedRecord);
      written.set(conversationId, records);
    }
    for (const summary of summaries) {
      const { conversationId } = summary;
      const records = written.get(conversationId);
      // What is newest is told later where many changes are told as one: then there may be more that is not told yet.
      if (records === undefined || greatestClock(records) < summary.clock) continue;
      const documents = [titleOf(summary), ...records.flatMap((record) => messageOf(record) ?? [])];
      yield { conversationId, version: versionOf(summary), isWhole: false, documents };
    }
  }

  /** As many of the chats as one write takes. */
  async #wholes(missing: readonly ConversationSummary[]): Promise<ConversationChange[]> {
    const changes: ConversationChange[] = [];
    let documentCount = 0;
    let characters = 0;
    for (const summary of missing) {
      const change = await this.#wholeOf(summary);
      changes.push(change);
      documentCount += change.documents.length;
      for (const { text } of change.documents) characters += text.length;
      const isFull = documentCount >= BATCH_DOCUMENTS || characters >= BATCH_CHARACTERS;
      if (isFull || this.#stopping.signal.aborted) break;
    }
    return changes;
  }

  async #wholeOf({ conversationId }: ConversationSummary): Promise<ConversationChange> {
    const whole = await readWhole(this.#options.source, conversationId);
    if (whole === undefined) return { conversationId, version: 'gone', isWhole: true, documents: [] };
    return { conversationId, version: versionOf(whole.summary), isWhole: true, documents: documentsOf(whole) };
  }

  #tell(done: number, total: number): void {
    if (this.#progress?.done === done && this.#progress.total === total) return;
    this.#progress = { done, total };
    for (const listener of this.#listeners) listener();
  }

  /** Until something was written, and then until it has been quiet. */
  async #sleep(): Promise<void> {
    const { clock } = this.#options;
    const isStopped = () => this.#stopping.signal.aborted;
    if (!this.#hasNews && !this.#mustCheck && !isStopped()) await this.#woken();
    this.#wake = undefined;
    let seen = -1;
    for (let waits = 0; seen !== this.#news.size && waits < QUIET_WAITS && !isStopped(); waits++) {
      seen = this.#news.size;
      await clock.sleep(QUIET_MS, this.#stopping.signal).catch(() => undefined);
    }
  }

  get #hasNews(): boolean {
    return this.#news.size > 0 || this.#hasMore;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** An index is made of what the history has: what goes wrong with it is tried again later, and is nobody's loss. */
function onlySotto(cause: unknown): undefined {
  if (!(cause instanceof SottoError)) throw cause;
}
