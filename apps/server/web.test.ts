import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestServer } from './fixture-for-testing.ts';

async function withWeb(t: Parameters<typeof createTestServer>[0]) {
  const server = await createTestServer(t);
  await mkdir(join(server.webDir, 'assets'));
  await writeFile(join(server.webDir, 'index.html'), '<!doctype html>the app');
  await writeFile(join(server.webDir, 'assets/index-a1B2_c3D.js'), 'run()');
  await writeFile(join(server.webDir, 'icon.svg'), '<svg/>');
  await writeFile(join(server.webDir, '.secret'), 'hidden');
  await writeFile(join(server.webDir, '../sotto-beside.txt'), 'beside');
  return server.browser();
}

test('SV-06 no path leaves the web folder or reaches a hidden file', async (t) => {
  const browser = await withWeb(t);
  for (const path of [
    '/..%2fsotto-beside.txt',
    '/%2e%2e/sotto-beside.txt',
    '/assets/..%2f..%2fsotto-beside.txt',
    '/.secret',
    '/assets/.secret',
    '/%2esecret',
    '/%00',
    '/index.html%00.js',
    '//etc/passwd',
    '/a\\..\\..\\x',
  ]) {
    const { status, text } = await browser.call('GET', path);
    assert.ok(!/beside|hidden|root:/.test(text), path);
    if (path.includes('%') || path.includes('secret')) assert.equal(status, 404, path);
  }
});

test('SV-06 hashed names are cached for ever, the rest is asked for again', async (t) => {
  const browser = await withWeb(t);
  const script = await browser.call('GET', '/assets/index-a1B2_c3D.js');
  assert.equal(script.text, 'run()');
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  for (const path of ['/', '/index.html', '/chat/abc', '/icon.svg']) {
    const page = await browser.call('GET', path);
    assert.equal(page.status, 200, path);
    assert.equal(page.headers.get('cache-control'), 'no-cache', path);
  }
  assert.equal((await browser.call('GET', '/chat/abc')).text, '<!doctype html>the app');
  assert.equal((await browser.call('GET', '/assets/missing-a1B2_c3D.js')).status, 404);
});

test('SV-06 without a built web app the page says which command builds it', async (t) => {
  const browser = (await createTestServer(t)).browser();
  const { status, json } = await browser.call('GET', '/');
  assert.equal(status, 503);
  assert.match(json.error.message, /npm run build:web/);
});

test('SV-06 text is compressed for those who take it, and only for them', async (t) => {
  const browser = await withWeb(t);
  const plain = await browser.call('GET', '/');
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(plain.headers.get('vary'), 'accept-encoding');
  for (const path of ['/', '/assets/index-a1B2_c3D.js']) {
    const answer = await browser.call('GET', path, undefined, { 'accept-encoding': 'br, gzip' });
    assert.equal(answer.headers.get('content-encoding'), 'gzip');
    assert.equal(answer.text.charCodeAt(0), 0x1f);
  }
  const none = await browser.call('GET', '/', undefined, { 'accept-encoding': 'identity' });
  assert.equal(none.text, plain.text);
});

test('SV-114 one worker may compile WebAssembly and do nothing else; no page and no other file may', async (t) => {
  const browser = await withWeb(t);
  const policyOf = async (path: string) =>
    (await browser.call('GET', path)).headers.get('content-security-policy') ?? '';
  const worker = await policyOf('/assets/argon2-worker-a1B2_c3D.js');
  assert.equal(worker, "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'");
  for (const path of [
    '/',
    '/chat/abc',
    '/assets/index-a1B2_c3D.js',
    '/assets/other-worker-a1B2_c3D.js',
    '/assets/argon2-worker-a1B2_c3D.html',
    '/assets/x/argon2-worker-a1B2_c3D.js',
    '/argon2-worker-a1B2_c3D.js',
    '/api/argon2-worker-a1B2_c3D.js',
  ]) {
    const policy = await policyOf(path);
    assert.doesNotMatch(policy, /wasm|unsafe/, path);
    assert.match(policy, /script-src 'self'; /, path);
  }
});

test('CL-259 the worker that searches may reach nobody; every other file keeps the policy of the page', async (t) => {
  const browser = await withWeb(t);
  const policyOf = async (path: string) =>
    (await browser.call('GET', path)).headers.get('content-security-policy') ?? '';
  assert.equal(await policyOf('/assets/search-worker-a1B2_c3D.js'), "default-src 'none'; frame-ancestors 'none'");
  for (const path of ['/', '/assets/search-worker-a1B2_c3D.css', '/search-worker-a1B2_c3D.js']) {
    assert.match(await policyOf(path), /connect-src 'self' /, path);
  }
});
