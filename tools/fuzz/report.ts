/** The table of a run, and its crashes. */
import type { TargetResult } from './engine.ts';

export function formatRow({ target, inputs, accepted, refused, crashes, tookMs }: TargetResult): string {
  const codes = Object.entries(refused).sort((a, b) => b[1] - a[1]);
  const total = codes.reduce((sum, [, count]) => sum + count, 0);
  const words = codes.slice(0, 6).map(([code, count]) => `${code} ${count}`);
  const more = codes.length > 6 ? `, ${codes.length - 6} more` : '';
  const cells = [inputs, accepted, total, crashes.length, Math.round((inputs * 1000) / Math.max(1, tookMs))];
  return `${target.padEnd(26)}${cells.map((cell) => `${cell}`.padStart(9)).join('')}   ${words.join(', ')}${more}`;
}

export const TABLE_HEAD = `${'target'.padEnd(26)}${['inputs', 'accepted', 'refused', 'crashes', 'a second']
  .map((word) => word.padStart(9))
  .join('')}   refused as`;

/** @param seed of the run */
export function formatCrashes(results: readonly TargetResult[], seed: string): string {
  return results
    .flatMap(({ crashes }) => crashes)
    .map(({ target, index, kind, detail, input }) => {
      const again = `npm run fuzz -- --seed ${seed} --target ${target} --index ${index}`;
      return [`✖ ${target}: ${kind}: ${detail}`, `  again: ${again}`, ...input.map((hex) => `  ${hex}`)].join('\n');
    })
    .join('\n');
}

/** Whether a run shows what it should: every target took inputs, and none crashed. */
export function isGood(results: readonly TargetResult[], expectedTargets: number): boolean {
  return (
    results.length === expectedTargets && results.every(({ inputs, crashes }) => inputs > 0 && crashes.length === 0)
  );
}
