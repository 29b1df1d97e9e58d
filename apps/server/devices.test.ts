import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBase64, parseBase64, parseHex } from '@sotto/bytes';
import { ed25519PublicKey, signEd25519 } from '@sotto/crypto/sign';
import { createSeededRandom } from '@sotto/testkit';
import { deviceSignInMessage } from '@sotto/wire';
import {
  type Browser,
  createAccount,
  createTestServer,
  ORIGIN,
  randomBase64,
  randomHex,
  type TestServerOptions,
} from './fixture-for-testing.ts';

const random = createSeededRandom('device sign-in');

async function rig(t: Parameters<typeof createTestServer>[0], options: TestServerOptions = {}) {
  const server = await createTestServer(t, options);
  const account = await createAccount(server);
  const device = await register(account.browser);
  return { server, ...account, device, elsewhere: server.browser() };
}

interface Device {
  readonly privateKey: Uint8Array;
  readonly publicKey: string;
}

async function newDevice(): Promise<Device> {
  const privateKey = random.bytes(32);
  return { privateKey, publicKey: encodeBase64(await ed25519PublicKey(privateKey)) };
}

async function register(browser: Browser): Promise<Device> {
  const device = await newDevice();
  const { publicKey } = device;
  const answer = await browser.call('POST', '/api/devices', { publicKey, record: randomBase64(120) });
  assert.equal(answer.status, 200, answer.text);
  return device;
}

async function challengeFor(browser: Browser): Promise<string> {
  return (await browser.call('POST', '/api/sign-in/device/options', {})).json.challenge;
}

/** Signs as the device does, or as `changed` says. */
async function signIn(
  browser: Browser,
  device: Device,
  accountId: string,
  changed: { challenge?: string; origin?: string; signedAccount?: string; signature?: string } = {},
) {
  const challenge = changed.challenge ?? (await challengeFor(browser));
  const message = deviceSignInMessage(
    parseHex(changed.signedAccount ?? accountId, 16),
    changed.origin ?? ORIGIN,
    parseBase64(challenge),
  );
  const signature = changed.signature ?? encodeBase64(await signEd25519(device.privateKey, message));
  return browser.call('POST', '/api/sign-in/device', { accountId, publicKey: device.publicKey, challenge, signature });
}

test('SV-110 a registered device signs in, also the second one of an account', async (t) => {
  const { browser, elsewhere, accountId, device } = await rig(t);
  const answer = await signIn(elsewhere, device, accountId);
  assert.deepEqual([answer.status, answer.json], [200, { accountId }]);
  assert.equal((await elsewhere.call('GET', '/api/locks')).json.accountId, accountId);
  const second = await register(browser);
  assert.equal((await signIn(elsewhere, second, accountId)).status, 200);
});

test('SV-110 a signature over anything else signs nobody in', async (t) => {
  const { server, elsewhere, accountId, device } = await rig(t);
  const other = await createAccount(server);
  for (const changed of [
    { origin: 'https://evil.example' },
    { signedAccount: other.accountId },
    { signature: randomBase64(64) },
  ]) {
    const answer = await signIn(elsewhere, device, accountId, changed);
    assert.deepEqual([answer.status, answer.json.error.code], [401, 'device-refused'], JSON.stringify(changed));
  }
  const challenge = await challengeFor(elsewhere);
  const unlabelled = encodeBase64(await signEd25519(device.privateKey, parseBase64(challenge)));
  const answer = await signIn(elsewhere, device, accountId, { challenge, signature: unlabelled });
  assert.equal(answer.json.error.code, 'device-refused');
});

test('SV-111 unknown accounts, unknown devices, removed ones and wrong signatures get the same bytes', async (t) => {
  const { server, browser, elsewhere, accountId, device } = await rig(t);
  const other = await createAccount(server);
  const foreign = await register(other.browser);
  const removed = await register(browser);
  const { db } = server.graph.services;
  await db.deleteFrom('devices').where('public_key', '=', parseBase64(removed.publicKey)).execute();
  const answers = [
    await signIn(elsewhere, device, randomHex()),
    await signIn(elsewhere, await newDevice(), accountId),
    await signIn(elsewhere, foreign, accountId),
    await signIn(elsewhere, removed, accountId),
    await signIn(elsewhere, device, accountId, { signature: randomBase64(64) }),
  ];
  assert.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1);
  assert.equal(answers[0]?.json.error.code, 'device-refused');
  assert.equal(elsewhere.cookie, '');
});

test('SV-16 a device’s challenge works once, for minutes, and for nothing else', async (t) => {
  const { server, elsewhere, accountId, device } = await rig(t);
  const challenge = await challengeFor(elsewhere);
  assert.equal((await signIn(elsewhere, device, accountId, { challenge })).status, 200);
  assert.equal((await signIn(elsewhere, device, accountId, { challenge })).json.error.code, 'challenge-expired');
  const late = await challengeFor(elsewhere);
  await server.clock.advance(5 * 60 * 1000 + 1);
  const answer = await signIn(elsewhere, device, accountId, { challenge: late });
  assert.equal(answer.json.error.code, 'challenge-expired');
  const options = await elsewhere.call('POST', '/api/sign-in/passkey/options', {});
  const passkeys = encodeBase64(Buffer.from(options.json.challenge, 'base64url'));
  const crossed = await signIn(elsewhere, device, accountId, { challenge: passkeys });
  assert.equal(crossed.json.error.code, 'challenge-expired');
});

test('SV-20 device sign-ins are limited per address and per account', async (t) => {
  const { elsewhere, accountId, device } = await rig(t, { limits: { deviceSignIns: { burst: 3, perSecond: 0 } } });
  assert.equal((await signIn(elsewhere, device, accountId)).status, 200);
  assert.equal((await signIn(elsewhere, device, accountId)).json.error.code, 'rate-limited');
  assert.equal((await elsewhere.call('POST', '/api/sign-in/device/options', {})).json.error.code, 'rate-limited');
});

test('SV-112 only who is signed in registers a device, once each, and at most so many', async (t) => {
  const { browser, elsewhere, device } = await rig(t, { limits: { devicesPerAccount: 3 } });
  const body = { publicKey: device.publicKey, record: randomBase64(120) };
  assert.equal((await elsewhere.call('POST', '/api/devices', body)).json.error.code, 'signed-out');
  await elsewhere.call('POST', '/api/guest', {});
  assert.equal((await elsewhere.call('POST', '/api/devices', body)).json.error.code, 'account-required');
  // The account's first device, the rig's, and one more.
  assert.equal((await browser.call('POST', '/api/devices', body)).status, 200);
  await register(browser);
  const { publicKey } = await newDevice();
  const full = await browser.call('POST', '/api/devices', { publicKey, record: randomBase64(120) });
  assert.deepEqual([full.status, full.json.error.code], [409, 'devices-full']);
  assert.equal((await browser.call('POST', '/api/devices', body)).status, 200, 'one that is known is no new one');
});

test('SV-113 a request for one account is refused in a session of another, and in a guest’s', async (t) => {
  const { server, browser, accountId } = await rig(t);
  const other = await createAccount(server);
  const forWhom = { 'sotto-account': accountId };
  assert.equal((await browser.call('GET', '/api/locks', undefined, forWhom)).status, 200);
  const guest = server.browser();
  await guest.call('POST', '/api/guest', {});
  for (const elsewhere of [other.browser, guest, server.browser()]) {
    for (const [method, path] of [
      ['GET', '/api/locks'],
      ['GET', '/api/records?after=0'],
      ['DELETE', `/api/records/${randomHex()}`],
    ] as const) {
      const answer = await elsewhere.call(method, path, undefined, forWhom);
      assert.deepEqual([answer.status, answer.json.error.code], [401, 'signed-out'], path);
    }
  }
  assert.equal((await other.browser.call('GET', '/api/locks')).status, 200);
});
