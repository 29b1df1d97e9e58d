/**
 * After a rotation: what older keys seal is sealed anew, little by little behind the person's back, so that a key that was given
 * up opens less and less of what an honest server holds (spec/client.md "Rotation"). It goes on where it was stopped.
 */
import type { Clock } from '@sotto/ports';
import type { History } from '../history.ts';

/** Records at a time, and the pause after them: what the person does comes first. */
const BATCH = 64;
const PAUSE_MS = 400;

/** Resolves when nothing is left, or nothing more can be done now. Rejects with the signal's reason. */
export async function sealOlder(
  history: Pick<History, 'olderCount' | 'sealOlder'>,
  clock: Clock,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (left: number) => void } = {},
): Promise<void> {
  for (let left = history.olderCount; left > 0; ) {
    await clock.sleep(PAUSE_MS, options.signal);
    await history.sealOlder(BATCH);
    const now = history.olderCount;
    options.onProgress?.(now);
    if (now >= left) return;
    left = now;
  }
}
