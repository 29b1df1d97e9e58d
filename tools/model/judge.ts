/** Compares what the prover said with what the plan expects. The prover's report is parsed and not believed blindly. */
import type { Run } from './plan.ts';

/** What one run of the prover came to. */
export interface Verdict {
  /** `c0a1`; empty when the prover gave no report. */
  code: string;
  /** The first attack, step by step, in the prover's words; empty when there is none. */
  attack: string[];
  /** Why this run does not count as passed; empty when it does. */
  faults: string[];
}

interface Report {
  models?: {
    analysis?: {
      code: string;
      sessions: number;
      queries: {
        resolved: boolean;
        conclusion: string;
        envelope: { exhausted: boolean; truncations: unknown[] };
        steps: { text: string }[];
      }[];
    };
    error?: string;
  }[];
}

/**
 * @param output what `verifpal verify --format json` printed
 * @param run what was asked; a run without an expectation for this many sessions is a fault
 */
export function judge(output: string, run: Pick<Run, 'expect' | 'uses'>, sessions: 1 | 2): Verdict {
  let report: Report;
  try {
    report = JSON.parse(output) as Report;
  } catch {
    return { code: '', attack: [], faults: [`the prover gave no report: ${output.trim().slice(0, 2000)}`] };
  }
  const analysis = report.models?.[0]?.analysis;
  if (analysis === undefined) return { code: '', attack: [], faults: [`not analysed: ${output.slice(0, 2000)}`] };
  const { code, queries } = analysis;
  const faults: string[] = [];
  if (queries.length === 0 || code === '') faults.push('no query was judged');
  if (analysis.sessions !== sessions) faults.push(`${analysis.sessions} sessions were analysed, not ${sessions}`);
  if (code !== run.expect[sessions]) faults.push(`expected ${run.expect[sessions] ?? 'nothing'}, found ${code}`);
  if (queries.some(({ envelope }) => !envelope.exhausted || envelope.truncations.length > 0)) {
    faults.push('the search did not come to its end');
  }
  const broken = queries.find((_, place) => code[2 * place + 1] === '1');
  const attack = broken === undefined ? [] : [...broken.steps.map(({ text }) => text), broken.conclusion];
  for (const word of run.uses) {
    if (!attack.some((step) => step.includes(word)))
      faults.push(`another attack than the one that was meant: no ${word}`);
  }
  return { code, attack, faults };
}
