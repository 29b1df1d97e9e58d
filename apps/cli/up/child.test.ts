import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { PlainError } from '../plain-error.ts';
import { Child } from './child.ts';

const path = (name: string) => new URL(`../testing/${name}`, import.meta.url).pathname;

function child(t: TestContext, mode: string): { child: Child; lines: string[]; log: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-child-'));
  const logPath = join(folder, 'log');
  const lines: string[] = [];
  const made = new Child({
    name: 'fake',
    command: [path('fake-child.ts'), mode],
    cwd: '/',
    env: process.env,
    logPath,
    onLine: (line) => lines.push(line),
    stopTimeoutMs: 300,
    backoffMs: [20],
  });
  t.after(async () => {
    await made.stop();
    rmSync(folder, { recursive: true });
  });
  return { child: made, lines, log: () => readFileSync(logPath, 'utf8') };
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function until(check: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(what);
}

test('a child is ready when it says so, and gone after stop', async (t) => {
  const { child: made } = child(t, 'plain');
  const { pid } = (await made.start()) as { pid: number };
  assert.equal(made.processId, pid);
  await made.stop();
  assert.equal(alive(pid), false);
});

test('a child that ignores being told to stop is killed', async (t) => {
  const { child: made } = child(t, 'stubborn');
  const { pid } = (await made.start()) as { pid: number };
  await made.stop();
  assert.equal(alive(pid), false);
});

test('a child that cannot start is reported in its own words', async (t) => {
  await assert.rejects(
    child(t, 'refuse').child.start(),
    (error) => error instanceof PlainError && /The moon is wrong/.test(error.message),
  );
  await assert.rejects(
    child(t, 'die').child.start(),
    (error) => error instanceof PlainError && /last words/.test(error.advice),
  );
});

test('a child that crashes is started again, in one line each', async (t) => {
  const { child: made, lines } = child(t, 'crash-soon');
  await made.start();
  await until(() => lines.some((line) => line === 'The fake runs again.'), 'it was not started again');
  assert.match(lines[0] ?? '', /The fake stopped unexpectedly \(code 9\); starting it again/);
});

async function keeper(t: TestContext, mode: string): Promise<{ process: ChildProcess; pids: number[] }> {
  const started = spawn(process.execPath, [path('keeper.ts'), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.after(() => started.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: started.stdout as NodeJS.ReadableStream }), 'line')) as [string];
  return { process: started, pids: JSON.parse(line) as number[] };
}

test('Ctrl-C on the whole process group ends everything, with exit code 0', async (t) => {
  const { process: running, pids } = await keeper(t, 'stubborn');
  assert.ok(pids.length === 2 && pids.every(alive));
  const exited = once(running, 'exit');
  process.kill(-(running.pid as number), 'SIGINT');
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(pids.filter(alive), []);
});

test('children end by themselves when the parent is killed outright', async (t) => {
  const { process: running, pids } = await keeper(t, 'plain');
  running.kill('SIGKILL');
  await until(() => !pids.some(alive), 'a child was left running');
});
