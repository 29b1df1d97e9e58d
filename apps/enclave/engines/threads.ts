/**
 * How many threads the engine may use. llama.cpp's threads wait for each other at every layer: one more than there are free
 * cores makes it many times slower (measured: 200 times with the library's own choice on two cores).
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

export interface Cores {
  /** Logical processors that this process may use. */
  readonly logical: number;
  /** Physical cores; hyper-threads share one and gain nothing here. */
  readonly physical: number;
  /** Average number of processes that ran in the last minute. */
  readonly load: number;
}

const MOST_THREADS = 16;

/** Free cores less one for everything else on the machine (server, browser, this enclave), at least 1. */
export function chooseThreads({ logical, physical, load }: Cores): number {
  const cores = Math.min(logical, physical);
  const free = cores - Math.max(1, Math.floor(load));
  return Math.max(1, Math.min(free, MOST_THREADS));
}

export function readCores(): Cores {
  const logical = availableParallelism();
  return { logical, physical: countPhysicalCores() ?? Math.max(1, Math.ceil(logical / 2)), load: loadavg()[0] ?? 0 };
}

/** Distinct pairs of socket and core; undefined where the system does not say. */
function countPhysicalCores(): number | undefined {
  try {
    const blocks = readFileSync('/proc/cpuinfo', 'utf8').split('\n\n');
    const cores = blocks.map(
      (block) => `${/physical id\s*: (\d+)/.exec(block)?.[1]}/${/core id\s*: (\d+)/.exec(block)?.[1]}`,
    );
    const known = new Set(cores.filter((core) => /^\d+\/\d+$/.test(core)));
    return known.size === 0 ? undefined : known.size;
  } catch {
    return undefined;
  }
}
