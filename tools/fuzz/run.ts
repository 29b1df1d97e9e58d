/** A whole fuzz run: every target in a thread that is watched; a thread that hangs or dies costs its target, not the run. */
import { Worker } from 'node:worker_threads';
import type { Crash, RunLimits, TargetResult } from './engine.ts';
import type { WorkerTask } from './worker.ts';

const WATCH_MS = 250;
const START_MS = 60_000;
const HEAP_LIMIT_MB = 768;

/**
 * @param options.module URL of a module that exports `targets`
 * @param options.names of the targets to run, in order
 */
export async function fuzz(options: {
  readonly module: string;
  readonly names: readonly string[];
  readonly limits: RunLimits;
  readonly onResult?: (result: TargetResult) => void;
}): Promise<TargetResult[]> {
  const results: TargetResult[] = [];
  const add = (result: TargetResult) => {
    results.push(result);
    options.onResult?.(result);
  };
  let left = options.names;
  while (left.length > 0) {
    const before = results.length;
    const stopped = await runThread({ ...options, names: left }, add);
    left = left.slice(results.length - before);
    const name = left[0];
    if (stopped === undefined || name === undefined) break;
    const crash: Crash = { target: name, index: stopped.index, kind: stopped.kind, detail: stopped.detail, input: [] };
    add({
      target: name,
      inputs: stopped.index + 1,
      accepted: 0,
      refused: {},
      crashes: [crash],
      tookMs: stopped.tookMs,
    });
    left = left.slice(1);
  }
  return results;
}

interface Stopped {
  readonly index: number;
  readonly kind: 'hang' | 'memory' | 'foreign-error';
  readonly detail: string;
  readonly tookMs: number;
}

/** Resolves with undefined when every target came to its end. */
function runThread(
  { module, names, limits }: { module: string; names: readonly string[]; limits: RunLimits },
  onResult: (result: TargetResult) => void,
): Promise<Stopped | undefined> {
  const progress = new Int32Array(new SharedArrayBuffer(12)).fill(-1, 1, 2);
  const task: WorkerTask = { module, names, limits, progress };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB },
  });
  return new Promise((resolve) => {
    const began = performance.now();
    let count = 0;
    let [step, sinceMs] = [-1, performance.now()];
    const settle = (kind?: Stopped['kind'], detail = '') => {
      clearInterval(watch);
      const index = Atomics.load(progress, 1);
      resolve(kind === undefined ? undefined : { index, kind, detail, tookMs: performance.now() - began });
    };
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 2) * 1000 + count;
      if (now !== step) [step, sinceMs] = [now, performance.now()];
      // A promise that does not settle is noticed inside after `hangMs`; this is for what gives no turn to anything else.
      // Before the first input a thread loads its modules and corpus, which on a busy machine takes long.
      else if (performance.now() - sinceMs > (Atomics.load(progress, 1) < 0 ? START_MS : 2 * limits.hangMs)) {
        settle('hang', `no end after ${limits.hangMs} ms`);
        void worker.terminate();
      }
    }, WATCH_MS);
    worker.on('message', (result: TargetResult) => {
      count++;
      onResult(result);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      settle(isMemory ? 'memory' : 'foreign-error', isMemory ? 'out of memory' : `${error.name}: ${error.message}`);
    });
    worker.on('exit', () => settle(count < names.length ? 'foreign-error' : undefined, 'the thread ended'));
  });
}
