import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { listSources, type PackageJson, readModule, readPackageJson, splitSpecifier } from './modules.ts';

const root = path.join(import.meta.dirname, '..');
const table = readFileSync(path.join(root, 'docs/dependencies.md'), 'utf8');
const workspaces = [
  ...new Set(listSources(root, ['packages', 'adapters', 'apps']).map((file) => file.split('/').slice(0, 2).join('/'))),
];
type Manifest = PackageJson & { devDependencies?: Record<string, string> };
const foreign = (manifest: Manifest): [name: string, version: string][] =>
  Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }).filter(
    ([name]) => !name.startsWith('@sotto/'),
  );

test('every dependency is pinned exactly and stands in docs/dependencies.md, and the table names no other', () => {
  const named = new Map(
    ['.', ...workspaces].flatMap((folder) => foreign(readPackageJson(path.join(root, folder)) ?? {})),
  );
  assert.ok(named.size > 20);
  for (const [name, version] of named) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.ok(table.includes(`| \`${name}\` | ${version} |`), `${name} ${version} is not in docs/dependencies.md`);
  }
  const rows = [...table.matchAll(/^\| `([^`]+)` \| \d/gm)].map((row) => row[1] ?? '');
  assert.deepEqual(
    rows.filter((name) => !named.has(name)),
    [],
  );
});

test('every dependency of a workspace is imported there', () => {
  for (const folder of workspaces) {
    const imported = new Set<string>();
    for (const file of listSources(root, [folder])) {
      for (const { specifier } of readModule(path.join(root, file)).imports) {
        if (specifier !== undefined) imported.add(splitSpecifier(specifier).name);
      }
    }
    const unused = foreign(readPackageJson(path.join(root, folder)) ?? {}).filter(([name]) => !imported.has(name));
    assert.deepEqual(unused, [], folder);
  }
});
