/**
 * Switches each security check off in turn; a test titled with that rule must then fail.
 *
 *   npm run test:mutants                 all
 *   npm run test:mutants -- CH VA-07     the rules of these prefixes or ids
 *   npm run test:mutants -- --list       which there are, without running any
 *   npm run test:mutants -- --minutes=13 as many as fit, in an order that changes every day; what was left is said
 *
 * A rule runs once unchanged: its tests must pass, and there must be one. Then each mutant of it runs the same tests:
 * `killed` by a failing test, by a `hang` or by a `crash`; else it survived, and the run fails. A rule of the
 * specification without a mutant fails as well, unless its text says `(no check)` or `(informative)`.
 */
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isTest, listSources, readModule } from '../modules.ts';
import { CODE_FOLDERS, type Rule, readRules } from '../spec-coverage.ts';
import { type NodeTestResult, runNodeTests } from '../test/node-test.ts';
import { inParallel, stopCleanly } from '../test/processes.ts';
import { rulesInTitle, testTitles } from '../test-titles.ts';
import { findMutants, type Mutant } from './find-mutants.ts';

export type Verdict = 'killed' | 'hang' | 'crash' | 'survived' | 'no test' | 'control failed';
export interface MutantResult {
  mutant: Mutant;
  verdict: Verdict;
  /** Which tests decided it. */
  by: string;
  tookMs: number;
}

/** Which test files name which rules in their titles. */
export function testFilesByRule(root: string): Map<string, string[]> {
  const byRule = new Map<string, string[]>();
  for (const file of listSources(root, CODE_FOLDERS).filter(isTest)) {
    const ids = testTitles(readModule(path.join(root, file))).flatMap(({ title, idle }) =>
      idle ? [] : rulesInTitle(title),
    );
    for (const id of new Set(ids)) byRule.set(id, [...(byRule.get(id) ?? []), file]);
  }
  return byRule;
}

/** Rules that should have a mutant and have none. */
export function rulesWithoutMutant(rules: readonly Rule[], mutants: readonly Mutant[]): Rule[] {
  const covered = new Set(mutants.flatMap((mutant) => mutant.rules));
  return rules.filter(({ id, text }) => !covered.has(id) && !/\((?:no check|informative)\)/.test(text));
}

/** Matches the titles that name one of the rules; Node joins the titles of suites and tests with a space. */
const titlePattern = (rules: readonly string[]): RegExp => new RegExp(`(^|[^A-Za-z0-9-])(${rules.join('|')})(?![0-9])`);
const patternFor = (rules: readonly string[]): string => String(titlePattern(rules));

const CONTROL_LIMIT_MS = 120_000;
/** Saves two fifths of the time: hundreds of processes load the same files. A changed file is another entry in it. */
const COMPILE_CACHE = { NODE_COMPILE_CACHE: path.join(tmpdir(), 'sotto-mutants-compile-cache') };

interface Control {
  result: NodeTestResult;
  isolation: 'none' | 'process';
  files: string[];
}

/**
 * Runs the mutants, two at a time, after a control of their rules: one for all rules whose tests stand in the same files.
 * @param hangAfterMs how much longer than twice its control a run may take before it counts as a hang
 * @param endMs no mutant is begun after this moment
 * @returns of the mutants that were run
 */
export async function runMutants(
  root: string,
  mutants: readonly Mutant[],
  onResult: (result: MutantResult) => void,
  hangAfterMs = 10_000,
  endMs = Number.POSITIVE_INFINITY,
): Promise<MutantResult[]> {
  const byRule = testFilesByRule(root);
  const filesOf = (rules: readonly string[]): string[] => filesFor(byRule, rules);
  const rulesByFiles = Map.groupBy(new Set(mutants.map(({ rules }) => rules)), (rules) => filesOf(rules).join(' '));
  const controls = new Map<string, Promise<Control>>();
  const once = (rules: readonly string[]): Promise<Control> => {
    const key = rules.join(' ');
    const known = controls.get(key) ?? runControl(root, rules, filesOf(rules));
    controls.set(key, known);
    return known;
  };
  const controlOf = async (rules: readonly string[]): Promise<Control> => {
    const together = [...new Set(rulesByFiles.get(filesOf(rules).join(' '))?.flat())].sort();
    const control = await once(together);
    // Where one of them fails, each has to show by itself whether it does.
    if (control.result.code !== 0 || !control.result.complete) return once(rules);
    const outcomes = control.result.outcomes.filter(({ name }) => titlePattern(rules).test(name));
    return { ...control, result: { ...control.result, outcomes } };
  };
  const jobs = mutants.map((mutant) => async (): Promise<MutantResult | undefined> => {
    if (Date.now() > endMs) return undefined;
    const result = await judge(root, mutant, await controlOf(mutant.rules), hangAfterMs);
    onResult(result);
    return result;
  });
  return (await inParallel(jobs, 2)).filter((result) => result !== undefined);
}

/** Another order every day, so that runs which end early come to all of them in time. */
function inTodaysOrder(mutants: readonly Mutant[]): Mutant[] {
  const today = new Date().toISOString().slice(0, 10);
  const place = ({ rules, file, line }: Mutant) => hash('sha256', `${today} ${rules} ${file} ${line}`);
  return mutants
    .map((mutant) => ({ mutant, at: place(mutant) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .map(({ mutant }) => mutant);
}

/** Unit tests alone where there are any: browser tests are slow, and are used for rules that only they show. */
function filesFor(byRule: Map<string, string[]>, rules: readonly string[]): string[] {
  const files = [...new Set(rules.flatMap((rule) => byRule.get(rule) ?? []))];
  const unit = files.filter((file) => !file.startsWith('e2e/'));
  return unit.length > 0 ? unit : files;
}

async function runControl(root: string, rules: readonly string[], files: string[]): Promise<Control> {
  const run = (isolation: 'none' | 'process'): Promise<NodeTestResult> =>
    runNodeTests({
      root,
      files,
      isolation,
      env: COMPILE_CACHE,
      concurrency: 1,
      timeoutMs: CONTROL_LIMIT_MS,
      args: [`--test-name-pattern=${patternFor(rules)}`],
    });
  if (files.length === 0) {
    const result = { code: 0, output: '', timedOut: false, tookMs: 0, outcomes: [], complete: true, printed: '' };
    return { result, isolation: 'none', files };
  }
  const together = await run('none');
  if (together.code === 0 && together.complete) return { result: together, isolation: 'none', files };
  return { result: await run('process'), isolation: 'process', files };
}

async function judge(root: string, mutant: Mutant, control: Control, hangAfterMs: number): Promise<MutantResult> {
  const ran = control.result.outcomes.filter((outcome) => outcome.kind === 'pass').length;
  if (control.result.code !== 0 || !control.result.complete) {
    const failure = control.result.outcomes.find((outcome) => outcome.kind === 'fail');
    return {
      mutant,
      verdict: 'control failed',
      by: failure?.name ?? control.result.printed.slice(-300),
      tookMs: control.result.tookMs,
    };
  }
  if (ran === 0) return { mutant, verdict: 'no test', by: `no test is titled ${mutant.rules.join(' or ')}`, tookMs: 0 };
  const patch = { ...mutant, file: path.join(root, mutant.file) };
  const loader = `--import=${path.join(import.meta.dirname, 'loader.ts')}`;
  const result = await runNodeTests({
    root,
    files: control.files,
    isolation: control.isolation,
    concurrency: 1,
    stopAtFailure: true,
    timeoutMs: hangAfterMs + 2 * control.result.tookMs,
    args: [`--test-name-pattern=${patternFor(mutant.rules)}`],
    // By NODE_OPTIONS, so that programs which a test starts are changed as well.
    env: {
      ...COMPILE_CACHE,
      SOTTO_MUTANT: JSON.stringify(patch),
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${loader}`.trim(),
    },
  });
  const failed = result.outcomes.filter((outcome) => outcome.kind === 'fail');
  const { tookMs } = result;
  const first = failed[0];
  if (first !== undefined) {
    return { mutant, verdict: 'killed', by: path.basename(first.name), tookMs };
  }
  if (result.timedOut) return { mutant, verdict: 'hang', by: `no end within ${tookMs} ms`, tookMs };
  if (result.code !== 0 || !result.complete) return { mutant, verdict: 'crash', by: `exit ${result.code}`, tookMs };
  return { mutant, verdict: 'survived', by: `${ran} tests still pass`, tookMs };
}

const short = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const GOOD: ReadonlySet<Verdict> = new Set(['killed', 'hang', 'crash']);

async function main(): Promise<void> {
  stopCleanly();
  const root = path.join(import.meta.dirname, '..', '..');
  const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const wanted = (id: string): boolean =>
    words.length === 0 || words.some((word) => id === word || id.startsWith(`${word}-`));
  const found = findMutants(root);
  const chosen = found.mutants.filter((mutant) => mutant.rules.some(wanted));
  const minutes = Number(process.argv.find((word) => word.startsWith('--minutes='))?.slice('--minutes='.length));
  const isBounded = minutes > 0;
  const mutants = isBounded ? inTodaysOrder(chosen) : chosen;
  const rules = readRules(root).filter((rule) => wanted(rule.id));
  const line = (verdict: string, { rules: ids, file, line: at, was }: Mutant, rest: string): void =>
    console.log(
      `${verdict.padEnd(14)} ${ids.join(',').padEnd(11)} ${`${file}:${at}`.padEnd(46)} ${short(was, 50).padEnd(50)} ${rest}`,
    );
  const began = Date.now();
  let results: MutantResult[] = [];
  if (process.argv.includes('--list')) for (const mutant of mutants) line('', mutant, '');
  else
    results = await runMutants(
      root,
      mutants,
      ({ mutant, verdict, by, tookMs }) => line(verdict, mutant, `${short(by, 60)} (${tookMs} ms)`),
      undefined,
      isBounded ? began + minutes * 60_000 : undefined,
    );
  const left = mutants.length - results.length;
  if (isBounded) {
    console.log(
      `\n${results.length} of ${mutants.length} mutants were run in ${minutes} minutes, ${left} were left to another day.`,
    );
  }

  const bad = results.filter(({ verdict }) => !GOOD.has(verdict));
  const bare = rulesWithoutMutant(rules, mutants);
  const exempt = rules.filter((rule) => /\((?:no check|informative)\)/.test(rule.text));
  console.log(`\nwithout a mutant, as their text says: ${exempt.map((rule) => rule.id).join(' ') || 'none'}`);
  console.log(`rules without mutant: ${bare.map((rule) => rule.id).join(' ') || 'none'}`);
  for (const fault of found.faults) console.error(fault);
  if (bad.length > 0) console.log('\nsurvivors and faults:');
  for (const { mutant, verdict, by } of bad) line(verdict, mutant, by);
  const count = (verdict: Verdict): number => results.filter((result) => result.verdict === verdict).length;
  console.log(
    `\nmutants: ${found.files} files searched, ${rules.length} rules, ${mutants.length} mutants: ${count('killed')} killed, ` +
      `${count('hang')} hung, ${count('crash')} crashed, ${bad.length} survivors or faults, ` +
      `${bare.length} rules without mutant, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  const failed = bad.length + bare.length + found.faults.length;
  const isIdle = isBounded && results.length === 0;
  if (mutants.length === 0 || rules.length === 0 || failed > 0 || isIdle) process.exitCode = 1;
}

if (import.meta.main) await main();
