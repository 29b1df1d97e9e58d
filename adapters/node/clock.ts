/** The machine's own clock and timers. It may be wrong by years: callers must say what they do then. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@sotto/ports';

export function createNodeClock(): Clock {
  return {
    nowMs: () => Date.now(),
    async sleep(delayMs, signal) {
      signal?.throwIfAborted();
      try {
        await delay(delayMs, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
  };
}
