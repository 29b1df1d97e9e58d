/** Brings a message of the open chat into view and marks it for a moment. */

/** A long chat on a slow phone is read and drawn by then. */
const WAIT_MS = 60_000;
const MARKED_MS = 2400;

/**
 * Waits until the message is drawn: its chat may have to be read first.
 *
 * @param isWanted whether its chat is still the open one
 */
export async function reveal(messageId: string, isWanted: () => boolean): Promise<void> {
  const until = performance.now() + WAIT_MS;
  // Whoever does something else meanwhile keeps the focus.
  const left = new AbortController();
  await new Promise(requestAnimationFrame);
  for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, () => left.abort(), { signal: left.signal });
  let found: HTMLElement | null = null;
  while (found === null && isWanted() && !left.signal.aborted && performance.now() < until) {
    await new Promise(requestAnimationFrame);
    found = document.getElementById(`message-${messageId}`);
  }
  left.abort();
  if (found === null) return;
  // The chat goes to its end when it is opened; this comes after that.
  await new Promise(requestAnimationFrame);
  found.scrollIntoView({ block: 'center' });
  found.focus({ preventScroll: true });
  found.classList.add('found');
  setTimeout(() => found.classList.remove('found'), MARKED_MS);
}
