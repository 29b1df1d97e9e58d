/** Runs in the page of `browser.ts`: the measurement of `opening.ts` over this browser's own storage. */
import { browserClock, browserRandom, createBrowserSealedStore, openDatabase } from '@sotto/adapters-browser';
import type { MadeHistoryOptions } from './made-history.ts';
import { measureOpening, type OpeningFigures } from './opening.ts';

/** What the process that drives the page lends it. */
interface Lent {
  cpuMs(): Promise<number>;
  heapBytes(): Promise<number>;
  log(line: string): Promise<void>;
}

export async function opening(options: MadeHistoryOptions): Promise<OpeningFigures> {
  const lent = globalThis as unknown as Lent;
  return measureOpening(
    {
      sealed: createBrowserSealedStore(await openDatabase('bench')),
      random: browserRandom,
      clock: browserClock,
      now: () => performance.now(),
      cpuMs: () => lent.cpuMs(),
      heapBytes: () => lent.heapBytes(),
      log: (line) => void lent.log(line),
    },
    options,
  );
}
