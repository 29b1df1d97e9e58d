/** Every call that a stranger or an account can make is limited, and an honest first sync does not notice (spec/server.md SV-139, SV-68). */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createManualClock, createSeededRandom } from '@sotto/testkit';
import { encodeRecordBatch, parseRecordIndex, parseRecordPage } from '@sotto/wire';
import { createApp } from './app.ts';
import { createAccount, createTestServer, ORIGIN, PORT, randomHex, type TestServer } from './fixture-for-testing.ts';
import { RateLimit } from './rate-limit.ts';
import type { Services } from './services.ts';
import { siteOfUpgrade } from './upgrade.ts';

const random = createSeededRandom('every call');
const NOTHING = new RateLimit({ burst: 0, perSecond: 0 }, createManualClock());
const MUCH = new RateLimit({ burst: 1e9, perSecond: 0 }, createManualClock());

/** Cheap, without a body, and limited as requests alone. */
const REQUESTS_ALONE = ['GET /api/nodes', 'POST /api/sign-out', 'ALL /api/*', 'GET /*'];

/** What a call needs to come as far as its limit. */
const PATHS: Readonly<Record<string, string>> = {
  ':recordId': randomHex(),
  ':lockId': randomHex(),
  ':shareId': randomHex(),
  ':blobId': randomHex(),
  ':linkId': randomHex(),
  ':nodeId': randomHex(),
  ':digest': randomHex(32),
  ':part': '0',
  ':slot': '0',
  '*': 'intel/qe-identity',
};
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/sign-in/recovery': {
    lookupId: 'AAAAAAAAAAAAAAAAAAAAAA==',
    authenticator: Buffer.alloc(32).toString('base64'),
  },
  'POST /api/account/remove': { passkey: {} },
  'POST /api/sign-in/device': {
    accountId: randomHex(),
    publicKey: Buffer.alloc(32).toString('base64'),
    challenge: Buffer.alloc(32).toString('base64'),
    signature: Buffer.alloc(64).toString('base64'),
  },
  'PUT /api/records/:recordId': new Uint8Array(1),
  'POST /api/records/batch': encodeRecordBatch([]),
};

function withRates({ graph }: TestServer, rates: (name: string) => RateLimit) {
  const { services } = graph;
  const names = Object.keys(services.rates);
  const replaced = Object.fromEntries(names.map((name) => [name, rates(name)])) as unknown as Services['rates'];
  return createApp({ ...services, rates: replaced });
}

function headersOf(cookie: string): Record<string, string> {
  return { host: `localhost:${PORT}`, origin: ORIGIN, 'sotto-client': '1', ...(cookie === '' ? {} : { cookie }) };
}

const callsOf = (app: ReturnType<typeof createApp>) =>
  [...new Set(app.routes.map(({ method, path }) => `${method} ${path}`))].filter(
    (call) => call !== 'ALL /*' && call !== 'ALL /api/*',
  );

test('SV-139 every call is limited by what it costs, or is one of a few that cost nothing', async (t) => {
  const server = await createTestServer(t);
  const { browser } = await createAccount(server);
  const guest = server.browser();
  const app = withRates(server, (name) => (name === 'requests' ? MUCH : NOTHING));
  const calls = callsOf(app);
  assert.ok(calls.length > 40, String(calls.length));
  for (const call of calls) {
    if (REQUESTS_ALONE.includes(call)) continue;
    const [method = '', path = ''] = call.split(' ');
    const url = path.replace(/:\w+|\*/g, (name) => PATHS[name] ?? assert.fail(`${name} of ${call}`));
    const body = BODIES[call] ?? (method === 'POST' ? {} : method === 'PUT' ? new Uint8Array(1) : undefined);
    const isBytes = body instanceof Uint8Array;
    const cookie = call === 'POST /api/guest' ? guest.cookie : browser.cookie;
    const answer = await app.request(`${ORIGIN}${url}`, {
      method,
      headers: {
        ...headersOf(cookie),
        ...(body === undefined ? {} : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    assert.equal(answer.status, 429, call);
  }
});

test('SV-139 all requests are counted by address, those that are refused and those for the app too', async (t) => {
  const server = await createTestServer(t, { limits: { requests: { burst: 5, perSecond: 0 } } });
  const paths = ['/', '/assets/x.js', '/api/nodes', '/api/nothing', '/api/locks'];
  for (const path of paths) assert.notEqual((await server.browser().call('GET', path)).status, 429, path);
  for (const path of paths) assert.equal((await server.browser().call('GET', path)).status, 429, path);
  assert.equal((await server.browser('192.0.2.1').call('GET', '/api/nodes')).status, 200);
  const upgrade = (remoteAddress: string) =>
    siteOfUpgrade(server.graph.services, {
      headers: headersOf(''),
      socket: { remoteAddress },
    } as unknown as IncomingMessage);
  for (let i = 0; i < 4; i++) upgrade('192.0.2.1');
  assert.throws(() => upgrade('192.0.2.1'), { code: 'rate-limited' });
  assert.equal((await server.browser('192.0.2.1').call('GET', '/')).status, 429);
  assert.ok(upgrade('192.0.2.2'));
});

test('SV-68 a first sync of 105,000 records and a file of 100 MiB, there and back, are within the limits at one moment', async (t) => {
  const count = 105_000;
  const server = await createTestServer(t);
  const { browser, accountId } = await createAccount(server);
  const { sqlite } = server.graph;
  const insert = sqlite.prepare('insert into records values (?, ?, ?, ?, 0)');
  sqlite.exec('begin');
  const envelope = random.bytes(512);
  for (let sequence = 1; sequence <= count; sequence++) insert.run(accountId, randomHex(), sequence, envelope);
  sqlite.prepare('update accounts set last_sequence = ?, record_count = ?').run(count, count);
  sqlite.exec('commit');
  const app = createApp(server.graph.services);
  const bytesOf = async (path: string) => {
    const response = await app.request(`${ORIGIN}/api${path}`, { headers: headersOf(browser.cookie) });
    assert.equal(response.status, 200, path);
    return new Uint8Array(await response.arrayBuffer());
  };
  const rate = (startMs: number) => Math.round((count * 1000) / (performance.now() - startMs));

  let startMs = performance.now();
  let [found, after, pages] = [0, 0, 0];
  for (let more = true; more; pages++) {
    const page = parseRecordPage(await bytesOf(`/records/bulk?after=${after}`));
    [found, more, after] = [found + page.records.length, page.more, page.records.at(-1)?.sequence ?? after];
  }
  t.diagnostic(`in bulk: ${rate(startMs)} records a second, ${pages} pages`);
  assert.equal(found, count);

  startMs = performance.now();
  [found, after, pages] = [0, 0, 0];
  for (let more = true; more; pages++) {
    const page = JSON.parse(new TextDecoder().decode(await bytesOf(`/records?after=${after}`)));
    [found, more, after] = [found + page.records.length, page.more, page.nextSequence];
  }
  t.diagnostic(`as JSON: ${rate(startMs)} records a second, ${pages} pages`);
  assert.equal(found, count);

  found = 0;
  for (let [more, id] = [true, '']; more; ) {
    const page = parseRecordIndex(await bytesOf(`/records/index?after=${id}`));
    [found, more, id] = [found + page.entries.length, page.more, page.entries.at(-1)?.recordId ?? id];
  }
  assert.equal(found, count);

  // As many calls as a file of 100 MiB takes; how long a part is costs none.
  const [blobId, part] = [randomHex(), random.bytes(64)];
  const digest = { 'sotto-digest': encodeHex(sha256(part)) };
  for (let i = 0; i < 400; i++)
    assert.equal((await browser.call('PUT', `/api/blobs/${blobId}/${i}`, part, digest)).status, 200);
  assert.equal((await browser.call('POST', `/api/blobs/${blobId}/commit`, { parts: 400 })).status, 200);
  for (let i = 0; i < 400; i++) assert.equal((await browser.call('GET', `/api/blobs/${blobId}/${i}`)).status, 200);
});
