import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { plant } from '../planted.ts';
import { judge } from './judge.ts';
import { digestOf, staleRuns } from './last-run.ts';
import { PlanError, readPlan } from './plan.ts';
import { cargoFault } from './verifpal.ts';

const FOLDER = path.join(import.meta.dirname, '..', '..', 'spec', 'model');
const MODEL = 'attacker[active]\n// body\nqueries[\n\tconfidentiality? secret\n]\n';
const RUN = { id: 'm', says: 'as specified', expect: { 1: 'c0' } };

function planted(t: TestContext, run: object, model = MODEL, queries = ['the secret stays secret']): string {
  const plan = { verifpal: '1.6.7', models: [{ file: 'm.vp', queries, runs: [run] }] };
  return plant(t, { 'expected.json': plan, 'm.vp': model });
}

/** A report as the prover prints it, cut to what is read. */
function report(code: string, change: { exhausted?: boolean; sessions?: number; attack?: string } = {}): string {
  const envelope = { exhausted: change.exhausted ?? true, truncations: [] };
  const query = {
    resolved: true,
    conclusion: 'obtained',
    envelope,
    steps: [{ text: change.attack ?? 'uses old_key' }],
  };
  const queries = Array.from({ length: code.length / 2 }, () => query);
  return JSON.stringify({ models: [{ analysis: { code, sessions: change.sessions ?? 1, queries } }] });
}

test('every model of the specification is in the plan, and the plan is sound', () => {
  const { runs } = readPlan(FOLDER);
  const plan = readFileSync(path.join(FOLDER, 'expected.json'), 'utf8');
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.vp')))
    assert.ok(plan.includes(`"${file}"`), file);
  const removed = new Set(runs.map((run) => run.removed));
  for (const ingredient of ['es', 'ekem1', 'digest', 'epoch', 'checkpoint', 'purpose label', 'handshake hash']) {
    assert.ok(removed.has(ingredient), `nothing is run without ${ingredient}`);
  }
});

for (const sessions of [1, 2] as const) {
  test(`the recorded run with ${sessions} sessions a principal is of these models, with these results`, () => {
    assert.deepEqual(staleRuns(FOLDER, readPlan(FOLDER), sessions), []);
  });
}

test('the handshake is the same, line by line, in all models', () => {
  const handshake = (file: string): string[] => {
    const lines = readFileSync(path.join(FOLDER, file), 'utf8').replaceAll('[weak from phase 1]', '').split('\n');
    return lines.filter((line) => /^\t(n[chk]\d|c[chk]\d|m_ekem1|m_s|kem_|c_kem_|c_static|c_payload)/.test(line));
  };
  const common = handshake('handshake.vp');
  assert.ok(common.length > 20);
  for (const file of ['reuse.vp', 'diversion.vp']) assert.deepEqual(handshake(file), common, file);
  const live = handshake('live.vp').filter((line) => !/^\t[nc]h5/.test(line));
  assert.deepEqual(live, common);
  const suites = (line: string): string => line.replace(/[nc]_offered/, 'HASH(offered)');
  assert.deepEqual(handshake('agreement.vp').map(suites), common.map(suites));
});

test('planted: a wrong expectation is found', () => {
  const wanted = { expect: { 1: 'c0' }, uses: [] };
  assert.deepEqual(judge(report('c0'), wanted, 1).faults, []);
  assert.deepEqual(judge(report('c1'), wanted, 1).faults, ['expected c0, found c1']);
  assert.deepEqual(judge(report('c0'), { expect: { 1: 'c1' }, uses: [] }, 1).faults, ['expected c1, found c0']);
  assert.deepEqual(judge(report('c0', { sessions: 2 }), wanted, 2).faults, ['expected nothing, found c0']);
});

test('planted: a report without a query, of other sessions, or of an unfinished search does not pass', () => {
  const wanted = { expect: { 1: 'c0' }, uses: [] };
  assert.ok(judge(report(''), { expect: { 1: '' }, uses: [] }, 1).faults.includes('no query was judged'));
  assert.match(judge(report('c0', { sessions: 2 }), wanted, 1).faults.join(), /2 sessions were analysed/);
  assert.match(judge(report('c0', { exhausted: false }), wanted, 1).faults.join(), /did not come to its end/);
  assert.match(judge('sanity error', wanted, 1).faults.join(), /gave no report/);
  assert.match(judge('{"models":[{"ok":false}]}', wanted, 1).faults.join(), /not analysed/);
});

test('planted: another attack than the one that was meant does not pass', () => {
  const wanted = { expect: { 1: 'c1' }, uses: ['old_key'] };
  assert.deepEqual(judge(report('c1'), wanted, 1).faults, []);
  assert.match(judge(report('c1', { attack: 'uses slow_key' }), wanted, 1).faults.join(), /no old_key/);
});

test('planted: a plan that proves nothing is refused', (t) => {
  assert.equal(readPlan(planted(t, RUN)).runs.length, 1);
  const faults: [object, RegExp, string?, string[]?][] = [
    [RUN, /m: no query/, MODEL.replace('\tconfidentiality? secret\n', '')],
    [RUN, /differ in number/, MODEL, []],
    [{ ...RUN, expect: {} }, /no expectation/],
    [{ ...RUN, expect: { 1: '' } }, /not a result code/],
    [{ ...RUN, expect: { 1: 'c0a0' } }, /not a result code/],
    [{ ...RUN, expect: { 1: 'c1' } }, /exactly where an ingredient is missing/],
    [{ ...RUN, removed: 'es' }, /exactly where an ingredient is missing/],
    [{ ...RUN, replace: [['// boby', '']] }, /does not hold/],
  ];
  for (const [run, message, model, queries] of faults) {
    const folder = planted(t, run, model, queries);
    assert.throws(
      () => readPlan(folder),
      (error) => error instanceof PlanError && message.test(error.message),
    );
  }
});

test('planted: a model that changed since the recorded run, or was never run, is named', (t) => {
  const folder = planted(t, RUN);
  const plan = readPlan(folder);
  assert.deepEqual(staleRuns(folder, plan, 1), ['m: never recorded']);
  const record = (over: object): string[] => {
    const run = { id: 'm', model: digestOf(MODEL), code: 'c0', seconds: 1, attack: [], ...over };
    const other = plant(t, { 'last-run-1.json': { verifpal: '1.6.7', sessions: 1, runs: [run] } });
    return staleRuns(other, plan, 1);
  };
  assert.deepEqual(record({}), []);
  assert.deepEqual(record({ model: digestOf(MODEL.replace('// body', '// other words')) }), []);
  assert.deepEqual(record({ model: digestOf(MODEL.replace('secret', 'other')) }), ['m: the model changed since']);
  assert.deepEqual(record({ code: 'c1' }), ['m: c1, expected c0']);
  assert.deepEqual(record({ id: 'n' }), ['m: never recorded', 'n: not in the plan']);
});

test('a cargo that is absent or old is named as the reason, and a later one will do', () => {
  assert.match(cargoFault(undefined) ?? '', /there is none/);
  assert.match(cargoFault('cargo 1.94.1 (abc 2026-01-01)\n') ?? '', /this is 1\.94/);
  for (const good of ['cargo 1.95.0 (f2d3ce0bd)', 'cargo 1.100.0', 'cargo 2.0.0'])
    assert.equal(cargoFault(good), undefined);
});
