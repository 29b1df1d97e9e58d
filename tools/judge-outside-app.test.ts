/** What only the judge needs (`sotto conformance`) is in no browser and in no enclave: no algorithm but the suite's own. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { closureOf } from './check-closure.ts';

const root = path.join(import.meta.dirname, '..');
const JUDGE =
  /crypto\/(noise|seeded-kem|seeded-ecdsa)|channel\/(transcript|noise\/(index|pattern-table|protocol-name|replay))|cli\/conformance/;

test('the app and the enclave reach none of the judge', () => {
  for (const entry of ['apps/web/shell/main.tsx', 'apps/enclave/main.ts']) {
    const { modules } = closureOf(root, [entry], { types: true });
    assert.ok(modules.length > 20, entry);
    assert.deepEqual(
      modules.map(({ file }) => file).filter((file) => JUDGE.test(file)),
      [],
      entry,
    );
  }
  const judge = closureOf(root, ['apps/cli/conformance/noise.ts'], { types: true });
  assert.ok(judge.modules.some(({ file }) => JUDGE.test(file)));
});
