import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from './app.ts';
import { accountRequest, createAccount, createTestServer, ORIGIN, randomHex } from './fixture-for-testing.ts';

test('SV-05 a JSON call with the body of a form or of text is refused', async (t) => {
  const browser = (await createTestServer(t)).browser();
  const { body } = accountRequest();
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx']) {
    const answer = await browser.call('POST', '/api/accounts', body, { 'content-type': type });
    assert.equal(answer.json.error.code, 'bad-request', type);
  }
  const good = await browser.call('POST', '/api/accounts', body, { 'content-type': 'application/json; charset=utf-8' });
  assert.equal(good.status, 201);
});

test('SV-05 what is not JSON, or another shape, is a bad request and never a failure', async (t) => {
  const browser = (await createTestServer(t)).browser();
  for (const body of ['', '{', '[]', 'null', '"text"', '{"accountId":1}', '\u{feff}{}', '{"__proto__":{}}']) {
    const answer = await browser.call('POST', '/api/accounts', body);
    assert.equal(answer.status, 400, body);
    assert.equal(answer.json.error.code, 'bad-request', body);
  }
});

test('SV-07 a body beyond its cap is refused, JSON and record alike', async (t) => {
  const server = await createTestServer(t, { limits: { jsonBytes: 1000, recordBytes: 500 } });
  const { browser } = await createAccount(server);
  const long = await browser.call('POST', '/api/sign-in/recovery', { lookupId: 'A'.repeat(1000) });
  assert.equal(long.status, 413);
  assert.equal(long.json.error.code, 'too-large');
  const path = `/api/records/${randomHex()}`;
  assert.equal((await browser.call('PUT', path, new Uint8Array(500))).status, 200);
  assert.equal((await browser.call('PUT', path, new Uint8Array(501))).json.error.code, 'too-large');
  assert.equal((await browser.call('GET', '/api/records')).json.records.length, 1);
});

test('SV-07 the rest of an endless body is not read', async (t) => {
  const server = await createTestServer(t, { limits: { recordBytes: 1000 } });
  const { browser } = await createAccount(server);
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(400));
    },
  });
  const answer = await createApp(server.graph.services).request(`http://localhost:8787/api/records/${randomHex()}`, {
    method: 'PUT',
    headers: { host: 'localhost:8787', 'sotto-client': '1', cookie: browser.cookie },
    body: endless,
    duplex: 'half',
  } as RequestInit);
  assert.equal(answer.status, 413);
  assert.ok(pulled < 10);
});

test('SV-08 a body with a prf key is refused whole, at any depth and in any case', async (t) => {
  const server = await createTestServer(t);
  const { browser, accountId } = await createAccount(server);
  const bodies = [
    { id: 'x', clientExtensionResults: { prf: { results: { first: 'secret' } } } },
    { prf: null },
    { a: [{ b: [[{ PRF: 1 }]] }] },
    `${'{"a":'.repeat(10_000)}{"prf":1}${'}'.repeat(10_000)}`,
  ];
  for (const body of bodies) {
    for (const path of ['/api/passkeys/register', '/api/sign-in/passkey', '/api/accounts', '/api/sign-in/recovery']) {
      const answer = await browser.call('POST', path, body);
      assert.equal(answer.json.error.code, 'prf-refused', path);
      assert.equal(answer.json.error.action, 'stop');
    }
    assert.equal((await browser.call('PUT', `/api/locks/${randomHex()}`, body)).json.error.code, 'prf-refused');
  }
  assert.ok(!server.log.join('').includes('secret'));
  const { json } = await browser.call('GET', '/api/operator-view');
  assert.ok(!JSON.stringify(json).includes('secret'), accountId);
});

test('SV-141 a body that ends before its time is the sender’s doing, also in the log', async (t) => {
  const server = await createTestServer(t);
  const { browser } = await createAccount(server);
  const app = createApp(server.graph.services);
  for (const [method, path, type] of [
    ['POST', '/api/records/batch', 'application/octet-stream'],
    ['POST', '/api/rotation', 'application/json'],
  ] as const) {
    let pieces = 0;
    const cut = new ReadableStream({
      pull(controller) {
        if (pieces++ === 0) controller.enqueue(new Uint8Array(3));
        else controller.error(new Error('hung up'));
      },
    });
    const { host } = new URL(ORIGIN);
    const headers = { host, 'sotto-client': '1', 'content-type': type, cookie: browser.cookie };
    const init: RequestInit & { duplex: 'half' } = { method, headers, body: cut, duplex: 'half' };
    assert.equal((await app.request(`${ORIGIN}${path}`, init)).status, 400, path);
    const line = JSON.parse(server.log.at(-1) ?? '');
    assert.deepEqual([line.level, line.code], ['info', 'bad-request']);
  }
});
