/**
 * Attempts at answers: the one of the open chat, and those of other chats, which go on beside it. What an attempt changes
 * is shown while its chat is open, and kept for it while another one is.
 */
import type { Clock } from '@sotto/ports';
import type { History } from '../../shell/services.ts';
import type { Store } from '../../shell/store.ts';
import { findChat } from './context.ts';
import { type OpenChat, SILENCE, type Turn } from './state.ts';

/** Aborting it stops the answer. Only the newest of a chat may change what is shown. */
export type Attempt = AbortController;

type WentWrong = Pick<OpenChat, 'notice' | 'again' | 'throughId'>;

export interface Attempts {
  /** Of the open chat. */
  readonly current: () => Attempt | undefined;
  /** Stops what is on its way in the open chat, and begins anew there. */
  begin(): Attempt;
  isNewest(attempt: Attempt): boolean;
  /** What is shown of the attempt's chat, or would be. */
  shownOf(attempt: Attempt): OpenChat;
  show(attempt: Attempt, change: Partial<Omit<OpenChat, 'conversationId'>>): void;
  patchTurn(attempt: Attempt, change: Partial<Turn>): void;
  /** What went wrong beside is kept for when its chat is opened. @returns whether its chat is open */
  end(attempt: Attempt): boolean;
  /** Stops what is on its way in the open chat, and forgets it. */
  drop(): void;
  /** Keeps account of an answer until its last save. */
  track(attempt: Attempt, done: Promise<void>): Promise<void>;
  /** Another chat is opened: what is not asked yet is given back, an answer goes on. */
  setAside(): void;
  /** @returns what is shown of a chat whose answer went on */
  takeBack(conversationId: string): OpenChat | undefined;
  /** @returns what went wrong in a chat while another one was shown: once */
  whatWentWrong(conversationId: string): WentWrong | undefined;
  /** Stops what stands in chats that are gone. */
  stopRemoved(): void;
  /** Whether an answer is on its way in the chat, or, without one, in any. */
  isBusy(conversationId?: string): boolean;
  /** As of the chat model. */
  settle(of?: readonly string[]): Promise<void>;
  /** Stops and forgets all. */
  clear(): void;
}

export function createAttempts(ports: { state: Store<OpenChat>; clock: Clock; history: () => History }): Attempts {
  const { state, clock, history } = ports;
  let current: Attempt | undefined;
  const answering = new Map<Attempt, { readonly conversationId: string; readonly done: Promise<void> }>();
  const aside = new Map<Attempt, { readonly kept: History; readonly shown: OpenChat & { conversationId: string } }>();
  const wentWrong = new Map<string, WentWrong>();

  const shownOf: Attempts['shownOf'] = (attempt) => aside.get(attempt)?.shown ?? state.get();
  const show: Attempts['show'] = (attempt, change) => {
    const kept = aside.get(attempt);
    if (kept !== undefined) aside.set(attempt, { ...kept, shown: { ...kept.shown, ...change } });
    else if (current === attempt) state.patch(change);
  };

  const drop = () => {
    current?.abort();
    current = undefined;
  };

  /** What waits to be saved again is given up, too. */
  const stopAside = (attempt: Attempt) => {
    attempt.abort();
    aside.delete(attempt);
  };

  return {
    current: () => current,
    begin: () => {
      current?.abort();
      current = new AbortController();
      const turn: Turn = { phase: 'checking', sinceMs: clock.nowMs(), messageId: undefined, shown: '' };
      state.patch({ turn, notice: undefined, announcement: SILENCE });
      return current;
    },
    isNewest: (attempt) => current === attempt || aside.has(attempt),
    shownOf,
    show,
    patchTurn: (attempt, change) => {
      const { turn } = shownOf(attempt);
      if (turn !== undefined) show(attempt, { turn: { ...turn, ...change } });
    },
    end: (attempt) => {
      const { shown } = aside.get(attempt) ?? {};
      if (shown?.notice !== undefined) {
        const { conversationId, notice, again, throughId } = shown;
        wentWrong.set(conversationId, { notice, again, throughId });
      }
      aside.delete(attempt);
      if (current !== attempt) return false;
      current = undefined;
      return true;
    },
    drop,
    track: (attempt, done) => {
      const { conversationId } = shownOf(attempt);
      if (conversationId === undefined) return done;
      const entry = { conversationId, done };
      answering.set(attempt, entry);
      return done.finally(() => {
        if (answering.get(attempt) === entry) answering.delete(attempt);
      });
    },
    setAside: () => {
      const attempt = current;
      const { conversationId, ...shown } = state.get();
      current = undefined;
      if (attempt === undefined) return;
      const isGivenBack = shown.pending !== undefined || conversationId === undefined;
      if (isGivenBack) attempt.abort();
      else aside.set(attempt, { kept: history(), shown: { ...shown, conversationId } });
    },
    takeBack: (conversationId) => {
      for (const [attempt, { shown }] of aside) {
        if (shown.conversationId !== conversationId) continue;
        aside.delete(attempt);
        current = attempt;
        return shown;
      }
      return undefined;
    },
    whatWentWrong: (conversationId) => {
      const found = wentWrong.get(conversationId);
      wentWrong.delete(conversationId);
      return found;
    },
    stopRemoved: () => {
      for (const [attempt, { kept, shown }] of aside) {
        const isGone = findChat(kept, shown.conversationId) === undefined;
        // CL-388: what goes on writing would bring back what the person removed
        if (isGone) stopAside(attempt);
      }
    },
    isBusy: (conversationId) => {
      if (conversationId === undefined) return current !== undefined || answering.size > 0;
      return [...answering.values()].some((answer) => answer.conversationId === conversationId);
    },
    settle: async (of) => {
      const isMeant = (conversationId: string | undefined) => of === undefined || of.includes(conversationId ?? '');
      if (isMeant(state.get().conversationId)) current?.abort();
      const meant = [...answering].filter(([, { conversationId }]) => isMeant(conversationId));
      for (const [attempt] of meant) attempt.abort();
      for (const [attempt, { shown }] of aside) if (isMeant(shown.conversationId)) stopAside(attempt);
      await Promise.allSettled(meant.map(([, { done }]) => done));
    },
    clear: () => {
      drop();
      for (const attempt of [...answering.keys(), ...aside.keys()]) attempt.abort();
      aside.clear();
      wentWrong.clear();
    },
  };
}
