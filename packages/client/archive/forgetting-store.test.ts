import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import { ForgettingStore } from './forgetting-store.ts';
import { forgetAccount, localName } from './local-key.ts';

const random = createSeededRandom('forgetting');
const value = () => random.bytes(40);

test('CL-363 what is written of an account that was forgotten is not kept, until the account is opened again; others are kept', async () => {
  const sealed = createMemorySealedStore();
  const store = new ForgettingStore(sealed);
  const [mine, other] = [random.bytes(16), random.bytes(16)];
  await store.write([{ name: localName(mine, 'watch'), value: value() }]);
  store.forget(mine);
  await forgetAccount(store, mine);
  // Still under way in the page: alone, and together with what is another's.
  await store.write([{ name: localName(mine, 'watch'), value: value() }]);
  await store.write([{ name: localName(other, 'watch'), value: value() }]);
  assert.deepEqual(
    (await store.list('acct/')).map(({ name }) => name),
    [localName(other, 'watch')],
  );
  store.recall(mine);
  await store.write([{ name: localName(mine, 'watch'), value: value() }]);
  assert.equal((await store.get([localName(mine, 'watch')]))[0]?.length, 40);
});
