/** Sealed copies of chats behind links: kept, handed to whoever has the link, taken back, and ended. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { createAccount, createTestServer, randomHex } from './fixture-for-testing.ts';
import { removeExpiredShares } from './routes/shares.ts';

const random = createSeededRandom('shares');
const DAY_MS = 86_400_000;

async function shared(t: TestContext, days: number | string = 7, limits = {}) {
  const server = await createTestServer(t, { limits });
  const { browser, accountId } = await createAccount(server);
  const [shareId, sealed] = [randomHex(), random.bytes(5000)];
  const answer = await browser.call('PUT', `/api/shares/${shareId}?days=${days}`, sealed);
  const read = (id = shareId) => server.browser().call('GET', `/api/shares/${id}`);
  return { server, browser, accountId, shareId, sealed, answer, read };
}

test('SV-120 a copy is read by anybody, and listed and taken back by its owner alone', async (t) => {
  const { server, browser, shareId, answer, read } = await shared(t);
  assert.deepEqual(answer.json, { shareId, expiresAtMs: server.clock.nowMs() + 7 * DAY_MS });
  const found = await read();
  assert.deepEqual([found.status, found.headers.get('cache-control')], [200, 'no-store']);
  const other = await createAccount(server);
  assert.deepEqual((await other.browser.call('GET', '/api/shares')).json, { shares: [] });
  await other.browser.call('DELETE', `/api/shares/${shareId}`);
  assert.equal((await read()).status, 200, 'another account takes nothing back');
  for (const [method, path] of [
    ['GET', '/api/shares'],
    ['PUT', `/api/shares/${randomHex()}?days=1`],
    ['DELETE', `/api/shares/${shareId}`],
  ] as const) {
    const body = method === 'PUT' ? random.bytes(10) : undefined;
    assert.equal((await server.browser().call(method, path, body)).status, 401, method);
  }
  const list = (await browser.call('GET', '/api/shares')).json.shares;
  assert.deepEqual(list, [{ shareId, createdAtMs: server.clock.nowMs(), expiresAtMs: answer.json.expiresAtMs }]);
  assert.equal((await browser.call('DELETE', `/api/shares/${shareId}`)).status, 200);
  assert.equal((await read()).json.error.code, 'share-unknown');
});

test('SV-121 an account has so many copies, of so many bytes', async (t) => {
  const { browser } = await shared(t, 7, { sharesPerAccount: 2 });
  const put = (bytes: number) => browser.call('PUT', `/api/shares/${randomHex()}?days=1`, random.bytes(bytes));
  assert.equal((await put(1024 * 1024 + 1)).json.error.code, 'too-large');
  assert.equal((await put(0)).json.error.code, 'bad-request');
  assert.equal((await put(1024)).status, 200);
  assert.equal((await put(1024)).json.error.code, 'shares-full');
});

test('SV-122 every copy has an end, and is gone after it', async (t) => {
  for (const days of [0, 366, 1.5, -1, 'x', '']) assert.equal((await shared(t, days)).answer.status, 400, String(days));
  const { server, browser, read } = await shared(t, 1);
  await server.clock.advance(DAY_MS - 1000);
  assert.equal((await read()).status, 200);
  await server.clock.advance(1000);
  assert.equal((await read()).json.error.code, 'share-unknown');
  assert.deepEqual((await browser.call('GET', '/api/shares')).json, { shares: [] });
  const { services } = server.graph;
  assert.equal((await services.db.selectFrom('shares').select('share_id').execute()).length, 1);
  await removeExpiredShares(services);
  assert.equal((await services.db.selectFrom('shares').select('share_id').execute()).length, 0);
});

test('SV-123 nothing takes the place of a copy', async (t) => {
  const { server, browser, shareId } = await shared(t);
  const other = await createAccount(server);
  for (const who of [browser, other.browser]) {
    const answer = await who.call('PUT', `/api/shares/${shareId}?days=1`, random.bytes(10));
    assert.deepEqual([answer.status, answer.json.error.code], [409, 'share-taken']);
  }
});

test('SV-124 SV-125 an unknown, an ended and a revoked link get one answer; another form is none', async (t) => {
  const { server, browser, shareId, read } = await shared(t, 1);
  const unknown = await read(randomHex());
  await browser.call('DELETE', `/api/shares/${shareId}`);
  const revoked = await read();
  assert.deepEqual([unknown.status, unknown.text], [revoked.status, revoked.text]);
  const second = await browser.call('PUT', `/api/shares/${shareId}?days=1`, random.bytes(10));
  assert.equal(second.status, 200);
  await server.clock.advance(2 * DAY_MS);
  assert.equal((await read()).text, unknown.text);
  for (const odd of ['x', 'A'.repeat(32), '0'.repeat(31), '..%2f']) assert.equal((await read(odd)).status, 400, odd);
  const answers = [];
  for (let i = 0; i < 80; i++) answers.push((await read(randomHex())).status);
  assert.ok(answers.includes(429));
});
