/** Writing on a base, many at once, and reading in bulk (SV-60 to SV-64, SV-68). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import {
  type BatchWrite,
  encodeRecordBatch,
  parseBatchAnswer,
  parseRecordIndex,
  parseRecordPage,
  RECORD_BATCH_LIMIT_COUNT,
} from '@sotto/wire';
import { createAccount, createTestServer, ORIGIN, PORT, randomHex, type TestAccount } from './fixture-for-testing.ts';
import type { Limits } from './limits.ts';

const random = createSeededRandom('record sync');

async function start(t: import('node:test').TestContext, limits: Partial<Limits> = {}) {
  const server = await createTestServer(t, { limits });
  return { server, account: await createAccount(server) };
}

const put = ({ browser }: TestAccount, recordId: string, envelope: Uint8Array, base?: number | string) =>
  browser.call('PUT', `/api/records/${recordId}${base === undefined ? '' : `?base=${base}`}`, envelope);
const remove = ({ browser }: TestAccount, recordId: string, base: number) =>
  browser.call('DELETE', `/api/records/${recordId}?base=${base}`);
const batch = async ({ browser }: TestAccount, writes: readonly BatchWrite[]) => {
  const answer = await browser.call('POST', '/api/records/batch', encodeRecordBatch(writes));
  assert.equal(answer.status, 200, answer.text);
  return parseBatchAnswer(answer.json);
};
const write = (bytes = 300, base = 0, recordId = randomHex()): BatchWrite => ({
  ...{ recordId, base, envelope: random.bytes(bytes) },
});

/** Bytes, which the tests' browser does not read. */
async function bytesOf(server: Awaited<ReturnType<typeof createTestServer>>, account: TestAccount, path: string) {
  const { createApp } = await import('./app.ts');
  const response = await createApp(server.graph.services).request(`${ORIGIN}${path}`, {
    headers: { host: `localhost:${PORT}`, origin: ORIGIN, cookie: account.browser.cookie },
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  return new Uint8Array(await response.arrayBuffer());
}

test('SV-60 a write on a base is refused when the stored record is newer, and changes nothing', async (t) => {
  const { account } = await start(t);
  const recordId = randomHex();
  assert.deepEqual((await put(account, recordId, random.bytes(300), 0)).json, { sequence: 1 });
  assert.deepEqual((await put(account, recordId, random.bytes(300), 1)).json, { sequence: 2 });
  for (const refused of [await put(account, recordId, random.bytes(300), 1), await remove(account, recordId, 1)]) {
    assert.equal(refused.status, 409);
    assert.equal(refused.json.error.code, 'record-conflict');
    assert.equal(refused.json.error.rule, 'SV-60');
  }
  assert.deepEqual((await put(account, randomHex(), random.bytes(300), 0)).json, { sequence: 3 });
  assert.deepEqual((await remove(account, recordId, 2)).json, { sequence: 4 });
  assert.equal((await put(account, recordId, random.bytes(300), 3)).json.error.code, 'record-conflict');
  assert.deepEqual((await put(account, recordId, random.bytes(300))).json, { sequence: 5 });
  for (const base of ['-1', 'x', '1.5', '9007199254740993']) {
    assert.equal((await put(account, recordId, random.bytes(300), base)).status, 400, base);
  }
});

test('SV-61 a write on a base that is stored already is answered with its sequence, and stored once', async (t) => {
  const { server, account } = await start(t);
  const [recordId, envelope] = [randomHex(), random.bytes(300)];
  assert.deepEqual((await put(account, recordId, envelope, 0)).json, { sequence: 1 });
  assert.deepEqual((await put(account, recordId, envelope, 0)).json, { sequence: 1 });
  const writes = [write(), write(), { recordId, base: 1, envelope: undefined }];
  assert.deepEqual(await batch(account, writes), { sequences: [2, 3, 4] });
  assert.deepEqual(await batch(account, writes), { sequences: [2, 3, 4] });
  assert.deepEqual((await remove(account, recordId, 0)).json, { sequence: 4 });
  const row = await server.graph.services.db.selectFrom('accounts').selectAll().executeTakeFirst();
  assert.deepEqual([row?.last_sequence, row?.record_count, row?.record_bytes], [4, 3, 600]);
});

test('SV-62 a batch is applied in order up to the first refused write, and nothing behind it', async (t) => {
  const { server, account } = await start(t, { bytesPerAccount: 1000 });
  const taken = write();
  await batch(account, [taken]);
  const behind = write();
  const answer = await batch(account, [write(), { ...taken, envelope: random.bytes(300) }, behind]);
  assert.deepEqual(answer, { sequences: [2], refused: 'record-conflict' });
  assert.deepEqual(await batch(account, [write(390), write(10)]), { sequences: [3, 4] });
  const full = await batch(account, [write(1), behind, write(1)]);
  assert.deepEqual(full, { sequences: [], refused: 'store-full' });
  const page = parseRecordPage(await bytesOf(server, account, '/api/records/bulk?after=0'));
  assert.deepEqual(
    page.records.map(({ sequence }) => sequence),
    [1, 2, 3, 4],
  );
});

test('SV-62 a batch that the disk has no room for is not applied at all', async (t) => {
  const { server, account } = await start(t);
  await batch(account, [write(2000)]);
  const { page_count: pages } = server.graph.sqlite.prepare('pragma page_count').get() as { page_count: number };
  server.graph.sqlite.exec(`pragma max_page_count = ${pages + 4}`);
  const body = encodeRecordBatch([write(100), write(60_000), write(60_000)]);
  const refused = await account.browser.call('POST', '/api/records/batch', body);
  assert.equal(refused.json.error.code, 'store-full');
  server.graph.sqlite.exec('pragma max_page_count = 1000000');
  assert.deepEqual(await batch(account, [write(100)]), { sequences: [2] });
});

test('SV-07 a batch is read no further than its cap, and has at most 256 writes', async (t) => {
  const { account } = await start(t);
  const large = await account.browser.call('POST', '/api/records/batch', new Uint8Array(2 * 1024 * 1024 + 1));
  assert.equal(large.status, 413);
  const many = Array.from({ length: RECORD_BATCH_LIMIT_COUNT + 1 }, () => write(1));
  assert.equal((await account.browser.call('POST', '/api/records/batch', encodeRecordBatch(many))).status, 413);
  assert.equal((await account.browser.call('POST', '/api/records/batch', random.bytes(40))).status, 400);
});

test('SV-63 following bulk pages gives every record’s latest write, with the newest sequence of the account', async (t) => {
  const { server, account } = await start(t, { bulkRecords: 4, bulkBytes: 1000 });
  const writes = [10, 10, 10, 10, 10, 900, 900, 3000, 10].map((size) => write(size));
  await batch(account, writes);
  await batch(account, [{ ...(writes[0] as BatchWrite), base: 9, envelope: undefined }]);
  const found = new Map<string, Uint8Array | undefined>();
  const counts: number[] = [];
  for (let after = 0, more = true; more; ) {
    const page = parseRecordPage(await bytesOf(server, account, `/api/records/bulk?after=${after}`));
    assert.equal(page.newest, 10);
    for (const { recordId, envelope } of page.records) found.set(recordId, envelope);
    after = page.records.at(-1)?.sequence ?? after;
    more = page.more;
    counts.push(page.records.length);
  }
  assert.deepEqual(counts, [4, 1, 1, 1, 2]);
  const expected = new Map(writes.map(({ recordId, envelope }) => [recordId, envelope]));
  assert.deepEqual(found, expected.set((writes[0] as BatchWrite).recordId, undefined));
  const beyond = parseRecordPage(await bytesOf(server, account, '/api/records/bulk?after=99'));
  assert.deepEqual(beyond, { records: [], newest: 10, more: false });
});

test('SV-64 an index lists every record that is not removed, with its sequence, and those of this account only', async (t) => {
  const { server, account } = await start(t, { indexRecords: 3 });
  await batch(await createAccount(server), [write()]);
  const writes = Array.from({ length: 8 }, () => write(10));
  await batch(account, writes);
  const [gone, again] = writes as [BatchWrite, BatchWrite];
  await batch(account, [
    { ...gone, base: 8, envelope: undefined },
    { ...again, base: 8, envelope: random.bytes(9) },
  ]);
  const found: { recordId: string; sequence: number }[] = [];
  for (let after = '', more = true; more; after = found.at(-1)?.recordId ?? '') {
    const page = parseRecordIndex(await bytesOf(server, account, `/api/records/index?after=${after}`));
    assert.ok(page.entries.length <= 3);
    assert.equal(page.newest, 10);
    found.push(...page.entries);
    more = page.more;
  }
  const expected = writes.slice(1).map(({ recordId }, i) => ({ recordId, sequence: i === 0 ? 10 : i + 2 }));
  assert.deepEqual(
    found,
    expected.toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1)),
  );
  for (const after of ['x', randomHex(15), randomHex().toUpperCase().replace(/\d/g, 'A')]) {
    assert.equal((await account.browser.call('GET', `/api/records/index?after=${after}`)).status, 400);
  }
});

test('SV-12 a batch and pages reach the records of their own account only, and a guest none', async (t) => {
  const { server, account } = await start(t);
  const theirs = await createAccount(server);
  const recordId = randomHex();
  await batch(theirs, [{ recordId, base: 0, envelope: random.bytes(50) }]);
  await batch(account, [{ recordId, base: 0, envelope: undefined }]);
  const page = parseRecordPage(await bytesOf(server, theirs, '/api/records/bulk'));
  assert.equal(page.records[0]?.envelope?.length, 50);
  const guest = server.browser();
  await guest.call('POST', '/api/guest', {});
  for (const [method, path] of [
    ['GET', '/api/records/bulk'],
    ['GET', '/api/records/index'],
    ['POST', '/api/records/batch'],
  ] as const) {
    const body = method === 'POST' ? encodeRecordBatch([]) : undefined;
    assert.equal((await guest.call(method, path, body)).json.error.code, 'account-required');
    assert.equal((await server.browser().call(method, path, body)).json.error.code, 'signed-out');
  }
});

test('SV-68 writes are counted by record and by byte, pages by page, for each account', async (t) => {
  const { server, account } = await start(t, {
    recordWrites: { burst: 4, perSecond: 1 },
    recordWriteBytes: { burst: 1000, perSecond: 1 },
    recordPages: { burst: 2, perSecond: 1 },
  });
  const refused = async (writes: BatchWrite[]) =>
    (await account.browser.call('POST', '/api/records/batch', encodeRecordBatch(writes))).status === 429;
  await batch(account, [write(1), write(1)]);
  assert.ok(await refused([write(1), write(1), write(1)]));
  await batch(account, [write(1)]);
  assert.ok(await refused([write(999)]));
  await server.clock.advance(10_000);
  assert.ok(await refused([write(1001)]));
  for (let i = 0; i < 3; i++) await batch(account, []);
  assert.ok(await refused([]));
  assert.equal((await account.browser.call('GET', '/api/records/bulk')).status, 200);
  assert.equal((await account.browser.call('GET', '/api/records/index')).status, 200);
  assert.equal((await account.browser.call('GET', '/api/records/bulk')).status, 429);
  assert.equal((await account.browser.call('GET', '/api/records/index')).status, 429);
  assert.equal((await (await createAccount(server)).browser.call('GET', '/api/records/bulk')).status, 200);
});
