/**
 * The node's shape: from a request's acceptance one record of one size a tick, whatever the model, a tool or the person
 * does, until the window is over (spec/shaping.md, the node). Windows are counted in records, never read off a clock: the
 * clock and the timers belong to the node's host, who watches the line.
 */
import { createCompactPacer, type Pacer, type Waiting } from './pacer.ts';
import { BALANCED, type DownShape, STRICT } from './profiles.ts';
import { windowOf } from './windows.ts';

/** The largest size that records grow to. */
const LARGEST_BYTES = 16_384;

/** One record a tick while it runs. A late timer skips ticks: records are never closer than the person's own are. */
class Ticks {
  readonly #shape: DownShape;
  /** When the next record leaves; undefined: no ticks. */
  #nextMs: number | undefined;
  /** Records that have left on ticks. */
  count = 0;

  constructor(shape: DownShape) {
    this.#shape = shape;
  }

  get isRunning(): boolean {
    return this.#nextMs !== undefined;
  }

  start(nowMs: number): void {
    this.#nextMs ??= nowMs + this.#shape.everyMs;
  }

  stop(): void {
    this.#nextMs = undefined;
  }

  dueMs(nowMs: number): number {
    const dueMs = this.#nextMs as number;
    // A clock that jumped back must not stop the records until it has caught up.
    if (dueMs - nowMs > this.#shape.everyMs) this.#nextMs = nowMs + this.#shape.everyMs;
    return this.#nextMs as number;
  }

  sent(nowMs: number): void {
    const { everyMs } = this.#shape;
    this.count += 1;
    const dueMs = this.#nextMs as number;
    const lateMs = Math.max(0, nowMs - dueMs);
    this.#nextMs = dueMs + (Math.floor(lateMs / everyMs) + 1) * everyMs;
  }
}

/** The node's pacer of profile `balanced`. */
export function createBalancedNodePacer(coalesceMs: number): Pacer {
  const { down, windowRecords, lagRecords } = BALANCED;
  const between = createCompactPacer(coalesceMs);
  const ticks = new Ticks(down);
  /** Streams that are open, with the tick count at which they were accepted. */
  const open = new Map<number, number>();
  let windowEnd = 0;
  let sizeBytes: number = down.recordBytes;
  /** Records of more than the profile's size that have left since they grew. */
  let grown = 0;

  const shrink = () => {
    sizeBytes = down.recordBytes;
    grown = 0;
  };
  const stopWhenOver = () => {
    if (open.size > 0 || ticks.count < windowEnd) return;
    ticks.stop();
    shrink();
  };

  return {
    get aheadBytes() {
      return ticks.isRunning ? 0 : between.aheadBytes;
    },
    get gatherMs() {
      return ticks.isRunning ? down.gatherMs : 0;
    },
    get isShaping() {
      return ticks.isRunning;
    },
    get recordBytes() {
      return sizeBytes;
    },
    isSpent: false,
    next(nowMs: number, waiting: Waiting) {
      if (!ticks.isRunning) return between.next(nowMs, waiting);
      const atMs = ticks.dueMs(nowMs);
      const isOver = nowMs >= atMs && waiting.bytes <= lagRecords * down.recordBytes;
      if (isOver && grown > 0 && grown === windowOf(grown, 1)) shrink();
      while (waiting.bytes > lagRecords * sizeBytes && sizeBytes < LARGEST_BYTES) sizeBytes *= 2;
      return { atMs, sizeBytes };
    },
    sent(nowMs, bytes) {
      if (!ticks.isRunning) return between.sent(nowMs, bytes);
      ticks.sent(nowMs);
      if (sizeBytes > down.recordBytes) grown += 1;
      stopWhenOver();
    },
    requestAccepted(stream, nowMs) {
      ticks.start(nowMs);
      open.set(stream, ticks.count);
    },
    streamOver(stream) {
      const accepted = open.get(stream);
      if (accepted === undefined) return;
      open.delete(stream);
      windowEnd = Math.max(windowEnd, accepted + windowOf(ticks.count - accepted, windowRecords));
      stopWhenOver();
    },
  };
}

/** The node's pacer of profile `strict`: the ticks run from the first call on. */
export function createStrictNodePacer(nowMs: number): Pacer {
  const { down, budgetRecords } = STRICT;
  const ticks = new Ticks(down);
  const open = new Set<number>();
  ticks.start(nowMs);
  return {
    aheadBytes: 0,
    gatherMs: down.gatherMs,
    isShaping: true,
    recordBytes: down.recordBytes,
    get isSpent() {
      return open.size === 0 && ticks.count >= budgetRecords && ticks.count === windowOf(ticks.count, budgetRecords);
    },
    next: (thenMs) => ({ atMs: ticks.dueMs(thenMs), sizeBytes: down.recordBytes }),
    sent: (thenMs) => ticks.sent(thenMs),
    requestAccepted: (stream) => void open.add(stream),
    streamOver: (stream) => void open.delete(stream),
  };
}
