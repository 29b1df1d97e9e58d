/**
 * The private path against the same turns straight to the engine (issue: "Shows"). Real enclave, real server, real relay,
 * each in a process of its own; only the engine is scripted where the figure is about the path.
 *
 *   npm run bench [-- --only throughput,delays,first-token,model,session,memory,web] [--pairs 20] [--streams 50] [--model FILE] [--json FILE]
 *
 * On a machine that others use at the same time, run it above them: `chrt -r 1 npm run bench` (root).
 *
 * Prints a table, writes every figure as JSON, and exits with 1 when a budget is broken or could not be measured.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { STARTER_FILE_NAME } from '../apps/enclave/engines/llama.ts';
import { type StartedProcess, startProcess } from '../tools/harness/process.ts';
import * as measures from './measures.ts';
import { directPath, doorClient, type EnclaveFacts, relayClient, sessionPath } from './paths.ts';
import { judge, report } from './report.ts';
import { round } from './statistics.ts';
import { memoryMbOf } from './usage.ts';

const ROOT = join(import.meta.dirname, '..');
const ALL = ['memory', 'throughput', 'delays', 'first-token', 'session', 'model', 'web'];
const DATA = process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share');
const STARTER = process.env.SOTTO_MODEL_FILE ?? join(DATA, 'sotto/models', STARTER_FILE_NAME);

const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { only: text, pairs: text, model: text, json: text, streams: text } });
const STREAMS = Number(flags.streams ?? 50);
const only = new Set(flags.only?.split(',') ?? ALL);
const modelFile = flags.model ?? STARTER;
const jsonPath = flags.json ?? join(ROOT, 'bench/results/latest.json');

interface Ready {
  readonly url: string;
  readonly devFingerprint: string;
}

const dataDir = await mkdtemp(join(tmpdir(), 'sotto-bench-'));
const started: StartedProcess<Ready>[] = [];
let folders = 0;

async function start(program: string, args: readonly string[]): Promise<StartedProcess<Ready>> {
  const process = await startProcess<Ready>(join(ROOT, program), { args, timeoutMs: 120_000 });
  started.push(process);
  return process;
}

function newFolder(): string {
  return join(dataDir, `${folders++}`);
}

function startServer(enclave: EnclaveFacts): Promise<StartedProcess<Ready>> {
  const web = join(ROOT, 'apps/web/dist');
  return start('apps/server/main.ts', ['--port', '0', '--data', newFolder(), '--node', enclave.url, '--web', web]);
}

/** The server's address by the name that it serves. */
function originOf({ ready }: StartedProcess<Ready>): string {
  return `http://localhost:${new URL(ready.url).port}`;
}

async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((process) => process.stop()));
}

const idOf = (process: StartedProcess<Ready>): number => process.child.pid as number;
const results: Record<string, unknown> = {};
const values: Record<string, number | undefined> = {};
const figure = (figures: measures.Figures | undefined, name: string) => figures?.[name] as number | undefined;

function show(name: string, figures: unknown): void {
  results[name] = figures;
  process.stdout.write(`${name}\n${JSON.stringify(figures, null, 1).replace(/^/gm, '  ')}\n`);
}

try {
  if (only.has('memory')) {
    const enclave = await start('apps/enclave/main.ts', ['--data', newFolder()]);
    const server = await startServer(enclave.ready);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    values['idle enclave without model, MB'] = round(memoryMbOf(idOf(enclave)), 1);
    values['idle server, MB'] = round(memoryMbOf(idOf(server)), 1);
    show('memory', { enclave: values['idle enclave without model, MB'], server: values['idle server, MB'] });
    await stopAll();
  }

  if (['throughput', 'delays', 'first-token', 'session'].some((name) => only.has(name))) {
    const direct = await start('bench/direct-process.ts', []);
    const enclave = await start('bench/enclave-process.ts', ['--data', newFolder()]);
    const server = await startServer(enclave.ready);
    const openRelay = relayClient(originOf(server), enclave.ready);
    const openDoor = doorClient(enclave.ready);
    const toDirect = directPath(direct.ready.url);

    if (only.has('session')) {
      const figures = await measures.measureSessions(openRelay, 30);
      values['new session: client CPU p95, ms'] = figure(figures, 'CPU ms p95');
      show('session', figures);
    }
    const relayed = await openRelay();
    const node = ['enclave', idOf(enclave)] as const;
    const relay = ['server', idOf(server)] as const;
    const engine = ['engine', idOf(direct)] as const;
    if (only.has('throughput')) {
      const door = await openDoor();
      const paths = { direct: toDirect, door: sessionPath(door), relay: sessionPath(relayed) };
      const figures = await measures.measureThroughput(paths, {
        direct: [engine],
        door: [node],
        relay: [node, relay],
      });
      values['direct tokens/s'] = figure(figures.direct, 'median');
      values['private tokens/s'] = figure(figures.relay, 'median');
      show('throughput', figures);
      door.close();
    }
    if (only.has('first-token')) {
      const figures = await measures.measureFirstToken(toDirect, sessionPath(relayed), 200);
      values['added first token p95, ms'] = figure(figures, 'added p95 ms');
      show('first-token', figures);
      const shaped = await relayClient(originOf(server), enclave.ready, 'balanced')();
      const shapedFigures = await measures.measureFirstToken(toDirect, sessionPath(shaped), 60);
      values['balanced: added first token p95, ms'] = figure(shapedFigures, 'added p95 ms');
      show('first-token, balanced', shapedFigures);
      shaped.close();
    }
    if (only.has('delays')) {
      const sessions = await Promise.all(Array.from({ length: STREAMS }, openRelay));
      const doors = await Promise.all(Array.from({ length: STREAMS }, openDoor));
      const paths = {
        direct: Array.from({ length: STREAMS }, () => toDirect),
        door: doors.map(sessionPath),
        relay: sessions.map(sessionPath),
      };
      const figures = await measures.measureDelays(paths, { direct: [engine], door: [node], relay: [node, relay] });
      values['50 streams: added p95 delay, ms'] = figure(figures.relay, 'added p95');
      show('delays', figures);
      for (const session of [...sessions, ...doors]) session.close();
    }
    relayed.close();
    await stopAll();
  }

  if (only.has('model') && existsSync(modelFile)) {
    const direct = await start('bench/direct-process.ts', ['--model-file', modelFile]);
    const enclave = await start('bench/enclave-process.ts', ['--data', newFolder(), '--model-file', modelFile]);
    const server = await startServer(enclave.ready);
    const session = await relayClient(originOf(server), enclave.ready)();
    const figures = await measures.measureModel(
      directPath(direct.ready.url),
      sessionPath(session),
      Number(flags.pairs ?? 20),
    );
    values['real model: speed ratio'] = (figures.ratio as Record<string, number>).median;
    show('model', figures);
    session.close();
    await stopAll();
  }

  if (only.has('web') && existsSync(join(ROOT, 'apps/web/dist/index.html'))) {
    const figures = measures.measureFirstLoad(join(ROOT, 'apps/web/dist'));
    values['first load JavaScript gzip, kB'] = figure(figures, 'gzip kB');
    show('web', figures);
  }
} finally {
  await stopAll();
  await rm(dataDir, { recursive: true, force: true });
}

const lines = judge(values);
process.exit(report(lines, { results, jsonPath, isPartial: flags.only !== undefined }) ? 0 : 1);
