/** What a server that lies can do with a rotation, and what each device with a memory does about it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBase64, encodeHex, parseHex } from '@sotto/bytes';
import { createMemoryDeviceStore, createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import {
  type AccountKey,
  createAccountKey,
  createDeviceKeys,
  deriveEpochKey,
  lockPublicKey,
  type OpenedRecord,
  type RecordContent,
  sealRecord,
  sealToLock,
  unsafeRevealSecret,
} from '@sotto/vault';
import { announceDevice } from '@sotto/vault/heads';
import { deviceLockSecret, encodeNextKey, signEpoch } from '@sotto/vault/rotation';
import { loadDevice, saveDevice } from '../device-key.ts';
import { AccountEpochs, openAccountEpochs } from './account-epochs.ts';
import { knownEpoch, NO_MEMORY } from './epoch-memory.ts';
import { addPasskeyLock, addRecovery, checkLocks, locksAndDevices, renameDevice, renameLock } from './manage.ts';
import {
  authenticator,
  codeOf,
  deviceIdOf,
  freshBrowser,
  newAccount,
  type Opened,
  type Profile,
  run,
  say,
  synced,
  titles,
  unlocked,
} from './world-for-testing.ts';

const random = createSeededRandom('lies');
const profiles: readonly (readonly [string, () => Profile])[] = [
  ['in memory', () => ({ device: createMemoryDeviceStore() })],
  ['kept here', () => ({ device: createMemoryDeviceStore(), sealed: createMemorySealedStore() })],
];

/** A record under a key that was given up, as whoever kept that key can seal it. */
async function forged(
  { account }: Opened,
  accountKey: AccountKey,
  epoch: number,
  deviceId: string,
  content: RecordContent,
  recordId = encodeHex(random.bytes(16)),
): Promise<{ readonly recordId: string; readonly envelope: Uint8Array<ArrayBuffer> }> {
  const { accountId } = account;
  const envelope = await sealRecord({
    epochKey: deriveEpochKey(accountKey, accountId, epoch),
    accountId,
    recordId: parseHex(recordId, 16),
    epoch,
    deviceId: parseHex(deviceId, 16),
    // Beyond everything that its device has listed: it looks as if it were under way.
    deviceCounter: 2 ** 40,
    content,
    random,
  });
  return { recordId, envelope };
}

/** The server shows these besides, at the end of what it has. */
function show({ ports }: Pick<Opened, 'ports'>, records: readonly Awaited<ReturnType<typeof forged>>[]): void {
  const { api } = ports;
  const [list, page] = [api.records.bind(api), api.recordPage.bind(api)];
  const behind = (newest: number) => records.map((record, i) => ({ ...record, sequence: newest + 1 + i }));
  api.records = async (after) => {
    const real = await list(after);
    if (real.more || after > real.nextSequence) return { records: [], nextSequence: after, more: false };
    const more = behind(real.nextSequence).filter(({ sequence }) => sequence > after);
    return { records: [...real.records, ...more], nextSequence: real.nextSequence + records.length, more: false };
  };
  api.recordPage = async (after) => {
    const real = await page(Math.max(0, after - records.length));
    const fresh = real.records.filter(({ sequence }) => sequence > after);
    const more = behind(real.newest).filter(({ sequence }) => sequence > after);
    return { records: [...fresh, ...more], newest: real.newest + records.length, more: false };
  };
}

/** The server gives what there is, says that there is more, and gives no more. */
function neverEnds({ ports: { api } }: Opened): void {
  const [list, page] = [api.records.bind(api), api.recordPage.bind(api)];
  let isFirst = true;
  const once = async <Page extends object>(ask: () => Promise<Page>): Promise<Page> => {
    if (!isFirst) return new Promise(() => undefined);
    isFirst = false;
    return { ...(await ask()), more: true };
  };
  api.records = (after) => once(() => list(after));
  api.recordPage = (after, signal) => once(() => page(after, signal));
}

const message = (conversationId: string, text: string): RecordContent => ({
  type: 'message',
  clock: Date.now() + 1000,
  conversationId,
  parents: [],
  role: 'user',
  text,
  status: 'complete',
  createdAtMs: Date.now(),
});

for (const [where, profile] of profiles) {
  test(`CL-324 VA-135 a removed device forges a message under the old key: noticed, and shown to nobody (${where})`, async () => {
    const phone = await newAccount(freshBrowser(profile()));
    await say(phone, 'one');
    const lost = await unlocked(phone.code);
    await say(lost, 'two');
    assert.deepEqual(await synced(phone), []);
    const { accountKey } = lost.account;
    await run(phone, { removeDevices: new Set([deviceIdOf(lost)]) });
    assert.deepEqual(await synced(phone), []);
    const chat = phone.history.conversations()[0]?.conversationId as string;
    await phone.history.load(chat);
    const before = phone.history.thread(chat).length;
    show(phone, [
      await forged(phone, accountKey, 1, deviceIdOf(lost), message(chat, 'transfer the money to me')),
      await forged(phone, accountKey, 1, deviceIdOf(phone), message(chat, 'in another device’s name')),
      await forged(phone, accountKey, 1, deviceIdOf(lost), announceDevice(lost.account.device, 1, 1)),
    ]);
    const found = await synced(phone);
    assert.deepEqual([...new Set(found)], ['VA-135 record-outside-root']);
    assert.equal(found.length, 3);
    assert.equal(phone.history.thread(chat).length, before);
    assert.ok(!JSON.stringify(phone.history.records()).includes('money'));
  });
}

test('CL-324 a message forged under the old key does not replace what was sealed since: it is kept, and put in its place again', async () => {
  const sealedProfile = { device: createMemoryDeviceStore(), sealed: createMemorySealedStore() };
  const phone = await newAccount(freshBrowser(sealedProfile));
  const { accountKey } = phone.account;
  await run(phone);
  await say(phone, 'one');
  assert.deepEqual(await synced(phone), []);
  const chat = phone.history.conversations()[0]?.conversationId as string;
  await phone.history.load(chat);
  const texts = () => phone.history.thread(chat).map(({ text }) => text);
  const [before, messageId] = [texts(), phone.history.thread(chat)[0]?.messageId as string];
  show(phone, [
    await forged(phone, accountKey, 1, deviceIdOf(phone), message(chat, 'transfer the money to me'), messageId),
  ]);
  assert.deepEqual(await synced(phone), ['VA-135 record-outside-root']);
  assert.deepEqual(texts(), before);
  await phone.history.acceptAsItIs();
  assert.deepEqual(texts(), before);
});

for (const [where, profile] of profiles) {
  test(`CL-324 what was forged under the old key takes no message’s place before the old ones are sealed anew, nor after (${where})`, async () => {
    const phone = await newAccount(freshBrowser(profile()));
    await say(phone, 'old');
    const { accountKey } = phone.account;
    await run(phone);
    await say(phone, 'new');
    assert.deepEqual(await synced(phone), []);
    const chats = phone.history.conversations().map(({ conversationId }) => conversationId);
    for (const chat of chats) await phone.history.load(chat);
    const texts = () => chats.map((chat) => phone.history.thread(chat).map(({ text }) => text));
    const before = texts();
    const ids = chats.map((chat) => phone.history.thread(chat)[0]?.messageId as string);
    const forge = (chat: string, id?: string) =>
      forged(phone, accountKey, 1, deviceIdOf(phone), message(chat, 'transfer the money to me'), id);
    show(phone, [...(await Promise.all(chats.map((chat, i) => forge(chat, ids[i])))), await forge(chats[0] as string)]);
    assert.deepEqual(await synced(phone), Array(3).fill('VA-135 record-outside-root'));
    assert.deepEqual(texts(), before);
  });

  test(`CL-324 what was forged under the old key is shown on no device that is new (${where})`, async () => {
    const phone = await newAccount(freshBrowser(profile()));
    await say(phone, 'old');
    const chat = phone.history.conversations()[0]?.conversationId as string;
    const { accountKey } = phone.account;
    await run(phone);
    const ports = freshBrowser(profile());
    show({ ports }, [await forged(phone, accountKey, 1, deviceIdOf(phone), message(chat, 'transfer the money to me'))]);
    const tablet = await unlocked(phone.code, ports);
    await tablet.history.load(chat);
    assert.deepEqual(
      tablet.history.thread(chat).map(({ text }) => text),
      ['old'],
    );
    assert.ok((await synced(tablet)).includes('VA-135 record-outside-root'));
  });

  test(`CL-324 what was forged under the old key is not shown while the server keeps the rest back (${where})`, async () => {
    const phone = await newAccount(freshBrowser(profile()));
    const laptop = await unlocked(phone.code, freshBrowser(profile()));
    await say(phone, 'old');
    for (const each of [phone, laptop]) assert.deepEqual(await synced(each), []);
    const chat = phone.history.conversations()[0]?.conversationId as string;
    for (const each of [phone, laptop]) await each.history.load(chat);
    const messageId = phone.history.thread(chat)[0]?.messageId as string;
    const { accountKey } = phone.account;
    await run(phone);
    for (const each of [phone, laptop]) {
      show(each, [
        await forged(phone, accountKey, 1, deviceIdOf(phone), message(chat, 'transfer the money to me')),
        await forged(phone, accountKey, 1, deviceIdOf(phone), message(chat, 'transfer the money to me'), messageId),
      ]);
      neverEnds(each);
      let hasEnded = false;
      void each.history.refresh().then(() => (hasEnded = true));
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
      const texts = each.history.thread(chat).map(({ text }) => text);
      assert.deepEqual([hasEnded, texts], [false, ['old']]);
      each.history.close();
    }
  });
}

test('VA-38 an old wrap of a lock is refused by a device that has seen the new epoch', async () => {
  const profile = { device: createMemoryDeviceStore() };
  const phone = await newAccount(freshBrowser(profile));
  const old = await phone.ports.api.locks();
  await run(phone);
  const again = freshBrowser(profile);
  again.api.locks = async () => old;
  await assert.rejects(unlocked(phone.code, again), { code: 'lock-epoch-stale', rule: 'VA-38' });
});

test('VA-38 CL-320 VA-141 a lock that holds a key of somebody else’s is refused by a device with a memory', async () => {
  const ports = { device: createMemoryDeviceStore(), random };
  const accountId = random.bytes(16);
  const [own, others] = [createAccountKey(random), createAccountKey(random)];
  const nothing = () => Promise.reject(new Error('asked for nothing'));
  await openAccountEpochs(ports, accountId, { accountKey: own, epoch: 1 }, nothing);
  assert.equal(await knownEpoch(ports.device, accountId), 1);
  await assert.rejects(openAccountEpochs(ports, accountId, { accountKey: others, epoch: 1 }, nothing), {
    code: 'epoch-unrelated',
    rule: 'CL-320',
  });

  const device = await createDeviceKeys(random);
  const statementWith = async (earlier: AccountKey) => {
    const content = await signEpoch(
      device,
      accountId,
      {
        ...{ epoch: 2, places: new Map(), locks: new Map(), atMs: 1 },
        devices: new Map([[encodeHex(device.deviceId), device.publicKey]]),
        earlierKeys: [encodeHex(unsafeRevealSecret(earlier))],
      },
      1,
    );
    const recordId = encodeHex(random.bytes(16));
    const envelope = await sealRecord({
      epochKey: deriveEpochKey(others, accountId, 2),
      ...{ accountId, recordId: parseHex(recordId, 16), epoch: 2, deviceId: device.deviceId, deviceCounter: 1 },
      content,
      random,
    });
    return async () => ({ epoch: 2, statement: { recordId, envelope: encodeBase64(envelope) } });
  };
  const opened = { accountKey: others, epoch: 2 };
  await assert.rejects(openAccountEpochs(ports, accountId, opened, await statementWith(others)), {
    code: 'epoch-unrelated',
    rule: 'VA-141',
  });
  await assert.rejects(
    openAccountEpochs(ports, accountId, opened, async () => ({ epoch: 2 })),
    codeOf('epoch-withheld'),
  );
  const epochs = await openAccountEpochs(ports, accountId, opened, await statementWith(own));
  assert.deepEqual([epochs.epoch, epochs.earlierKeys().length], [2, 1]);
  await assert.rejects(openAccountEpochs(ports, accountId, { accountKey: own, epoch: 1 }, nothing), { rule: 'VA-38' });
});

test('CL-321 a next key under an older key, or for another epoch, is passed over', async () => {
  const accountId = random.bytes(16);
  const keys = [createAccountKey(random), createAccountKey(random)] as const;
  const device = await createDeviceKeys(random);
  const ports = { device: createMemoryDeviceStore(), random };
  const epochs = new AccountEpochs(ports, accountId, { accountKey: keys[0], epoch: 2 }, NO_MEMORY);
  epochs.useDevice(device);
  const chain = async (under: number, epoch: number): Promise<OpenedRecord> => {
    const lock = await sealToLock({
      ...{ accountKey: keys[1], kind: 'device-key', accountId, lockId: device.deviceId, epoch, random },
      publicKey: await lockPublicKey(deviceLockSecret(device), accountId),
      credential: new Uint8Array(32),
    });
    const deviceId = encodeHex(device.deviceId);
    const content = encodeNextKey({ epoch, deviceId, lock }, 1);
    return { recordId: encodeHex(random.bytes(16)), deviceId, deviceCounter: 1, epoch: under, content };
  };
  assert.equal(await epochs.catchUp([await chain(1, 3), await chain(1, 2), await chain(2, 4)]), false);
  assert.equal(epochs.keyOf(3), undefined);
  assert.equal(await epochs.catchUp([await chain(2, 3)]), true);
  assert.notEqual(epochs.keyOf(3), undefined);
  assert.equal(epochs.epoch, 2, 'nothing is written under it before its statement was found');
});

test('CL-322 this device’s key is sealed anew under the new account key', async () => {
  const accountId = random.bytes(16);
  const [first, second, third] = [createAccountKey(random), createAccountKey(random), createAccountKey(random)];
  const ports = { device: createMemoryDeviceStore(), random, clock: { nowMs: () => 1, sleep: async () => {} } };
  const device = await createDeviceKeys(random);
  await saveDevice(ports, { accountId, accountKey: first, device });
  assert.deepEqual((await loadDevice(ports, accountId, second, [first])).deviceId, device.deviceId);
  assert.deepEqual((await loadDevice(ports, accountId, second)).deviceId, device.deviceId);
  assert.notDeepEqual((await loadDevice(ports, accountId, third, [first])).deviceId, device.deviceId);
});

test('CL-327 while the server shows something else than the devices wrote, no epoch begins', async () => {
  const phone = await newAccount(freshBrowser({ device: createMemoryDeviceStore() }));
  await say(phone, 'one');
  show(phone, []);
  const list = phone.ports.api.records.bind(phone.ports.api);
  const again = freshBrowser({ device: phone.ports.device });
  void list;
  const real = again.api.records.bind(again.api);
  again.api.records = async (after) => {
    const page = await real(after);
    return { ...page, records: page.records.filter((_, i) => i !== 3) };
  };
  const next = await unlocked(phone.code, again);
  assert.ok(next.history.findings.length > 0);
  await assert.rejects(run(next), { code: 'history-doubtful', rule: 'CL-327' });
});

test('VA-138 VA-139 VA-140 CL-330 a changed list of locks is noticed, and ended by a rotation that does not go by it', async () => {
  const phone = await newAccount();
  await addRecovery(phone.ports, phone.account, phone.history, 'recovery-code', await newCode());
  const { api } = phone.ports;
  const before = await api.locks();
  const removed = before.locks.find(({ lockId }) => lockId !== phone.account.usedLock?.lockId)?.lockId as string;
  await run(phone, { removeLocks: new Set([removed]) });
  assert.deepEqual(await checkLocks(phone.ports, phone.account, phone.history), []);
  const real = api.locks.bind(api);
  const rulesOf = async () =>
    (await checkLocks(phone.ports, phone.account, phone.history)).map(({ rule }) => rule).sort();
  api.locks = async () => before;
  assert.deepEqual(await rulesOf(), ['VA-138', 'VA-139']);
  await phone.history.settled();
  assert.ok(phone.history.findings.some(({ rule }) => rule === 'VA-138'));
  const { locks } = await locksAndDevices(phone.ports, phone.account, phone.history);
  assert.ok(!locks.some(({ lockId }) => lockId === removed));
  api.locks = async () => ({ ...(await real()), locks: [] });
  assert.deepEqual(await rulesOf(), ['VA-140']);

  api.locks = async () => before;
  await run(phone);
  api.locks = real;
  const left = (await api.locks()).locks.map(({ lockId }) => lockId);
  assert.deepEqual(left, [phone.account.usedLock?.lockId]);
  assert.deepEqual(await rulesOf(), []);
  assert.deepEqual(await synced(phone), []);
});

async function newCode(): Promise<string> {
  const { createRecoveryCode } = await import('@sotto/vault');
  return createRecoveryCode(random).code;
}

test('CL-332 a lock that is added is carried over by the next rotation, and opens the account in a browser with nothing in it', async () => {
  const phone = await newAccount();
  await say(phone, 'one');
  const code = await newCode();
  const phrase = (await import('@sotto/vault/phrase')).createRecoveryPhrase(random);
  const passkey = authenticator();
  await addRecovery(phone.ports, phone.account, phone.history, 'recovery-code', code);
  await addRecovery(phone.ports, phone.account, phone.history, 'recovery-phrase', phrase);
  assert.equal(await addPasskeyLock(phone.ports, passkey, phone.account, phone.history), 'opens-chats');
  await run(phone);
  for (const text of [code, phrase, phone.code]) {
    const other = await unlocked(text);
    assert.deepEqual([other.account.epochs.epoch, titles(other)], [2, ['one']]);
  }
  const { locks } = await locksAndDevices(phone.ports, phone.account, phone.history);
  assert.deepEqual(locks.map(({ kind }) => kind).sort(), [
    'passkey',
    'recovery-code',
    'recovery-code',
    'recovery-phrase',
  ]);
  assert.ok(locks.every(({ canBeCarried }) => canBeCarried));
  assert.deepEqual(
    locks.filter(({ mayVanish }) => mayVanish).map(({ kind }) => kind),
    ['passkey'],
  );
});

test('names are given to locks and devices, seen on every device, and taken away again', async () => {
  const phone = await newAccount();
  const laptop = await unlocked(phone.code);
  const lockId = phone.account.usedLock?.lockId as string;
  await renameLock(phone.history, lockId, '  the card in   the drawer ');
  await renameDevice(phone.history, deviceIdOf(laptop), 'Laptop');
  await phone.history.settled();
  assert.deepEqual(await synced(laptop), []);
  const { locks, devices } = await locksAndDevices(laptop.ports, laptop.account, laptop.history);
  assert.equal(locks[0]?.name, 'the card in the drawer');
  assert.deepEqual([devices[0]?.name, devices[0]?.isThis, devices.length], ['Laptop', true, 2]);
  await renameLock(laptop.history, lockId, '');
  assert.equal((await locksAndDevices(laptop.ports, laptop.account, laptop.history)).locks[0]?.name, undefined);
});

test('CL-334 what older keys seal is sealed anew as the same writes, without an alarm on any device', async () => {
  const { sealOlder } = await import('./seal-older.ts');
  const phone = await newAccount(
    freshBrowser({ device: createMemoryDeviceStore(), sealed: createMemorySealedStore() }),
  );
  const laptop = await unlocked(
    phone.code,
    freshBrowser({ device: createMemoryDeviceStore(), sealed: createMemorySealedStore() }),
  );
  for (const each of [phone, laptop]) for (const text of ['a', 'b', 'c']) await say(each, text);
  assert.deepEqual(await synced(phone), []);
  await run(phone);
  const older = phone.history.olderCount;
  assert.ok(older > 6, String(older));
  const left: number[] = [];
  await sealOlder(
    phone.history,
    { nowMs: Date.now, sleep: async () => {} },
    { onProgress: (count) => left.push(count) },
  );
  await phone.history.settled();
  assert.equal(phone.history.olderCount, 0);
  for (const each of [phone, laptop, phone]) assert.deepEqual(await synced(each), []);
  assert.equal(laptop.history.olderCount, 0);
  const fresh = await unlocked(phone.code);
  assert.deepEqual([titles(fresh).length, fresh.history.findings, fresh.history.damagedCount], [6, [], 0]);
});

test('CL-334 nothing is sealed anew while something does not agree', async () => {
  const phone = await newAccount(
    freshBrowser({ device: createMemoryDeviceStore(), sealed: createMemorySealedStore() }),
  );
  await say(phone, 'one');
  const { accountKey } = phone.account;
  await run(phone);
  await synced(phone);
  show(phone, [await forged(phone, accountKey, 1, deviceIdOf(phone), message('ab'.repeat(16), 'forged'))]);
  assert.ok((await synced(phone)).length > 0);
  const before = phone.history.olderCount;
  await phone.history.sealOlder(10);
  assert.equal(phone.history.olderCount, before);
});

test('CL-333 a lock that is made while another device rotates is made for the new key', async () => {
  const phone = await newAccount();
  const laptop = await unlocked(phone.code);
  assert.deepEqual(await synced(phone), []);
  await run(phone);
  const code = await newCode();
  await addRecovery(laptop.ports, laptop.account, laptop.history, 'recovery-code', code);
  assert.equal(laptop.account.epochs.epoch, 2);
  assert.equal((await unlocked(code)).account.epochs.epoch, 2);
});
