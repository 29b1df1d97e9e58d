import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeBase64Url, encodeHex, parseBase64Url } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createAccount, createTestServer, randomHex } from './fixture-for-testing.ts';
import { Sessions } from './sessions.ts';

test('SV-09 the cookie is 32 random bytes that scripts and other sites never get; the database holds its digest only', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const header = (await browser.call('POST', '/api/guest')).headers.getSetCookie()[0] ?? '';
  assert.match(header, /^sotto-8787=[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
  const token = browser.cookie.split('=')[1] ?? '';
  const rows = await server.graph.services.db.selectFrom('sessions').selectAll().execute();
  assert.equal(rows[0]?.token_hash, encodeHex(sha256(parseBase64Url(token))));
  for (const file of ['sotto.sqlite', 'sotto.sqlite-wal']) {
    const bytes = await readFile(join(server.dataDir, file));
    assert.equal(bytes.indexOf(token), -1);
    assert.equal(bytes.indexOf(Buffer.from(parseBase64Url(token))), -1);
  }
  assert.ok(!server.log.join('\n').includes(token));
});

test('SV-09 over TLS the cookie is Secure and bound to this host', async (t) => {
  const { graph } = await createTestServer(t);
  const { db, clock, random } = graph.services;
  await db
    .insertInto('guests')
    .values({ guest_id: 'a'.repeat(32), created_at_ms: 0 })
    .execute();
  const header = await new Sessions(db, clock, random, 1000).start(
    { kind: 'guest', id: 'a'.repeat(32) },
    { origin: 'https://chat.example', rpId: 'chat.example', secure: true, cookieName: '__Host-sotto' },
  );
  assert.match(header, /^__Host-sotto=[\w-]{43}; Path=\/; Max-Age=1; HttpOnly; SameSite=Strict; Secure$/);
});

test('SV-10 without a session nothing of an account is reached, and a made-up cookie is no session', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const calls = [
    ['GET', '/api/records'],
    ['PUT', `/api/records/${randomHex()}`],
    ['DELETE', `/api/records/${randomHex()}`],
    ['GET', '/api/locks'],
    ['PUT', `/api/locks/${randomHex()}`],
    ['POST', '/api/passkeys/register/options'],
    ['POST', '/api/passkeys/register'],
    ['GET', '/api/operator-view'],
    ['POST', '/api/sign-out'],
  ] as const;
  const cookies = ['', 'sotto-8787=', 'sotto-8787=x', `sotto-8787=${encodeBase64Url(new Uint8Array(32))}`, ';;=;'];
  for (const [method, path] of calls) {
    for (const cookie of cookies) {
      browser.cookie = cookie;
      const answer = await browser.call(method, path, method === 'PUT' ? new Uint8Array(4) : undefined);
      assert.equal(answer.status, 401, `${path} ${cookie}`);
      assert.equal(answer.json.error.code, 'signed-out');
    }
  }
});

test('SV-10 a session ends by itself after its time, and is swept away', async (t) => {
  const server = await createTestServer(t, { limits: { sessionMs: 60_000 } });
  const { browser } = await createAccount(server);
  await server.clock.advance(59_999);
  assert.equal((await browser.call('GET', '/api/locks')).status, 200);
  await server.clock.advance(1);
  assert.equal((await browser.call('GET', '/api/locks')).json.error.code, 'signed-out');
  await server.graph.services.sessions.sweep();
  assert.equal((await server.graph.services.db.selectFrom('sessions').selectAll().execute()).length, 0);
});

test('SV-11 a guest is an id and a time, and reaches nothing of accounts', async (t) => {
  const server = await createTestServer(t);
  const browser = server.browser();
  const { json } = await browser.call('POST', '/api/guest');
  assert.match(json.guestId, /^[0-9a-f]{32}$/);
  const again = await browser.call('POST', '/api/guest');
  assert.equal(again.json.guestId, json.guestId);
  const rows = await server.graph.services.db.selectFrom('guests').selectAll().execute();
  assert.deepEqual(
    rows.map((row) => Object.keys(row)),
    [['guest_id', 'created_at_ms']],
  );
  for (const [method, path] of [
    ['GET', '/api/records'],
    ['PUT', `/api/records/${randomHex()}`],
    ['GET', '/api/locks'],
    ['POST', '/api/passkeys/register/options'],
  ] as const) {
    const answer = await browser.call(method, path, method === 'PUT' ? new Uint8Array(4) : undefined);
    assert.equal(answer.status, 403, path);
    assert.equal(answer.json.error.code, 'account-required');
  }
});

test('SV-11 a guest that no session can reach any more is forgotten', async (t) => {
  const server = await createTestServer(t, { limits: { sessionMs: 60_000 } });
  await server.browser().call('POST', '/api/guest');
  await server.clock.advance(60_000);
  await server.browser().call('POST', '/api/guest');
  await server.graph.services.sessions.sweep();
  assert.equal((await server.graph.services.db.selectFrom('guests').selectAll().execute()).length, 1);
});

test('SV-19 signing out ends the session for good and clears the cookie', async (t) => {
  const server = await createTestServer(t);
  const { browser } = await createAccount(server);
  const stolen = browser.cookie;
  const answer = await browser.call('POST', '/api/sign-out', {});
  assert.equal(answer.status, 204);
  assert.match(answer.headers.getSetCookie()[0] ?? '', /Max-Age=0/);
  browser.cookie = stolen;
  assert.equal((await browser.call('GET', '/api/locks')).json.error.code, 'signed-out');
});

test('SV-19 signing in ends the session that was there before', async (t) => {
  const server = await createTestServer(t);
  const first = await createAccount(server);
  const second = await createAccount(server);
  const before = second.browser.cookie;
  const { lookupId, authenticator } = first;
  assert.equal((await second.browser.call('POST', '/api/sign-in/recovery', { lookupId, authenticator })).status, 200);
  assert.equal((await second.browser.call('GET', '/api/locks')).json.accountId, first.accountId);
  second.browser.cookie = before;
  assert.equal((await second.browser.call('GET', '/api/locks')).status, 401);
});
