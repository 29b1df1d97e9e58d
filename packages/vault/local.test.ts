/** What a device keeps for an account (spec/vault.md, "Local state"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { createAccountKey, openLocal, sealLocal } from './index.ts';

test('VA-113 local state opens under its account, key and name alone, unchanged', async () => {
  const random = createSeededRandom('local');
  const owner = { accountId: random.bytes(16), key: createAccountKey(random) };
  const content = random.bytes(100);
  const kept = await sealLocal(owner, 'heads', content, random);
  assert.deepEqual(await openLocal(owner, 'heads', kept), content);
  assert.notDeepEqual(await sealLocal(owner, 'heads', content, random), kept);
  const refused = { code: 'local-damaged', rule: 'VA-113' };
  await assert.rejects(openLocal(owner, 'other', kept), refused);
  await assert.rejects(openLocal({ ...owner, accountId: random.bytes(16) }, 'heads', kept), refused);
  await assert.rejects(openLocal({ ...owner, key: createAccountKey(random) }, 'heads', kept), refused);
  for (let at = 0; at < kept.length; at += 5) {
    const changed = kept.slice();
    changed[at] = (changed[at] as number) ^ 1;
    await assert.rejects(openLocal(owner, 'heads', changed), refused, String(at));
  }
  for (const length of [0, 1, 33]) await assert.rejects(openLocal(owner, 'heads', kept.slice(0, length)), refused);
});
