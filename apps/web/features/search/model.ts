/** What is looked for, what was found, and which of it is chosen. The index answers with ids; texts come from the history. */
import { SottoError } from '@sotto/bytes';
import {
  type FeedProgress,
  makeSnippet,
  readWhole,
  type SearchFilters,
  type SearchHit,
  type SnippetPart,
} from '@sotto/client/search';
import type { Clock } from '@sotto/ports';
import { arrangementOf, buildFolders, FOLDER_TYPE } from '@sotto/vault/order';
import type { History } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import type { SearchSession } from './search-session.ts';

export type Who = 'any' | 'mine' | 'answers' | 'titles';
export type When = 'any' | 'week' | 'month' | 'year' | 'dates';

export interface Choices {
  readonly who: Who;
  readonly when: When;
  /** As a date field gives it, or empty. */
  readonly fromDay: string;
  readonly toDay: string;
  /** `any`, `this`, `folder:` and an id, or `tag:` and a tag. */
  readonly where: string;
  readonly withFile: boolean;
}

export interface Row {
  readonly key: string;
  readonly conversationId: string;
  /** Undefined where the title was found. */
  readonly messageId: string | undefined;
  readonly kind: SearchHit['kind'];
  readonly title: readonly SnippetPart[];
  readonly snippet: readonly SnippetPart[];
  readonly fileNames: readonly SnippetPart[];
  readonly createdAtMs: number;
}

export interface SearchState {
  readonly text: string;
  readonly choices: Choices;
  readonly places: readonly { readonly value: string; readonly name: string; readonly isTag: boolean }[];
  readonly hasThisChat: boolean;
  /** Of the last answer; they stay while the next one is on its way. */
  readonly rows: readonly Row[];
  readonly total: number;
  /** `none`: nothing is looked for. */
  readonly phase: 'none' | 'searching' | 'done' | 'failed';
  readonly chosen: number;
  readonly progress: FeedProgress | undefined;
}

export interface SearchModel {
  readonly state: ReadableStore<SearchState>;
  setText(text: string): void;
  choose(change: Partial<Choices>): void;
  /** Moves the choice among the rows. */
  move(by: number): void;
  select(index: number): void;
  showMore(): void;
  /** The row that is chosen. */
  chosenRow(): Row | undefined;
  /** Resolves when what was asked last is answered. */
  settled(): Promise<void>;
  close(): void;
}

export interface SearchModelPorts {
  readonly session: SearchSession;
  readonly history: History;
  readonly clock: Clock;
  /** The chat that is open. */
  readonly openChat: string | undefined;
}

/** Typing is answered when it pauses. */
const PAUSE_MS = 120;
const PAGE = 30;
const DAY_MS = 86_400_000;
const DAYS = { week: 7, month: 31, year: 366 } as const;
const NO_CHOICES: Choices = { who: 'any', when: 'any', fromDay: '', toDay: '', where: 'any', withFile: false };

export function createSearchModel(ports: SearchModelPorts): SearchModel {
  const { session, history, clock } = ports;
  const state = createStore<SearchState>({
    text: '',
    choices: NO_CHOICES,
    places: placesOf(history),
    hasThisChat: ports.openChat !== undefined,
    rows: [],
    total: 0,
    phase: 'none',
    chosen: 0,
    progress: session.progress,
  });
  let limit = PAGE;
  let current = new AbortController();
  let answering: Promise<void> = Promise.resolve();
  const unsubscribe = session.subscribe(() => {
    const before = state.get().progress;
    state.patch({ progress: session.progress });
    const isOver = isReading(before) && !isReading(session.progress);
    if (isOver && state.get().text.trim() !== '') ask(0);
  });

  const ask = (pauseMs: number) => {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    if (state.get().text.trim() === '') {
      state.patch({ phase: 'none', rows: [], total: 0, chosen: 0 });
      return;
    }
    state.patch({ phase: 'searching' });
    answering = answer(pauseMs, signal);
  };

  const answer = async (pauseMs: number, signal: AbortSignal) => {
    try {
      if (pauseMs > 0) await clock.sleep(pauseMs, signal);
      const { text, choices } = state.get();
      const texts = createTexts(history, text);
      const filters = filtersOf(choices, history, ports.openChat, clock.nowMs());
      for await (const found of session.query({ text, asTyped: true, filters, limit }, signal)) {
        const rows = (await Promise.all(found.hits.map((hit) => texts.rowOf(hit)))).filter((row) => row !== undefined);
        if (signal.aborted) return;
        // What the history no longer has is not there, whatever the index says.
        const total = found.total - (found.hits.length - rows.length);
        state.patch({
          rows,
          total,
          chosen: stayingAt(state.get(), rows),
          phase: found.isComplete ? 'done' : 'searching',
        });
      }
    } catch (cause) {
      if (signal.aborted) return;
      if (!(cause instanceof SottoError)) throw cause;
      state.patch({ phase: 'failed' });
    }
  };

  return {
    state,
    setText: (text) => {
      limit = PAGE;
      state.patch({ text, chosen: 0 });
      ask(PAUSE_MS);
    },
    choose: (change) => {
      limit = PAGE;
      state.patch({ choices: { ...state.get().choices, ...change }, chosen: 0 });
      ask(0);
    },
    move: (by) => {
      const { rows, chosen } = state.get();
      if (rows.length > 0) state.patch({ chosen: (chosen + by + rows.length) % rows.length });
    },
    select: (chosen) => state.patch({ chosen }),
    showMore: () => {
      limit += PAGE;
      ask(0);
    },
    chosenRow: () => {
      const { rows, chosen } = state.get();
      return rows[chosen];
    },
    settled: async () => {
      for (let seen: Promise<void> | undefined; seen !== answering; ) {
        seen = answering;
        await seen;
      }
    },
    close: () => {
      current.abort();
      unsubscribe();
    },
  };
}

/** Whoever has moved to a row stays at it when more come before it; the first place is the best hit's, whichever that is. */
function stayingAt({ rows: before, chosen }: SearchState, rows: readonly Row[]): number {
  if (chosen === 0) return 0;
  const at = rows.findIndex(({ key }) => key === before[chosen]?.key);
  return at >= 0 ? at : Math.min(chosen, Math.max(rows.length - 1, 0));
}

export function isReading(progress: FeedProgress | undefined): boolean {
  return progress !== undefined && progress.done < progress.total;
}

/** Reads each chat of an answer once. */
function createTexts(history: History, query: string) {
  const wholes = new Map<string, ReturnType<History['wholeConversation']>>();
  const wholeOf = (conversationId: string) => {
    const known = wholes.get(conversationId);
    if (known !== undefined) return known;
    const reading = readWhole(history, conversationId);
    wholes.set(conversationId, reading);
    return reading;
  };
  const marked = (text: string) => makeSnippet(text, query, { asTyped: true });
  return {
    rowOf: async ({ conversationId, id, kind }: SearchHit): Promise<Row | undefined> => {
      const whole = await wholeOf(conversationId);
      // CL-260: what was removed meanwhile must not be shown from an index that has not caught up.
      if (whole === undefined || isLeaving(whole.summary)) return undefined;
      const { title, createdAtMs } = whole.summary;
      const common = { key: id, conversationId, kind, title: marked(title) };
      if (kind === 'title') {
        return { ...common, messageId: undefined, snippet: [], fileNames: [], createdAtMs };
      }
      const content = whole.records.find(({ recordId }) => recordId === id)?.content;
      if (content?.type !== 'message') return undefined;
      const files = namesOf(content.unknownFields?.attachments).map(marked);
      const found = files.filter((parts) => parts.some(({ isMarked }) => isMarked)).flat();
      return {
        ...common,
        messageId: id,
        snippet: marked(content.text),
        fileNames: found,
        createdAtMs: content.createdAtMs,
      };
    },
  };
}

/** The person deleted it, and may still undo that. */
function isLeaving({ registers }: ReturnType<History['conversations']>[number]): boolean {
  return arrangementOf(registers).removingSinceMs !== undefined;
}

function filtersOf(choices: Choices, history: History, openChat: string | undefined, nowMs: number): SearchFilters {
  const { who, when, fromDay, toDay, where, withFile } = choices;
  const kinds = { any: undefined, mine: ['user'], answers: ['assistant'], titles: ['title'] } as const;
  const [fromMs, toMs] =
    when === 'dates'
      ? [startOf(fromDay), endOf(toDay)]
      : [when === 'any' ? undefined : nowMs - DAYS[when] * DAY_MS, undefined];
  const ids = conversationsIn(where, history, openChat);
  return {
    ...(kinds[who] === undefined ? {} : { kinds: kinds[who] }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
    ...(ids === undefined ? {} : { conversationIds: ids }),
    ...(withFile ? { hasFile: true } : {}),
  };
}

/** The beginning of a day on this person's clock; undefined for what is no day. */
function startOf(day: string): number | undefined {
  const [year, month, date] = day.split('-').map(Number);
  const at = new Date(year ?? Number.NaN, (month ?? 0) - 1, date).getTime();
  return Number.isNaN(at) ? undefined : at;
}

function endOf(day: string): number | undefined {
  const start = startOf(day);
  return start === undefined ? undefined : new Date(start).setDate(new Date(start).getDate() + 1) - 1;
}

/** Where chats stand changes without the index: it is asked of the history at each search. */
function conversationsIn(where: string, history: History, openChat: string | undefined): string[] | undefined {
  if (where === 'any') return undefined;
  if (where === 'this') return openChat === undefined ? [] : [openChat];
  const [kind, value] = [where.slice(0, where.indexOf(':')), where.slice(where.indexOf(':') + 1)];
  return history
    .conversations()
    .filter(({ registers }) => {
      const { folderId, tags } = arrangementOf(registers);
      return kind === 'folder' ? folderId === value : tags.includes(value);
    })
    .map(({ conversationId }) => conversationId);
}

/** Folders and tags that can be searched in. */
function placesOf(history: History): SearchState['places'] {
  const folders = [...buildFolders(history.recordsOfType(FOLDER_TYPE)).values()].map(({ folderId, name }) => ({
    value: `folder:${folderId}`,
    name,
    isTag: false,
  }));
  const tags = new Set(history.conversations().flatMap(({ registers }) => arrangementOf(registers).tags));
  return [...folders, ...[...tags].sort().map((name) => ({ value: `tag:${name}`, name, isTag: true }))];
}

function namesOf(attachments: unknown): string[] {
  if (!Array.isArray(attachments)) return [];
  return attachments.flatMap((one: { name?: unknown }) => (typeof one?.name === 'string' ? [one.name] : []));
}
