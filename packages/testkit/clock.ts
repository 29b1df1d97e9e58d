/** Time for tests: one clock that stands still until told, and one that uses the real timers. */
import type { Clock } from '@sotto/ports';

export interface ManualClock extends Clock {
  /** Moves time on, waking sleepers in order, each with the tasks it causes done before the next. */
  advance(byMs: number): Promise<void>;
  /** How many sleepers there are. */
  readonly sleeping: number;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Lets everything that is already due (microtasks and socket deliveries) happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function createManualClock(startMs = 1_800_000_000_000): ManualClock {
  let nowMs = startMs;
  let sleepers: Sleeper[] = [];
  return {
    nowMs: () => nowMs,
    get sleeping() {
      return sleepers.length;
    },
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const forget = () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          atMs: nowMs + Math.max(0, delayMs),
          wake() {
            signal?.removeEventListener('abort', forget);
            resolve();
          },
        };
        signal?.addEventListener('abort', forget, { once: true });
        sleepers.push(sleeper);
      });
    },
    async advance(byMs) {
      const untilMs = nowMs + byMs;
      await settle();
      for (;;) {
        const next = sleepers.filter((sleeper) => sleeper.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.atMs);
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        next.wake();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}

/** The machine's own clock and timers. */
export function createRealClock(): Clock {
  return {
    nowMs: () => Date.now(),
    sleep(delayMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const stop = () => {
          clearTimeout(timer);
          reject(signal?.reason);
        };
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', stop);
          resolve();
        }, delayMs);
        // A long wait (an idle watch) must not keep a finished test alive.
        if (delayMs >= 1000) timer.unref();
        signal?.addEventListener('abort', stop, { once: true });
      });
    },
  };
}
