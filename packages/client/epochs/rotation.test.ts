/** Rotation against the real server in this process: devices that are there, away, and removed; and a server that lies. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CookieJar, createNodeFetch } from '@sotto/adapters-node';
import { encodeHex } from '@sotto/bytes';
import type { DeviceStore, SealedStore } from '@sotto/ports';
import {
  createMemoryDeviceStore,
  createMemorySealedStore,
  createRealClock,
  createSeededRandom,
  createSoftwareAuthenticator,
} from '@sotto/testkit';
import { createRecoveryCode, unsafeRevealSecret } from '@sotto/vault';
import { type RunningServer, startServer } from '../../../apps/server/start.ts';
import { addPasskey, draftAccount, registerAccount } from '../account.ts';
import type { AccountPorts, OpenAccount, PasskeyAuthenticator } from '../account-types.ts';
import { openAccountHistory } from '../archive/open-history.ts';
import { ClientError } from '../errors.ts';
import type { History } from '../history.ts';
import { ServerApi } from '../server-api.ts';
import { unlockWithPasskey, unlockWithRecoveryCode } from '../unlock.ts';
import { createTurns } from '../watch/turns.ts';
import type { AccountEpochs } from './account-epochs.ts';
import { readLockBook, stateLocks } from './lock-book.ts';
import { type RotationPlan, rotate } from './rotate.ts';

let server: RunningServer;
let dataDir: string;
let seed = 0;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-rotation-'));
  const often = { burst: 1000, perSecond: 1000 };
  const limits = { accounts: often, passkeys: often, recoveries: often, rotations: often };
  server = await startServer({ port: 0, dataDir, nodes: [], webDir: dataDir, limits });
});

after(async () => {
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** What a browser keeps between visits. */
interface Profile {
  readonly device: DeviceStore;
  readonly sealed?: SealedStore;
}

/** Every second browser keeps the history itself, and the others read it from the server. */
function newProfile(): Profile {
  return { device: createMemoryDeviceStore(), ...(seed++ % 2 === 0 && { sealed: createMemorySealedStore() }) };
}

function freshBrowser(profile = newProfile()): AccountPorts {
  const plain = createNodeFetch({ cookieJar: new CookieJar() });
  const fetch: typeof plain = (url, init) => plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
  const random = createSeededRandom(`rotation ${seed++}`);
  return {
    api: new ServerApi(fetch, server.url),
    random,
    clock: createRealClock(),
    takingTurns: createTurns(),
    ...profile,
  };
}

interface Opened {
  readonly ports: AccountPorts;
  readonly account: OpenAccount & { readonly epochs: AccountEpochs };
  readonly history: History;
}

async function opened(ports: AccountPorts, account: OpenAccount): Promise<Opened> {
  const history = await openAccountHistory(ports, account);
  await history.settled();
  await stateLocks(account, history, ports.clock);
  await history.settled();
  return { ports, account: account as Opened['account'], history };
}

async function newAccount(ports = freshBrowser()): Promise<Opened & { readonly code: string }> {
  const { code } = createRecoveryCode(ports.random);
  const account = await registerAccount(ports, await draftAccount(code, ports.random));
  return { ...(await opened(ports, account)), code };
}

async function unlocked(code: string, ports = freshBrowser()): Promise<Opened> {
  return opened(ports, await unlockWithRecoveryCode(ports, code));
}

async function say({ history }: Opened, text: string): Promise<string> {
  const conversationId = await history.createConversation(text);
  const turn = { conversationId, status: 'complete', role: 'user', parentId: undefined } as const;
  const messageId = await history.saveMessage({ ...turn, text });
  await history.settled();
  return messageId;
}

async function synced({ history }: Opened): Promise<string[]> {
  await history.refresh();
  await history.settled();
  return history.findings.map(({ rule, code }) => `${rule} ${code}`);
}

const titles = ({ history }: Opened) =>
  history
    .conversations()
    .map(({ title }) => title)
    .sort();
const deviceIdOf = ({ account }: Opened) => encodeHex(account.device.deviceId);
const run = ({ ports, account, history }: Opened, plan: RotationPlan = {}) => rotate(ports, account, history, plan);
const codeOf = (code: string) => (error: { code?: string }) => error.code === code;

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

function authenticator(): PasskeyAuthenticator {
  const software = createSoftwareAuthenticator({ origin: server.url, random: createSeededRandom(`passkey ${seed++}`) });
  return { isAvailable: () => true, create: software.create, get: software.get };
}

test('a removed passkey signs in no more, opens nothing, and a kept one opens the new epoch', async () => {
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

test('CL-325 CL-329 what another device writes at the same moment is kept on every device, without an alarm', async () => {
  const phone = await newAccount();
  const laptop = await unlocked(phone.code);
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
