/** Unlocking against the real server in this process, over a network that can be cut. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { CookieJar, createNodeFetch } from '@sotto/adapters-node';
import { encodeHex, encodeUtf8, equalBytes, parseBase64Url } from '@sotto/bytes';
import { argon2id } from '@sotto/crypto/argon2';
import type { Fetch } from '@sotto/ports';
import {
  createMemoryDeviceStore,
  createMemorySealedStore,
  createRealClock,
  createSeededRandom,
  createSoftwareAuthenticator,
} from '@sotto/testkit';
import { createRecoveryCode, unsafeRevealSecret } from '@sotto/vault';
import { type RunningServer, startServer } from '../../apps/server/start.ts';
import { addPasskey, draftAccount, registerAccount } from './account.ts';
import type { OpenAccount, PasskeyAuthenticator } from './account-types.ts';
import { localName } from './archive/local-key.ts';
import type { ClientError } from './errors.ts';
import { setPassphrase, unlockWithPassphrase } from './passphrase-lock.ts';
import { ServerApi } from './server-api.ts';
import { signingInLater, unlockWithPasskey, unlockWithRecoveryCode } from './unlock.ts';
import { createTurns } from './watch/turns.ts';

let server: RunningServer;
let dataDir: string;
let seed = 0;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sotto-unlock-'));
  const often = { burst: 1000, perSecond: 1000 };
  const limits = { accounts: often, passkeys: often, recoveries: often, deviceSignIns: often };
  server = await startServer({ port: 0, dataDir, nodes: [], webDir: dataDir, limits, logSink: () => {} });
});

after(async () => {
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** One browser, over its visits: `visit` is what a reload leaves of it. */
function browser() {
  const random = createSeededRandom(`unlock ${seed++}`);
  const kept = {
    device: createMemoryDeviceStore(),
    sealed: createMemorySealedStore(),
    erasable: createMemoryDeviceStore(),
    takingTurns: createTurns(),
  };
  const network = { isCut: false, sent: [] as { path: string; body: string }[] };
  let cookieJar = new CookieJar();
  const visit = () => {
    const plain = createNodeFetch({ cookieJar });
    const fetch: Fetch = async (url, init) => {
      if (network.isCut) throw new TypeError('no network');
      const body = init?.body;
      network.sent.push({
        path: new URL(url).pathname,
        body: typeof body === 'string' ? body : Buffer.from(body ?? []).toString('latin1'),
      });
      return plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
    };
    const stretch = (request: Parameters<typeof argon2id>[0]) => argon2id({ ...request, memoryKiB: 64 });
    return { ...kept, random, stretch, clock: createRealClock(), api: new ServerApi(fetch, server.url) };
  };
  const forgetCookies = () => {
    cookieJar = new CookieJar();
  };
  return { ...kept, network, visit, forgetCookies, random };
}

type Rig = ReturnType<typeof browser>;

function authenticator(prf = true): PasskeyAuthenticator & { readonly challenges: string[] } {
  const random = createSeededRandom(`authenticator ${seed++}`);
  const software = createSoftwareAuthenticator({ origin: server.url, random, prf });
  const challenges: string[] = [];
  return {
    isAvailable: () => true,
    create: software.create,
    challenges,
    get: (options, input) => {
      challenges.push((options as { challenge: string }).challenge);
      // As a browser does: its own host where the options name none.
      return software.get({ rpId: 'localhost', ...(options as object) }, input);
    },
  };
}

async function withAccount(): Promise<Rig & { account: OpenAccount; code: string; ports: ReturnType<Rig['visit']> }> {
  const rig = browser();
  const ports = rig.visit();
  const { code } = createRecoveryCode(rig.random);
  const account = await registerAccount(ports, await draftAccount(code, rig.random));
  return { ...rig, account, code, ports };
}

const codeOf = (code: string) => (error: ClientError) => error.code === code;
const sameKey = (a: OpenAccount, b: OpenAccount) =>
  equalBytes(unsafeRevealSecret(a.accountKey), unsafeRevealSecret(b.accountKey));
const pathsOf = (rig: Rig) => rig.network.sent.map(({ path }) => path);

test('CL-339 recovery code, passkey and passphrase each open the account without the server', async () => {
  const rig = await withAccount();
  const passkeys = authenticator();
  assert.equal(await addPasskey(rig.ports, passkeys, rig.account), 'opens-chats');
  await setPassphrase(rig.ports, rig.account, 'lantern under the stairs');
  rig.network.isCut = true;
  rig.network.sent.length = 0;
  assert.ok(sameKey(await unlockWithRecoveryCode(rig.visit(), rig.code), rig.account));
  assert.ok(sameKey(await unlockWithPasskey(rig.visit(), passkeys), rig.account));
  const opened = await unlockWithPassphrase(rig.visit(), rig.account.accountId, 'lantern under the stairs');
  assert.ok(sameKey(opened, rig.account));
  assert.deepEqual(opened.device.deviceId, rig.account.device.deviceId);
  assert.deepEqual(rig.network.sent, []);
});

test('CL-339 what a passkey signs without the server has a challenge of the client’s own, and is sent to nobody', async () => {
  const rig = await withAccount();
  const passkeys = authenticator();
  await addPasskey(rig.ports, passkeys, rig.account);
  rig.network.sent.length = 0;
  const ports = rig.visit();
  await unlockWithPasskey(ports, passkeys);
  await ports.api.signInAgain();
  const [first, ...others] = [...passkeys.challenges].reverse();
  assert.equal(parseBase64Url(first as string).length, 32);
  assert.ok(!others.includes(first as string));
  assert.ok(!pathsOf(rig).some((path) => path.includes('passkey')), pathsOf(rig).join(' '));
});

test('CL-341 an account that was opened without the server signs in by itself when it is there again', async () => {
  const rig = await withAccount();
  rig.forgetCookies();
  rig.network.isCut = true;
  const ports = rig.visit();
  await unlockWithRecoveryCode(ports, rig.code);
  await assert.rejects(ports.api.locks(), codeOf('network-unreachable'));
  rig.network.isCut = false;
  rig.network.sent.length = 0;
  assert.equal((await ports.api.locks()).accountId, encodeHex(rig.account.accountId));
  assert.deepEqual(pathsOf(rig), ['/api/locks', '/api/sign-in/device/options', '/api/sign-in/device', '/api/locks']);
  // Also for the line to a machine, which a guest's session would open too, and lose a moment later.
  rig.forgetCookies();
  const again = rig.visit();
  rig.network.isCut = true;
  await unlockWithRecoveryCode(again, rig.code);
  rig.network.isCut = false;
  await again.api.ensureSession();
  assert.equal((await again.api.locks()).accountId, encodeHex(rig.account.accountId));
});

test('CL-341 a session of another account that is left in the browser is not written into', async () => {
  const [first, second] = [await withAccount(), await withAccount()];
  const rig = browser();
  const before = rig.visit();
  await unlockWithRecoveryCode(before, second.code);
  await unlockWithRecoveryCode(rig.visit(), first.code);
  // The page of the second account ended without a word to the server.
  await unlockWithRecoveryCode(before, second.code);
  rig.network.isCut = true;
  const ports = rig.visit();
  await unlockWithRecoveryCode(ports, first.code);
  rig.network.isCut = false;
  await ports.api.putRecord('ab'.repeat(16), new Uint8Array(256));
  assert.equal((await ports.api.locks()).accountId, encodeHex(first.account.accountId));
  assert.equal((await ports.api.records(0)).records.length, 1);
  const other = second.visit();
  await unlockWithRecoveryCode(other, second.code);
  assert.equal((await other.api.records(0)).records.length, 0);
});

test('an account whose session is still good does not sign in again', async () => {
  const rig = await withAccount();
  rig.network.sent.length = 0;
  const ports = rig.visit();
  await unlockWithRecoveryCode(ports, rig.code);
  await ports.api.records(0);
  await ports.api.ensureSession();
  assert.ok(!pathsOf(rig).some((path) => path.includes('sign-in')), pathsOf(rig).join(' '));
  await ports.api.signOut();
  rig.network.sent.length = 0;
  await ports.api.records(0);
  assert.deepEqual(pathsOf(rig), ['/api/sign-in/device/options', '/api/sign-in/device', '/api/records']);
});

test('CL-341 a further device is registered when it unlocks, once, and signs in by its key the next time', async () => {
  const { code, account } = await withAccount();
  const rig = browser();
  await unlockWithRecoveryCode(rig.visit(), code);
  assert.equal(pathsOf(rig).filter((path) => path === '/api/devices').length, 1);
  rig.forgetCookies();
  rig.network.sent.length = 0;
  const ports = rig.visit();
  const opened = await unlockWithRecoveryCode(ports, code);
  await ports.api.signInAgain();
  assert.ok(sameKey(opened, account));
  assert.ok(pathsOf(rig).includes('/api/sign-in/device'));
  assert.ok(!pathsOf(rig).includes('/api/sign-in/recovery'), 'the code’s authenticator is not needed');
  assert.ok(!pathsOf(rig).includes('/api/devices'));
});

test('CL-341 a server that signs in another account is believed nothing', async () => {
  const [rig, other] = [await withAccount(), await withAccount()];
  rig.forgetCookies();
  const ports = rig.visit();
  ports.api.signInWithDevice = async () => encodeHex(other.account.accountId);
  ports.api.signInWithRecovery = async () => encodeHex(other.account.accountId);
  assert.ok(sameKey(await unlockWithRecoveryCode(ports, rig.code), rig.account));
  await assert.rejects(ports.api.signInAgain(), codeOf('server-malformed'));
  await rig.device.delete(`device-registered/${encodeHex(rig.account.accountId)}`);
  await assert.rejects(ports.api.signInAgain(), codeOf('server-malformed'));
});

test('CL-341 a device signs for the server that it talks to, and for its own account', async () => {
  const rig = await withAccount();
  rig.forgetCookies();
  const ports = rig.visit();
  // A server in the middle hands on what it is given to the real one.
  Object.defineProperty(ports.api, 'origin', { value: 'https://middle.example' });
  signingInLater(ports, rig.account);
  await assert.rejects(ports.api.signInAgain(), codeOf('device-refused'));
});

test('CL-341 a device that was removed is refused, and another lock signs in with the server first', async () => {
  const rig = await withAccount();
  const database = new DatabaseSync(join(dataDir, 'sotto.sqlite'));
  const { changes } = database
    .prepare('delete from devices where account_id = ?')
    .run(encodeHex(rig.account.accountId));
  database.close();
  assert.equal(changes, 1);
  const ports = rig.visit();
  signingInLater(ports, rig.account);
  await assert.rejects(ports.api.signInAgain(), codeOf('device-refused'));
  rig.forgetCookies();
  const without = rig.visit();
  signingInLater(without, rig.account);
  rig.network.sent.length = 0;
  for (let i = 0; i < 3; i++) await assert.rejects(without.api.locks(), codeOf('signed-out'));
  assert.ok(pathsOf(rig).filter((path) => path.startsWith('/api/sign-in/')).length <= 2, pathsOf(rig).join(' '));
  // The code signs in where the device cannot, and the device is registered anew.
  const again = rig.visit();
  await unlockWithRecoveryCode(again, rig.code);
  await again.api.signInAgain();
  assert.equal((await again.api.locks()).accountId, encodeHex(rig.account.accountId));
});

test('CL-340 kept locks are those of the last answer; what was changed or moved counts as not there', async () => {
  const [rig, other] = [await withAccount(), await withAccount()];
  const name = localName(rig.account.accountId, 'locks');
  const [kept] = await rig.sealed.get([name]);
  assert.ok(kept !== undefined);
  rig.network.isCut = true;
  for (const damaged of [
    undefined,
    new Uint8Array(0),
    encodeUtf8('{"accountId":"00"}'),
    new Uint8Array(2 * 1024 * 1024).fill(0x20),
    (await other.sealed.get([localName(other.account.accountId, 'locks')]))[0],
  ]) {
    rig.sealed.damage(name, damaged);
    await assert.rejects(unlockWithRecoveryCode(rig.visit(), rig.code), codeOf('network-unreachable'));
    await assert.rejects(unlockWithRecoveryCode(rig.visit(), other.code), codeOf('network-unreachable'));
  }
  // A lock whose bytes were changed does not open: the server is asked, and what it says is kept.
  const text = Buffer.from(kept).toString();
  rig.sealed.damage(name, encodeUtf8(text.replace(/"lock":"(.{200})./, '"lock":"$1A')));
  rig.network.isCut = false;
  assert.ok(sameKey(await unlockWithRecoveryCode(rig.visit(), rig.code), rig.account));
  rig.network.isCut = true;
  assert.ok(sameKey(await unlockWithRecoveryCode(rig.visit(), rig.code), rig.account));
});

test('CL-340 a browser with several accounts opens the one whose key it is given', async () => {
  const [first, second] = [await withAccount(), await withAccount()];
  const rig = browser();
  for (const { code } of [first, second]) await unlockWithRecoveryCode(rig.visit(), code);
  rig.network.isCut = true;
  assert.ok(sameKey(await unlockWithRecoveryCode(rig.visit(), first.code), first.account));
  assert.ok(sameKey(await unlockWithRecoveryCode(rig.visit(), second.code), second.account));
});

test('CL-335 nothing of a passphrase is sent: not the words, not the device secret, not the lock', async () => {
  const rig = await withAccount();
  const { ports, account } = rig;
  rig.network.sent.length = 0;
  await setPassphrase(ports, account, 'lantern under the stairs');
  const kept = (await rig.erasable.get(`passphrase/${encodeHex(account.accountId)}`)) as Uint8Array;
  const visit = rig.visit();
  signingInLater(visit, await unlockWithPassphrase(visit, account.accountId, 'lantern under the stairs'));
  await visit.api.signInAgain();
  await visit.api.locks();
  assert.ok(rig.network.sent.length > 0);
  const parts = [encodeUtf8('lantern'), kept.slice(1, 33), kept.slice(-48)];
  for (const { body, path } of rig.network.sent) {
    for (const part of parts) {
      for (const form of ['latin1', 'hex', 'base64', 'base64url'] as const) {
        assert.ok(!body.includes(Buffer.from(part).toString(form)), path);
      }
    }
  }
  assert.ok((await visit.api.locks()).locks.every(({ kind }) => kind === 'recovery-code'));
});

test('a passkey of another account, in a browser that keeps locks, is asked once more for the server', async () => {
  const [rig, other] = [await withAccount(), await withAccount()];
  const [mine, theirs] = [authenticator(), authenticator()];
  await addPasskey(rig.ports, mine, rig.account);
  await addPasskey(other.ports, theirs, other.account);
  const before = theirs.challenges.length;
  assert.ok(sameKey(await unlockWithPasskey(rig.visit(), theirs), other.account));
  assert.equal(theirs.challenges.length, before + 2);
});
