/** `sotto up` as a person runs it, with the real server and enclave and no model: page, words, Ctrl-C, nothing left. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from './port.ts';

const SOTTO = new URL('../sotto.js', import.meta.url).pathname;

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  /** Every process whose command line names this run's data folder. */
  readonly processes: () => number[];
}

const data = mkdtempSync(join(tmpdir(), 'sotto-up-'));
const left: ChildProcess[] = [];
test.after(() => {
  for (const { pid } of left) {
    try {
      process.kill(-(pid as number), 'SIGKILL');
    } catch {
      // ended as it should
    }
  }
  rmSync(data, { recursive: true, force: true });
});

function processesNaming(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    });
}

const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

async function start(port: number, more: readonly string[] = []): Promise<Running> {
  const words = ['up', '--data', data, '--port', String(port), '--no-download', '--no-open', ...more];
  const child = spawn(process.execPath, [SOTTO, ...words], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  left.push(child);
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const found = /^http:\/\/localhost:\d+\/#dev=[0-9a-f]{64}$/m.exec(output)?.[0];
        if (found !== undefined && output.includes('Ctrl-C')) resolve(found);
      });
    }
    child.once('exit', (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
  });
  return { process: child, url, output: () => output, processes: () => processesNaming(data) };
}

async function stop(running: Running, signal: NodeJS.Signals): Promise<[number | null, string | null]> {
  const exited = once(running.process, 'exit') as Promise<[number | null, string | null]>;
  process.kill(-(running.process.pid as number), signal);
  return exited;
}

async function untilNoneLeft(running: Running): Promise<void> {
  for (let i = 0; i < 100 && running.processes().length > 0; i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(running.processes(), []);
}

const options = { timeout: 120_000 };

test('without a model the page opens and says what to do; Ctrl-C ends everything with code 0', options, async () => {
  const port = await freePort();
  const running = await start(port);
  const page = await fetch(running.url);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-type') ?? '', /text\/html/);
  const { nodes } = (await (await fetch(`http://localhost:${port}/api/nodes`)).json()) as { nodes: unknown[] };
  assert.equal(nodes.length, 1);
  assert.match(running.output(), /Model: none yet.*--model FILE/);
  assert.ok(running.processes().length >= 3);

  const second = spawnSync(process.execPath, [SOTTO, 'up', '--data', data, '--port', String(port), '--no-download'], {
    encoding: 'utf8',
  });
  assert.equal(second.status, 69);
  assert.match(second.stderr, new RegExp(`Port ${port} is taken`));

  const chat = (address: string, folder: string) =>
    spawnSync(process.execPath, [SOTTO, 'chat', address, '--data', join(data, folder), '--prompt', 'hello'], {
      encoding: 'utf8',
    });
  const verified = chat(running.url, 'mine');
  assert.equal(verified.status, 69, verified.stderr);
  assert.match(verified.stderr, /No language model is running/);
  const wrong = chat(`${running.url.slice(0, -4)}0000`, 'other');
  assert.equal(wrong.status, 76, wrong.stderr);
  assert.match(wrong.stderr, /Stopped: .*\(rule EV-\d+\)/);

  assert.deepEqual(await stop(running, 'SIGINT'), [0, null]);
  await untilNoneLeft(running);
  assert.ok(existsSync(join(data, 'enclave')));
});

test(
  'the address stays the same from start to start; a killed `sotto up` leaves nothing running',
  options,
  async () => {
    const port = await freePort();
    const first = await start(port);
    assert.deepEqual(await stop(first, 'SIGTERM'), [0, null]);
    const second = await start(port);
    assert.equal(second.url, first.url);
    const exited = once(second.process, 'exit');
    second.process.kill('SIGKILL');
    await exited;
    await untilNoneLeft(second);
  },
);

test(
  '--host lets others reach the page, which says why it does not open; no signal opens a debugger',
  options,
  async () => {
    const port = await freePort();
    const closed = await start(port);
    await assert.rejects(fetch(`http://127.0.0.2:${port}/`));
    await stop(closed, 'SIGTERM');
    await untilNoneLeft(closed);
    const open = await start(port, ['--host', '0.0.0.0']);
    const answer = await fetch(`http://127.0.0.2:${port}/`);
    assert.equal(answer.status, 421);
    assert.match(await answer.text(), /--host 0\.0\.0\.0 --cert/);
    const enclave = open.processes().find((pid) => commandOf(pid).includes('apps/enclave/main.ts'));
    process.kill(enclave as number, 'SIGUSR1');
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.doesNotMatch(readFileSync(join(data, 'logs', 'enclave.log'), 'utf8'), /Debugger listening/);
    await stop(open, 'SIGTERM');
    await untilNoneLeft(open);
  },
);
