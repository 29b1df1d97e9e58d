/** Runs `node --test` on files and gathers what became of each test. */
import path from 'node:path';
import { type Finished, runProcess } from './processes.ts';
import { SEPARATOR, type TestOutcome } from './reporter.ts';

export interface NodeTestOptions {
  root: string;
  files: readonly string[];
  /** `none` runs all files in one process (fast); `process` gives each file its own. */
  isolation: 'none' | 'process';
  /** How many files at once, with isolation `process`. */
  concurrency?: number;
  testTimeoutMs?: number;
  timeoutMs: number;
  args?: readonly string[];
  nodeArgs?: readonly string[];
  env?: Record<string, string>;
  onOutcome?: (outcome: TestOutcome) => void;
  /** One failure is all that is asked for: the rest is not run. */
  stopAtFailure?: boolean;
}

export interface NodeTestResult extends Finished {
  outcomes: TestOutcome[];
  /** Whether the run came to its own end; false after a crash, a kill or an early exit. */
  complete: boolean;
  /** What was printed beside the results. */
  printed: string;
}

export async function runNodeTests(options: NodeTestOptions): Promise<NodeTestResult> {
  const outcomes: TestOutcome[] = [];
  let complete = false;
  const stopping = new AbortController();
  const take = (line: string): boolean => {
    const start = line.indexOf(SEPARATOR);
    if (start === -1) return false;
    const outcome = JSON.parse(line.slice(start + 1)) as TestOutcome;
    if (outcome.kind === 'end') complete = true;
    else outcomes.push(outcome);
    options.onOutcome?.(outcome);
    if (outcome.kind === 'fail' && options.stopAtFailure) stopping.abort();
    return start === 0;
  };
  let rest = '';
  const printed: string[] = [];
  const onText = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (!take(line)) printed.push(line.replace(new RegExp(`${SEPARATOR}.*$`), ''));
  };
  const finished = await runProcess(
    process.execPath,
    [
      ...(options.nodeArgs ?? []),
      '--test',
      `--test-isolation=${options.isolation}`,
      `--test-reporter=${path.join(import.meta.dirname, 'reporter.ts')}`,
      '--test-reporter-destination=stdout',
      ...(options.isolation === 'process' ? [`--test-concurrency=${options.concurrency ?? 1}`] : []),
      ...(options.testTimeoutMs === undefined ? [] : [`--test-timeout=${options.testTimeoutMs}`]),
      ...(options.args ?? []),
      ...options.files,
    ],
    {
      cwd: options.root,
      timeoutMs: options.timeoutMs,
      onText,
      stop: stopping.signal,
      ...(options.env && { env: options.env }),
    },
  );
  if (rest !== '' && !take(rest)) printed.push(rest);
  return { ...finished, outcomes, complete, printed: printed.join('\n') };
}
