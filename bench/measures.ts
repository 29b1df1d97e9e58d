/** Each measure: what was run, and the figures it gave. Compared runs are interleaved, in turning order, in the same minute. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { NodeSession } from '@sotto/client';
import type { Path } from './paths.ts';
import { median, percentile, round, spread } from './statistics.ts';
import { cpuMsOf, ownCpuMs } from './usage.ts';

export type Figures = Record<string, number | Record<string, number>>;

interface Answer {
  readonly firstMs: number;
  /** Between one token and the next. */
  readonly delaysMs: readonly number[];
  readonly tokens: number;
  readonly totalMs: number;
}

/** One answer, with the time of each token as the client sees it. */
export async function timeAnswer(path: Path, prompt: string, maxTokens?: number): Promise<Answer> {
  const startMs = performance.now();
  const times: number[] = [];
  await path(prompt, (atMs) => times.push(atMs), maxTokens);
  const delaysMs = times.slice(1).map((atMs, index) => atMs - (times[index] as number));
  const firstMs = (times[0] ?? Number.NaN) - startMs;
  return { firstMs, delaysMs, tokens: times.length, totalMs: (times.at(-1) ?? startMs) - startMs };
}

/** Tokens a second after the first. */
function speedOf({ tokens, totalMs, firstMs }: Answer): number {
  return ((tokens - 1) * 1000) / (totalMs - firstMs);
}

/** Runs every path once a round; the path that goes first changes with each round. */
async function interleave(
  rounds: number,
  names: readonly string[],
  run: (name: string) => Promise<void>,
): Promise<void> {
  for (let turn = 0; turn < rounds; turn++) {
    for (let at = 0; at < names.length; at++) await run(names[(turn + at) % names.length] as string);
  }
}

/** A process whose CPU time is counted: what it is called, and its id. */
export type Watched = readonly [label: string, processId: number];

/** CPU time of this process and the watched ones, summed over the measured runs. */
class CpuMeter {
  readonly #watched: readonly Watched[];
  readonly #usedMs: Record<string, number> = {};

  constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  async measure<Result>(run: () => Promise<Result>): Promise<Result> {
    const before = this.#read();
    const result = await run();
    for (const [label, ms] of Object.entries(this.#read())) {
      this.#usedMs[label] = (this.#usedMs[label] ?? 0) + ms - (before[label] ?? 0);
    }
    return result;
  }

  perThousand(tokens: number): Figures {
    const entries = Object.entries(this.#usedMs);
    return Object.fromEntries(
      entries.map(([label, ms]) => [`${label} CPU ms per 1,000 tokens`, round((ms * 1000) / tokens)]),
    );
  }

  #read(): Record<string, number> {
    return {
      client: ownCpuMs(),
      ...Object.fromEntries(this.#watched.map(([label, processId]) => [label, cpuMsOf(processId)])),
    };
  }
}

/** (a) An engine that never waits: what the path itself can carry, and what a thousand tokens cost each process. */
export async function measureThroughput(
  paths: Record<string, Path>,
  processes: Record<string, readonly Watched[]>,
): Promise<Record<string, Figures>> {
  const names = Object.keys(paths);
  const speeds = Object.fromEntries(names.map((name) => [name, [] as number[]]));
  const meters = Object.fromEntries(names.map((name) => [name, new CpuMeter(processes[name] ?? [])]));
  const tokens = Object.fromEntries(names.map((name) => [name, 0]));
  for (const name of names) await timeAnswer(paths[name] as Path, '/lorem 4000'); // warm
  await interleave(9, names, async (name) => {
    const answer = await (meters[name] as CpuMeter).measure(() => timeAnswer(paths[name] as Path, '/lorem 4000'));
    tokens[name] = (tokens[name] as number) + answer.tokens;
    (speeds[name] as number[]).push(speedOf(answer));
  });
  return Object.fromEntries(
    names.map((name) => {
      const { min, median: middle, max } = spread(speeds[name] as number[]);
      const figures = { min: round(min, 0), median: round(middle, 0), max: round(max, 0) };
      return [name, { ...figures, ...(meters[name] as CpuMeter).perThousand(tokens[name] as number) }];
    }),
  );
}

const DELAY_ROUNDS = 5;

/**
 * (b) Many people at once, each reading at the pace of a large model. Percentiles are taken a round at a time, and the
 * added delay is that of paths within one round: a busy machine makes all paths late, seldom all rounds alike.
 */
export async function measureDelays(
  pathsOf: Record<string, readonly Path[]>,
  processes: Record<string, readonly Watched[]>,
): Promise<Record<string, Figures>> {
  const names = Object.keys(pathsOf);
  const rounds = Object.fromEntries(names.map((name) => [name, [] as number[][]]));
  const meters = Object.fromEntries(names.map((name) => [name, new CpuMeter(processes[name] ?? [])]));
  await interleave(DELAY_ROUNDS, names, async (name) => {
    const run = () => Promise.all((pathsOf[name] as readonly Path[]).map((path) => timeAnswer(path, '/slow 150 50')));
    const answers = await (meters[name] as CpuMeter).measure(run);
    (rounds[name] as number[][]).push(answers.flatMap(({ delaysMs }) => delaysMs));
  });
  const p95s = (name: string) => (rounds[name] as number[][]).map((delays) => percentile(delays, 0.95));
  const direct = p95s(names[0] as string);
  return Object.fromEntries(
    names.map((name) => {
      const all = (rounds[name] as number[][]).flat();
      const added = p95s(name).map((p95, round) => p95 - (direct[round] as number));
      const figures: Figures = {
        tokens: all.length,
        median: round(median(all)),
        p95: round(percentile(all, 0.95)),
        p99: round(percentile(all, 0.99)),
        'p95 by round': Object.fromEntries(p95s(name).map((p95, at) => [at + 1, round(p95)])),
        'added p95': round(median(added)),
      };
      return [name, { ...figures, ...(meters[name] as CpuMeter).perThousand(all.length) }];
    }),
  );
}

/** (c) First word on an open session, beside the first word straight from the engine. */
export async function measureFirstToken(direct: Path, priv: Path, pairs: number): Promise<Figures> {
  const added: number[] = [];
  const each: Record<string, number[]> = { direct: [], private: [] };
  for (let warm = 0; warm < 5; warm++)
    await Promise.all([timeAnswer(direct, '/lorem 2'), timeAnswer(priv, '/lorem 2')]);
  for (let pair = 0; pair < pairs; pair++) {
    const firsts: Record<string, number> = {};
    await interleave(1, pair % 2 === 0 ? ['direct', 'private'] : ['private', 'direct'], async (name) => {
      firsts[name] = (await timeAnswer(name === 'direct' ? direct : priv, '/lorem 2')).firstMs;
      (each[name] as number[]).push(firsts[name]);
    });
    added.push((firsts.private as number) - (firsts.direct as number));
  }
  return {
    pairs,
    'direct median ms': round(median(each.direct as number[])),
    'private median ms': round(median(each.private as number[])),
    'added median ms': round(median(added)),
    'added p95 ms': round(percentile(added, 0.95)),
  };
}

const MODEL_TOKENS = 64;

/** (c) The real model, in pairs: the same prompt and the same words over both paths. */
export async function measureModel(direct: Path, priv: Path, pairs: number): Promise<Figures> {
  const prompt = 'Why is the sky blue?';
  const ratios: number[] = [];
  const speeds: Record<string, number[]> = { direct: [], private: [] };
  const firsts: Record<string, number[]> = { direct: [], private: [] };
  await timeAnswer(direct, prompt);
  await timeAnswer(priv, prompt);
  for (let pair = 0; pair < pairs; pair++) {
    for (const name of pair % 2 === 0 ? ['direct', 'private'] : ['private', 'direct']) {
      const answer = await timeAnswer(name === 'direct' ? direct : priv, prompt, MODEL_TOKENS);
      (speeds[name] as number[]).push(speedOf(answer));
      (firsts[name] as number[]).push(answer.firstMs);
    }
    ratios.push(((speeds.private as number[])[pair] as number) / ((speeds.direct as number[])[pair] as number));
  }
  const rounded = (values: readonly number[]) =>
    Object.fromEntries(Object.entries(spread(values)).map(([name, value]) => [name, round(value, 3)]));
  return {
    pairs,
    ratio: rounded(ratios),
    'direct tokens/s': rounded(speeds.direct as number[]),
    'private tokens/s': rounded(speeds.private as number[]),
    'direct first token ms': rounded(firsts.direct as number[]),
    'private first token ms': rounded(firsts.private as number[]),
  };
}

/** (d) Finding, connecting, checking: client CPU and wall time of a new session, nothing cached. */
export async function measureSessions(open: () => Promise<NodeSession>, count: number): Promise<Figures> {
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let index = 0; index < count; index++) {
    const [startMs, cpuMs] = [performance.now(), ownCpuMs()];
    const session = await open();
    cpu.push(ownCpuMs() - cpuMs);
    wall.push(performance.now() - startMs);
    session.close();
  }
  return {
    sessions: count,
    'CPU ms first': round(cpu[0] ?? Number.NaN),
    'CPU ms median': round(median(cpu)),
    'CPU ms p95': round(percentile(cpu, 0.95)),
    'wall ms median': round(median(wall)),
  };
}

/** (f) JavaScript that the first page asks for before anything is clicked, compressed as a server would. */
export function measureFirstLoad(distDir: string): Figures {
  const page = readFileSync(join(distDir, 'index.html'), 'utf8');
  const scripts = [...page.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1] as string);
  const sizes = [...new Set(scripts)].map(
    (path) => [path, gzipSync(readFileSync(join(distDir, path)), { level: 9 }).length / 1000] as const,
  );
  const total = sizes.reduce((sum, [, kilobytes]) => sum + kilobytes, 0);
  return { 'gzip kB': round(total), ...Object.fromEntries(sizes.map(([path, kilobytes]) => [path, round(kilobytes)])) };
}
