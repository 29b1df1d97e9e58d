/** Compares figures with `budgets.json`, prints both, and says whether all were kept. */
import budgets from './budgets.json' with { type: 'json' };

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
