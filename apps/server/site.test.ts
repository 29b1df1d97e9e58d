import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { createApp } from './app.ts';
import { createTestServer } from './fixture-for-testing.ts';
import { plainSites, tlsSites } from './site.ts';

test('SV-01 over plain http every host but localhost on this port gets a page that says why and where to go', async (t) => {
  const browser = (await createTestServer(t)).browser();
  for (const host of [
    '127.0.0.1:8787',
    'localhost:9',
    'localhost',
    'evil.example',
    '[::1]:8787',
    'localhost.evil:8787',
  ]) {
    const page = await browser.call('GET', '/', undefined, { host });
    assert.equal(page.status, 421, host);
    assert.match(page.text, /127\.0\.0\.1/);
    assert.match(page.text, /href="http:\/\/localhost:8787"/);
    assert.match(page.text, /--cert FILE --key FILE/);
    assert.match(page.headers.get('content-security-policy') ?? '', /connect-src 'none'/);
    const call = await browser.call('POST', '/api/guest', {}, { host });
    assert.equal(call.json.error.code, 'host-refused', host);
    assert.equal(call.headers.getSetCookie().length, 0);
  }
  assert.notEqual((await browser.call('GET', '/')).status, 421);
});

test('SV-01 on port 80 the port is left out, as browsers do', () => {
  const siteOf = plainSites(() => 80);
  assert.equal(siteOf('localhost', undefined)?.origin, 'http://localhost');
  assert.equal(siteOf('localhost:80', undefined), undefined);
});

test('SV-01 over TLS the names in the certificate are served, with the exact host as RP id', () => {
  const siteOf = tlsSites();
  const certificate = { subject: { CN: 'chat.example' }, subjectaltname: 'DNS:chat.example, DNS:*.team.example' };
  const socket = { getCertificate: () => certificate } as unknown as Socket;
  const site = siteOf('chat.example:8443', socket);
  assert.deepEqual(site, {
    origin: 'https://chat.example:8443',
    rpId: 'chat.example',
    secure: true,
    cookieName: '__Host-sotto',
  });
  assert.equal(siteOf('a.team.example', socket)?.rpId, 'a.team.example');
  for (const host of ['evil.example', 'example', 'chat.example.evil', 'CHAT.example', 'chat.example/', '', undefined]) {
    assert.equal(siteOf(host, socket), undefined, host);
  }
  assert.equal(siteOf('chat.example', {} as Socket), undefined);
});

test('SV-02 another origin may neither read nor change anything', async (t) => {
  const browser = (await createTestServer(t)).browser();
  for (const origin of ['http://evil.example', 'http://localhost:9999', 'https://localhost:8787', 'null']) {
    for (const method of ['GET', 'POST']) {
      const answer = await browser.call(method, method === 'GET' ? '/api/nodes' : '/api/guest', undefined, { origin });
      assert.equal(answer.status, 403, origin);
      assert.equal(answer.json.error.code, 'origin-refused');
    }
  }
  assert.equal((await browser.call('POST', '/api/guest')).status, 201);
});

test('SV-03 a change without our header is refused, also one without any Origin', async (t) => {
  const { graph, browser } = await createTestServer(t);
  const app = createApp(graph.services);
  const bare = await app.request('http://localhost:8787/api/guest', {
    method: 'POST',
    headers: { host: 'localhost:8787' },
  });
  assert.equal(bare.status, 403);
  const wrong = await browser().call('POST', '/api/guest', undefined, { 'sotto-client': '2' });
  assert.equal(wrong.json.error.code, 'client-header-missing');
});

test('SV-04 pages, answers and refusals all carry the strict headers', async (t) => {
  const browser = (await createTestServer(t)).browser();
  const answers = [
    await browser.call('GET', '/'),
    await browser.call('GET', '/api/nodes'),
    await browser.call('GET', '/api/nothing'),
    await browser.call('PATCH', '/api/records/x', {}),
    await browser.call('POST', '/api/guest', undefined, { origin: 'http://evil.example' }),
    await browser.call('GET', '/', undefined, { host: 'evil.example' }),
  ];
  for (const { headers } of answers) {
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "font-src 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types sotto-worker',
    ]) {
      assert.ok(policy.split('; ').includes(part), part);
    }
    assert.doesNotMatch(policy, /unsafe|https:|\*/);
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(headers.get('cross-origin-embedder-policy'), 'require-corp');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.match(headers.get('permissions-policy') ?? '', /publickey-credentials-get=\(self\)/);
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.ok(headers.has('cache-control'));
  }
});
