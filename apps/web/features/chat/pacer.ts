/**
 * Shows a streamed text in whole words at reading pace: never faster than the eye wants, never more than a blink behind.
 * Pure arithmetic on time and lengths, so that it is tested without a browser.
 */

/** Characters a second when little waits: some twelve words, faster than anyone reads. */
const CALM_RATE = 75;
/** Whatever waits is shown within about this time. */
const CATCH_UP_MS = 400;

export interface Pacer {
  /** How many characters of `arrived` to show at `nowMs`; never fewer than before, always at a word's end. */
  advance(arrived: string, nowMs: number): number;
}

/** @param from characters already on the screen when the stream begins */
export function createPacer(from = 0): Pacer {
  let shown = from;
  let credit = 0;
  let lastMs: number | undefined;

  return {
    advance: (arrived, nowMs) => {
      const elapsedMs = Math.min(250, Math.max(0, nowMs - (lastMs ?? nowMs)));
      lastMs = nowMs;
      const waiting = arrived.length - shown;
      if (waiting <= 0) {
        credit = 0;
        return shown;
      }
      const perMs = Math.max(CALM_RATE / 1000, waiting / CATCH_UP_MS);
      credit = Math.min(waiting, credit + elapsedMs * perMs);
      const end = wordEnd(arrived, shown + Math.floor(credit));
      if (end > shown) {
        credit -= end - shown;
        shown = end;
      }
      return shown;
    },
  };
}

/** The last position up to `limit` that does not cut a word whose end may still be on its way. */
function wordEnd(text: string, limit: number): number {
  for (let at = Math.min(limit, text.length); at > 0; at--) {
    if (/\s/.test(text[at - 1] as string)) return at;
    // A long run without spaces (a link, Chinese, Thai) must not wait for a space that never comes.
    if (limit - at > 24) return limit - (isHighSurrogate(text, limit - 1) ? 1 : 0);
  }
  return 0;
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}
