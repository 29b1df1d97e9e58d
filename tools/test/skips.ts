/**
 * The list of tests that may be skipped, `tools/test/skips.json`: each with a reason and a date. A skip that is not
 * listed fails the run, and so does an entry that nothing needs any more.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestOutcome } from './reporter.ts';

export interface SkipEntry {
  /** Path from the root, or a folder ending in `/`. */
  file: string;
  /** The test's title; `*` at its end stands for any rest. */
  test: string;
  reason: string;
  /** Day on which it was listed, `2026-11-21`. */
  date: string;
  /** Allowed only while this is absent on the machine. */
  when?: 'vectors-absent' | 'chromium-absent' | 'model-absent' | 'prover-absent' | 'postgres-absent';
}

export function readSkips(root: string): SkipEntry[] {
  const entries = JSON.parse(readFileSync(path.join(root, 'tools/test/skips.json'), 'utf8')) as SkipEntry[];
  for (const entry of entries) {
    if (!entry.reason || !/^\d{4}-\d{2}-\d{2}$/.test(entry.date)) {
      throw new Error(`skips.json: ${entry.file} ${entry.test}: a reason and a date are needed`);
    }
  }
  return entries;
}

/**
 * Finds the entry that allows a skip.
 * @param file path from the root
 * @param absent what this machine lacks
 */
export function allowSkip(
  entries: readonly SkipEntry[],
  outcome: Pick<TestOutcome, 'name'>,
  file: string,
  absent: ReadonlySet<string>,
): SkipEntry | undefined {
  return entries.find((entry) => {
    if (entry.when !== undefined && !absent.has(entry.when)) return false;
    if (entry.file.endsWith('/') ? !file.startsWith(entry.file) : file !== entry.file) return false;
    if (entry.test.endsWith('*')) return outcome.name.startsWith(entry.test.slice(0, -1));
    return outcome.name === entry.test;
  });
}
