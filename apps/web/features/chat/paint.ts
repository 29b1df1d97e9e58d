/** Moves what arrived of an answer onto the screen, frame by frame, in whole words. */
import type { Services } from '../../shell/services.ts';
import { createPacer } from './pacer.ts';

/** Longest pause between two frames of a running answer; a word's time at reading pace. */
const MOST_WAIT_MS = 80;

export interface Painter {
  /** Something new arrived. */
  wake(): void;
  /** Resolves when everything that arrived is on the screen. */
  settle(): Promise<void>;
  stop(): void;
}

/** @param from characters already shown; @param arrived the whole text so far; @param show called with what to show */
export function createPainter(
  { clock, page }: Pick<Services, 'clock' | 'page'>,
  from: number,
  arrived: () => string,
  show: (shown: string) => void,
): Painter {
  const pacer = createPacer(from);
  let cancel: (() => void) | undefined;
  let shown = from;
  let whole: (() => void) | undefined;

  let paintedMs = 0;

  const frame = () => {
    cancel = undefined;
    const text = arrived();
    // Nobody reads a long answer sixty times a second, and drawing a long paragraph costs.
    if (clock.nowMs() - paintedMs < Math.min(MOST_WAIT_MS, shown / 200)) return wake();
    paintedMs = clock.nowMs();
    // At the end there is no word left to wait for.
    const next = Math.min(text.length, pacer.advance(whole ? `${text}\n` : text, clock.nowMs()));
    if (next !== shown) {
      shown = next;
      show(text.slice(0, shown));
    }
    if (shown < text.length) wake();
    else whole?.();
  };
  const wake = () => {
    cancel ??= page.nextFrame(frame);
  };

  return {
    wake,
    settle: () =>
      new Promise((resolve) => {
        whole = resolve;
        wake();
      }),
    stop: () => {
      cancel?.();
      whole?.();
    },
  };
}
