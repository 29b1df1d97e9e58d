/** Removing an account: only with a lock at hand, whole, and told to its other devices. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { encodeBase64, encodeHex, encodeUtf8 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createSeededRandom, createSoftwareAuthenticator } from '@sotto/testkit';
import { createDeviceKeys } from '@sotto/vault';
import { deviceSignInMessage } from '@sotto/wire';
import { forgetRemovedAccounts, removeAccount } from './account-removal.ts';
import {
  accountRequest,
  createAccount,
  createTestServer,
  ORIGIN,
  randomBase64,
  randomHex,
  type TestAccount,
} from './fixture-for-testing.ts';

const random = createSeededRandom('removal');
const DAY_MS = 86_400_000;

const recoveryOf = ({ lookupId, authenticator }: TestAccount) => ({ recovery: { lookupId, authenticator } });

/** An account with something in every table, a file, and a second device. */
async function fullAccount(t: TestContext) {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const { browser, accountId } = account;
  await browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(300));
  const part = random.bytes(4096);
  const blob = `/api/blobs/${randomHex()}`;
  const digest = { 'sotto-digest': encodeHex(sha256(part)) };
  assert.equal((await browser.call('PUT', `${blob}/0`, part, digest)).status, 200);
  const device = createSoftwareAuthenticator({ origin: ORIGIN, random });
  const creation = await browser.call('POST', '/api/passkeys/register/options', {});
  const { response } = await device.create(creation.json, encodeUtf8('constant'));
  await browser.call('POST', '/api/passkeys/register', response);
  const keys = await createDeviceKeys(random);
  const publicKey = encodeBase64(keys.publicKey);
  await browser.call('POST', '/api/devices', { publicKey, record: randomBase64(120) });
  const other = server.browser();
  await other.call('POST', '/api/sign-in/recovery', recoveryOf(account).recovery);
  const signInAsDevice = async (id: string) => {
    const { challenge } = (await other.call('POST', '/api/sign-in/device/options', {})).json;
    const message = deviceSignInMessage(Buffer.from(id, 'hex'), ORIGIN, Buffer.from(challenge, 'base64'));
    const signature = encodeBase64(await keys.sign(message));
    return other.call('POST', '/api/sign-in/device', { accountId: id, publicKey, challenge, signature });
  };
  return { server, account, accountId, browser, other, device, signInAsDevice };
}

test('SV-130 an account is removed only with a lock of it at hand', async (t) => {
  const { server, account, browser, device, accountId } = await fullAccount(t);
  const stranger = await createAccount(server);
  const wrong = { recovery: { ...recoveryOf(account).recovery, authenticator: randomBase64(32) } };
  for (const proof of [{}, wrong, recoveryOf(stranger)]) {
    const answer = await browser.call('POST', '/api/account/remove', proof);
    assert.deepEqual([answer.status, answer.json.error.code], [401, 'recovery-refused']);
  }
  const options = (await stranger.browser.call('POST', '/api/sign-in/passkey/options', {})).json;
  const foreign = { passkey: (await device.get(options, encodeUtf8('constant'))).response };
  const refused = await stranger.browser.call('POST', '/api/account/remove', foreign);
  assert.equal(refused.json.error.code, 'recovery-refused');
  assert.equal((await server.browser().call('POST', '/api/account/remove', recoveryOf(account))).status, 401);
  assert.equal((await browser.call('GET', '/api/locks')).json.accountId, accountId);

  const own = (await browser.call('POST', '/api/sign-in/passkey/options', {})).json;
  const answer = await device.get(own, encodeUtf8('constant'));
  const removed = await browser.call('POST', '/api/account/remove', { passkey: answer.response });
  assert.deepEqual([removed.status, removed.json], [200, { accountId }]);
});

test('SV-131 every row, file, session and line of it goes; its id and the time remain for ninety days', async (t) => {
  const { server, account, accountId, browser, other } = await fullAccount(t);
  const { services, sqlite } = server.graph;
  const ended: string[] = [];
  const end = services.onSessionEnd;
  services.captures.add(accountId, 0, 'to-node', random.bytes(60));
  const onSessionEnd = (hash: string) => {
    ended.push(hash);
    end(hash);
  };
  Object.assign(services, { onSessionEnd });
  assert.equal((await other.call('POST', '/api/account/remove', recoveryOf(account))).status, 200);
  assert.equal(ended.length, 2);
  assert.equal((await browser.call('GET', '/api/locks')).json.error.code, 'signed-out');
  const tables = (await services.db.introspection.getTables()).filter(({ columns }) =>
    columns.some(({ name }) => name === 'account_id'),
  );
  assert.ok(tables.length > 8);
  for (const { name } of tables) {
    const { count } = sqlite.prepare(`select count(*) as count from ${name} where account_id = ?`).get(accountId) as {
      count: number;
    };
    assert.equal(count, name === 'deleted_accounts' ? 1 : 0, name);
  }
  assert.deepEqual(services.captures.framesOf(accountId), []);
  for await (const { ownerId } of services.blobs.list()) assert.notEqual(ownerId, accountId);
  await server.clock.advance(91 * DAY_MS);
  await forgetRemovedAccounts(services);
  assert.equal((await services.db.selectFrom('deleted_accounts').selectAll().execute()).length, 0);
});

test('SV-132 a device of a removed account learns why, and who names another id learns nothing', async (t) => {
  const { account, accountId, browser, signInAsDevice } = await fullAccount(t);
  assert.equal((await signInAsDevice(accountId)).status, 200);
  assert.equal((await browser.call('POST', '/api/account/remove', recoveryOf(account))).status, 200);
  const told = await signInAsDevice(accountId);
  assert.deepEqual([told.status, told.json.error.code], [410, 'account-deleted']);
  assert.equal((await signInAsDevice(randomHex())).json.error.code, 'device-refused');
});

test('SV-131 a part that is on its way when its account is removed is not left behind', async (t) => {
  const { server, accountId, browser } = await fullAccount(t);
  const { services } = server.graph;
  const part = random.bytes(64);
  const digest = { 'sotto-digest': encodeHex(sha256(part)) };
  const answers = Array.from({ length: 8 }, (_, i) =>
    browser.call('PUT', `/api/blobs/${randomHex()}/${i}`, part, digest),
  );
  await Promise.all([removeAccount(services, accountId), ...answers]);
  for await (const { ownerId } of services.blobs.list()) assert.notEqual(ownerId, accountId);
});

test('SV-13 nobody takes the id of a removed account', async (t) => {
  const { server, account, accountId, browser } = await fullAccount(t);
  assert.equal((await browser.call('POST', '/api/account/remove', recoveryOf(account))).status, 200);
  const { body } = accountRequest();
  const answer = await server.browser().call('POST', '/api/accounts', { ...body, accountId });
  assert.deepEqual([answer.status, answer.json.error.code], [409, 'account-exists']);
});

test('SV-75 what a removed account left in the store is collected, and keeps no server from starting', async (t) => {
  const { server, account, accountId, browser } = await fullAccount(t);
  const left = { ownerId: accountId, blobId: randomHex(), part: 0 };
  await server.graph.services.blobs.put(left, random.bytes(10));
  assert.equal((await browser.call('POST', '/api/account/remove', recoveryOf(account))).status, 200);
  const { dataDir, clock } = server;
  const again = await createTestServer(t, { dataDir, clock });
  assert.ok(await again.graph.services.blobs.get(left));
});
