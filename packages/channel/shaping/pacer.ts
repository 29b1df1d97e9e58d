/**
 * When records leave, and of what size: the seam between a direction and its profile (spec/channel.md, records). What a
 * pacer is asked and told depends on what waits, never on what it says.
 */
import { bucketOf, RECORD_BUCKETS } from '../limits.ts';

/** What is worth a record of its own at once. */
const BULK_BYTES = 16_384;

export interface Departure {
  /** When, on the clock that `nowMs` is read off. */
  readonly atMs: number;
  /** The plaintext's size: one of the record sizes. */
  readonly sizeBytes: number;
}

/** Owned by one direction of one session. */
export interface Pacer {
  /** Bytes that writers may be ahead of the records: a write that leaves no more waiting resolves at once. */
  readonly aheadBytes: number;
  /**
   * The next record; undefined: none until something changes. Asked again after every change.
   *
   * @param queuedBytes what waits to leave, as frames
   */
  next(nowMs: number, queuedBytes: number): Departure | undefined;
  /** A record left. */
  sent(nowMs: number, sizeBytes: number): void;
  /** The responder took a request, or the initiator made one. */
  requestAccepted(nowMs: number): void;
  /** No stream is open any more. */
  streamsIdle(nowMs: number): void;
}

/** Profile `compact`: what is written within one turn, or within `coalesceMs` of the last record, shares a record. */
export function createCompactPacer(coalesceMs: number): Pacer {
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    aheadBytes: BULK_BYTES,
    next(nowMs, queuedBytes) {
      if (queuedBytes === 0) return undefined;
      if (queuedBytes >= BULK_BYTES) {
        // Full records at once; the rest follows.
        return { atMs: nowMs, sizeBytes: RECORD_BUCKETS.findLast((bucket) => bucket <= queuedBytes) as number };
      }
      const sinceMs = nowMs - lastMs;
      const isSoon = sinceMs >= 0 && sinceMs < coalesceMs;
      return { atMs: isSoon ? lastMs + coalesceMs : nowMs, sizeBytes: bucketOf(queuedBytes) as number };
    },
    sent(nowMs) {
      lastMs = nowMs;
    },
    requestAccepted: () => undefined,
    streamsIdle: () => undefined,
  };
}
