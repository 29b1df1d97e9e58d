/** What a shape costs in these conversations: bytes on the line, and waiting. */

import { percentile, round } from '../statistics.ts';
import type { Conversation } from './corpus.ts';
import type { Observation } from './play.ts';

/** A WebSocket frame's head, the client's with its mask. */
const DOWN_BYTES = 4;
const UP_BYTES = 8;

export interface CostFigures {
  /** Both ways, mean over all conversations without a tool. */
  readonly bytesPerAnswer: number;
  readonly recordsPerAnswer: number;
  /** How much later the first word is there than over the same line without a channel. */
  readonly firstWordMedianMs: number;
  readonly firstWordP95Ms: number;
  readonly firstWordMostMs: number;
}

export function costsOf(corpus: readonly Conversation[], observations: readonly Observation[]): CostFigures {
  const counted = observations.filter((_, index) => corpus[index]?.usesTool === false);
  let [bytes, records] = [0, 0];
  for (const { seen } of counted) {
    records += seen.length;
    for (const record of seen) bytes += record.bytes + (record.isUp ? UP_BYTES : DOWN_BYTES);
  }
  const waits = observations.map(({ firstMs, saidMs }) => firstMs - saidMs);
  return {
    bytesPerAnswer: Math.round(bytes / counted.length),
    recordsPerAnswer: round(records / counted.length, 1),
    firstWordMedianMs: round(percentile(waits, 0.5), 1),
    firstWordP95Ms: round(percentile(waits, 0.95), 1),
    firstWordMostMs: round(Math.max(...waits), 1),
  };
}
