/** The thread in which targets run, so that one that never returns can be stopped, and one that takes all memory dies alone. */
import { parentPort, workerData } from 'node:worker_threads';
import { fuzzTarget, type RunLimits } from './engine.ts';
import type { Target } from './target.ts';

export interface WorkerTask {
  /** A module that exports `targets`. */
  readonly module: string;
  readonly names: readonly string[];
  readonly limits: RunLimits;
  /** [index of the target among `names`, index of its input], written before each input. */
  readonly progress: Int32Array<SharedArrayBuffer>;
}

const { module, names, limits, progress } = workerData as WorkerTask;
const { targets } = (await import(module)) as { targets: readonly Target[] };
for (const [position, name] of names.entries()) {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  Atomics.store(progress, 0, position);
  Atomics.store(progress, 1, -1);
  const result = await fuzzTarget(target, limits, (index) => {
    Atomics.store(progress, 1, index);
    Atomics.add(progress, 2, 1);
  });
  parentPort?.postMessage(result);
}
