import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditParts, auditText, checkServer, closureOf } from './check-closure.ts';
import { plant } from './planted.ts';

const lawful: Record<string, string | object> = {
  'packages/bytes/package.json': { name: '@sotto/bytes', type: 'module', exports: { '.': './index.ts' } },
  'packages/bytes/index.ts': 'export const a = 1;\n',
  'packages/crypto/package.json': {
    name: '@sotto/crypto',
    type: 'module',
    exports: { './hash': { node: './hash.node.ts', default: './hash.web.ts' }, './aead': './aead.node.ts' },
  },
  'packages/crypto/hash.node.ts':
    "import { hash } from 'node:crypto';\nimport type { X } from './types.ts';\nexport { hash };\n",
  'packages/crypto/hash.web.ts': 'export const hash = crypto.subtle.digest;\n',
  'packages/crypto/types.ts': 'export type X = 1;\n',
  'packages/crypto/aead.node.ts': 'export {};\n',
  'packages/channel/package.json': { name: '@sotto/channel', type: 'module', exports: { '.': './index.ts' } },
  'packages/channel/index.ts': 'export {};\n',
  'packages/verify/package.json': { name: '@sotto/verify', type: 'module', exports: { '.': './index.ts' } },
  'packages/verify/index.ts': "import '@sotto/crypto/hash';\nexport { a } from '@sotto/bytes';\n",
  'apps/server/package.json': { name: '@sotto/server', type: 'module' },
  'apps/server/main.ts': "import '@sotto/bytes';\nimport '@sotto/crypto/hash';\nimport 'third';\nimport './own.ts';\n",
  'apps/server/own.ts': 'export {};\n',
  'node_modules/third/package.json': {
    name: 'third',
    version: '1.0.0',
    exports: { import: './index.mjs', require: './index.cjs' },
    dependencies: { fourth: '1.0.0' },
  },
  'node_modules/third/index.mjs':
    "import fourth from 'fourth';\nexport const ok = crypto.subtle.verify;\nexport { fourth };\n",
  'node_modules/fourth/package.json': { name: 'fourth', version: '1.0.0', main: 'lib/main' },
  'node_modules/fourth/lib/main.js':
    "try { require('not-there'); } catch {}\nmodule.exports = require('./part').digest;\n",
  'node_modules/fourth/lib/part.js': 'exports.digest = 1; return;\n',
};

test('a lawful server has no faults, and its closure is what Node loads', (t) => {
  const { closure, faults, primitives } = checkServer(plant(t, lawful), {});
  assert.deepEqual(faults, []);
  assert.deepEqual(
    closure.modules.map(({ file }) => file),
    [
      'packages/bytes/index.ts',
      'packages/crypto/hash.node.ts',
      'node_modules/fourth/lib/part.js',
      'node_modules/fourth/lib/main.js',
      'node_modules/third/index.mjs',
      'apps/server/own.ts',
      'apps/server/main.ts',
    ],
  );
  assert.deepEqual([...(primitives.get('third 1.0.0') ?? [])], ['verify']);
  assert.deepEqual([...(primitives.get('fourth 1.0.0') ?? [])], ['digest']);
});

const own = (text: string): Record<string, string> => ({ 'apps/server/own.ts': text });
const third = (text: string): Record<string, string> => ({ 'node_modules/third/index.mjs': text });
const planted: [name: string, files: Record<string, string>, expected: RegExp][] = [
  ['the channel', own("import '@sotto/channel';\n"), /^packages\/channel\/index\.ts:1: .*opens a channel/m],
  ['a cipher', own("await import('@sotto/crypto/aead');\n"), /^packages\/crypto\/aead\.node\.ts:1: .*no cipher/m],
  ['WebCrypto', own('export const d = crypto.subtle;\n'), /own\.ts:1: names subtle/],
  ['WebCrypto by a string', own("export const d = crypto['subtle'];\n"), /own\.ts:1: names subtle/],
  ['WebCrypto by a computed name', own("export const d = crypto['sub' + 'tle'];\n"), /computed name on crypto/],
  ['a decipher', own("import { createDecipheriv } from 'node:crypto';\n"), /names createDecipheriv/],
  [
    'a decipher under another name',
    own("import { createDecipheriv as x } from 'node:crypto';\n"),
    /names createDecipheriv/,
  ],
  ['all of node:crypto', own("import * as c from 'node:crypto';\n"), /import node:crypto by name/],
  ['key agreement', own("import { diffieHellman } from 'node:crypto';\n"), /names diffieHellman/],
  ['a computed import', own("const x = './a';\nawait import(x);\n"), /own\.ts:2: computed import/],
  ['a child process', own("import { fork } from 'node:child_process';\n"), /node:child_process runs code/],
  ['code from text', own("export const f = new Function('return 1');\n"), /Function makes code from text/],
  ['a require', own("import { createRequire } from 'node:module';\n"), /names createRequire/],
  ['a third party that decrypts', third('crypto.subtle.decrypt();\n'), /third 1\.0\.0: decrypt is not reviewed/],
  ['a third party that agrees', third("const x = 'deriveBits';\n"), /third 1\.0\.0: deriveBits is not reviewed/],
  ['a third party that is not there', own("import 'fifth';\n"), /fifth is not installed/],
  ['native code', { ...third("import './x.node';\n"), 'node_modules/third/x.node': 'ELF' }, /x\.node:1: is no script/],
  ['a part of a third party that is missing', third("import './x.js';\n"), /x\.js leads nowhere/],
];
for (const [name, files, expected] of planted) {
  test(`planted: ${name}`, (t) => {
    assert.match(checkServer(plant(t, { ...lawful, ...files }), {}).faults.join('\n'), expected);
  });
}

test('planted: a review that nothing needs any more', (t) => {
  const reviewed = { 'third 0.9.0: decrypt': 'an old version' };
  assert.match(checkServer(plant(t, lawful), reviewed).faults.join('\n'), /third 0\.9\.0: decrypt, which is not used/);
});

test('planted: there is no server', (t) => {
  const report = checkServer(plant(t, { 'readme.txt': '' }), {});
  assert.equal(report.closure.modules.length, 0);
  assert.match(report.faults.join('\n'), /does not exist/);
});

test('a person reads types and every branch, in the order in which they are needed', (t) => {
  const root = plant(t, lawful);
  const { modules } = closureOf(root, ['packages/verify/index.ts'], { types: true });
  assert.deepEqual(
    modules.map(({ file }) => file),
    [
      'packages/crypto/types.ts',
      'packages/crypto/hash.node.ts',
      'packages/crypto/hash.web.ts',
      'packages/bytes/index.ts',
      'packages/verify/index.ts',
    ],
  );
  const text = auditText(auditParts(root));
  assert.match(text, /\| 1 \| \[packages\/crypto\/types\.ts\]\(\.\.\/packages\/crypto\/types\.ts\) \| 1 \| 1 \|/);
  assert.match(text, /5 files, 8 lines, about 1 minutes/);
});
