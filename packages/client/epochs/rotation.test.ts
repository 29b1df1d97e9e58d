/** Rotation against the real server in this process: devices that are there, away, and removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryDeviceStore, createMemorySealedStore } from '@sotto/testkit';
import { unsafeRevealSecret } from '@sotto/vault';
import { addPasskey } from '../account.ts';
import { ClientError } from '../errors.ts';
import { refreshKeptLocks } from '../kept-locks.ts';
import { unlockWithPasskey, unlockWithRecoveryCode } from '../unlock.ts';
import { readLockBook } from './lock-book.ts';
import {
  authenticator,
  codeOf,
  deviceIdOf,
  freshBrowser,
  newAccount,
  newProfile,
  opened,
  run,
  say,
  synced,
  titles,
  unlocked,
} from './world-for-testing.ts';

test('a device that is there goes on with the new key by itself, and a new one opens everything with the old code', async () => {
  const phone = await newAccount();
  await say(phone, 'one');
  const laptop = await unlocked(phone.code);
  await say(laptop, 'two');
  await run(phone);
  assert.equal(phone.account.epochs.epoch, 2);
  await say(phone, 'three');
  assert.deepEqual(await synced(phone), []);

  assert.deepEqual(await synced(laptop), []);
  assert.equal(laptop.account.epochs.epoch, 2);
  assert.deepEqual(titles(laptop), ['one', 'three', 'two']);
  await say(laptop, 'four');
  assert.deepEqual(await synced(phone), []);
  assert.deepEqual(titles(phone), ['four', 'one', 'three', 'two']);

  const tablet = await unlocked(phone.code);
  assert.equal(tablet.account.epochs.epoch, 2);
  assert.deepEqual(unsafeRevealSecret(tablet.account.accountKey), unsafeRevealSecret(phone.account.accountKey));
  assert.deepEqual(titles(tablet), ['four', 'one', 'three', 'two']);
  assert.deepEqual(tablet.history.findings, []);
  assert.equal(tablet.history.damagedCount, 0);
});

test('CL-331 the last lock cannot be removed', async () => {
  const phone = await newAccount();
  const [lock] = (await phone.ports.api.locks()).locks;
  await assert.rejects(run(phone, { removeLocks: new Set([lock?.lockId as string]) }), {
    code: 'lock-last',
    rule: 'CL-331',
  });
  assert.equal(phone.account.epochs.epoch, 1);
});

test('CL-328 a lock nobody has stated stops a rotation; a removed passkey signs in no more, opens nothing, and a kept one opens the new epoch', async () => {
  const phone = await newAccount();
  const [kept, removed] = [authenticator(), authenticator()];
  for (const passkey of [kept, removed]) {
    await addPasskey(phone.ports, passkey, phone.account);
    await opened(freshBrowser(), await unlockWithPasskey(freshBrowser(), passkey)).catch(() => {});
  }
  const withKept = freshBrowser();
  const tablet = await opened(withKept, await unlockWithPasskey(withKept, kept));
  assert.deepEqual(await synced(phone), []);
  const { locks } = await readLockBook(phone.account, phone.history);
  const stated = [...locks.values()].find(({ kind }) => kind === 'passkey-prf')?.lockId;
  const other = (await phone.ports.api.locks()).locks.find(
    ({ kind, lockId }) => kind === 'passkey-prf' && lockId !== stated,
  );
  await assert.rejects(run(phone), { code: 'lock-key-missing', rule: 'CL-328' });
  await run(phone, { removeLocks: new Set([other?.lockId as string]) });
  assert.deepEqual(await synced(tablet), []);
  const again = freshBrowser();
  const opens = await opened(again, await unlockWithPasskey(again, kept));
  assert.deepEqual(unsafeRevealSecret(opens.account.accountKey), unsafeRevealSecret(phone.account.accountKey));
  await assert.rejects(unlockWithPasskey(freshBrowser(), removed), codeOf('passkey-unknown'));
});

test('a removed device learns no new key, and is signed out', async () => {
  const phone = await newAccount();
  const lost = await unlocked(phone.code);
  await say(lost, 'from the device that is lost');
  assert.deepEqual(await synced(phone), []);
  await run(phone, { removeDevices: new Set([deviceIdOf(lost)]) });
  await say(phone, 'after');
  await lost.history.refresh().catch(() => {});
  await assert.rejects(lost.ports.api.locks());
  assert.equal(lost.account.epochs.epoch, 1);
  assert.deepEqual(await synced(phone), []);
  assert.deepEqual(titles(phone), ['after', 'from the device that is lost']);
});

for (const kept of [false, true]) {
  test(`CL-325 CL-329 what another device writes at the same moment is kept everywhere, without an alarm (kept ${kept})`, async () => {
    const phone = await newAccount();
    const profile = { device: createMemoryDeviceStore(), ...(kept && { sealed: createMemorySealedStore() }) };
    const laptop = await unlocked(phone.code, freshBrowser(profile));
    await say(laptop, 'before');
    assert.deepEqual(await synced(phone), []);
    // Written and not yet listed by its device when the rotation begins.
    const chat = await laptop.history.createConversation('under way');
    const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
    const messageId = await laptop.history.saveMessage({ ...turn, text: 'first' });
    await run(phone);
    // The laptop has not heard of it.
    await laptop.history.saveMessage({ ...turn, messageId, text: 'second' });
    assert.deepEqual(await synced(laptop), []);
    assert.equal(laptop.account.epochs.epoch, 2);
    assert.deepEqual(await synced(phone), []);
    const tablet = await unlocked(phone.code);
    assert.deepEqual(tablet.history.findings, []);
    for (const each of [phone, laptop, tablet]) {
      await each.history.load(chat);
      assert.deepEqual(
        each.history.thread(chat).map(({ text }) => text),
        ['second'],
      );
    }
  });
}

for (const fault of ['lost', 'applied'] as const) {
  test(`CL-326 a rotation whose answer is lost (${fault}) is done once, and this device goes on`, async () => {
    const phone = await newAccount();
    await say(phone, 'one');
    const { api } = phone.ports;
    const real = api.rotate.bind(api);
    let calls = 0;
    api.rotate = async (request) => {
      if (calls++ === 0 && fault === 'lost') throw new ClientError('network-unreachable');
      await real(request);
      if (calls === 1) throw new ClientError('network-unreachable');
    };
    await run(phone);
    assert.deepEqual([phone.account.epochs.epoch, calls], [2, fault === 'lost' ? 2 : 1]);
    assert.deepEqual(await synced(phone), []);
    assert.deepEqual(titles(await unlocked(phone.code)), ['one']);
  });
}

test('a power cut after the server has the rotation costs nothing: the next visit opens, with what this device kept', async () => {
  const profile = newProfile();
  const phone = await newAccount(freshBrowser(profile));
  await say(phone, 'one');
  const { api } = phone.ports;
  const real = api.rotate.bind(api);
  api.rotate = async (request) => {
    await real(request);
    throw new TypeError('power cut');
  };
  await assert.rejects(run(phone), TypeError);
  const again = await unlocked(phone.code, freshBrowser(profile));
  assert.equal(deviceIdOf(again), deviceIdOf(phone));
  assert.deepEqual([again.account.epochs.epoch, titles(again), again.history.findings], [2, ['one'], []]);
});

test('two devices that rotate at once: both go on in one line of epochs', async () => {
  const phone = await newAccount();
  const laptop = await unlocked(phone.code);
  await synced(phone);
  await Promise.all([run(phone), run(laptop)]);
  assert.deepEqual(await synced(phone), []);
  assert.deepEqual(await synced(laptop), []);
  assert.equal(phone.account.epochs.epoch, laptop.account.epochs.epoch);
  assert.deepEqual(unsafeRevealSecret(phone.account.accountKey), unsafeRevealSecret(laptop.account.accountKey));
});

for (const kept of [false, true]) {
  test(`VA-146 a device that was removed and comes back with a lock is a new device, without an alarm (kept ${kept})`, async () => {
    const own = newProfile();
    const phone = await newAccount(freshBrowser(own));
    const profile = { device: createMemoryDeviceStore(), ...(kept && { sealed: createMemorySealedStore() }) };
    const lost = await unlocked(phone.code, freshBrowser(profile));
    await say(lost, 'before');
    assert.deepEqual(await synced(phone), []);
    await run(phone, { removeDevices: new Set([deviceIdOf(lost)]) });
    lost.history.close();
    // What it kept of its locks opens what it kept; with the server's answer it keeps the new ones, for the next time.
    const before = freshBrowser(profile);
    if (kept) await unlockWithRecoveryCode(before, phone.code);
    if (kept) await before.api.signInAgain();
    if (kept) await refreshKeptLocks(before);
    const found = await unlocked(phone.code, freshBrowser(profile));
    assert.notEqual(deviceIdOf(found), deviceIdOf(lost));
    await say(found, 'found again');
    for (const each of [found, phone, found]) assert.deepEqual(await synced(each), []);
    assert.deepEqual(titles(phone), ['before', 'found again']);
    await run(phone);
    assert.deepEqual(await synced(found), []);
    assert.equal(found.account.epochs.epoch, 3);
    assert.equal(deviceIdOf(await unlocked(phone.code, freshBrowser(own))), deviceIdOf(phone));
  });
}
