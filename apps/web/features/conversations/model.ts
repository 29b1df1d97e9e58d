/** The list of chats: grouped by day, renamed, deleted. */

import { SottoError } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import type { ConversationSummary, History } from '../../shell/services.ts';
import { createStore, type ReadableStore, type Store } from '../../shell/store.ts';

export type DayGroup = 'today' | 'yesterday' | 'last-week' | 'earlier';

export interface ConversationGroup {
  readonly day: DayGroup;
  readonly conversations: readonly ConversationSummary[];
}

export interface FindingSummary {
  readonly rule: string;
  readonly message: string;
  readonly count: number;
}

export interface ConversationsState {
  readonly groups: readonly ConversationGroup[];
  readonly count: number;
  /** Whether there is a folder, a pin, a tag or a setting: then the list is the one of features/order. */
  readonly isOrdered: boolean;
  readonly damagedCount: number;
  /** What the server shows that the person's devices did not write so: each with the rule that found it. */
  readonly findings: readonly FindingSummary[];
  /** The code of what went wrong last, for one line under the list. */
  readonly error: string | undefined;
}

/** What the person is doing with one chat of the list. It outlives the row, which moves when the list changes. */
export interface InHand {
  /** Whose menu is open. */
  readonly chosen: ConversationSummary | undefined;
  /** The row that was asked: a chat that is pinned and stands in a folder has two. */
  readonly rowId: string | undefined;
  /** The row in which the name is being written. */
  readonly renaming: string | undefined;
}

export interface ConversationsModel {
  readonly state: ReadableStore<ConversationsState>;
  readonly inHand: Store<InHand>;
  rename(conversationId: string, title: string): Promise<void>;
  /** Runs a change; what goes wrong is told under the list. */
  attempt(work: () => Promise<void>): Promise<void>;
  /** The person takes what the server shows as a new beginning. */
  acceptAsItIs(): Promise<void>;
  followHistory(): void;
  /** Lets go of the history and of every title. */
  clear(): void;
}

export function createConversationsModel(ports: { clock: Clock; history: () => History }): ConversationsModel {
  const empty: ConversationsState = {
    groups: [],
    count: 0,
    isOrdered: false,
    damagedCount: 0,
    findings: [],
    error: undefined,
  };
  const state = createStore<ConversationsState>(empty);
  const idle: InHand = { chosen: undefined, rowId: undefined, renaming: undefined };
  const inHand = createStore<InHand>(idle);
  let unfollow = () => {};

  const reload = () => {
    const all = ports.history().conversations();
    // CL-308: what is being deleted is shown nowhere
    const list = all.filter(({ registers }) => typeof registers.removing?.value !== 'number');
    const isOrdered =
      all.some(({ registers }) => Object.keys(registers).length > 1) ||
      ['folder', 'setting'].some((type) => ports.history().recordsOfType(type).length > 0);
    const groups = groupByDay(list, ports.clock.nowMs());
    const { damagedCount, findings } = ports.history();
    state.patch({ groups, count: list.length, isOrdered, damagedCount, findings: summarise(findings) });
  };
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
      state.patch({ error: undefined });
    } catch (cause) {
      state.patch({ error: cause instanceof SottoError ? cause.code : 'unexpected' });
    }
    reload();
  };

  return {
    state,
    inHand,
    attempt,
    rename: (conversationId, title) => {
      const clean = title.trim().replace(/\s+/g, ' ').slice(0, 120);
      return attempt(async () => {
        if (clean !== '') await ports.history().rename(conversationId, clean);
      });
    },
    acceptAsItIs: () => attempt(() => ports.history().acceptAsItIs()),
    followHistory: () => {
      unfollow();
      unfollow = ports.history().subscribe(reload);
      reload();
    },
    clear: () => {
      unfollow();
      unfollow = () => {};
      state.set(empty);
      inHand.set(idle);
    },
  };
}

/** One line a kind: a server that lost a thousand messages gets one sentence. */
function summarise(findings: History['findings']): FindingSummary[] {
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  return [...byRule].map(([rule, all]) => ({ rule, message: all[0]?.message ?? '', count: all.length }));
}

/** Newest first, by local calendar days. A chat dated in the future (a clock that was wrong) counts as today. */
export function groupByDay(list: readonly ConversationSummary[], nowMs: number): readonly ConversationGroup[] {
  const today = new Date(nowMs).setHours(0, 0, 0, 0);
  const daysAgo = (days: number) => new Date(today).setDate(new Date(today).getDate() - days);
  const dayOf = ({ updatedAtMs }: ConversationSummary): DayGroup => {
    if (updatedAtMs >= today) return 'today';
    if (updatedAtMs >= daysAgo(1)) return 'yesterday';
    return updatedAtMs >= daysAgo(7) ? 'last-week' : 'earlier';
  };
  const sorted = list.toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
  return (['today', 'yesterday', 'last-week', 'earlier'] as const)
    .map((day) => ({ day, conversations: sorted.filter((one) => dayOf(one) === day) }))
    .filter((group) => group.conversations.length > 0);
}
