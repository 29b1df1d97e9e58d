import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stayUnlocked } from '@sotto/client/accounts';
import {
  createManualClock,
  createMemoryDeviceStore,
  createMemoryRecordStore,
  createMemorySealedStore,
  createSeededRandom,
} from '@sotto/testkit';
import { createAccountKey, createDeviceKeys } from '@sotto/vault';
import { fakePreferences } from '../preview/fake-services.ts';
import { type AccountsPorts, createAccounts } from './accounts.ts';

/** A browser whose account stays unlocked, and a server that ends its session as `signOut` does. */
async function rig(signOut: () => Promise<void>) {
  const random = createSeededRandom('web accounts');
  const erasable = createMemoryDeviceStore();
  const preferences = fakePreferences();
  const signsIn: unknown[] = [];
  const ports = {
    api: {
      origin: 'http://localhost',
      signOut,
      signsInWith: (signIn: unknown) => void signsIn.push(signIn),
      signInAgain: () => Promise.reject(new Error('no server')),
    },
    clock: createManualClock(),
    random,
    device: createMemoryDeviceStore(),
    sealed: createMemorySealedStore(),
    erasable,
    takingTurns: <Result>(_: string, work: () => Promise<Result>) => work(),
    records: { ...createMemoryRecordStore(), erase: async () => {} },
    preferences,
  };
  const account = {
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    device: await createDeviceKeys(random),
  };
  await stayUnlocked({ erasable }, account);
  preferences.set('has-account', '1');
  preferences.set('stays-unlocked', '1');
  return { accounts: createAccounts(ports as unknown as AccountsPorts), erasable, preferences, signsIn };
}

test('CL-345 locking and signing out erase the key that was kept unlocked, also when the server does not answer', async () => {
  for (const way of ['lock', 'signOut'] as const)
    for (const signOut of [async () => {}, () => Promise.reject(new Error('no server'))]) {
      const { accounts, erasable, preferences, signsIn } = await rig(signOut);
      assert.notEqual(await erasable.get('unlocked'), undefined);
      await accounts[way]().catch(() => {});
      assert.equal(await erasable.get('unlocked'), undefined);
      assert.equal(preferences.get('stays-unlocked'), undefined);
      assert.deepEqual(signsIn.at(-1), undefined);
    }
});

test('CL-345 going on without the account erases the key, too', async () => {
  const { accounts, erasable } = await rig(async () => {});
  await accounts.startAsGuest();
  assert.equal(await erasable.get('unlocked'), undefined);
  assert.equal((await accounts.resume()).kind, 'guest');
});
