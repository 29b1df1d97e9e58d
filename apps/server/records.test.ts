import assert from 'node:assert/strict';
import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeBase64, parseBase64 } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import {
  createAccount,
  createTestServer,
  randomHex,
  type TestAccount,
  temporaryFolder,
} from './fixture-for-testing.ts';

const random = createSeededRandom('records');

const put = ({ browser }: TestAccount, recordId: string, envelope: Uint8Array) =>
  browser.call('PUT', `/api/records/${recordId}`, envelope);

/** Follows the pages to the end, as a client does. */
async function readAll({ browser }: TestAccount, after = 0) {
  const found = new Map<string, { sequence: number; envelope: string | null }>();
  const pages: number[] = [];
  for (let next = after, more = true; more; ) {
    const { json } = await browser.call('GET', `/api/records?after=${next}`);
    for (const { recordId, ...rest } of json.records) found.set(recordId, rest);
    assert.ok(json.nextSequence >= next);
    next = json.nextSequence;
    more = json.more;
    pages.push(json.records.length);
  }
  return { found, pages };
}

test('SV-23 each write gets the next number, and reading gives every record’s latest write in that order', async (t) => {
  const account = await createAccount(await createTestServer(t));
  const [a, b] = [randomHex(), randomHex()];
  assert.deepEqual((await put(account, a, random.bytes(300))).json, { sequence: 1 });
  assert.deepEqual((await put(account, b, random.bytes(300))).json, { sequence: 2 });
  const latest = random.bytes(300);
  assert.deepEqual((await put(account, a, latest)).json, { sequence: 3 });
  assert.deepEqual((await account.browser.call('DELETE', `/api/records/${b}`)).json, { sequence: 4 });
  const { json } = await account.browser.call('GET', '/api/records?after=0');
  assert.deepEqual(json, {
    records: [
      { recordId: a, sequence: 3, envelope: encodeBase64(latest) },
      { recordId: b, sequence: 4, envelope: null },
    ],
    nextSequence: 4,
    more: false,
  });
  assert.deepEqual((await account.browser.call('GET', '/api/records?after=4')).json, {
    records: [],
    nextSequence: 4,
    more: false,
  });
});

test('SV-23 pages end by count or by bytes, and following them misses nothing', async (t) => {
  const server = await createTestServer(t, { limits: { pageRecords: 4, pageBytes: 1000 } });
  const account = await createAccount(server);
  const written = new Map<string, string>();
  for (const size of [10, 10, 10, 10, 10, 900, 900, 3000, 10]) {
    const envelope = random.bytes(size);
    const recordId = randomHex();
    await put(account, recordId, envelope);
    written.set(recordId, encodeBase64(envelope));
  }
  const { found, pages } = await readAll(account);
  assert.deepEqual(new Map([...found].map(([recordId, { envelope }]) => [recordId, envelope])), written);
  assert.deepEqual(pages, [4, 2, 1, 1, 1]);
});

test('SV-23 many writes at once get different numbers without a gap', async (t) => {
  const account = await createAccount(await createTestServer(t));
  const answers = await Promise.all(Array.from({ length: 40 }, () => put(account, randomHex(), random.bytes(20))));
  const numbers = answers.map(({ json }) => json.sequence).sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
});

test('SV-23 what was answered is there after a restart, and the session too', async (t) => {
  const dataDir = await temporaryFolder(t);
  const before = await createTestServer(t, { dataDir });
  const account = await createAccount(before);
  const envelope = random.bytes(500);
  const recordId = randomHex();
  await put(account, recordId, envelope);
  await before.graph.close();
  const after = await createTestServer(t, { dataDir, clock: before.clock });
  const browser = after.browser();
  browser.cookie = account.browser.cookie;
  const { json } = await browser.call('GET', '/api/records');
  assert.equal(json.records[0].envelope, encodeBase64(envelope));
  assert.equal((await browser.call('PUT', `/api/records/${randomHex()}`, envelope)).json.sequence, 2);
});

test('SV-23 the database flushes every commit, and overwrites what is removed', async (t) => {
  const { graph } = await createTestServer(t);
  const setting = (name: string) => Object.values(graph.sqlite.prepare(`pragma ${name}`).get() ?? {})[0];
  assert.equal(setting('synchronous'), 2);
  assert.equal(setting('journal_mode'), 'wal');
  assert.equal(setting('secure_delete'), 1);
  assert.equal(setting('foreign_keys'), 1);
});

test('SV-12 a record of another account can be neither seen, replaced nor removed', async (t) => {
  const server = await createTestServer(t);
  const mine = await createAccount(server);
  const theirs = await createAccount(server);
  const recordId = randomHex();
  const envelope = random.bytes(100);
  await put(theirs, recordId, envelope);
  assert.equal((await readAll(mine)).found.size, 0);
  await put(mine, recordId, random.bytes(100));
  await mine.browser.call('DELETE', `/api/records/${recordId}`);
  const { found } = await readAll(theirs);
  assert.equal(found.get(recordId)?.envelope, encodeBase64(envelope));
});

test('SV-12 an id, a position or an empty body of another form is refused', async (t) => {
  const account = await createAccount(await createTestServer(t));
  for (const id of ['x', randomHex(15), randomHex().toUpperCase().replace(/\d/g, 'A'), '..%2f', randomHex(17)]) {
    assert.ok([400, 404].includes((await put(account, id, random.bytes(10))).status), id);
  }
  assert.equal((await put(account, randomHex(), new Uint8Array())).status, 400);
  for (const after of ['-1', '1.5', 'x', '1e400', '9007199254740993']) {
    assert.equal((await account.browser.call('GET', `/api/records?after=${after}`)).status, 400, after);
  }
});

test('SV-20 record writes are limited by account', async (t) => {
  const server = await createTestServer(t, { limits: { recordWrites: { burst: 2, perSecond: 1 } } });
  const account = await createAccount(server);
  await put(account, randomHex(), random.bytes(10));
  await put(account, randomHex(), random.bytes(10));
  assert.equal((await put(account, randomHex(), random.bytes(10))).status, 429);
  assert.equal((await put(await createAccount(server), randomHex(), random.bytes(10))).status, 200);
});

test('SV-21 an account holds a bounded number of records and bytes, and can always remove', async (t) => {
  const server = await createTestServer(t, { limits: { recordsPerAccount: 3, bytesPerAccount: 1000 } });
  const account = await createAccount(server);
  const ids = [randomHex(), randomHex(), randomHex()];
  await put(account, ids[0] ?? '', random.bytes(600));
  const tooMuch = await put(account, ids[1] ?? '', random.bytes(401));
  assert.equal(tooMuch.status, 507);
  assert.equal(tooMuch.json.error.code, 'store-full');
  assert.deepEqual((await put(account, ids[1] ?? '', random.bytes(400))).json, { sequence: 2 });
  assert.equal((await account.browser.call('DELETE', `/api/records/${ids[0]}`)).status, 200);
  assert.equal((await put(account, ids[0] ?? '', random.bytes(500))).status, 200);
  assert.equal((await put(account, ids[2] ?? '', random.bytes(10))).status, 200);
  assert.equal((await put(account, randomHex(), random.bytes(10))).status, 507);
  const row = await server.graph.services.db.selectFrom('accounts').selectAll().executeTakeFirst();
  assert.deepEqual([row?.record_count, row?.record_bytes], [3, 910]);
});

test('SV-22 a full disk is said plainly, loses nothing that was saved, and passes', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const kept = new Map<string, string>();
  const first = random.bytes(2000);
  const firstId = randomHex();
  await put(account, firstId, first);
  kept.set(firstId, encodeBase64(first));
  const { page_count: pages } = server.graph.sqlite.prepare('pragma page_count').get() as { page_count: number };
  server.graph.sqlite.exec(`pragma max_page_count = ${pages + 4}`);
  let refused: Awaited<ReturnType<typeof put>> | undefined;
  let refusedId = '';
  for (let i = 0; i < 50 && refused === undefined; i++) {
    const envelope = random.bytes(4000);
    refusedId = randomHex();
    const answer = await put(account, refusedId, envelope);
    if (answer.status === 200) kept.set(refusedId, encodeBase64(envelope));
    else refused = answer;
  }
  assert.equal(refused?.status, 507);
  assert.equal(refused?.json.error.code, 'store-full');
  assert.equal(refused?.json.error.action, 'retry');
  assert.match(refused?.json.error.message, /not saved.*still there/);
  // A replacement that does not fit leaves what was there.
  assert.equal((await put(account, firstId, random.bytes(100_000))).status, 507);
  const { found } = await readAll(account);
  assert.deepEqual(new Map([...found].map(([recordId, { envelope }]) => [recordId, envelope])), kept);
  assert.equal(found.has(refusedId), false);

  server.graph.sqlite.exec('pragma max_page_count = 1000000');
  const { sequence } = (await put(account, refusedId, random.bytes(4000))).json;
  assert.equal(sequence, Math.max(...[...found.values()].map((record) => record.sequence)) + 1);
  assert.equal(parseBase64((await readAll(account)).found.get(refusedId)?.envelope ?? '').length, 4000);
});

test('SV-42 nobody else can read the database, wherever its folder is', async (t) => {
  const dataDir = await temporaryFolder(t);
  await chmod(dataDir, 0o755);
  const server = await createTestServer(t, { dataDir });
  await createAccount(server);
  const files = (await readdir(dataDir)).filter((name) => name.startsWith('sotto.sqlite'));
  assert.equal(files.length, 3);
  for (const name of files) assert.equal((await stat(join(dataDir, name))).mode & 0o077, 0, name);
});
