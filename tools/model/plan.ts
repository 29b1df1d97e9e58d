/**
 * What is to be proved: `spec/model/expected.json`, and the models that its runs make of the `.vp` files by taking one
 * ingredient out. A file of ours, yet read strictly: an empty or half-read plan would pass as a proof.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** One model, and what the prover must say of it. */
export interface Run {
  /** `handshake-es`. */
  id: string;
  /** The ingredient that this run lacks; an attack is expected exactly when there is one. */
  removed: string | undefined;
  /** What the attack must mention, so that it is the attack that was meant and not another. */
  uses: string[];
  /** The attack, or what holds, in plain words. */
  says: string;
  /** The model's whole text. */
  source: string;
  /** Each query in words, in the order of the result code. */
  queries: string[];
  /** Result code by number of sessions: a letter and a digit a query, `c0a1`; 1 is an attack. */
  expect: Partial<Record<1 | 2, string>>;
}

export interface Plan {
  /** The prover's version. */
  verifpal: string;
  runs: Run[];
}

/** A plan that cannot be trusted to prove anything. */
export class PlanError extends Error {}

interface PlanFile {
  verifpal: string;
  models: {
    file: string;
    queries: string[];
    runs: {
      id: string;
      removed?: string;
      uses?: string[];
      says: string;
      replace?: [find: string, put: string][];
      expect: Partial<Record<1 | 2, string>>;
    }[];
  }[];
}

/**
 * @param folder the folder of `expected.json` and the models
 * @throws PlanError when a run has no query, a replacement finds nothing, or an expectation contradicts its purpose
 */
export function readPlan(folder: string): Plan {
  const file = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as PlanFile;
  const runs = file.models.flatMap((model) => {
    const base = readFileSync(path.join(folder, model.file), 'utf8');
    return model.runs.map((run): Run => {
      const source = takeOut(run.id, base, run.replace ?? []);
      return { removed: undefined, uses: [], ...run, source, queries: model.queries };
    });
  });
  if (runs.length === 0) throw new PlanError('no run');
  for (const run of runs) assertSound(run);
  if (new Set(runs.map((run) => run.id)).size < runs.length) throw new PlanError('an id stands twice');
  return { verifpal: file.verifpal, runs };
}

/** Replaces every occurrence, and wants at least one: a replacement that finds nothing would test the whole protocol again. */
function takeOut(id: string, base: string, replace: readonly (readonly [find: string, put: string])[]): string {
  return replace.reduce((source, [find, put]) => {
    if (!source.includes(find)) throw new PlanError(`${id}: the model does not hold: ${find}`);
    return source.replaceAll(find, put);
  }, base);
}

function assertSound(run: Run): void {
  const queries = run.source.match(/^\t(confidentiality|authentication|freshness|unlinkability|equivalence)\?/gm) ?? [];
  if (queries.length === 0) throw new PlanError(`${run.id}: no query`);
  if (queries.length !== run.queries.length) throw new PlanError(`${run.id}: queries and their words differ in number`);
  if (run.expect[1] === undefined) throw new PlanError(`${run.id}: no expectation for one session`);
  for (const code of Object.values(run.expect)) {
    if (!/^([cafue][01])+$/.test(code) || code.length !== 2 * queries.length) {
      throw new PlanError(`${run.id}: ${code} is not a result code for ${queries.length} queries`);
    }
    if (code.includes('1') !== (run.removed !== undefined)) {
      throw new PlanError(`${run.id}: an attack is expected exactly where an ingredient is missing`);
    }
  }
}
