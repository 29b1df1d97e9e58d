/** What opening a history may cost (issue 6), and how a measurement stands to it. */
import type { Cost, OpeningFigures } from './opening.ts';

const BUDGETS = {
  'unlock to a visible list, ms': { atMost: 400 },
  'opening a chat of 500 messages, ms': { atMost: 150 },
  'first sync, records/s': { atLeast: 5000 },
  'memory, MB': { atMost: 250 },
} as const satisfies Record<string, { readonly atMost?: number; readonly atLeast?: number }>;

/**
 * One line a budget. Where the processor's own time is known it stands beside the clock's: on a machine that others use, too,
 * the clock tells of them.
 */
export function judge(where: string, { records, firstSync, list, chat, save, heapMB }: OpeningFigures): string[] {
  const perSecond = (ms: number) => records / (ms / 1000);
  const both = ({ ms, cpuMs }: Cost) => [ms, cpuMs] as const;
  return [
    line(where, 'unlock to a visible list, ms', ...both(list)),
    line(where, 'opening a chat of 500 messages, ms', ...both(chat)),
    line(
      where,
      'first sync, records/s',
      perSecond(firstSync.ms),
      firstSync.cpuMs === undefined ? undefined : perSecond(firstSync.cpuMs),
    ),
    line(where, 'memory, MB', heapMB),
    `     ${where}: saving a message in it: ${save.ms.toFixed(1)} ms`,
  ];
}

function line(where: string, name: keyof typeof BUDGETS, value: number | undefined, cpu?: number): string {
  const budget: { readonly atMost?: number; readonly atLeast?: number } = BUDGETS[name];
  const limit = budget.atMost === undefined ? `at least ${budget.atLeast}` : `at most ${budget.atMost}`;
  if (value === undefined) return `  ?  ${where}: ${name}: not known here (${limit})`;
  const isMet = value <= (budget.atMost ?? Number.POSITIVE_INFINITY) && value >= (budget.atLeast ?? 0);
  const processor = cpu === undefined ? '' : `; by the processor's own time ${cpu.toFixed(0)}`;
  return `${isMet ? ' ok ' : 'MISS'} ${where}: ${name}: ${value.toFixed(0)} (${limit}${processor})`;
}
