/** Tables and verdicts of the traffic attack. */
import type { ProfileCost } from '@sotto/channel/shaping';
import type { AttackResult } from './classifiers.ts';
import type { CostFigures } from './costs.ts';
import type { Reconstruction } from './sequence.ts';

const BASELINE = 'duration alone';

export interface TrafficLine {
  readonly name: string;
  readonly value: string;
  readonly budget: string;
  readonly verdict: 'kept' | 'OVER' | 'not measured';
}

/** The classifier that did best, the baseline apart. */
export function strongest({ result }: AttackResult): {
  name: string;
  auc: number;
  interval: readonly [number, number];
} {
  const [name, area] = Object.entries(result)
    .filter(([which]) => which !== BASELINE)
    .sort(([, a], [, b]) => b.auc - a.auc)[0] as [string, { auc: number; interval: readonly [number, number] }];
  return { name, ...area };
}

const three = (value: number): string => value.toFixed(3);

export function formatAreas(areas: readonly AttackResult[]): string {
  return areas
    .map((area) => {
      const each = Object.entries(area.result).map(
        ([name, { auc, interval }]) => `${name} ${three(auc)} [${interval.map(three).join(', ')}]`,
      );
      return `${area.profile.padEnd(20)} ${area.target.padEnd(13)} ${each.join('   ')}`;
    })
    .join('\n');
}

export function formatTable(
  profiles: readonly ProfileCost[],
  costs: Partial<Record<string, CostFigures>>,
  sequences: Partial<Record<string, Reconstruction>>,
): string {
  const rows = Object.entries(costs).map(([shape, cost]) => {
    const words = profiles.find(({ profile }) => profile === shape)?.words ?? 'One record a token, as it comes.';
    const read = sequences[shape];
    const percent = (share: number | undefined) => `${Math.round(100 * (share ?? Number.NaN))} %`;
    return [
      `${shape}: ${words}`,
      `  ${cost?.bytesPerAnswer} bytes and ${cost?.recordsPerAnswer} records an answer (without tools)`,
      `  first word later by ${cost?.firstWordMedianMs} ms (median), ${cost?.firstWordP95Ms} (p95), ${cost?.firstWordMostMs} (most)`,
      `  token lengths read off the records: ${percent(read?.right)} (guessed blindly: ${percent(read?.blind)})`,
    ].join('\n');
  });
  return rows.join('\n');
}

const TARGETS = ['topic', 'length', 'tool', 'prompt of 50'];

/** The budgets of the issue. */
export function judgeTraffic(
  areas: readonly AttackResult[],
  costs: Partial<Record<string, CostFigures>>,
): TrafficLine[] {
  const line = (name: string, value: number | undefined, limit: number, isFloor = false): TrafficLine => {
    const budget = `${isFloor ? '≥' : '≤'} ${limit}`;
    if (value === undefined) return { name, value: '–', budget, verdict: 'not measured' };
    const isKept = isFloor ? value >= limit : value <= limit;
    return { name, value: three(value), budget, verdict: isKept ? 'kept' : 'OVER' };
  };
  const areaOf = (profile: string, target: string) => {
    const found = areas.find((area) => area.profile === profile && area.target === target);
    return found === undefined ? undefined : strongest(found);
  };
  // Below one half the attacker turns the answer round.
  const upperEnd = (profile: string, target: string) => {
    const interval = areaOf(profile, target)?.interval;
    return interval === undefined ? undefined : Math.max(interval[1], 1 - interval[0]);
  };
  const [plain, shaped] = [costs['unshaped'], costs['balanced']];
  const ratio = plain && shaped ? shaped.bytesPerAnswer / plain.bytesPerAnswer : undefined;
  return [
    line('bytes, balanced to unshaped', ratio, 2.5),
    line('first word later, balanced, ms (most)', shaped?.firstWordMostMs, 150),
    ...TARGETS.flatMap((target) => [
      line(`unshaped: ${target}, AUC`, areaOf('unshaped', target)?.auc, 0.9, true),
      line(`balanced: ${target}, AUC, upper end`, upperEnd('balanced', target), 0.6),
      line(`strict: ${target}, AUC, upper end`, upperEnd('strict', target), 0.55),
    ]),
  ];
}
