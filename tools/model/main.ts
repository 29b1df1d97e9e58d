/**
 * Runs the symbolic models of `spec/model` and compares each result with the expected one.
 *
 *   npm run model                 one session a principal: seconds to minutes
 *   npm run model:long            two sessions a principal: minutes to an hour
 *   npm run model -- WORD…        the runs whose id begins with a word; nothing is recorded
 *   npm run model -- --record     writes spec/model/last-run-N.json
 *
 * Where the prover can neither be found nor compiled the lane is skipped with the reason, if tools/test/skips.json lists it.
 * Exit code 0: every result is the expected one. The last line is `N passed, N failed, N skipped`.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { stopCleanly } from '../test/processes.ts';
import { allowSkip, readSkips } from '../test/skips.ts';
import { judge } from './judge.ts';
import { digestOf, type LastRun, lastRunFile } from './last-run.ts';
import { readPlan } from './plan.ts';
import { bringProver, verify } from './verifpal.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const FOLDER = path.join(ROOT, 'spec', 'model');
const RUN_LIMIT_MS = { 1: 10 * 60_000, 2: 60 * 60_000 } as const;
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

/** A secret that is told to everybody, and the plan's wish that it were none: the lane is worth nothing if that passes. */
const PLANTED = `attacker[active]
principal A[
	knows private secret
	leaks secret
]
principal B[
	knows private key
	tag = MAC(key, key)
]
B -> A: tag
queries[
	confidentiality? secret
]
`;

async function main(): Promise<number> {
  stopCleanly();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { long: { type: 'boolean' }, record: { type: 'boolean' } },
  });
  const sessions = values.long === true ? 2 : 1;
  const plan = readPlan(FOLDER);
  const wanted = (id: string): boolean => positionals.length === 0 || positionals.some((word) => id.startsWith(word));
  const runs = plan.runs.filter((run) => run.expect[sessions] !== undefined && wanted(run.id));
  if (runs.length === 0) return finish(0, 1, 0, `no run at ${sessions} sessions is called ${positionals.join(' or ')}`);

  const prover = await bringProver(plan.verifpal, say);
  if (prover.kind === 'absent') return skip(prover.reason, runs.length);

  const planted = await verify(prover.program, 'planted', PLANTED, 1, RUN_LIMIT_MS[1]);
  if (judge(planted.output, { expect: { 1: 'c0' }, uses: [] }, 1).faults[0] !== 'expected c0, found c1') {
    return finish(0, 1, 0, `the planted attack was not found: ${planted.output.slice(0, 2000)}`);
  }

  const last: LastRun = { verifpal: plan.verifpal, sessions, runs: [] };
  let failed = 0;
  for (const run of runs) {
    const done = await verify(prover.program, run.id, run.source, sessions, RUN_LIMIT_MS[sessions]);
    const { code, attack, faults } = judge(done.output, run, sessions);
    if (done.timedOut) faults.push('stopped: too long');
    const seconds = Math.round(done.tookMs / 100) / 10;
    const without = run.removed === undefined ? run.says : `without ${run.removed}`;
    say(
      `${faults.length === 0 ? '✔' : '✖'} ${run.id.padEnd(24)} ${code.padEnd(10)} ${`${seconds} s`.padStart(8)}  ${without}`,
    );
    if (attack.length > 0) say(`    ${attack.at(-1)}`);
    for (const fault of faults) say(`    ${fault}`);
    if (faults.length > 0) failed++;
    last.runs.push({ id: run.id, model: digestOf(run.source), code, seconds, attack });
  }
  if (values.record === true && failed === 0 && positionals.length === 0) {
    writeFileSync(path.join(FOLDER, lastRunFile(sessions)), `${JSON.stringify(last, null, 2)}\n`);
  }
  say(
    `holds within the bound: no attack with ${sessions === 1 ? 'one session' : 'two sessions'} a principal; not a proof for more`,
  );
  return finish(runs.length - failed, failed, 0);
}

/** A skip counts only if the list of skips allows it. */
function skip(reason: string, count: number): number {
  const file = path.relative(ROOT, import.meta.filename);
  const entry = allowSkip(readSkips(ROOT), { name: 'the models' }, file, new Set(['prover-absent']));
  if (entry === undefined) return finish(0, 1, 0, `${reason}; this skip is not listed in tools/test/skips.json`);
  return finish(0, 0, count, `skipped: ${reason} (${entry.reason}, since ${entry.date})`);
}

function finish(passed: number, failed: number, skipped: number, why?: string): number {
  if (why !== undefined) say(why);
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
