/**
 * The index of one account or guest on one device (spec/client.md "Search"): words of all messages, titles and file names in
 * immutable sealed segments. What is removed or replaced is out of the store in the same write that says so. One writer at a
 * time (the caller sees to that); any number of readers, in any tab.
 */
import type { Clock } from '@sotto/ports';
import { hashOf, type SearchDocument, type Segment } from './build.ts';
import { SearchError } from './error.ts';
import { blocksOf, matchSegment } from './match.ts';
import { type Phrase, parseQuery } from './query.ts';
import { type Found, rankHits } from './rank.ts';
import { type FreshDocuments, isSmall, type Old, rewriteSegments, toMerge } from './rewrite.ts';
import { SealedSegments, type SegmentsOptions } from './sealed-segments.ts';
import { documentId, type Head, hasFile, idBeginning, kindOf } from './segment.ts';
import { EMPTY_STATE, type IndexState, type SegmentInfo } from './state.ts';
import type { ConversationChange, SearchAnswer, SearchFilters, SearchIndexLike, SearchRequest } from './types.ts';

export interface SearchIndexOptions extends SegmentsOptions {
  readonly clock: Clock;
}

const PARTIAL_EVERY_MS = 100;
const READ_AGAIN_LIMIT = 5;
/** Segments of a query that are read at a time. */
const READ_AHEAD = 4;

/** Where a document is. */
interface Place {
  readonly segmentId: string;
  readonly document: number;
  readonly hash: number;
}

/** What is to be written. */
interface Rewriting {
  /** Segments to write again. */
  readonly old?: readonly string[];
  readonly fresh?: readonly FreshDocuments[];
  readonly kept?: (segmentId: string, document: number) => boolean;
  readonly covered: (conversationId: string) => string | undefined;
  readonly recheck?: boolean;
  readonly together?: boolean;
}

/** Opens an index; nothing but its state is read yet. */
export async function openSearchIndex(options: SearchIndexOptions): Promise<SearchIndex> {
  const index = new SearchIndex(options);
  await index.refresh();
  return index;
}

export class SearchIndex implements SearchIndexLike {
  readonly #segments: SealedSegments;
  readonly #clock: Clock;
  #state: IndexState = EMPTY_STATE;
  /** Ids of segments of which a part cannot be read. */
  #damaged = new Set<string>();
  /** What was looked at since a segment was lost. */
  readonly #rechecked = new Map<string, string>();
  /** Whoever feeds the index has asked what it covers since then. */
  #isToldOfLoss = false;
  /** The number of a conversation in a segment. */
  readonly #numbers = new WeakMap<Head, ReadonlyMap<string, number>>();
  #writing: Promise<unknown> = Promise.resolve();
  /** The state is the one that this index wrote last, and not one that it read. */
  #isOwn = false;

  /** Use `openSearchIndex`. */
  constructor(options: SearchIndexOptions) {
    this.#segments = new SealedSegments(options);
    this.#clock = options.clock;
  }

  /** Documents in the index. */
  get documentCount(): number {
    return this.#state.segments.reduce((sum, { documents }) => sum + documents, 0);
  }

  get segmentCount(): number {
    return this.#state.segments.length;
  }

  /** Parts were found that cannot be read: the next write leaves them out, and what they held is to be added anew. */
  get isDamaged(): boolean {
    return this.#damaged.size > 0;
  }

  get #isLacking(): boolean {
    return this.isDamaged || this.#state.recheck;
  }

  /** Takes over what another tab wrote meanwhile. */
  async refresh(): Promise<void> {
    let state: IndexState | undefined;
    try {
      state = await this.#segments.readState();
    } catch (cause) {
      if (!(cause instanceof SearchError)) throw cause;
      // Without its state nothing of it can be found or removed: it goes as a whole and is made anew.
      await this.#segments.erase();
      state = EMPTY_STATE;
    }
    if (state === undefined) return;
    this.#isOwn = false;
    this.#state = state;
    this.#segments.retain(state.segments);
    const { segments } = state;
    this.#damaged = new Set([...this.#damaged].filter((id) => segments.some((one) => one.id === id)));
  }

  async covered(): Promise<ReadonlyMap<string, string>> {
    await this.refresh();
    const covered = this.#covered(await this.#heads(this.#state));
    this.#isToldOfLoss = true;
    return covered;
  }

  async update(changes: readonly ConversationChange[]): Promise<void> {
    for (const round of inRounds(changes)) await this.#inTurn((state) => this.#update(state, round));
  }

  retain(conversationIds: readonly string[]): Promise<void> {
    const wanted = new Set(conversationIds);
    return this.#inTurn(async (state) => {
      // CL-255: only who was told that something is lost has looked at everything since.
      const recheck = state.recheck && !this.#isToldOfLoss;
      await this.#leaveOut(state, (id) => wanted.has(id), recheck);
    });
  }

  forget(conversationIds: readonly string[]): Promise<void> {
    const gone = new Set(conversationIds);
    return this.#inTurn((state) => this.#leaveOut(state, (id) => !gone.has(id), state.recheck));
  }

  maintain(): Promise<boolean> {
    return this.#inTurn(async (state) => {
      const group = toMerge(state.segments);
      if (group.length < 2) return false;
      const covered = this.#covered(await this.#heads(state));
      const old = group.map(({ id }) => id);
      await this.#rewrite(state, { old, covered: (id) => covered.get(id) ?? '', together: true });
      return true;
    });
  }

  erase(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#segments.erase();
      this.#state = EMPTY_STATE;
      this.#damaged.clear();
    });
  }

  async *query(request: SearchRequest, signal?: AbortSignal): AsyncGenerator<SearchAnswer, void, undefined> {
    const phrases = parseQuery(request.text, { asTyped: request.asTyped ?? false });
    if (phrases.length === 0) return void (yield { hits: [], total: 0, isComplete: true, isDamaged: false });
    for (let tries = 1; ; tries++) {
      try {
        await this.refresh();
        return yield* this.#query(phrases, request, signal);
      } catch (cause) {
        const isStale = cause instanceof SearchError && cause.code === 'index-stale';
        if (!isStale || tries === READ_AGAIN_LIMIT) throw cause;
      }
    }
  }

  async *#query(
    phrases: readonly Phrase[],
    { limit, filters = {} }: SearchRequest,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SearchAnswer, void, undefined> {
    const { segments } = this.#state;
    const statistics = {
      documents: segments.reduce((sum, { documents }) => sum + documents, 0),
      words: segments.reduce((sum, { words }) => sum + words, 0),
    };
    const found: Found[] = [];
    let toldAtMs = this.#clock.nowMs();
    await this.#segments.readHeads(segments);
    if (signal?.aborted) return;
    // The newest first: that is where a person mostly looks.
    const order = segments.toReversed();
    const reading: Promise<Found | undefined>[] = [];
    for (let at = 0; at < order.length; at++) {
      for (const info of order.slice(reading.length, at + READ_AHEAD)) {
        const finding = this.#find(info, phrases, filters);
        // It is waited for below, or not at all once another one was stale.
        finding.catch(() => undefined);
        reading.push(finding);
      }
      const each = await reading[at];
      if (signal?.aborted) return;
      if (each !== undefined) found.push(each);
      const nowMs = this.#clock.nowMs();
      if (nowMs - toldAtMs < PARTIAL_EVERY_MS) continue;
      toldAtMs = nowMs;
      yield { ...rankHits(found, statistics, limit, nowMs), isComplete: false, isDamaged: this.#isLacking };
    }
    yield { ...rankHits(found, statistics, limit, this.#clock.nowMs()), isComplete: true, isDamaged: this.#isLacking };
  }

  async #find(info: SegmentInfo, phrases: readonly Phrase[], filters: SearchFilters): Promise<Found | undefined> {
    if (this.#damaged.has(info.id)) return undefined;
    try {
      const [head] = await this.#segments.readHeads([info]);
      if (head === undefined) throw new SearchError('index-damaged');
      const wanted = new Set<number>();
      for (const slot of phrases.flat()) {
        const [from, to] = blocksOf(head, slot);
        for (let block = from; block < to; block++) wanted.add(block);
      }
      const blocks = await this.#segments.readBlocks(info, [...wanted]);
      const blockAt = (block: number) => blocks.get(block) as Uint8Array;
      return { head, matches: matchSegment(head, phrases, blockAt, filterOf(head, filters)) };
    } catch (cause) {
      if (!(cause instanceof SearchError)) throw cause;
      await this.refresh();
      // It was merged into another one while this read it.
      if (!this.#state.segments.some(({ id }) => id === info.id)) throw new SearchError('index-stale', { cause });
      this.#damaged.add(info.id);
      return undefined;
    }
  }

  async #update(state: IndexState, changes: readonly ConversationChange[]): Promise<void> {
    const heads = await this.#heads(state);
    const before = this.#coverage(heads);
    const news = new Map<string, string>();
    const covered = (conversationId: string) => news.get(conversationId) ?? before(conversationId);
    const gone = new Map<string, Set<number>>();
    const fresh: FreshDocuments[] = [];
    let isRemoval = false;
    for (const { conversationId, version, documents, isWhole, removed = [] } of changes) {
      const named = [...documents.map((document) => document.id), ...removed];
      const held = this.#placesOf(heads, conversationId, isWhole ? undefined : named);
      const added = new Map<string, SearchDocument>();
      for (const document of documents) added.set(document.id, document);
      const leaving = new Set(isWhole ? held.keys() : removed);
      isRemoval ||= [...leaving].some((id) => held.has(id) && !documents.some((document) => document.id === id));
      for (const [id, document] of added) {
        const place = held.get(id);
        leaving.delete(id);
        if (place?.hash === hashOf(document)) added.delete(id);
        else if (place !== undefined) leaving.add(id);
      }
      for (const id of leaving) {
        const place = held.get(id);
        if (place !== undefined) {
          gone.set(place.segmentId, (gone.get(place.segmentId) ?? new Set()).add(place.document));
        }
      }
      const isNews = version !== undefined && covered(conversationId) !== version;
      if (isNews) news.set(conversationId, version);
      if (!isNews && added.size === 0) continue;
      fresh.push({ conversationId, covered: covered(conversationId) ?? '', documents: [...added.values()] });
    }
    if (gone.size === 0 && fresh.length === 0) return;
    await this.#rewrite(state, {
      old: [...gone.keys()],
      fresh,
      kept: (segmentId, document) => !gone.get(segmentId)?.has(document),
      covered: (id) => covered(id) ?? '',
    });
    if (isRemoval) await this.#segments.purge();
    if (!this.#state.recheck) return;
    for (const { conversationId, version } of changes) {
      if (version !== undefined) this.#rechecked.set(conversationId, version);
    }
  }

  /** Writes again what holds anything of a conversation that is not wanted. */
  async #leaveOut(state: IndexState, isWanted: (id: string) => boolean, recheck: boolean): Promise<void> {
    const heads = await this.#heads(state);
    const isAllWanted = ({ conversations }: Head) => conversations.every((one) => isWanted(one.conversationId));
    const old = [...heads].filter(([, head]) => !isAllWanted(head)).map(([id]) => id);
    if (old.length === 0 && recheck === state.recheck && !this.isDamaged) return;
    const covered = this.#covered(heads);
    await this.#rewrite(state, {
      old,
      covered: (id) => (isWanted(id) ? (covered.get(id) ?? '') : undefined),
      recheck,
    });
    if (old.length > 0) await this.#segments.purge();
  }

  async #rewrite(state: IndexState, rewriting: Rewriting): Promise<void> {
    const { fresh = [], kept = () => true, covered, recheck = state.recheck, together = false } = rewriting;
    const again = new Set(rewriting.old);
    const damaged = state.segments.filter(({ id }) => this.#damaged.has(id));
    const old: Old[] = [];
    const unchanged: SegmentInfo[] = [];
    for (const info of state.segments) {
      if (this.#damaged.has(info.id)) continue;
      if (again.has(info.id) || (fresh.length > 0 && isSmall(info))) {
        old.push({ info, segment: await this.#whole(info) });
      } else unchanged.push(info);
    }
    const added = rewriteSegments(old, fresh, kept, covered, together);
    const next = { generation: state.generation + 1, recheck: recheck || damaged.length > 0 };
    this.#state = await this.#segments.write(next, unchanged, added, [...old.map(({ info }) => info), ...damaged]);
    this.#isOwn = true;
    if (damaged.length > 0 || !next.recheck) this.#rechecked.clear();
    if (damaged.length > 0) this.#isToldOfLoss = false;
    this.#damaged.clear();
  }

  /** The head and all blocks of a segment. @throws SearchError `index-damaged`, and it counts as damaged from then on */
  async #whole(info: SegmentInfo): Promise<Segment> {
    try {
      const [head] = await this.#segments.readHeads([info]);
      if (head === undefined) throw new SearchError('index-damaged');
      const numbers = head.firstTerms.map((_, number) => number);
      const blocks = await this.#segments.readBlocks(info, numbers);
      return { head, blocks: numbers.map((number) => blocks.get(number) as Uint8Array) };
    } catch (cause) {
      if (cause instanceof SearchError) this.#damaged.add(info.id);
      throw cause;
    }
  }

  /** By segment, oldest first; those that cannot be read count as damaged. */
  async #heads({ segments }: IndexState): Promise<ReadonlyMap<string, Head>> {
    const heads = await this.#segments.readHeads(segments);
    const found = new Map<string, Head>();
    for (const [index, { id }] of segments.entries()) {
      const head = heads[index];
      if (head === undefined) this.#damaged.add(id);
      else if (!this.#damaged.has(id)) found.set(id, head);
    }
    return found;
  }

  /** What counts as covered whatever the heads say; undefined where they are all there. */
  #coveredAnew(): Map<string, string> | undefined {
    // CL-255: what a lost segment held would stay away from every search, for its conversation counts as covered.
    if (this.#isLacking) return new Map(this.isDamaged ? [] : this.#rechecked);
    return undefined;
  }

  /** The same as `#covered` for a few conversations: gathering it for all takes longer than adding a message. */
  #coverage(heads: ReadonlyMap<string, Head>): (conversationId: string) => string | undefined {
    const anew = this.#coveredAnew();
    if (anew !== undefined) return (conversationId) => anew.get(conversationId);
    const newestFirst = [...heads.values()].reverse();
    return (conversationId) => {
      for (const head of newestFirst) {
        const number = this.#numbersOf(head).get(conversationId);
        const covered = number === undefined ? '' : head.conversations[number]?.covered;
        if (covered) return covered;
      }
      return undefined;
    };
  }

  #covered(heads: ReadonlyMap<string, Head>): Map<string, string> {
    const anew = this.#coveredAnew();
    if (anew !== undefined) return anew;
    const covered = new Map<string, string>();
    for (const { conversations } of heads.values()) {
      for (const one of conversations) if (one.covered !== '') covered.set(one.conversationId, one.covered);
    }
    return covered;
  }

  /** Where the documents of a conversation are: all of them, or those that are named and perhaps a few more. */
  #placesOf(
    heads: ReadonlyMap<string, Head>,
    conversationId: string,
    named: readonly string[] | undefined,
  ): ReadonlyMap<string, Place> {
    const places = new Map<string, Place>();
    const beginnings = named && new Set(named.map((id) => Number.parseInt(id.slice(0, 8), 16)));
    for (const [segmentId, head] of heads) {
      const number = this.#numbersOf(head).get(conversationId);
      if (number === undefined) continue;
      const { documents } = head;
      for (let at = documents.conversation.indexOf(number); at >= 0; ) {
        if (beginnings?.has(idBeginning(documents, at)) !== false) {
          places.set(documentId(documents, at), { segmentId, document: at, hash: documents.hash[at] as number });
        }
        at = documents.conversation.indexOf(number, at + 1);
      }
    }
    return places;
  }

  #numbersOf(head: Head): ReadonlyMap<string, number> {
    let numbers = this.#numbers.get(head);
    if (numbers === undefined) {
      numbers = new Map(head.conversations.map(({ conversationId }, number) => [conversationId, number]));
      this.#numbers.set(head, numbers);
    }
    return numbers;
  }

  /** One write after the other, each on what the store has: one that was reported as failed may have been done. */
  #inTurn<Result>(work: (state: IndexState) => Promise<Result>): Promise<Result> {
    const turn = this.#writing.then(async () => {
      for (let tries = 1; ; tries++) {
        // What the last write of this one left is what the store has, for nobody else writes.
        if (!this.#isOwn) await this.refresh();
        try {
          return await work(this.#state);
        } catch (cause) {
          this.#isOwn = false;
          // Each try finds at least one more segment damaged, and leaves it out.
          if (!(cause instanceof SearchError) || tries > this.#state.segments.length) throw cause;
        }
      }
    });
    this.#writing = turn.catch(() => undefined);
    return turn;
  }
}

/** Each conversation at most once a round. */
function inRounds(changes: readonly ConversationChange[]): ConversationChange[][] {
  const rounds: ConversationChange[][] = [];
  const seen = new Map<string, number>();
  for (const change of changes) {
    const round = seen.get(change.conversationId) ?? 0;
    seen.set(change.conversationId, round + 1);
    rounds[round] ??= [];
    rounds[round].push(change);
  }
  return rounds;
}

function filterOf({ documents, conversations }: Head, filters: SearchFilters): (document: number) => boolean {
  const { kinds, fromMs = 0, toMs = Number.POSITIVE_INFINITY, hasFile: withFile, conversationIds } = filters;
  const ids = conversationIds && new Set(conversationIds);
  const isIn = ids && conversations.map(({ conversationId }) => ids.has(conversationId));
  return (document) => {
    const kind = documents.kind[document] as number;
    const second = documents.createdAtSeconds[document] as number;
    if (second < Math.floor(fromMs / 1000) || 1000 * second > toMs) return false;
    if (kinds !== undefined && !kinds.includes(kindOf(kind))) return false;
    if (withFile !== undefined && hasFile(kind) !== withFile) return false;
    return isIn === undefined || isIn[documents.conversation[document] as number] === true;
  };
}
