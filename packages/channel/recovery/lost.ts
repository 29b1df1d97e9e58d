/** Whether the one who asked may come back (spec/channel.md, recovery of a running answer). */
import { ChannelError } from '../errors.ts';

/**
 * @param reason why a request's signal was aborted
 * @returns true when its channel was lost: neither was the stream cancelled, nor the session closed in words
 */
export function wasLost(reason: unknown): boolean {
  const isTruncated = reason instanceof ChannelError && reason.code === 'stream-truncated';
  const saidGoodbye = isTruncated && reason.cause instanceof ChannelError && reason.cause.code === 'session-closed';
  // CH-95: who closed the session will not come back, and an answer that is computed for nobody costs everybody else.
  if (saidGoodbye) return false;
  return isTruncated;
}
