/** Plants a small tree in a temporary folder, so that a tool can be shown the faults it must find. For tests only. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/**
 * @param files text by path; objects become JSON
 * @returns the folder, removed when the test ends
 */
export function plant(context: TestContext, files: Record<string, string | object>): string {
  const root = mkdtempSync(path.join(tmpdir(), 'sotto-planted-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [file, content] of Object.entries(files)) {
    const target = path.join(root, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}
