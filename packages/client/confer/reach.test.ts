/** Nothing of suite `confer-1` is reachable by somebody who did not ask for it by name. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { closureOf } from '../../../tools/check-closure.ts';

const root = path.join(import.meta.dirname, '../../..');
const ENTRIES = [
  'packages/client/index.ts',
  'packages/client/node-session.ts',
  'packages/channel/index.ts',
  'packages/channel/initiator.ts',
  'packages/channel/responder.ts',
  'packages/wire/index.ts',
  'apps/web/shell/main.tsx',
  'apps/server/main.ts',
  'apps/enclave/main.ts',
];
const ofConfer = (entries: readonly string[]) => {
  const { modules } = closureOf(root, entries, { types: true });
  const files = modules.map(({ file }) => file);
  for (const entry of entries) assert.ok(files.includes(entry), entry);
  return files.filter((file) => /(?:^|\/)confer\//.test(file));
};

test('CO-56 nothing of confer, not even a type, is reachable from the packages, the page, the server or the enclave', () => {
  assert.deepEqual(ofConfer(ENTRIES), []);
});

test('CO-56 the door reaches it, so that the search above can find something', () => {
  assert.ok(ofConfer(['packages/client/confer/index.ts']).includes('packages/channel/confer/transport.ts'));
});
