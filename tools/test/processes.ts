/** Runs child processes, each in a group of its own, so that nothing outlives a timeout or Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  /** The exit code; null when a signal ended it. */
  code: number | null;
  output: string;
  timedOut: boolean;
  tookMs: number;
}

const running = new Set<ChildProcess>();

/** Ends a child and everything it started. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

/** On Ctrl-C or TERM: ends every child, waits for them at most two seconds, says so and leaves with 130. */
export function stopCleanly(): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    for (const child of running) killGroup(child, 'SIGTERM');
    const began = Date.now();
    const wait = setInterval(() => {
      if (running.size > 0 && Date.now() - began < 2000) return;
      clearInterval(wait);
      for (const child of running) killGroup(child, 'SIGKILL');
      process.stdout.write('\nStopped.\n');
      process.exit(130);
    }, 50);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/**
 * Runs a command to its end.
 * @param options.timeoutMs after which its whole group is killed
 * @param options.onText called with each piece of output as it comes
 * @param options.stop ends it early, with all that it started
 */
export function runProcess(
  command: string,
  args: readonly string[],
  options: {
    cwd: string;
    timeoutMs: number;
    env?: Record<string, string>;
    onText?: (text: string) => void;
    stop?: AbortSignal;
  },
): Promise<Finished> {
  return new Promise((resolve) => {
    const began = Date.now();
    // A `node --test` below another must not think that it is one of its files.
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...inherited, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    const pieces: string[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child, 'SIGKILL');
    }, options.timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        pieces.push(text);
        options.onText?.(text);
      });
    }
    options.stop?.addEventListener('abort', () => killGroup(child, 'SIGKILL'), { once: true });
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, output: pieces.join(''), timedOut, tookMs: Date.now() - began });
    };
    child.on('error', (error) => {
      pieces.push(`${error.message}\n`);
      finish(null);
    });
    child.on('close', finish);
    // What a child left running would keep its pipes open for ever: the group ends with it.
    child.on('exit', () => setTimeout(() => killGroup(child, 'SIGKILL'), 500).unref());
  });
}

/** Runs the jobs, at most `width` at once, in order of the list. */
export async function inParallel<T>(jobs: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index];
      if (job !== undefined) results[index] = await job();
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
