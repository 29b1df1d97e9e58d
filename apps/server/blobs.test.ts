/** Sealed files: parts that come twice, late, spoiled or not at all; limits; and that what is removed is gone. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlobStoreError, createFileBlobStore } from '@sotto/adapters-node/blob-store';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { BlobStore } from '@sotto/ports';
import { createSeededRandom } from '@sotto/testkit';
import { BLOB_PART_LIMIT_BYTES, BLOB_PARTS_LIMIT } from '@sotto/wire';
import { collectBlobs } from './blobs.ts';
import {
  type Answer,
  createAccount,
  createTestServer,
  randomHex,
  type TestAccount,
  type TestServer,
  temporaryFolder,
} from './fixture-for-testing.ts';

const random = createSeededRandom('blobs');
const HOUR_MS = 60 * 60 * 1000;

function put(
  { browser }: TestAccount,
  blobId: string,
  part: number | string,
  bytes: Uint8Array,
  digest = encodeHex(sha256(bytes)),
) {
  return browser.call('PUT', `/api/blobs/${blobId}/${part}`, bytes, { 'sotto-digest': digest });
}
const commit = ({ browser }: TestAccount, blobId: string, parts: number) =>
  browser.call('POST', `/api/blobs/${blobId}/commit`, { parts });
const get = ({ browser }: TestAccount, path: string) => browser.call('GET', `/api/blobs${path}`);
const remove = ({ browser }: TestAccount, blobId: string) => browser.call('DELETE', `/api/blobs/${blobId}`);
const codeOf = (answer: Answer) => `${answer.status} ${answer.json?.error?.code}`;

/** A whole file of parts of these sizes. */
async function keep(account: TestAccount, ...sizes: number[]): Promise<string> {
  const blobId = randomHex();
  for (const [part, size] of sizes.entries())
    assert.equal((await put(account, blobId, part, random.bytes(size))).status, 200);
  assert.equal((await commit(account, blobId, sizes.length)).status, 200);
  return blobId;
}

const filesOf = ({ dataDir }: TestServer, { accountId }: TestAccount) => {
  const folder = join(dataDir, 'blobs', accountId);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};
const usedOf = async (account: TestAccount) => (await get(account, '')).json.usedBytes;

test('SV-70 an id or number of another form is refused, and a part has a limit', async (t) => {
  const account = await createAccount(await createTestServer(t));
  const bytes = random.bytes(10);
  for (const id of ['x', randomHex().toUpperCase(), '..%2f..%2f', `${randomHex()}0`])
    assert.match(codeOf(await put(account, id, 0, bytes)), /^40[04] (bad-request|not-found)$/);
  for (const part of ['-1', '01', '1.5', 'x', String(BLOB_PARTS_LIMIT)])
    assert.equal(codeOf(await put(account, randomHex(), part, bytes)), '400 bad-request', part);
  assert.equal(codeOf(await put(account, randomHex(), 0, new Uint8Array())), '400 bad-request');
  assert.equal(codeOf(await put(account, randomHex(), 0, random.bytes(BLOB_PART_LIMIT_BYTES + 1))), '413 too-large');
  assert.equal((await put(account, randomHex(), BLOB_PARTS_LIMIT - 1, bytes)).status, 200);
  assert.equal(codeOf(await get(account, '?after=%00')), '400 bad-request');
  assert.equal((await get(account, `?after=${randomHex()}`)).status, 200);
});

test('SV-71 a part arrives as it was sent or is not kept; sent again it is the same part; no other takes its place', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const blobId = randomHex();
  const bytes = random.bytes(1000);
  assert.equal(
    codeOf(await put(account, blobId, 0, bytes, encodeHex(sha256(random.bytes(10))))),
    '400 blob-digest-mismatch',
  );
  assert.equal(codeOf(await put(account, blobId, 0, bytes, '')), '400 blob-digest-mismatch');
  assert.equal(await usedOf(account), 0);
  assert.deepEqual((await put(account, blobId, 0, bytes)).json, { bytes: 1000 });
  assert.deepEqual((await put(account, blobId, 0, bytes)).json, { bytes: 1000 });
  assert.equal(await usedOf(account), 1000);
  assert.equal(codeOf(await put(account, blobId, 0, random.bytes(1000))), '409 blob-conflict');
  await commit(account, blobId, 1);
  assert.equal((await put(account, blobId, 0, bytes)).status, 200);
  assert.equal(codeOf(await put(account, blobId, 1, bytes)), '409 blob-conflict');
  const file = join(server.dataDir, 'blobs', account.accountId, blobId, '0');
  assert.deepEqual(new Uint8Array(await readFile(file)), bytes);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(join(server.dataDir, 'blobs'))).mode & 0o777, 0o700);
});

test('SV-71 of two that write one part at once the first is kept, on the disk too', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const blobId = randomHex();
  const [first, second] = [random.bytes(500), random.bytes(500)];
  const store = server.graph.services.blobs as { put: BlobStore['put'] };
  const write = store.put;
  const kept: { answer?: Promise<Answer> } = {};
  store.put = async (name, bytes) => {
    if (bytes[0] === second[0] && bytes[1] === second[1]) await kept.answer;
    await write(name, bytes);
  };
  kept.answer = put(account, blobId, 0, first);
  const refused = put(account, blobId, 0, second);
  assert.equal((await kept.answer).status, 200);
  assert.equal(codeOf(await refused), '409 blob-conflict');
  assert.deepEqual(
    new Uint8Array(await readFile(join(server.dataDir, 'blobs', account.accountId, blobId, '0'))),
    first,
  );
});

test('SV-72 a file is whole when every part is there: until then it is not handed out, and which are there is told', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const blobId = randomHex();
  const parts = [random.bytes(300), random.bytes(200), random.bytes(100)];
  assert.equal(codeOf(await commit(account, blobId, 1)), '404 blob-unknown');
  for (const part of [0, 2]) await put(account, blobId, part, parts[part] as Uint8Array);
  assert.deepEqual((await get(account, `/${blobId}`)).json, { committed: false, parts: [0, 2] });
  for (const count of [1, 2, 3]) assert.equal(codeOf(await commit(account, blobId, count)), '409 blob-incomplete');
  assert.equal(codeOf(await get(account, `/${blobId}/0`)), '404 blob-unknown');
  assert.deepEqual((await get(account, '')).json.blobs, []);
  await put(account, blobId, 1, parts[1] as Uint8Array);
  // A part that the disk lost is found before the device forgets its own.
  await rm(join(server.dataDir, 'blobs', account.accountId, blobId, '1'));
  assert.equal(codeOf(await commit(account, blobId, 3)), '409 blob-incomplete');
  await writeFile(join(server.dataDir, 'blobs', account.accountId, blobId, '1'), parts[1] as Uint8Array);
  assert.deepEqual((await commit(account, blobId, 3)).json, { bytes: 600 });
  assert.deepEqual((await commit(account, blobId, 3)).json, { bytes: 600 });
  const answer = await server.graph.services.blobs.get({ ownerId: account.accountId, blobId, part: 2 });
  assert.deepEqual(answer, parts[2]);
  assert.equal((await get(account, `/${blobId}/2`)).status, 200);
  assert.equal(codeOf(await get(account, `/${blobId}/3`)), '404 blob-unknown');
  const { blobs, more } = (await get(account, '')).json;
  assert.deepEqual(
    [blobs.map((one: { blobId: string; bytes: number }) => [one.blobId, one.bytes]), more],
    [[[blobId, 600]], false],
  );
});

test('SV-73 bytes of files count into those of the account, files are counted, and a full disk keeps nothing of a part', async (t) => {
  const server = await createTestServer(t, { limits: { bytesPerAccount: 2000, blobsPerAccount: 2 } });
  const account = await createAccount(server);
  assert.equal((await account.browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(512))).status, 200);
  await keep(account, 600, 600);
  assert.equal(codeOf(await put(account, randomHex(), 0, random.bytes(300))), '507 store-full');
  assert.equal(filesOf(server, account).length, 1);
  assert.equal((await put(account, randomHex(), 0, random.bytes(100))).status, 200);
  assert.equal(codeOf(await put(account, randomHex(), 0, random.bytes(1))), '507 store-full');
  assert.equal(
    codeOf(await account.browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(512))),
    '507 store-full',
  );
  const { usedBytes, allowedBytes } = (await get(account, '')).json;
  assert.deepEqual([usedBytes, allowedBytes], [1812, 2000]);
});

test('SV-73 parts are counted, and what comes at once is refused before it is on the disk', async (t) => {
  const server = await createTestServer(t, { limits: { blobPartsPerAccount: 3 } });
  const account = await createAccount(server);
  const ids = Array.from({ length: 12 }, () => randomHex());
  const answers = await Promise.all(ids.map((blobId) => put(account, blobId, 0, random.bytes(1))));
  assert.equal(answers.filter(({ status }) => status === 200).length, 3);
  for (const answer of answers) if (answer.status !== 200) assert.equal(codeOf(answer), '507 store-full');
  assert.equal(filesOf(server, account).length, 3);
});

test('SV-73 what the store refuses is not there', async (t) => {
  for (const code of ['store-full', 'store-unavailable'] as const) {
    const server = await createTestServer(t);
    const account = await createAccount(server);
    const store = server.graph.services.blobs as { put: BlobStore['put'] };
    store.put = async () => {
      throw new BlobStoreError(code, undefined);
    };
    const blobId = randomHex();
    assert.equal((await put(account, blobId, 0, random.bytes(10))).json.error.code, code);
    assert.deepEqual((await get(account, `/${blobId}`)).json, { committed: false, parts: [] });
    assert.equal(await usedOf(account), 0);
  }
});

test('SV-74 a removed file is gone from the disk, its bytes are free, and removing again is done', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const [kept, gone] = [await keep(account, 100), await keep(account, 100, 200)];
  assert.deepEqual(filesOf(server, account), [kept, gone].sort());
  for (let i = 0; i < 2; i++) assert.equal((await remove(account, gone)).status, 200);
  assert.deepEqual(filesOf(server, account), [kept]);
  assert.equal(codeOf(await get(account, `/${gone}/0`)), '404 blob-unknown');
  assert.equal(await usedOf(account), 100);
  assert.deepEqual((await get(account, `/${gone}`)).json, { committed: false, parts: [] });
});

test('SV-75 what was not finished within a day, and parts that no row names, are collected; the rest stays', async (t) => {
  const server = await createTestServer(t);
  const { graph, clock, dataDir } = server;
  const account = await createAccount(server);
  const whole = await keep(account, 100);
  const begun = randomHex();
  await put(account, begun, 0, random.bytes(100));
  const stray = [
    join(dataDir, 'blobs', account.accountId, randomHex()),
    join(dataDir, 'blobs', randomHex(), randomHex()),
  ];
  for (const folder of stray) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, '0'), 'left over');
    const at = clock.nowMs() / 1000;
    await utimes(folder, at, at);
  }
  assert.equal(await collectBlobs(graph.services), 0);
  await clock.advance(2 * HOUR_MS);
  assert.equal(await collectBlobs(graph.services), 2);
  assert.deepEqual(filesOf(server, account), [whole, begun].sort());
  await clock.advance(24 * HOUR_MS);
  assert.equal(await collectBlobs(graph.services), 1);
  assert.deepEqual(filesOf(server, account), [whole]);
  assert.deepEqual(await readdir(join(dataDir, 'blobs')), [account.accountId]);
  assert.equal(await usedOf(account), 100);
});

test('SV-75 a file that is finished while others are collected stays', async (t) => {
  const server = await createTestServer(t);
  const { graph, clock } = server;
  const accounts = [await createAccount(server), await createAccount(server)];
  const begun = new Map<string, () => Promise<Answer>>();
  for (const account of accounts) {
    const blobId = randomHex();
    await put(account, blobId, 0, random.bytes(100));
    begun.set(blobId, () => commit(account, blobId, 1));
  }
  await clock.advance(25 * HOUR_MS);
  const store = graph.services.blobs as { remove: BlobStore['remove'] };
  const remove = store.remove;
  store.remove = async (ownerId, blobId) => {
    begun.delete(blobId);
    for (const finish of begun.values()) assert.equal((await finish()).status, 200);
    await remove(ownerId, blobId);
  };
  assert.equal(await collectBlobs(graph.services), 1);
  assert.equal(begun.size, 1);
  const whole = accounts.flatMap((account) => filesOf(server, account));
  assert.deepEqual(whole, [...begun.keys()]);
});

test('SV-75 a server does not start on files whose database is not there', async (t) => {
  const dataDir = await temporaryFolder(t);
  await createFileBlobStore(join(dataDir, 'blobs')).put(
    { ownerId: randomHex(), blobId: randomHex(), part: 0 },
    random.bytes(5),
  );
  await assert.rejects(createTestServer(t, { dataDir }), { code: 'blobs-foreign', action: 'fix-input' });
});

test('SV-12 a file of another account is not there, under the same id either', async (t) => {
  const server = await createTestServer(t);
  const [mine, other] = [await createAccount(server), await createAccount(server)];
  const blobId = await keep(mine, 100);
  assert.equal(codeOf(await get(other, `/${blobId}/0`)), '404 blob-unknown');
  await remove(other, blobId);
  assert.equal((await get(mine, `/${blobId}/0`)).status, 200);
  assert.equal((await put(other, blobId, 0, random.bytes(10))).status, 200);
  const guest = server.browser();
  await guest.call('POST', '/api/guest', {});
  assert.equal(codeOf(await guest.call('GET', '/api/blobs')), '403 account-required');
});
