/** Compares figures with `budgets.json`, prints both, and says whether all were kept. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import budgets from './budgets.json' with { type: 'json' };
import { round } from './statistics.ts';

export interface Budget {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Line {
  readonly name: string;
  readonly value: number | undefined;
  readonly budget: string;
  readonly verdict: 'kept' | 'OVER' | 'not measured';
}

/** @param values a figure for each name of budgets.json; undefined where it could not be measured on this machine */
export function judge(
  values: Readonly<Record<string, number | undefined>>,
  all: Readonly<Record<string, Budget>> = budgets,
): Line[] {
  return Object.entries(all).map(([name, { atLeast, atMost }]) => {
    const value = values[name];
    const budget = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    if (value === undefined) return { name, value, budget, verdict: 'not measured' };
    const isKept = value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
    return { name, value, budget, verdict: isKept ? 'kept' : 'OVER' };
  });
}

export function formatLines(lines: readonly Line[]): string {
  const rows = [
    ['budget', 'measured', 'allowed', ''],
    ...lines.map(({ name, value, budget, verdict }) => [name, `${value ?? '–'}`, budget, verdict]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * Ends a benchmark: writes its figures beside what they were measured on, prints them against their budgets.
 *
 * @param isPartial a figure that was not asked for counts as kept
 * @returns whether all were kept
 */
export function report(
  lines: readonly Line[],
  run: { readonly results: unknown; readonly jsonPath: string; readonly isPartial: boolean },
): boolean {
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
    load: loadavg().map((load) => round(load)),
  };
  const written = { at: new Date().toISOString(), machine, budgets: lines, results: run.results };
  mkdirSync(dirname(run.jsonPath), { recursive: true });
  writeFileSync(run.jsonPath, `${JSON.stringify(written, null, 2)}\n`);
  const isBusy = (machine.load[0] ?? 0) > machine.cores * 1.5;
  const warning = isBusy
    ? `The machine was busy with other work (load ${machine.load[0]} on ${machine.cores} cores): delays are its, not ours.\n`
    : '';
  process.stdout.write(`\n${formatLines(lines)}\n${warning}`);
  return lines.every(({ verdict }) => verdict === 'kept' || (run.isPartial && verdict === 'not measured'));
}
