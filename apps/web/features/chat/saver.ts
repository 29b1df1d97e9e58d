/** Saves something that grows, at most once an interval, one write at a time. */
import type { Clock } from '@sotto/ports';

export interface Saver {
  /** There is something new: it is written within the interval. */
  offer(): void;
  /** Stops the regular writes, waits for the one in progress and runs `last`, whose failure is the caller's. */
  finish(last: () => Promise<void>): Promise<void>;
}

/** @param onError told about a failed write in mid-answer; the next interval writes what is newest then */
export function createSaver(
  clock: Clock,
  intervalMs: number,
  write: () => Promise<void>,
  onError: (cause: unknown) => void,
): Saver {
  let isRunning = false;
  let isNew = false;
  let finished = false;
  let writing: Promise<void> = Promise.resolve();

  /** On a slow line a write may take longer than the interval: the next begins after it, and none queues up behind. */
  const run = async () => {
    isRunning = true;
    while (isNew && !finished) {
      await clock.sleep(intervalMs);
      await writing;
      if (finished) break;
      isNew = false;
      writing = write().catch(onError);
    }
    isRunning = false;
  };

  return {
    offer: () => {
      isNew = true;
      if (!isRunning && !finished) void run();
    },
    finish: async (last) => {
      finished = true;
      await writing;
      await last();
    },
  };
}
