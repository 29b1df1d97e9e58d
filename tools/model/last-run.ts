/** The record of the last full run, committed beside the models: `spec/model/last-run-1.json` and `last-run-2.json`. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Plan } from './plan.ts';

export interface LastRun {
  verifpal: string;
  sessions: 1 | 2;
  runs: {
    id: string;
    /** SHA-256 of the model's text as it was run, without its comments, hex. */
    model: string;
    code: string;
    seconds: number;
    /** The first attack in the prover's words. */
    attack: string[];
  }[];
}

export function lastRunFile(sessions: 1 | 2): string {
  return `last-run-${sessions}.json`;
}

/** Comments do not count: rewording one does not ask for another proof. */
export function digestOf(source: string): string {
  return createHash('sha256')
    .update(source.replace(/^\s*\/\/.*\n/gm, ''))
    .digest('hex');
}

/** @returns where the record is behind the plan: a model changed since, a result is not the expected one, a run is missing */
export function staleRuns(folder: string, plan: Plan, sessions: 1 | 2): string[] {
  const file = path.join(folder, lastRunFile(sessions));
  const expected = plan.runs.filter((run) => run.expect[sessions] !== undefined);
  if (!existsSync(file)) return expected.map((run) => `${run.id}: never recorded`);
  const last = JSON.parse(readFileSync(file, 'utf8')) as LastRun;
  if (last.verifpal !== plan.verifpal || last.sessions !== sessions) return ['recorded with other settings'];
  const faults = expected.flatMap((run) => {
    const found = last.runs.find(({ id }) => id === run.id);
    if (found === undefined) return [`${run.id}: never recorded`];
    if (found.model !== digestOf(run.source)) return [`${run.id}: the model changed since`];
    return found.code === run.expect[sessions] ? [] : [`${run.id}: ${found.code}, expected ${run.expect[sessions]}`];
  });
  const known = new Set(expected.map(({ id }) => id));
  return [...faults, ...last.runs.filter(({ id }) => !known.has(id)).map(({ id }) => `${id}: not in the plan`)];
}
