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
  /** Whether no turn is waited for once it is time, though more might be written in it. */
  readonly isAtOnce?: boolean;
}

/** What waits to leave and may: bytes of frames. */
export interface Waiting {
  readonly bytes: number;
  /** Those that a pacer may make a record for at once, as when they come is no secret. */
  readonly promptBytes: number;
  /** Those of grants: a peer that sends bulk stands still until it has them. */
  readonly grantBytes?: number;
}

/** Owned by one direction of one session. */
export interface Pacer {
  /** Bytes that writers may be ahead of the records: a write that leaves no more waiting resolves. */
  readonly aheadBytes: number;
  /** Writers are asked for more so long before a record leaves; 0: as soon as there is room. */
  readonly gatherMs: number;
  /** Whether records leave whatever waits. */
  readonly isShaping: boolean;
  /** The size of one that does. */
  readonly recordBytes: number;
  /** Whether the session has had all the cover that it gets. */
  readonly isSpent: boolean;
  /** The next record; undefined: none until something changes. Asked again after every change. */
  next(nowMs: number, waiting: Waiting): Departure | undefined;
  /** A record left. */
  sent(nowMs: number, sizeBytes: number): void;
  /** A record arrived, and its frames were handled. */
  received?(nowMs: number): void;
  /** Nothing has arrived for a tick of the session. */
  silence?(): void;
  /** The responder took a request, or the initiator made one. */
  requestAccepted?(stream: number, nowMs: number): void;
  /** The initiator's request is written to its end. */
  requestComplete?(stream: number): void;
  /** And has left to its end. */
  requestSent?(stream: number): void;
  /** However it ended. */
  streamOver?(stream: number): void;
}

/** Profile `compact`: what is written within one turn, or within `coalesceMs` of the last record, shares a record. */
export function createCompactPacer(coalesceMs: number): Pacer {
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    aheadBytes: BULK_BYTES,
    gatherMs: 0,
    isShaping: false,
    recordBytes: RECORD_BUCKETS[0],
    isSpent: false,
    next(nowMs, { bytes: queuedBytes, grantBytes = 0 }) {
      if (queuedBytes === 0) return undefined;
      if (queuedBytes >= BULK_BYTES) {
        // Full records at once; the rest follows.
        return { atMs: nowMs, sizeBytes: RECORD_BUCKETS.findLast((bucket) => bucket <= queuedBytes) as number };
      }
      const sizeBytes = bucketOf(queuedBytes) as number;
      if (grantBytes > 0) return { atMs: nowMs, sizeBytes, isAtOnce: true };
      const sinceMs = nowMs - lastMs;
      const isSoon = sinceMs >= 0 && sinceMs < coalesceMs;
      return { atMs: isSoon ? lastMs + coalesceMs : nowMs, sizeBytes };
    },
    sent(nowMs) {
      lastMs = nowMs;
    },
  };
}
