/** What an eavesdropper makes of one conversation: numbers of a fixed count, in a fixed order. */
import type { Seen } from './world.ts';

export interface Features {
  readonly values: readonly number[];
  /** From the request to the last record of the answer: the baseline's only feature. */
  readonly durationMs: number;
}

const FIRST = 60;
const BIN_MS = 500;
const BINS = 80;

/** The names of `values`, in order. */
export const FEATURE_NAMES: readonly string[] = [
  ...['down', 'up'].flatMap((side) => [
    ...['count', 'bytes', 'first ms', 'duration ms'].map((name) => `${side} ${name}`),
    ...statisticNames(`${side} size`),
    ...statisticNames(`${side} gap`),
    ...Array.from({ length: FIRST }, (_, i) => `${side} size ${i}`),
    ...Array.from({ length: FIRST }, (_, i) => `${side} gap ${i}`),
    ...Array.from({ length: 10 }, (_, i) => `${side} size -${i + 1}`),
    ...Array.from({ length: 10 }, (_, i) => `${side} gap -${i + 1}`),
    ...Array.from({ length: 5 }, (_, i) => `${side} pause ${i}`),
    ...Array.from({ length: 5 }, (_, i) => `${side} pause at ${i}`),
    ...Array.from({ length: BINS }, (_, i) => `${side} bytes in ${i}`),
  ]),
  'upload bytes',
  'upload records',
  'turns of direction',
];

function statisticNames(name: string): string[] {
  return ['mean', 'deviation', 'least', 'tenth', 'median', 'nine tenths', 'most', 'kinds'].map(
    (what) => `${name} ${what}`,
  );
}

function statistics(values: readonly number[]): number[] {
  if (values.length === 0) return [0, 0, 0, 0, 0, 0, 0, 0];
  const sorted = [...values].sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] as number;
  return [mean, Math.sqrt(variance), at(0), at(0.1), at(0.5), at(0.9), at(1), new Set(values).size];
}

function padded(values: readonly number[], length: number): number[] {
  return Array.from({ length }, (_, i) => values[i] ?? -1);
}

function ofSide(seen: readonly Seen[]): number[] {
  const sizes = seen.map(({ bytes }) => bytes);
  const times = seen.map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
  const pauses = gaps.map((gap, i) => [gap, times[i] as number] as const).sort((a, b) => b[0] - a[0]);
  const bins = new Array<number>(BINS).fill(0);
  for (const { atMs, bytes } of seen) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(atMs / BIN_MS)));
    bins[bin] = (bins[bin] as number) + bytes;
  }
  const first = times[0] ?? -1;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return [
    ...[sizes.length, total, first, (times.at(-1) ?? first) - first],
    ...statistics(sizes),
    ...statistics(gaps),
    ...padded(sizes, FIRST),
    ...padded(gaps, FIRST),
    ...padded(sizes.toReversed(), 10),
    ...padded(gaps.toReversed(), 10),
    ...padded(
      pauses.map(([gap]) => gap),
      5,
    ),
    ...padded(
      pauses.map(([, at]) => at),
      5,
    ),
    ...bins,
  ];
}

/** More than any answer is silent for: after it come pings. */
const SILENCE_MS = 6000;

/** When the last record came before a silence. */
function endOf(down: readonly Seen[]): number {
  let endMs = 0;
  for (const { atMs } of down) {
    if (endMs > 0 && atMs - endMs > SILENCE_MS) break;
    endMs = atMs;
  }
  return endMs;
}

/** @param seen from the moment the person asked; times in milliseconds from there */
export function featuresOf(seen: readonly Seen[]): Features {
  const down = seen.filter(({ isUp }) => !isUp);
  const up = seen.filter(({ isUp }) => isUp);
  const firstDownMs = down.find(({ atMs }) => atMs >= 0)?.atMs ?? 0;
  const upload = up.filter(({ atMs }) => atMs >= 0 && atMs <= firstDownMs);
  const turns = seen.filter(({ isUp }, i) => i > 0 && seen[i - 1]?.isUp !== isUp).length;
  const values = [
    ...ofSide(down),
    ...ofSide(up),
    upload.reduce((sum, { bytes }) => sum + bytes, 0),
    upload.length,
    turns,
  ];
  return { values, durationMs: endOf(down) };
}
