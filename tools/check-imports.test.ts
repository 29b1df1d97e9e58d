import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkImports } from './check-imports.ts';
import { plant } from './planted.ts';

const manifest = (name: string, dependencies: string[] = [], exports: object = { '.': './index.ts' }): object => ({
  name: `@sotto/${name}`,
  exports,
  dependencies: Object.fromEntries(dependencies.map((d) => [d.includes('/') ? d : `@sotto/${d}`, '0.1.0'])),
});
const empty = 'export {};\n';

/** A lawful tree with one of everything; the tests plant faults into it. */
const lawful: Record<string, string | object> = {
  'packages/bytes/package.json': manifest('bytes'),
  'packages/bytes/index.ts': 'export const a = 1;\n',
  'packages/ports/package.json': manifest('ports'),
  'packages/ports/index.ts': 'export interface Clock { nowMs(): number }\n',
  'packages/crypto/package.json': manifest('crypto', ['bytes', '@noble/hashes'], {
    './hash': { node: './hash.node.ts', default: './hash.web.ts' },
    './sync': './sync.node.ts',
  }),
  'packages/crypto/hash.node.ts': "import { hash } from 'node:crypto';\nexport { hash };\n",
  'packages/crypto/hash.web.ts': "import '@noble/hashes/sha2.js';\nexport const hash = crypto.subtle.digest;\n",
  'packages/crypto/sync.node.ts': empty,
  'packages/wire/package.json': manifest('wire', ['bytes']),
  'packages/wire/index.ts': "import { a } from '@sotto/bytes';\nexport { a };\n",
  'packages/channel/package.json': manifest('channel', ['bytes', 'crypto', 'wire', 'vault', 'testkit']),
  'packages/channel/index.ts': "import { hash } from '@sotto/crypto/hash';\nexport const b = hash;\n",
  'packages/channel/index.test.ts': "import 'node:test';\nimport '@sotto/testkit';\nimport '@sotto/client';\n",
  'packages/vault/package.json': manifest('vault', ['bytes']),
  'packages/vault/index.ts': empty,
  'packages/client/package.json': manifest('client', ['channel', 'vault', 'wire']),
  'packages/client/index.ts': "import '@sotto/channel';\nimport '@sotto/vault';\nimport '@sotto/wire';\n",
  'packages/testkit/package.json': manifest('testkit', ['client']),
  'packages/testkit/index.ts': "import 'node:fs';\nimport '@sotto/client';\n",
  'adapters/node/package.json': manifest('adapters-node', ['ports', 'wire']),
  'adapters/node/index.ts': "import type { Clock } from '@sotto/ports';\nexport type C = Clock;\n",
  'apps/server/package.json': manifest('server', ['wire', 'adapters-node', 'testkit']),
  'apps/server/main.ts': "import '@sotto/wire';\nimport '@sotto/adapters-node';\nprocess.exit();\n",
  'apps/cli/package.json': manifest('cli', ['client']),
  'apps/cli/sotto.ts': "import '@sotto/client';\n",
  'tools/x.ts': "import '@sotto/testkit';\n",
};

test('a lawful tree has no faults, and the count of what was searched is not zero', (t) => {
  const report = checkImports(plant(t, lawful));
  assert.deepEqual(report.faults, []);
  assert.equal(report.files, 15);
  assert.equal(report.imports, 17);
});

test('an empty tree is searched in vain', (t) => {
  assert.equal(checkImports(plant(t, { 'readme.txt': '' })).files, 0);
});

const planted: [name: string, file: string, text: string, expected: RegExp][] = [
  ['arrow upwards', 'packages/bytes/up.ts', "import '@sotto/wire';\n", /bytes \(L0\) may not import wire \(L1\)/],
  ['type upwards', 'packages/bytes/up.ts', "export type A = import('@sotto/wire').A;\n", /bytes.*may not import wire/],
  ['sibling', 'packages/channel/s.ts', "import type { X } from '@sotto/vault';\n", /channel.*may not import vault/],
  ['L2 and wire', 'packages/channel/s.ts', "export * from '@sotto/wire';\n", /channel may not import wire/],
  [
    'testkit shipped',
    'apps/server/t.ts',
    "import '@sotto/testkit';\n",
    /only tests, tools, bench and examples may import/,
  ],
  [
    'adapter and wire',
    'adapters/node/w.ts',
    "import '@sotto/wire';\n",
    /adapters\/node may import bytes and ports alone/,
  ],
  ['app to app', 'apps/cli/a.ts', "await import('../server/main.ts');\n", /nothing imports an app/],
  ['deep import', 'apps/cli/a.ts', "import '../../packages/client/index.ts';\n", /bypasses the exports/],
  ['not exported', 'apps/cli/a.ts', "import '@sotto/client/inside.ts';\n", /is not exported/],
  ['node in a package', 'packages/wire/n.ts', "import 'node:fs';\n", /packages run anywhere/],
  ['node in crypto web', 'packages/crypto/n.web.ts', "import 'node:crypto';\n", /packages run anywhere/],
  ['fs in crypto node', 'packages/crypto/n.node.ts', "import 'node:fs';\n", /may import node:crypto alone/],
  ['node only subpath', 'packages/channel/n.ts', "import '@sotto/crypto/sync';\n", /runs in Node alone/],
  [
    'noble elsewhere',
    'packages/wire/n.ts',
    "import '@noble/hashes/sha2.js';\n",
    /only packages\/crypto may import a crypto library/,
  ],
  ['undeclared', 'packages/wire/n.ts', "import 'hono';\n", /hono is not among the dependencies/],
  ['DOM global', 'packages/wire/d.ts', 'export const d = window.name;\n', /window: the page/],
  [
    'DOM through globalThis',
    'packages/wire/d.ts',
    'export const d = globalThis.localStorage;\n',
    /globalThis\.localStorage/,
  ],
  ['shorthand global', 'packages/wire/d.ts', 'export const d = { process };\n', /process: Node/],
  ['clock from the air', 'packages/wire/d.ts', 'export const d = Date.now();\n', /take a Clock/],
  ['computed import', 'apps/server/c.ts', "const x = './a.ts';\nawait import(x);\n", /computed import/],
  ['test imported', 'packages/wire/t.ts', "import './a.test.ts';\n", /does not exist/],
  ['unknown package', 'packages/misc/index.ts', 'export {};\n', /has no level/],
  ['broken text', 'packages/wire/b.ts', 'export const = ;\n', /cannot be read/],
];
for (const [name, file, text, expected] of planted) {
  test(`planted: ${name}`, (t) => {
    const { faults } = checkImports(plant(t, { ...lawful, [file]: text }));
    assert.ok(
      faults.some((fault) => expected.test(fault) && fault.startsWith(`${file}:`)),
      faults.join('\n'),
    );
  });
}

test('planted: an existing test file imported', (t) => {
  const root = plant(t, { ...lawful, 'packages/channel/t.ts': "import './index.test.ts';\n" });
  assert.match(checkImports(root).faults.join('\n'), /imports a test file/);
});

test('what tests share may use what tests use, and is for tests alone', (t) => {
  const shared = {
    'packages/channel/pair-for-testing.ts': "import '@sotto/testkit';\nimport '../crypto/hash.web.ts';\n",
  };
  const use = "import './pair-for-testing.ts';\nnew URL('pair-for-testing.ts', import.meta.url);\n";
  const files = { ...lawful, ...shared, 'packages/channel/index.test.ts': use };
  assert.deepEqual(checkImports(plant(t, files)).faults, []);
  const root = plant(t, { ...lawful, ...shared, 'packages/channel/index.ts': use });
  assert.match(checkImports(root).faults.join('\n'), /only tests may import packages\/channel\/pair-for-testing\.ts/);
});

test('planted: a cycle that only types close', (t) => {
  const root = plant(t, {
    ...lawful,
    'packages/wire/one.ts': "import type { Two } from './two.ts';\nexport type One = Two;\n",
    'packages/wire/two.ts': "import type { Three } from './three.ts';\nexport type Two = Three;\n",
    'packages/wire/three.ts': "import type { One } from './one.ts';\nexport type Three = One;\n",
  });
  const { faults } = checkImports(root);
  assert.equal(faults.length, 1);
  assert.match(
    faults[0] ?? '',
    /import cycle: packages\/wire\/one.ts → packages\/wire\/three.ts → packages\/wire\/two.ts/,
  );
});

test('a name of the file itself is no global', (t) => {
  const text = 'export function f(process: number, { name: self }: { name: number }) { return process + self; }\n';
  const root = plant(t, { ...lawful, 'packages/wire/own.ts': text });
  assert.deepEqual(checkImports(root).faults, []);
});
