/** Nothing of suite `confer-1` is reachable by somebody who did not ask for it by name. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { closureOf } from '../../../tools/check-closure.ts';

const root = path.join(import.meta.dirname, '../../..');
const PARTS = /(?:^|\/)confer\//;

for (const entry of [
  'packages/client/index.ts',
  'packages/client/node-session.ts',
  'packages/channel/index.ts',
  'packages/channel/initiator.ts',
  'packages/channel/responder.ts',
  'packages/wire/index.ts',
  'apps/web/shell/main.tsx',
  'apps/server/main.ts',
  'apps/enclave/main.ts',
]) {
  test(`CO-56 nothing of confer is reachable from ${entry}, not even a type`, () => {
    const { modules } = closureOf(root, [entry], { types: true });
    assert.ok(modules.length > 3, `${modules.length} modules`);
    assert.deepEqual(
      modules.map(({ file }) => file).filter((file) => PARTS.test(file)),
      [],
    );
  });
}

test('CO-56 the door does reach it, so that the search above can find something', () => {
  const { modules } = closureOf(root, ['packages/client/confer/index.ts'], { types: true });
  assert.ok(modules.some(({ file }) => file === 'packages/channel/confer/transport.ts'));
});
