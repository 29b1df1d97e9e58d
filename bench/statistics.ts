/** The few figures that benchmarks report. */

/** The value below which the share `fraction` of the sorted values lies. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Minimum, quartiles and maximum, for reading how far single runs lie apart. */
export function spread(values: readonly number[]): Record<'min' | 'q1' | 'median' | 'q3' | 'max', number> {
  return {
    min: Math.min(...values),
    q1: percentile(values, 0.25),
    median: median(values),
    q3: percentile(values, 0.75),
    max: Math.max(...values),
  };
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
