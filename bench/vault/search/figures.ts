/** The figures of one run, on one platform. */
import { median, percentile, round } from '../../statistics.ts';
import type { BesideFigures } from './beside.ts';
import type { Added } from './searching.ts';

const p95 = (times: readonly number[]) => percentile(times, 0.95);

export type SearchFigures = Readonly<Record<string, number>>;

export function figuresOf(run: {
  readonly filled: { readonly ms: number; readonly bytes: number; readonly segments: number };
  readonly first: { readonly ms: number };
  readonly warm: readonly number[];
  readonly heapBytes: number;
  /** Rounds, of which the best counts: in the others somebody else was busy. */
  readonly added: readonly Added[];
  readonly forgetMs: number;
  readonly beside: BesideFigures;
  readonly besideHeap: number;
}): SearchFigures {
  const { filled, first, warm, heapBytes, added, forgetMs, beside, besideHeap } = run;
  const best = (of: (round: Added) => number) => round(Math.min(...added.map(of)));
  return {
    'made, ms': round(filled.ms, 0),
    'index, MB': round(filled.bytes / 1e6),
    segments: filled.segments,
    'first query, ms': round(first.ms),
    'warm query, median ms': round(median(warm)),
    'warm query, p95 ms': round(p95(warm)),
    'heap, MB': round(heapBytes / 1e6),
    'message added, median ms': best(({ times }) => median(times)),
    'message added, p95 ms': best(({ times }) => p95(times)),
    'bare write, median ms': best(({ bareTimes }) => median(bareTimes)),
    'bare write, p95 ms': best(({ bareTimes }) => p95(bareTimes)),
    'message added to bare write, p95': best((one) => p95(one.times) / p95(one.bareTimes)),
    'chat forgotten, ms': round(forgetMs),
    'minisearch: made, ms': round(beside.buildMs, 0),
    'minisearch: as JSON, MB': round(beside.megabytes),
    'minisearch: heap, MB': round(besideHeap / 1e6),
    'minisearch: query, median ms': round(median(beside.queryMs)),
    'minisearch: query, p95 ms': round(p95(beside.queryMs)),
  };
}
