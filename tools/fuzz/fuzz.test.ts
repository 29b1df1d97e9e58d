/** The fuzzer in the time of a test: a fixed seed through every target, and planted faults that it must find. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_RUN, type RunLimits, type TargetResult } from './engine.ts';
import { inputAt } from './mutate.ts';
import { targets as planted } from './planted-for-testing.ts';
import { Prng } from './prng.ts';
import { formatCrashes, formatRow, isGood } from './report.ts';
import { fuzz } from './run.ts';
import { targets } from './targets/all.ts';

const SEED = 'smoke';
const INPUTS = 200;
const urlOf = (file: string) => new URL(file, import.meta.url).href;

test('every target refuses mutated inputs in its own words, from a fixed seed', async (t) => {
  const names = targets.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const limits = { ...DEFAULT_RUN, seed: SEED, inputs: INPUTS };
  const module = urlOf('./targets/all.ts');
  // Sessions mostly wait: two threads take half the time of one, even on a machine that is busy.
  const halves = [0, 1].map((half) => names.filter((_, index) => index % 2 === half));
  const results = (await Promise.all(halves.map((part) => fuzz({ module, names: part, limits })))).flat();
  for (const result of results) t.diagnostic(formatRow(result));
  assert.equal(formatCrashes(results, SEED), '');
  const shares = new Map(targets.map(({ name, share = INPUTS }) => [name, Math.min(share, INPUTS)]));
  for (const { target, inputs } of results) {
    assert.ok(inputs >= (shares.get(target) ?? INPUTS), `${target} took ${inputs} inputs`);
  }
  assert.ok(isGood(results, targets.length));
});

test('each kind of planted fault is found, and a sound parser is not accused', async () => {
  const limits: RunLimits = { ...DEFAULT_RUN, seed: SEED, slowMs: 40, hangMs: 800, memoryBytes: 16 * 1024 * 1024 };
  const names = planted.map(({ name }) => name);
  const results = await fuzz({ module: urlOf('./planted-for-testing.ts'), names, limits });
  const kinds = new Map(results.map(({ target, crashes }) => [target, crashes.map(({ kind }) => kind)]));
  assert.deepEqual(kinds.get('planted/sound'), []);
  const expected = ['foreign-error', 'foreign-error-in-json', 'security', 'slow', 'memory', 'late-rejection'];
  for (const name of expected) {
    const kind = name.replace('-in-json', '') as 'security';
    assert.ok(kinds.get(`planted/${name}`)?.includes(kind), `${name}: found ${kinds.get(`planted/${name}`)}`);
  }
  for (const name of ['planted/never-settles', 'planted/endless']) assert.ok(kinds.get(name)?.includes('hang'), name);
  assert.equal(results.find(({ target }) => target === 'planted/no-input')?.inputs, 0);
  assert.equal(isGood(results, planted.length), false);
});

test('a run without an input, or without one of its targets, is not good', () => {
  const row: TargetResult = { target: 'a', inputs: 1, accepted: 1, refused: {}, crashes: [], tookMs: 1 };
  assert.equal(isGood([row], 1), true);
  assert.equal(isGood([row], 2), false);
  assert.equal(isGood([{ ...row, inputs: 0 }], 1), false);
});

test('an input is known by its seed, target and index', async () => {
  const corpus = (await planted[0]?.corpus()) ?? [];
  const inputs = (seed: string) =>
    Array.from({ length: 300 }, (_, index) => inputAt(new Prng(`${seed}/${index}`), corpus, index));
  assert.deepEqual(inputs('a'), inputs('a'));
  assert.notDeepEqual(inputs('a'), inputs('b'));
  const distinct = new Set(inputs('a').map((parts) => JSON.stringify(parts.map((part) => [...part]))));
  assert.ok(distinct.size > 200, `${distinct.size} different ones of 300`);
});
