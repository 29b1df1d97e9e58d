import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadDevRoot } from './dev-root.ts';

test('EN-15 the development key is made once, kept, and readable by its owner alone', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sotto-root-'));
  t.after(() => rm(dir, { recursive: true }));
  const first = await loadDevRoot(join(dir, 'data'));
  const again = await loadDevRoot(join(dir, 'data'));
  assert.deepEqual(first, again);
  assert.equal((await stat(join(dir, 'data', 'dev-root.key'))).mode & 0o777, 0o600);
  await writeFile(join(dir, 'data', 'dev-root.key'), first.privateKey.subarray(0, 31));
  await assert.rejects(loadDevRoot(join(dir, 'data')), { code: 'data-unusable' });
  await assert.rejects(loadDevRoot(join(dir, 'data', 'dev-root.key', 'below')), { code: 'data-unusable' });
});
