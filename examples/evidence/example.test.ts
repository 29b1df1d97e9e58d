/** What the README of this folder promises, through `sotto verify`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FILES } from './generate.ts';

const CLI = new URL('../../apps/cli/sotto.js', import.meta.url).pathname;
const AT = ['--at', '2026-11-21T12:00:00Z'];
const UNDER_TEST_ROOT = [...AT, '--unsafe-test-root', 'NOT-INTEL-test-root.pem'];
const folder = mkdtempSync(join(tmpdir(), 'sotto-example-'));
test.after(() => rmSync(folder, { recursive: true }));

function verify(...words: string[]): { code: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'verify', ...words], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return { code: status, out: stdout + stderr };
}

test('the files are those that the generator writes', () => {
  for (const [name, text] of Object.entries(FILES)) {
    assert.equal(readFileSync(new URL(name, import.meta.url), 'utf8'), text, name);
  }
});

test('the example is refused under the makers’ roots', () => {
  const { code, out } = verify('quote.hex', 'collateral.json', ...AT);
  assert.equal(code, 76);
  assert.match(out, /REFUSED.*certificate-root-unknown/);
});

test('EV-448 a judgement under a root that a person gave says so, first and last, and in the JSON', () => {
  const { code, out } = verify('quote.hex', 'collateral.json', ...UNDER_TEST_ROOT);
  assert.equal(code, 0, out);
  const lines = out.trim().split('\n');
  for (const line of [lines[0], lines.at(-1)]) assert.match(line ?? '', /^UNDER A ROOT THAT YOU GAVE/);
  assert.match(out, /GENUINE/);
  assert.match(verify('quote.hex', 'collateral.json', ...UNDER_TEST_ROOT, '--policy', 'policy.json').out, /ACCEPTED/);
  const { out: json } = verify('quote.hex', 'collateral.json', ...UNDER_TEST_ROOT, '--json');
  assert.deepEqual([JSON.parse(json).root, JSON.parse(json).verdict], ['given', 'genuine']);
});

test('EV-449 a machine that one talks to is never judged under a root that a person gave', () => {
  const { code, out } = verify(`http://localhost:9/#dev=${'c'.repeat(64)}`, ...UNDER_TEST_ROOT);
  assert.equal(code, 64, out);
});

test('a flipped digit is refused, and the rule is named', () => {
  const quote = FILES['quote.hex'].split('\n');
  const flipped = join(folder, 'flipped.hex');
  writeFileSync(flipped, quote.map((line, i) => (i === 4 ? line.replace('1', '2') : line)).join('\n'));
  assert.notEqual(readFileSync(flipped, 'utf8'), FILES['quote.hex']);
  const { code, out } = verify(flipped, 'collateral.json', ...UNDER_TEST_ROOT);
  assert.equal(code, 76);
  assert.match(out, /REFUSED.*\(rule EV-131,/);
});
