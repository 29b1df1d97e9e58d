import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, parseBase64 } from '@sotto/bytes';
import { accountRequest, createAccount, createTestServer, randomBase64, randomHex } from './fixture-for-testing.ts';

const lockIdOf = (lookupId: string) => encodeHex(parseBase64(lookupId));

test('SV-12 SV-13 a new account is signed in and lists its first lock under the lookup id', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const { body } = accountRequest();
  const answer = await browser.call('POST', '/api/accounts', body);
  assert.deepEqual(answer.json, { accountId: body.accountId });
  const locks = await browser.call('GET', '/api/locks');
  assert.deepEqual(locks.json, {
    accountId: body.accountId,
    locks: [{ lockId: lockIdOf(body.recovery.lookupId), kind: 'recovery-code', lock: body.lock }],
  });
});

test('SV-13 an account id or a lookup id that exists is refused without a session, also when all else is equal', async (t) => {
  const server = await createTestServer(t);
  const { body } = accountRequest();
  assert.equal((await server.browser().call('POST', '/api/accounts', body)).status, 201);
  const other = accountRequest().body;
  for (const repeated of [body, { ...other, accountId: body.accountId }, { ...other, recovery: body.recovery }]) {
    const browser = server.browser();
    const answer = await browser.call('POST', '/api/accounts', repeated);
    assert.equal(answer.status, 409);
    assert.equal(answer.json.error.code, 'account-exists');
    assert.equal(browser.cookie, '');
  }
});

test('SV-13 a guest that becomes an account is erased', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  await browser.call('POST', '/api/guest');
  assert.equal((await browser.call('POST', '/api/accounts', accountRequest().body)).status, 201);
  const { db } = server.graph.services;
  assert.equal((await db.selectFrom('guests').selectAll().execute()).length, 0);
  assert.equal((await db.selectFrom('sessions').selectAll().execute()).length, 1);
});

test('SV-14 when one row cannot be written nothing of the account is', async (t) => {
  const server = await createTestServer(t);
  server.graph.sqlite.exec('create trigger refuse before insert on locks begin select raise(abort, "no"); end');
  const answer = await server.browser().call('POST', '/api/accounts', accountRequest().body);
  assert.ok(answer.status >= 500);
  for (const table of ['accounts', 'devices', 'recoveries', 'locks', 'sessions'] as const) {
    assert.equal((await server.graph.services.db.selectFrom(table).selectAll().execute()).length, 0, table);
  }
});

test('SV-17 a lock may name only a passkey of its own account', async (t) => {
  const server = await createTestServer(t);
  const { browser } = await createAccount(server);
  const stranger = await createAccount(server);
  await server.graph.services.db
    .insertInto('credentials')
    .values({
      credential_id: 'AAAA',
      account_id: stranger.accountId,
      public_key: new Uint8Array(8),
      counter: 0,
      transports: '',
      created_at_ms: 0,
      last_used_at_ms: null,
    })
    .execute();
  for (const credentialId of ['AAAA', 'BBBB']) {
    const lock = { kind: 'passkey-prf', lock: randomBase64(90), credentialId };
    assert.equal((await browser.call('PUT', `/api/locks/${randomHex()}`, lock)).status, 400);
  }
  const own = { kind: 'passkey-prf', lock: randomBase64(90), credentialId: 'AAAA' };
  assert.equal((await stranger.browser.call('PUT', `/api/locks/${randomHex()}`, own)).status, 200);
});

test('SV-12 a lock id of another account makes a lock of one’s own and leaves the other’s', async (t) => {
  const server = await createTestServer(t);
  const mine = await createAccount(server);
  const theirs = await createAccount(server);
  const lock = { kind: 'recovery-code', lock: randomBase64(90) };
  const before = (await theirs.browser.call('GET', '/api/locks')).text;
  assert.equal((await mine.browser.call('PUT', `/api/locks/${lockIdOf(theirs.lookupId)}`, lock)).status, 200);
  assert.equal((await theirs.browser.call('GET', '/api/locks')).text, before);
  assert.equal((await mine.browser.call('GET', '/api/locks')).json.locks.length, 2);
});

test('SV-18 an unknown recovery code and a wrong one get the same bytes', async (t) => {
  const server = await createTestServer(t);
  const { accountId, lookupId, authenticator } = await createAccount(server);
  const answers = [
    await server.browser().call('POST', '/api/sign-in/recovery', { lookupId, authenticator: randomBase64(32) }),
    await server.browser().call('POST', '/api/sign-in/recovery', { lookupId: randomBase64(16), authenticator }),
    await server.browser().call('POST', '/api/sign-in/recovery', {
      lookupId: randomBase64(16),
      authenticator: Buffer.alloc(32).toString('base64'),
    }),
  ];
  for (const answer of answers) {
    assert.equal(answer.status, 401);
    assert.equal(answer.text, answers[0]?.text);
    assert.deepEqual([...answer.headers], [...(answers[0]?.headers ?? [])]);
    assert.equal(answer.json.error.code, 'recovery-refused');
    assert.match(answer.json.error.message, /recovery code/);
  }
  const good = await server.browser().call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  assert.deepEqual(good.json, { accountId });
});

test('SV-20 guessing at one recovery code is slowed, from however many addresses', async (t) => {
  const server = await createTestServer(t, { limits: { recoveries: { burst: 3, perSecond: 0.1 } } });
  const lookupId = randomBase64(16);
  const statuses = [];
  for (let i = 0; i < 5; i++) {
    // Each try is what another address would spend, so that only the code's own count is left.
    server.graph.services.rates.recoveries.take('local', -1);
    const answer = await server.browser().call('POST', '/api/sign-in/recovery', {
      lookupId,
      authenticator: randomBase64(32),
    });
    statuses.push(answer.status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
  await server.clock.advance(10_000);
  const later = await server.browser().call('POST', '/api/sign-in/recovery', {
    lookupId,
    authenticator: randomBase64(32),
  });
  assert.equal(later.status, 401);
});

test('SV-20 guests are limited by address', async (t) => {
  const server = await createTestServer(t, { limits: { guests: { burst: 2, perSecond: 1 } } });
  assert.equal((await server.browser().call('POST', '/api/guest')).status, 201);
  assert.equal((await server.browser().call('POST', '/api/guest')).status, 201);
  const answer = await server.browser().call('POST', '/api/guest');
  assert.equal(answer.status, 429);
  assert.equal(answer.json.error.code, 'rate-limited');
  assert.ok(answer.headers.has('retry-after'));
  await server.clock.advance(1000);
  assert.equal((await server.browser().call('POST', '/api/guest')).status, 201);
});

test('SV-21 an account holds a bounded number of locks; one it has can still be written anew', async (t) => {
  const server = await createTestServer(t, { limits: { locksPerAccount: 2 } });
  const { browser } = await createAccount(server);
  const lockId = randomHex();
  const put = (id: string) =>
    browser.call('PUT', `/api/locks/${id}`, { kind: 'recovery-code', lock: randomBase64(90) });
  assert.equal((await put(lockId)).status, 200);
  assert.equal((await put(randomHex())).json.error.code, 'locks-full');
  assert.equal((await put(lockId)).status, 200);
  assert.equal((await browser.call('GET', '/api/locks')).json.locks.length, 2);
});
