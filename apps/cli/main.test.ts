import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTdxCase } from '@sotto/testkit/evidence-tdx';
import { EXIT } from './plain-error.ts';
import { readyText } from './up/ready-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'sotto-main-'));
test.after(() => rmSync(folder, { recursive: true }));

function sotto(...words: string[]): { code: number | null; out: string; err: string } {
  const script = new URL('sotto.js', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], {
    encoding: 'utf8',
    env: { ...process.env, XDG_DATA_HOME: folder },
  });
  return { code: status, out: stdout, err: stderr };
}

test('help and version answer in words', () => {
  for (const words of [[], ['--help'], ['up', '--help'], ['help']]) {
    const { code, out } = sotto(...words);
    assert.equal(code, EXIT.ok);
    assert.match(out, /sotto up {2,}Start everything/);
  }
  assert.match(sotto('version').out, /^sotto \d+\.\d+\.\d+ \(Node 24/);
});

test('a typing error is said, never taken in silence', () => {
  for (const words of [
    ['upp'],
    ['up', '--prot', '80'],
    ['trust'],
    ['trust', 'ad'],
    ['up', '--port', 'x'],
    ['up', '--cert', 'a'],
  ]) {
    const { code, err } = sotto(...words);
    assert.equal(code, EXIT.usage, words.join(' '));
    assert.doesNotMatch(err, /\n\s+at /);
  }
});

test('trust: add, list, remove, and a chat with a server that is not trusted sends nothing', () => {
  const address = `http://localhost:9/#dev=${'c'.repeat(64)}`;
  assert.equal(sotto('trust', 'add', address).code, EXIT.ok);
  assert.match(sotto('trust', 'list').out, /http:\/\/localhost:9 {2}c{64}/);
  assert.equal(sotto('trust', 'remove', 'http://localhost:9').code, EXIT.ok);
  assert.equal(sotto('trust', 'remove', 'http://localhost:9').code, EXIT.noInput);
  assert.equal(sotto('trust', 'add', 'http://localhost:9').code, EXIT.usage);
});

test('admin: an absent data folder, a missing word and a file that is no backup are said', () => {
  assert.equal(sotto('admin', 'disclose', 'a'.repeat(32), '--data', join(folder, 'none')).code, EXIT.noInput);
  assert.equal(sotto('admin', 'backup').code, EXIT.usage);
  const { code, err } = sotto('admin', 'restore', join(folder, 'none'), '--data', join(folder, 'restored'));
  assert.equal(code, EXIT.failed);
  assert.match(err, /The backup cannot be read/);
});

test('what is said when the page is ready: the address on a line of its own, and no false promise', () => {
  const url = `http://localhost:7070/#dev=${'d'.repeat(64)}`;
  const facts = { url, model: 'Starter', starter: true, modelPending: false, externalEngine: undefined };
  assert.ok(readyText(facts).split('\n').includes(url));
  assert.match(readyText(facts), /A better one/);
  assert.match(readyText(facts), /whoever runs it can read/);
  assert.match(
    readyText({ ...facts, externalEngine: 'Ollama' }),
    /computed by Ollama on this machine, which can read them/,
  );
  assert.doesNotMatch(readyText({ ...facts, externalEngine: 'Ollama' }), /nothing you write leaves/);
  assert.match(readyText({ ...facts, model: undefined }), /--model FILE\.gguf/);
});

test('verify: words for what is no evidence, exit codes, and nothing but closed words', () => {
  const file = join(folder, 'quote');
  writeFileSync(file, 'not evidence\x1b[31m');
  assert.equal(sotto('verify').code, EXIT.usage);
  assert.equal(sotto('verify', join(folder, 'absent')).code, EXIT.noInput);
  const unknown = sotto('verify', file);
  assert.deepEqual([unknown.code, unknown.out], [EXIT.noInput, '']);
  assert.match(unknown.err, /Nothing that Sotto knows is in the file quote/);
  assert.equal(sotto('verify', file, '--at', 'yesterday').code, EXIT.usage);
  assert.equal(sotto('verify', file, '--nonce', '00').code, EXIT.usage);
  writeFileSync(join(folder, 'policy.json'), '{"kind":"tdx","version":1}');
  assert.match(sotto('verify', file, '--policy', join(folder, 'policy.json')).err, /rule EV-4/);
});

test('verify: evidence under a root of tests is refused, with the rule', () => {
  const { quote, timeSeconds } = makeTdxCase();
  writeFileSync(join(folder, 'test-quote'), quote);
  const words = ['verify', join(folder, 'test-quote'), '--at', String(timeSeconds)];
  const { code, out } = sotto(...words);
  assert.equal(code, EXIT.refused);
  assert.match(out, /NO {2}The certificates end in Intel's root +EV-\d+/);
  assert.match(out, /REFUSED\. .*class chain/);
  const json = JSON.parse(sotto(...words, '--json').out) as { verdict: string };
  assert.equal(json.verdict, 'refused');
});
