import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { plant } from '../planted.ts';
import { runNodeTests } from './node-test.ts';
import { runProcess } from './processes.ts';
import { allowSkip, readSkips, type SkipEntry } from './skips.ts';

const lines = (...text: string[]): string => `import { test, describe } from 'node:test';\n${text.join('\n')}\n`;

for (const isolation of ['none', 'process'] as const) {
  test(`what became of each test is gathered, isolation ${isolation}`, async (t) => {
    const root = plant(t, {
      'a.test.mjs': lines(
        "describe('suite', () => { test('inner', () => {}); });",
        "test('outer', async (t) => { await t.test('bad', () => { console.log('spoke'); throw new Error('why'); }); });",
        "test('idle', { skip: 'no hardware' }, () => {});",
      ),
      'b.test.mjs': "throw new Error('before any test');\n",
      'c.test.mjs': 'export {};\n',
    });
    const files = ['a', 'b', 'c'].map((name) => path.join(root, `${name}.test.mjs`));
    const { outcomes, complete, code } = await runNodeTests({ root, files, isolation, timeoutMs: 30_000 });
    const found = outcomes.filter((o) => o.kind !== 'output').map((o) => `${o.kind} ${path.basename(o.name)}`);
    assert.deepEqual(found.sort(), ['empty c.test.mjs', 'fail b.test.mjs', 'fail bad', 'pass inner', 'skip idle']);
    assert.match(outcomes.find((o) => o.name === 'bad')?.text ?? '', /why/);
    assert.equal(outcomes.find((o) => o.kind === 'skip')?.text, 'no hardware');
    assert.deepEqual([complete, code], [true, 1]);
  });
}

test('planted: a process that leaves in the middle is not complete', async (t) => {
  const root = plant(t, { 'a.test.mjs': lines("test('one', () => {});", "test('two', () => process.exit(0));") });
  const files = [path.join(root, 'a.test.mjs')];
  const { complete } = await runNodeTests({ root, files, isolation: 'none', timeoutMs: 30_000 });
  assert.equal(complete, false);
});

test('planted: a hang is stopped with all that it started', async (t) => {
  const root = plant(t, {
    'h.mjs': "import { spawn } from 'node:child_process'; spawn('sleep', ['60']); setInterval(() => {}, 9);",
  });
  const { timedOut, code } = await runProcess(process.execPath, ['h.mjs'], { cwd: root, timeoutMs: 1000 });
  assert.deepEqual([timedOut, code], [true, null]);
});

const entry: SkipEntry = { file: 'packages/x/a.test.ts', test: 'needs *', reason: 'no hardware', date: '2026-11-21' };

test('planted: a skip is allowed by its entry alone', () => {
  const none = new Set<string>();
  assert.equal(allowSkip([entry], { name: 'needs a TPM' }, 'packages/x/a.test.ts', none), entry);
  assert.equal(allowSkip([entry], { name: 'another' }, 'packages/x/a.test.ts', none), undefined);
  assert.equal(allowSkip([entry], { name: 'needs a TPM' }, 'packages/x/b.test.ts', none), undefined);
  assert.equal(allowSkip([{ ...entry, test: 'needs a' }], { name: 'needs a TPM' }, entry.file, none), undefined);
});

test('planted: a conditional skip is refused where the condition is false', () => {
  const conditional: SkipEntry = { ...entry, file: 'packages/', when: 'vectors-absent' };
  assert.equal(allowSkip([conditional], { name: 'needs it' }, entry.file, new Set()), undefined);
  assert.equal(allowSkip([conditional], { name: 'needs it' }, entry.file, new Set(['vectors-absent'])), conditional);
});

test('planted: an entry without a reason or a date is refused', (t) => {
  for (const bad of [
    { ...entry, reason: '' },
    { ...entry, date: 'today' },
  ]) {
    const root = plant(t, { 'tools/test/skips.json': [bad] });
    assert.throws(() => readSkips(root), /a reason and a date/);
  }
});
