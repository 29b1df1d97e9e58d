/** A question to the person at this device, with an end. */
import type { Clock } from '@sotto/ports';
import { LinkError } from './error.ts';
import { LINK_TIME_MS } from './mailbox.ts';

/** @throws LinkError `link-refused`, `link-ended`; the signal's reason */
export async function agreed(
  clock: Clock,
  signal: AbortSignal | undefined,
  question: () => Promise<boolean>,
): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    const unanswered = clock.sleep(LINK_TIME_MS, stop.signal).then(() => undefined);
    const answer = await Promise.race([question(), unanswered]);
    // CL-355: a question that stays open could be answered later, by whoever finds the device.
    if (answer === undefined) throw new LinkError('link-ended', 'CL-355');
    // CL-350: what differs, or was not asked for, is somebody else.
    if (!answer) throw new LinkError('link-refused', 'CL-350');
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop.abort();
  }
}
