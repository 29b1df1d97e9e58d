/**
 * Locks an account that nobody uses: after the time the person chose, with a minute's warning, and never in mid-answer (spec/client.md
 * CL-342). Tabs of one browser tell each other that somebody is there. Loaded when an account is opened.
 */
import type { Clock, TabChannel } from '@sotto/ports';
import type { Preferences } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';

export const IDLE_CHOICES = [1, 5, 15, 60, 0] as const;
/** Minutes; 0 never locks. */
export type IdleMinutes = (typeof IDLE_CHOICES)[number];

const DEFAULT_MINUTES: IdleMinutes = 15;
const MINUTE_MS = 60_000;
const WARNING_MS = MINUTE_MS;
/** How late a change of the setting, or a computer that wakes up, is noticed. */
const LOOK_MS = 10_000;
const SECOND_MS = 1000;
/** Other tabs need not hear of every key. */
const TELL_MS = 10_000;
const ACTIVE = 'active';

/** What its view is told beside what it works on. */
export interface GuardViewPorts extends GuardPorts {
  /** Something is typed and not sent: it is in memory alone. */
  readonly hasDraft: () => boolean;
}

export interface GuardPorts {
  readonly clock: Clock;
  readonly tabs: TabChannel;
  readonly preferences: Preferences;
  /** Something is under way that must not be cut: an answer runs. */
  readonly isBusy: () => boolean;
  readonly lock: () => Promise<void>;
}

export interface Guard {
  /** Whole seconds until the lock, while it is near. */
  readonly state: ReadableStore<{ readonly secondsLeft: number | undefined }>;
  /** Somebody touched this tab. */
  active(): void;
  stop(): void;
}

/** What was chosen on this device; an account that stays unlocked does not lock by itself. */
export function idleMinutesOf(preferences: Preferences): IdleMinutes {
  const kept = preferences.get('idle-minutes');
  return IDLE_CHOICES.find((minutes) => String(minutes) === kept) ?? DEFAULT_MINUTES;
}

export function setIdleMinutes(preferences: Preferences, minutes: IdleMinutes): void {
  preferences.set('idle-minutes', minutes === DEFAULT_MINUTES ? undefined : String(minutes));
}

export function startGuard({ clock, tabs, preferences, isBusy, lock }: GuardPorts): Guard {
  const state = createStore<{ secondsLeft: number | undefined }>({ secondsLeft: undefined });
  const stopped = new AbortController();
  let activeMs = clock.nowMs();
  let toldMs = Number.NEGATIVE_INFINITY;

  const seen = () => {
    activeMs = clock.nowMs();
    if (state.get().secondsLeft !== undefined) state.set({ secondsLeft: undefined });
  };
  /** Begins the time anew, here and in the other tabs. */
  const renew = () => {
    seen();
    if (activeMs - toldMs < TELL_MS && toldMs <= activeMs) return;
    toldMs = activeMs;
    tabs.post(ACTIVE);
  };
  const active = () => {
    // CL-342: a computer that wakes up hears the first key before its timers, and must lock all the same.
    if (isOver()) return over();
    renew();
  };
  const stopListening = tabs.subscribe((word) => {
    if (word === ACTIVE) seen();
  });

  /** Milliseconds until the lock; undefined where there is none. */
  const left = (): number | undefined => {
    const minutes = idleMinutesOf(preferences);
    if (minutes === 0 || preferences.get('stays-unlocked') !== undefined) return undefined;
    // A clock that was set back says nothing about when somebody was here.
    if (clock.nowMs() < activeMs) activeMs = clock.nowMs();
    return activeMs + minutes * MINUTE_MS - clock.nowMs();
  };

  const isOver = () => (left() ?? 1) <= 0;
  const over = () => {
    if (stopped.signal.aborted) return;
    stop();
    lock().catch(() => {
      // It says itself what failed.
    });
  };

  const watch = async () => {
    while (!stopped.signal.aborted) {
      // CL-342: what an answer has said would be cut, and the person waits for it.
      if (isBusy()) renew();
      if (isOver()) return over();
      const leftMs = left();
      const isNear = leftMs !== undefined && leftMs <= WARNING_MS && leftMs < idleMinutesOf(preferences) * MINUTE_MS;
      state.set({ secondsLeft: isNear ? Math.ceil(leftMs / SECOND_MS) : undefined });
      const warnInMs = leftMs === undefined ? LOOK_MS : Math.max(SECOND_MS, leftMs - WARNING_MS);
      await clock.sleep(isNear ? SECOND_MS : Math.min(LOOK_MS, warnInMs), stopped.signal);
    }
  };
  const stop = () => {
    stopped.abort();
    stopListening();
    state.set({ secondsLeft: undefined });
  };
  watch().catch(() => {
    // Stopped.
  });
  return { state, active, stop };
}
