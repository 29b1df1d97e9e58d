import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { buildWebIfStale, digestWebSources } from './web-build.ts';

test('a build is stale when a source changes, and only then', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sotto-web-'));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  write('apps/web/index.html', '<p>');
  write('packages/bytes/index.ts', '1');
  write('adapters/browser/index.ts', '1');
  write('package-lock.json', '{}');
  const first = await digestWebSources(root);
  write('apps/web/dist/index.html', 'built');
  write('apps/web/shell/app.test.ts', 'a test');
  write('packages/bytes/node_modules/x.js', 'x');
  write('apps/server/main.ts', 'no part of the bundle');
  assert.equal(await digestWebSources(root), first);
  write('apps/web/dist/.sources', first);
  assert.equal(await buildWebIfStale(root, new AbortController().signal, assert.fail), false);
  for (const [name, text] of [
    ['packages/bytes/index.ts', '2'],
    ['adapters/browser/clock.ts', 'new'],
    ['package-lock.json', '{ }'],
    ['apps/web/index.html', '<p> '],
  ] as const) {
    const before = await digestWebSources(root);
    write(name, text);
    assert.notEqual(await digestWebSources(root), before, name);
  }
});
