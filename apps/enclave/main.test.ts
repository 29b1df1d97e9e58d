import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Starts the program; `ready` is its first line on standard output, `ended` its exit code and log. */
async function createProgram(t: TestContext, nodeFlags: readonly string[], args: readonly string[]) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-main-'));
  const child = spawn(process.execPath, [...nodeFlags, MAIN, '--data', dataDir, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const ended = new Promise<{ code: number | null; log: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, log })),
  );
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(dataDir, { recursive: true });
  });
  const ready = new Promise<Record<string, unknown>>((resolve) =>
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line))),
  );
  return { child, ready: await ready, ended };
}

test('without a model the program starts, says so, and ends when told', async (t) => {
  const { child, ready, ended } = await createProgram(t, [], []);
  assert.equal(ready.ready, true);
  assert.equal(ready.model, null);
  assert.match(String(ready.devFingerprint), /^[0-9a-f]{64}$/);
  assert.equal((await fetch(`${ready.url}/healthz`)).status, 200);
  child.kill('SIGTERM');
  const { code, log } = await ended;
  assert.equal(code, 0);
  for (const line of log.trim().split('\n')) assert.ok(typeof JSON.parse(line).event === 'string', line);
});

test('EV-458 a machine that is to serve under hardware and has none does not start', async (t) => {
  const { ready, ended } = await createProgram(t, [], ['--evidence', 'sev-snp']);
  assert.equal(ready.ready, false);
  assert.equal((ready.error as { code: string }).code, 'evidence-unavailable');
  assert.equal((await ended).code, 1);
});

test('flags that say nothing sensible end the program with a code', async (t) => {
  for (const args of [
    ['--port', 'x'],
    ['--evidence', 'gold'],
    ['--gpus'],
    ['--nonsense'],
    ['--model-file', 'a', '--engine-url', 'b'],
  ]) {
    const { ready, ended } = await createProgram(t, [], args);
    assert.equal(ready.ready, false);
    assert.equal((ready.error as { code: string }).code, 'bad-flags');
    assert.equal((await ended).code, 1);
  }
});

test('an engine elsewhere, or a model that is none, is refused by name', async (t) => {
  const far = await createProgram(t, [], ['--engine-url', 'http://example.com']);
  assert.equal((far.ready.error as { code: string }).code, 'engine-not-local');
  const none = await createProgram(t, [], ['--model-file', '/none/none.gguf']);
  assert.equal((none.ready.error as { code: string }).code, 'model-unreadable');
});

test('EN-22 the program does not start where its memory could be read', async (t) => {
  const { ready, ended } = await createProgram(t, ['--report-on-signal'], []);
  assert.equal((ready.error as { rule: string }).rule, 'EN-22');
  assert.equal((await ended).code, 1);
});

test('EN-14 an exception that nobody caught leaves a code and places, and no words', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sotto-crash-'));
  t.after(() => rm(dir, { recursive: true }));
  const path = join(dir, 'crash.mjs');
  const source = `
    import { installCrashHandlers } from ${JSON.stringify(new URL('./crash.ts', import.meta.url).href)};
    import { createLog } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)};
    const print = (line) => process.stderr.write(line + '\\n');
    installCrashHandlers(createLog(print, Date.now), print);
    setTimeout(() => { throw new Error('canary-words\\n    at canary (file:///canary.ts:1:1)'); }, 1);
    setTimeout(() => {}, 10_000);`;
  await writeFile(path, source);
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 1);
  assert.match(output, /"event":"crash","code":"internal"/);
  assert.ok(!output.includes('canary'), output);
});
