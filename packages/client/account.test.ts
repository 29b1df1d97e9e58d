/** Accounts against the real server in this process, over real HTTP; only the authenticator is in software. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CookieJar, createNodeFetch } from '@sotto/adapters-node';
import { encodeBase64, encodeHex, equalBytes } from '@sotto/bytes';
import type { RecordStore } from '@sotto/ports';
import {
  createMemoryDeviceStore,
  createMemoryRecordStore,
  createRealClock,
  createSeededRandom,
  createSoftwareAuthenticator,
} from '@sotto/testkit';
import { createAccountKey, createRecoveryCode, unsafeRevealSecret } from '@sotto/vault';
import { type RunningServer, startServer } from '../../apps/server/start.ts';
import {
  type AccountPorts,
  addPasskey,
  draftAccount,
  type OpenAccount,
  type PasskeyAuthenticator,
  registerAccount,
} from './account.ts';
import { openAccountHistory } from './archive/open-history.ts';
import type { ClientError } from './errors.ts';
import { loadGuest } from './guest.ts';
import { openHistory } from './history.ts';
import { Keeper } from './keep.ts';
import { ServerApi } from './server-api.ts';
import { unlockWithPasskey, unlockWithRecoveryCode } from './unlock.ts';

let server: RunningServer;
let dataDir: string;
let seed = 0;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-account-'));
  const often = { burst: 1000, perSecond: 1000 };
  const limits = { accounts: often, passkeys: often, recoveries: often };
  server = await startServer({ port: 0, dataDir, nodes: [], webDir: dataDir, limits });
});

after(async () => {
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** A browser that was never here before: no cookie, nothing kept. */
function freshBrowser(device = createMemoryDeviceStore()): AccountPorts {
  const plain = createNodeFetch({ cookieJar: new CookieJar() });
  // A browser sends the page's origin by itself.
  const fetch: typeof plain = (url, init) => plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
  const random = createSeededRandom(`account ${seed++}`);
  return { api: new ServerApi(fetch, server.url), random, clock: createRealClock(), device };
}

function authenticator(prf: boolean): PasskeyAuthenticator {
  const software = createSoftwareAuthenticator({
    origin: server.url,
    random: createSeededRandom(`authenticator ${seed++}`),
    prf,
  });
  return { isAvailable: () => true, create: software.create, get: software.get };
}

const codeOf = (code: string) => (error: ClientError) => error.code === code;
const sameKey = (a: OpenAccount, b: OpenAccount) =>
  equalBytes(unsafeRevealSecret(a.accountKey), unsafeRevealSecret(b.accountKey));

async function newAccount(
  ports = freshBrowser(),
  { code } = createRecoveryCode(ports.random),
): Promise<{ ports: AccountPorts; account: OpenAccount; code: string }> {
  return { ports, account: await registerAccount(ports, await draftAccount(code, ports.random)), code };
}

test('an account opens in another browser by its recovery code, however it is typed', async () => {
  const { account, code } = await newAccount();
  const opened = await unlockWithRecoveryCode(freshBrowser(), ` ${code.toLowerCase().replaceAll('-', ' ')} `);
  assert.ok(sameKey(opened, account));
  assert.ok(!equalBytes(opened.device.deviceId, account.device.deviceId));
});

test('VA-157 an account opens by a code that has three letters in a row in each group', async () => {
  const random = createSeededRandom('letters');
  let made = createRecoveryCode(random);
  while ((made.code.match(/[A-Z]{3,}/g) ?? []).length < 7) made = createRecoveryCode(random);
  const { account, code } = await newAccount(freshBrowser(), made);
  assert.ok(sameKey(await unlockWithRecoveryCode(freshBrowser(), code), account));
});

test('this device’s key is kept sealed and found again; a damaged one only makes a new device', async () => {
  const device = createMemoryDeviceStore();
  const { account, code } = await newAccount(freshBrowser(device));
  const again = await unlockWithRecoveryCode(freshBrowser(device), code);
  assert.deepEqual(again.device.deviceId, account.device.deviceId);
  await device.set(`device-key/${encodeHex(account.accountId)}`, new Uint8Array(300));
  const renewed = await unlockWithRecoveryCode(freshBrowser(device), code);
  assert.notDeepEqual(renewed.device.deviceId, account.device.deviceId);
});

test('a mistyped code is refused before anything is sent, an unknown one by the server, in the same words', async () => {
  const ports = freshBrowser();
  await assert.rejects(unlockWithRecoveryCode(ports, 'ABCD-EFGH'), codeOf('recovery-code-length'));
  const unknown = createRecoveryCode(ports.random).code;
  await assert.rejects(unlockWithRecoveryCode(ports, unknown), codeOf('recovery-refused'));
});

test('a passkey with PRF opens the account in a browser with nothing in it', async () => {
  const { ports, account } = await newAccount();
  const passkeys = authenticator(true);
  assert.equal(await addPasskey(ports, passkeys, account), 'opens-chats');
  assert.ok(sameKey(await unlockWithPasskey(freshBrowser(), passkeys), account));
});

test('a passkey without PRF signs in only, and the recovery code opens', async () => {
  const { ports, account } = await newAccount();
  const passkeys = authenticator(false);
  assert.equal(await addPasskey(ports, passkeys, account), 'signs-in-only');
  await assert.rejects(unlockWithPasskey(freshBrowser(), passkeys), codeOf('passkey-no-lock'));
});

test('CL-11 a passkey whose secret changes from use to use never becomes a lock', async () => {
  const { ports, account } = await newAccount();
  const real = authenticator(true);
  const unstable: PasskeyAuthenticator = {
    ...real,
    get: async (options, input) => ({ ...(await real.get(options, input)), prf: ports.random.bytes(32) }),
  };
  assert.equal(await addPasskey(ports, unstable, account), 'signs-in-only');
  assert.deepEqual(
    (await ports.api.locks()).locks.map((lock) => lock.kind),
    ['recovery-code'],
  );
});

test('CL-11 a passkey that gives its secret once and then no more never becomes a lock', async () => {
  const { ports, account } = await newAccount();
  const real = authenticator(true);
  let uses = 0;
  const fading: PasskeyAuthenticator = {
    ...real,
    get: async (options, input) => {
      const result = await real.get(options, input);
      return uses++ === 0 ? result : { ...result, prf: undefined };
    },
  };
  assert.equal(await addPasskey(ports, fading, account), 'signs-in-only');
});

test('CL-12 locks of another account are refused, whether the server says so or hides it', async () => {
  const [mine, other] = [await newAccount(), await newAccount()];
  const otherLocks = await other.ports.api.locks();

  const swapped = freshBrowser();
  const { api } = swapped;
  const signedIn = async (request: Parameters<ServerApi['signInWithRecovery']>[0]) => api.signInWithRecovery(request);
  const evil = (locks: typeof otherLocks): AccountPorts => ({
    ...swapped,
    api: Object.assign(Object.create(api), { signInWithRecovery: signedIn, locks: async () => locks }),
  });
  await assert.rejects(unlockWithRecoveryCode(evil(otherLocks), mine.code), codeOf('lock-foreign'));

  const own = await mine.ports.api.locks();
  const disguised = {
    ...own,
    locks: own.locks.map((lock) => ({ ...lock, lock: otherLocks.locks[0]?.lock as string })),
  };
  await assert.rejects(unlockWithRecoveryCode(evil(disguised), mine.code), codeOf('lock-foreign'));
});

test('keeping moves every chat, survives a lost answer, and a second browser reads the same', async () => {
  const ports = freshBrowser();
  const { history: guest } = await guestWithChat(ports);
  const { code } = createRecoveryCode(ports.random);
  const keeper = new Keeper(ports);

  // The first try is applied by the server, and its answer is lost.
  const create = ports.api.createAccount.bind(ports.api);
  ports.api.createAccount = async (request) => {
    await create(request);
    ports.api.createAccount = create;
    throw new TypeError('connection reset');
  };
  await assert.rejects(keeper.keep(code, guest, async () => {}));
  const { history } = await keeper.keep(code, guest, async () => {});
  assert.equal(history.damagedCount, 0);

  const elsewhere = freshBrowser();
  const read = await openAccountHistory(elsewhere, await unlockWithRecoveryCode(elsewhere, code));
  const [chat] = read.conversations();
  assert.equal(chat?.title, 'Lease');
  assert.deepEqual(
    read.thread(chat?.conversationId as string).map((message) => message.text),
    ['Lease?', 'Lease!'],
  );
});

test('CL-13 when a record cannot be read back, keeping says so and the guest is untouched', async () => {
  const ports = freshBrowser();
  const { history: guest } = await guestWithChat(ports);
  ports.api.putRecord = () => Promise.resolve({ sequence: 1 });
  const keeper = new Keeper(ports);
  await assert.rejects(
    keeper.keep(createRecoveryCode(ports.random).code, guest, async () => {}),
    codeOf('keep-incomplete'),
  );
  assert.equal(guest.conversations().length, 1);
});

test('CL-13 what another tab wrote as the same guest is kept too, and a write during the move is not erased', async () => {
  const ports = freshBrowser();
  const { clock, random } = ports;
  const shared = { ...(await loadGuest(ports.device, random)), store: createMemoryRecordStore(), clock, random };
  const [guest, otherTab] = [await openHistory(shared), await openHistory(shared)];
  await guest.createConversation('Lease');
  await otherTab.createConversation('In the other tab');
  const put = ports.api.putRecord.bind(ports.api);
  let isFirst = true;
  ports.api.putRecord = async (recordId, envelope) => {
    if (isFirst) await otherTab.createConversation('While moving');
    isFirst = false;
    return put(recordId, envelope);
  };
  const keeper = new Keeper(ports);
  const { code } = createRecoveryCode(random);
  const { history } = await keeper.keep(code, guest, async () => {});
  const titles = history.conversations().map(({ title }) => title);
  assert.deepEqual(titles.sort(), ['In the other tab', 'Lease', 'While moving']);
});

test('when the guest cannot be erased, trying again goes on with the same account', async () => {
  const ports = freshBrowser();
  const { history: guest } = await guestWithChat(ports);
  const { code } = createRecoveryCode(ports.random);
  const keeper = new Keeper(ports);
  const refuse = async () => {
    throw new TypeError('the disk is gone');
  };
  await assert.rejects(keeper.keep(code, guest, refuse), TypeError);
  const { history } = await keeper.keep(code, guest, async () => {});
  assert.equal(history.conversations().length, 1);
});

test('a code that belongs to somebody else makes no account', async () => {
  const { code } = await newAccount();
  await assert.rejects(newAccountWith(freshBrowser(), code), codeOf('account-exists'));
});

test('a guest’s key stays in its browser: the server is told nothing of it', async () => {
  const ports = freshBrowser();
  const guest = await loadGuest(ports.device, ports.random);
  assert.deepEqual((await loadGuest(ports.device, ports.random)).accountId, guest.accountId);
  await ports.api.ensureSession();
  const view = JSON.stringify(await ports.api.operatorView());
  for (const secret of [guest.accountId, unsafeRevealSecret(guest.accountKey)]) {
    assert.ok(!view.includes(encodeHex(secret)) && !view.includes(encodeBase64(secret)));
  }
});

async function newAccountWith(ports: AccountPorts, code: string): Promise<OpenAccount> {
  return registerAccount(ports, await draftAccount(code, ports.random));
}

async function guestWithChat(ports: AccountPorts) {
  const rows = new Map<string, Uint8Array<ArrayBuffer>>();
  const store: RecordStore = {
    list: async () => ({ records: [], nextSequence: 0, more: false }),
    put: async (recordId, envelope) => {
      rows.set(recordId, envelope);
      return { sequence: rows.size };
    },
    remove: async () => ({ sequence: 0 }),
  };
  const { random, clock } = ports;
  const history = await openHistory({
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    deviceId: random.bytes(16),
    store,
    clock,
    random,
  });
  const conversationId = await history.createConversation('Lease');
  const turn = { conversationId, status: 'complete' as const };
  const question = await history.saveMessage({ ...turn, parentId: undefined, role: 'user', text: 'Lease?' });
  await history.saveMessage({ ...turn, parentId: question, role: 'assistant', text: 'Lease!' });
  return { history };
}
