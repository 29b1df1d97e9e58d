/**
 * Runs a file of tests in a process of its own: one that changes how modules are found, or what the platform's functions are,
 * must not share its process with others.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const LIMIT_MS = 240_000;
const PRINTED_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * @param file the tests, as `new URL('…-for-testing.ts', import.meta.url)`
 * @param name only tests whose title matches it
 * @returns what it said besides: `t.diagnostic`
 * @throws Error with what was printed when a test fails, or when there was none
 */
export async function runInOwnProcess(file: URL, name: string): Promise<string[]> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const words = [
    '--test',
    '--test-isolation=none',
    '--test-reporter=tap',
    `--test-name-pattern=${name}`,
    file.pathname,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    env,
    timeout: LIMIT_MS,
    maxBuffer: PRINTED_LIMIT_BYTES,
  });
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1] ?? 0);
  if (passed === 0) throw new Error(`no test ran:\n${stdout}`);
  return stdout.split('\n').flatMap((line) => /^ *# (\d+ vectors.*)$/.exec(line)?.[1] ?? []);
}
