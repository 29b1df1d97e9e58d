/** What a device had not sent when a rotation left it out: sent where there was no room for it, refused where it was removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { createMemoryDeviceStore, createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import { createDeviceKeys, type RecordContent, sealRecord } from '@sotto/vault';
import { announceDevice, OwnLog, writeDigest } from '@sotto/vault/heads';
import { localName } from '../archive/local-key.ts';
import { forgetKept } from '../archive/open-history.ts';
import { Attachments } from '../attachments/index.ts';
import { ClientError } from '../errors.ts';
import { refreshKeptLocks } from '../kept-locks.ts';
import { unlockWithRecoveryCode } from '../unlock.ts';
import { sendUnsent } from './unsent.ts';
import {
  deviceIdOf,
  freshBrowser,
  newAccount,
  type Opened,
  run,
  say,
  synced,
  titles,
  unlocked,
} from './world-for-testing.ts';

const random = createSeededRandom('unsent');
const keptHere = () => ({ device: createMemoryDeviceStore(), sealed: createMemorySealedStore() });
/** More than a statement names, with the person's own. */
const CROWD = 64;

/** Devices that announced themselves, and wrote last. */
async function crowd({ ports: { api }, account }: Opened, count = CROWD): Promise<void> {
  const { accountId, epochs } = account;
  const atMs = Date.now() + 3_600_000;
  for (let i = 0; i < count; i++) {
    const keys = await createDeviceKeys(random);
    const deviceId = encodeHex(keys.deviceId);
    const put = async (content: RecordContent, deviceCounter: number) => {
      const recordId = encodeHex(random.bytes(16));
      const header = { accountId, epoch: epochs.epoch, deviceId: keys.deviceId, deviceCounter, random };
      const { epochKey } = epochs;
      await api.putRecord(
        recordId,
        await sealRecord({ ...header, epochKey, recordId: parseHex(recordId, 16), content }),
      );
      return { recordId, digest: encodeHex(writeDigest({ recordId, deviceId, deviceCounter, content })), replaces: [] };
    };
    const line = await put(announceDevice(keys, 1, 1), 1);
    const details = { seen: new Map(), covered: 1, atMs, clock: atMs };
    for (const { content } of await new OwnLog(keys, accountId).append([line], details)) await put(content, 2);
  }
}

/** From now on it reaches nobody, and its person goes on. */
function withoutNetwork({ ports: { api } }: Opened): void {
  const fail = async () => {
    throw new ClientError('network-unreachable');
  };
  Object.assign(api, { recordPage: fail, recordIndex: fail, sendRecords: fail });
}

/** The locks that it kept are old ones: it opens with those that the server has. */
async function comeBack(code: string, profile: ReturnType<typeof keptHere>, ports = freshBrowser(profile)) {
  const before = freshBrowser(profile);
  await unlockWithRecoveryCode(before, code);
  await before.api.signInAgain();
  await refreshKeptLocks(before);
  return unlocked(code, ports);
}

const unsentOf = async (profile: ReturnType<typeof keptHere>, { account }: Opened) =>
  (await profile.sealed.list(`${localName(account.accountId, 'unsent')}/`)).length;

test('VA-147 what a device had not sent, that was left out for the limit alone, is sent by the new device that it becomes', async () => {
  const phone = await newAccount(freshBrowser(keptHere()));
  const profile = keptHere();
  const laptop = await unlocked(phone.code, freshBrowser(profile));
  await say(laptop, 'sent');
  await say(laptop, 'to be removed');
  const removed = laptop.history.conversations().find(({ title }) => title === 'to be removed')
    ?.conversationId as string;
  const [sent] = laptop.history.conversations().filter(({ title }) => title === 'sent');
  await crowd(phone);
  assert.deepEqual(await synced(phone), []);
  assert.deepEqual(await synced(laptop), []);

  withoutNetwork(laptop);
  await say(laptop, 'never sent');
  await laptop.history.rename(sent?.conversationId as string, 'renamed');
  await laptop.history.removeConversation(removed);
  const files = new Attachments({ ...laptop.ports, ...(await filesOf(laptop, profile)) });
  const bytes = new Uint8Array([1, 2, 3]);
  const file = await files.attach({
    name: 'a',
    mediaType: 'text/plain',
    bytes: 3,
    read: async function* () {
      yield bytes;
    },
  });
  await files.keep(sent?.conversationId as string, [file]);
  laptop.history.close();

  await run(phone);
  assert.equal(phone.account.epochs.newest?.devices.size, 64);
  assert.ok(!phone.account.epochs.newest?.devices.has(deviceIdOf(laptop)));
  assert.deepEqual(titles(phone), ['sent', 'to be removed']);

  const back = await comeBack(phone.code, profile);
  assert.notEqual(deviceIdOf(back), deviceIdOf(laptop));
  assert.ok((await unsentOf(profile, back)) > 0);
  assert.equal(await forgetKept(profile.sealed, back.account.accountId), false, 'CL-238');
  await sendUnsent(back.ports, back.account, back.history);
  assert.equal(await unsentOf(profile, back), 0);
  assert.deepEqual(titles(back), ['never sent', 'renamed']);
  for (const each of [back, phone, back]) assert.deepEqual(await synced(each), []);
  assert.deepEqual(titles(phone), ['never sent', 'renamed']);
  const again = new Attachments({ ...back.ports, ...(await filesOf(back, profile)) });
  assert.deepEqual(await again.read(file, sent?.conversationId as string), bytes, 'its file still waits to be sent');
  const tablet = await unlocked(phone.code);
  assert.deepEqual([titles(tablet), tablet.history.findings], [['never sent', 'renamed'], []]);
});

test('VA-148 CL-265 of a device that the person removed nothing more is taken, also where there was no room for it, and what it had is purged', async () => {
  for (const isCrowded of [false, true]) {
    const phone = await newAccount(freshBrowser(keptHere()));
    const profile = keptHere();
    const stolen = await unlocked(phone.code, freshBrowser(profile));
    await say(stolen, 'before');
    if (isCrowded) await crowd(phone);
    assert.deepEqual(await synced(phone), []);
    await synced(stolen);
    withoutNetwork(stolen);
    await say(stolen, 'by whoever took it');
    stolen.history.close();
    await run(phone, { removeDevices: new Set([deviceIdOf(stolen)]) });
    if (isCrowded) assert.equal(phone.account.epochs.newest?.devices.size, 64);

    const found = await comeBack(phone.code, profile);
    assert.ok((await unsentOf(profile, found)) > 0);
    const { purges } = profile.sealed;
    await sendUnsent(found.ports, found.account, found.history);
    assert.equal(await unsentOf(profile, found), 0);
    assert.equal(profile.sealed.purges, purges + 1);
    for (const each of [found, phone, found]) assert.deepEqual(await synced(each), []);
    assert.deepEqual([titles(found), titles(phone)], [['before'], ['before']]);
  }
});

test('CL-381 an account with more devices than a head has room for goes on without an alarm', async () => {
  const phone = await newAccount(freshBrowser(keptHere()));
  const laptop = await unlocked(phone.code);
  await crowd(phone, 66);
  for (const each of [phone, laptop]) {
    assert.deepEqual(await synced(each), []);
    await say(each, 'one');
  }
  for (const each of [phone, laptop, await unlocked(phone.code)]) assert.deepEqual(await synced(each), []);
});

test('CL-380 what was set aside is decided when everything agrees, and waits until then', async () => {
  const phone = await newAccount(freshBrowser(keptHere()));
  const profile = keptHere();
  const laptop = await unlocked(phone.code, freshBrowser(profile));
  await say(laptop, 'sent');
  await crowd(phone);
  for (const each of [phone, laptop]) assert.deepEqual(await synced(each), []);
  withoutNetwork(laptop);
  await say(laptop, 'never sent');
  laptop.history.close();
  // The person removes it, and the server keeps back the record that says so.
  const before = (await phone.ports.api.recordPage(0)).newest;
  await run(phone, { removeDevices: new Set([deviceIdOf(laptop)]) });
  const [said] = (await phone.ports.api.recordPage(before)).records;

  const ports = freshBrowser(profile);
  const page = ports.api.recordPage.bind(ports.api);
  ports.api.recordPage = async (after, signal) => {
    const real = await page(after, signal);
    return { ...real, records: real.records.filter(({ recordId }) => recordId !== said?.recordId) };
  };
  const back = await comeBack(phone.code, profile, ports);
  assert.ok(back.history.findings.length > 0);
  await sendUnsent(back.ports, back.account, back.history);
  assert.ok((await unsentOf(profile, back)) > 0);
  assert.deepEqual(titles(back), ['sent']);
});

async function filesOf({ ports, account }: Opened, { sealed }: ReturnType<typeof keptHere>) {
  const { openLocalKey } = await import('../archive/local-key.ts');
  const { takingTurns = (_, work) => work() } = ports;
  return { sealed, takingTurns, owner: await openLocalKey({ ...ports, sealed, takingTurns }, account) };
}
