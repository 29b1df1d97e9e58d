/** Whether real sockets and real time show what virtual time shows. */
import { percentile, round } from '../statistics.ts';
import type { Conversation } from './corpus.ts';
import type { Observation } from './play.ts';
import { playOverSockets } from './sockets.ts';
import type { Seen } from './world.ts';

/** Long enough for the longest window of nearly all conversations. */
const WATCHED_MS = 35_000;

export interface SocketRun {
  /** Rows of the corpus that were played. */
  readonly chosen: readonly number[];
  readonly seen: readonly (readonly Seen[])[];
  readonly figures: SocketFigures;
}

export interface SocketFigures {
  readonly streams: number;
  /** Streams whose records have the same sizes in the same order, each way. */
  readonly sameSizes: number;
  /** How far the times of the same records are apart. */
  readonly medianMs: number;
  readonly p95Ms: number;
}

const side = (seen: readonly Seen[], isUp: boolean) =>
  seen.filter((record) => record.isUp === isUp && record.atMs < WATCHED_MS - 1000);

/** Plays one in `oneIn` of the corpus over real sockets and compares it with `observations` of the same. */
export async function compareWithSockets(
  corpus: readonly Conversation[],
  observations: readonly Observation[],
  oneIn: number,
): Promise<SocketRun> {
  const chosen = corpus.map((_, index) => index).filter((index) => index % oneIn === 7 % oneIn);
  const real = await playOverSockets(
    chosen.map((index) => corpus[index] as Conversation),
    'balanced',
    WATCHED_MS,
  );
  let same = 0;
  const apart: number[] = [];
  for (const [at, index] of chosen.entries()) {
    const [one, other] = [real[at] ?? [], observations[index]?.seen ?? []];
    const pairs = [true, false].map((isUp) => [side(one, isUp), side(other, isUp)] as const);
    // Pings follow the session's clock, which began earlier than the request: they are not the answer's.
    const isSame = pairs.every(([a, b]) => {
      const length = Math.min(a.length, b.length);
      return Math.abs(a.length - b.length) <= 1 && a.slice(0, length).every(({ bytes }, i) => bytes === b[i]?.bytes);
    });
    if (isSame) same += 1;
    for (const [a, b] of pairs) {
      // The lines differ in length: each is read from its own first record on.
      const shiftMs = (a[0]?.atMs ?? 0) - (b[0]?.atMs ?? 0);
      for (let i = 1; i < Math.min(a.length, b.length); i++)
        apart.push(Math.abs((a[i] as Seen).atMs - (b[i] as Seen).atMs - shiftMs));
    }
  }
  const figures = {
    streams: chosen.length,
    sameSizes: same,
    medianMs: round(percentile(apart, 0.5), 1),
    p95Ms: round(percentile(apart, 0.95), 1),
  };
  // Times as a network shows them, to the tenth of a millisecond: what is left of the machine's own unrest is in them.
  const seen = real.map((records) => records.map((record) => ({ ...record, atMs: round(record.atMs, 1) })));
  return { chosen, seen, figures };
}
