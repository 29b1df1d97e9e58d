/** What tells secrets is in the search's page alone. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listSources } from '../../modules.ts';
import { buildTellingPage, MARKS, PLACES } from './build.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** All that a folder holds, as text. */
function textOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

test('no source of the product, and no page that was built of it, can tell a secret', () => {
  const sources = listSources(ROOT, ['packages', 'adapters', 'apps']);
  assert.ok(sources.length > 300);
  for (const file of sources) {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    for (const mark of MARKS) assert.ok(!text.includes(mark), `${file} names ${mark}`);
  }
  const dist = path.join(ROOT, 'apps/web/dist');
  if (!existsSync(dist)) return;
  const built = textOf(dist);
  for (const mark of MARKS) assert.ok(!built.includes(mark), `the built page names ${mark}`);
});

test('the telling page is built from the same sources with a call at each place that makes a key, and is known by its marks', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-telling-'));
  try {
    await buildTellingPage(folder);
    const built = textOf(folder);
    assert.ok(built.includes('unsafeTellForTesting'));
    assert.ok((built.match(/unsafeTell(Draw)?\(/g) ?? []).length >= PLACES.length);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
