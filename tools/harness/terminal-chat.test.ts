/** `sotto chat` against the real server and enclave, fed through a pipe as scripts do. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type System, startSystem } from './system.ts';

const SOTTO = fileURLToPath(new URL('../../apps/cli/sotto.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'sotto-terminal-'));
let system: System;
before(async () => {
  system = await startSystem({ engineArgs: ['--tokens-per-second', '100'] });
});
after(async () => {
  await system.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function chat(address: string, input: string): Promise<{ code: unknown; out: string; errors: string }> {
  const child = spawn(process.execPath, [SOTTO, 'chat', address, '--data', folder]);
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, out, errors };
}

test('every line of a pipe that has ended already is answered, and the end is no failure', async () => {
  const { code, out, errors } = await chat(system.link, 'one\ntwo\n');
  assert.equal(errors.split('\n').length, 3, errors);
  assert.equal(code, 0);
  assert.match(out, /Echo: one\n.*Echo: two\n/s);
});

test('another fingerprint: stopped with a sentence, and nothing is answered', async () => {
  const { code, out, errors } = await chat(`${system.url}/#dev=${'0'.repeat(64)}`, 'my secret\n');
  assert.notEqual(code, 0);
  assert.match(errors, /Stopped: /);
  assert.doesNotMatch(out + errors, /secret|\n {4}at /);
});

test('CH-85 `sotto verify ADDRESS --live` has the machine prove itself for this connection', async () => {
  const child = spawn(process.execPath, [SOTTO, 'verify', system.link, '--live', '--data', folder]);
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0);
  assert.match(out, /yes EV-66 {2}.*\n {2}yes EV-67 {2}/);
  assert.doesNotMatch(out, /NO/);
  assert.match(out, /Checked live/);
});
