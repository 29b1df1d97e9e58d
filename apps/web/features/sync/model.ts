/** What a person is told of syncing: nothing while everything is sent and fetched, and one line when it is not. */
import type { SyncState } from '@sotto/client/accounts';
import type { Clock } from '@sotto/ports';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import type { SyncWordKey } from './words.ts';

export interface SyncLine {
  /** Undefined: nothing is said. */
  readonly words: SyncWordKey | undefined;
  readonly count: number;
  readonly mayTryNow: boolean;
}

/** A write is on its way for a moment; only what stays is told. */
const PATIENCE_MS = 2000;
const SENT_MS = 3000;
const NOTHING: SyncLine = { words: undefined, count: 0, mayTryNow: false };

export interface Followed {
  readonly state: SyncState;
  subscribe(listener: () => void): () => void;
}

/** @returns the line to show, and the way to stop following */
export function createSyncLine(sync: Followed, clock: Clock): { state: ReadableStore<SyncLine>; stop(): void } {
  const state = createStore<SyncLine>(NOTHING);
  const stopping = new AbortController();
  const { signal } = stopping;
  let isPatient = false;

  const show = () => {
    const line = lineOf(sync.state);
    const was = state.get();
    if (line.words !== undefined) return state.set(line);
    if (was.words === undefined || was.words === 'sync.sent') return;
    state.set({ ...NOTHING, words: 'sync.sent' });
    clock.sleep(SENT_MS, signal).then(
      () => state.get().words === 'sync.sent' && state.set(NOTHING),
      () => {},
    );
  };
  const changed = () => {
    const isShown = ![undefined, 'sync.sent'].includes(state.get().words);
    if (isShown || sync.state.problem !== undefined) return show();
    if (isPatient || lineOf(sync.state).words === undefined) return;
    isPatient = true;
    clock.sleep(PATIENCE_MS, signal).then(
      () => {
        isPatient = false;
        show();
      },
      () => {},
    );
  };
  const unfollow = sync.subscribe(changed);
  changed();
  return {
    state,
    stop() {
      unfollow();
      stopping.abort();
    },
  };
}

function lineOf({ pendingCount: count, problem }: SyncState): SyncLine {
  if (problem === undefined) return count === 0 ? NOTHING : { words: 'sync.to-send', count, mayTryNow: false };
  const waiting = count > 0 ? ('-waiting' as const) : ('' as const);
  switch (problem) {
    case 'offline':
    case 'server-failed':
      return { words: `sync.${problem}${waiting}`, count, mayTryNow: true };
    case 'signed-out':
      return { words: `sync.signed-out${waiting}`, count, mayTryNow: false };
    case 'rate-limited':
      return count === 0 ? NOTHING : { words: 'sync.rate-limited', count, mayTryNow: false };
    default:
      return { words: `sync.${problem}`, count, mayTryNow: true };
  }
}
