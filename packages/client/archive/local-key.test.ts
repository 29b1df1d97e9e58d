/** The local key: made once, found again, kept through a rotation, and given up when nothing opens it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, equalBytes } from '@sotto/bytes';
import { createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey, openLocal, sealLocal, unsafeRevealSecret } from '@sotto/vault';
import { createTurns } from '../watch/turns.ts';
import { forgetAccount, keepLocalKey, localName, openLocalKey } from './local-key.ts';

const random = createSeededRandom('local key');

function newDevice() {
  const sealed = createMemorySealedStore();
  const ports = { sealed, random, takingTurns: createTurns() };
  const account = { accountId: random.bytes(16), accountKey: createAccountKey(random) };
  return { sealed, ports, account, name: (area: 'key' | 'list' | 'locks') => localName(account.accountId, area) };
}

test('the local key is made once, and opens at the next visit what was sealed under it', async () => {
  const { ports, account, sealed, name } = newDevice();
  const [owner, second] = await Promise.all([openLocalKey(ports, account), openLocalKey(ports, account)]);
  const kept = await sealLocal(owner, name('list'), random.bytes(9), random);
  await openLocal(second, name('list'), kept);
  await openLocal(await openLocalKey(ports, account), name('list'), kept);
  assert.equal(name('list'), `acct/${encodeHex(account.accountId)}/list`);
  const [value] = await sealed.get([name('key')]);
  assert.ok(value !== undefined && !includes(value, unsafeRevealSecret(owner.key)), 'never in clear');
});

test('CL-230 a local key that does not open is as if it were gone: what it sealed is erased, and the account opens', async () => {
  for (const damage of [random.bytes(3), random.bytes(97)]) {
    const { ports, account, sealed, name } = newDevice();
    await openLocalKey(ports, account);
    const locks = random.bytes(80);
    await sealed.write([
      { name: name('list'), value: random.bytes(50) },
      { name: name('locks'), value: locks },
      { name: 'acct/other/list', value: random.bytes(50) },
    ]);
    sealed.damage(name('key'), damage);
    const owner = await openLocalKey(ports, account);
    assert.deepEqual(sealed.names(), [name('key'), name('locks'), 'acct/other/list'].sort());
    assert.deepEqual(await sealed.get([name('locks')]), [locks]);
    await openLocal(await openLocalKey(ports, account), 'x', await sealLocal(owner, 'x', random.bytes(1), random));
  }
});

test('CL-231 after a rotation elsewhere the earlier account key opens the local key once, and the new one from then on', async () => {
  const { ports, account, sealed, name } = newDevice();
  const owner = await openLocalKey(ports, account);
  const kept = await sealLocal(owner, name('list'), random.bytes(9), random);
  const rotated = { ...account, accountKey: createAccountKey(random) };
  const offline = Object.assign(new Error('offline'), { code: 'network-unreachable' });
  await assert.rejects(
    openLocalKey(ports, rotated, () => Promise.reject(offline)),
    offline,
  );
  const found = await openLocalKey(ports, rotated, async () => [createAccountKey(random), account.accountKey]);
  await openLocal(found, name('list'), kept);
  await openLocal(await openLocalKey(ports, rotated), name('list'), kept);
  const [value] = await sealed.get([name('key')]);
  const before = { accountId: account.accountId, key: account.accountKey };
  await assert.rejects(openLocal(before, name('key'), value as Uint8Array), { code: 'local-damaged' });
});

test('a rotation on this device seals the local key anew', async () => {
  const { ports, account } = newDevice();
  const owner = await openLocalKey(ports, account);
  const accountKey = createAccountKey(random);
  await keepLocalKey(ports, accountKey, owner);
  const again = await openLocalKey(ports, { ...account, accountKey });
  assert.ok(equalBytes(unsafeRevealSecret(again.key), unsafeRevealSecret(owner.key)));
});

test('a store that does not answer is not a damaged one: nothing is erased', async () => {
  const { ports, account, sealed, name } = newDevice();
  await openLocalKey(ports, account);
  sealed.failReads(true);
  await assert.rejects(openLocalKey(ports, account), { code: 'store-unavailable' });
  sealed.heal();
  assert.deepEqual(sealed.names(), [name('key')]);
});

test('forgetting an account erases everything of it and nothing of another', async () => {
  const { ports, account, sealed } = newDevice();
  const other = { ...account, accountId: random.bytes(16) };
  await openLocalKey(ports, account);
  await openLocalKey(ports, other);
  await forgetAccount(sealed, account.accountId);
  assert.deepEqual(sealed.names(), [localName(other.accountId, 'key')]);
});

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  return encodeHex(bytes).includes(encodeHex(part));
}
