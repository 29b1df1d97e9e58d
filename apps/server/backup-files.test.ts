/** A backup with sealed files: none is lost, none comes back that was removed, and none is taken for another. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createSeededRandom } from '@sotto/testkit';
import { BACKUP_MARK, backUp } from './backup.ts';
import {
  createAccount,
  createTestServer,
  randomHex,
  type TestAccount,
  temporaryFolder,
} from './fixture-for-testing.ts';
import { restore } from './restore.ts';

const random = createSeededRandom('backup of files');

async function keep(account: TestAccount, parts: readonly Uint8Array[], commits = true): Promise<string> {
  const blobId = randomHex();
  for (const [part, bytes] of parts.entries()) {
    const headers = { 'sotto-digest': encodeHex(sha256(Uint8Array.from(bytes))) };
    assert.equal((await account.browser.call('PUT', `/api/blobs/${blobId}/${part}`, bytes, headers)).status, 200);
  }
  if (commits) await account.browser.call('POST', `/api/blobs/${blobId}/commit`, { parts: parts.length });
  return blobId;
}

async function kept(t: TestContext) {
  const server = await createTestServer(t);
  const [mine, other] = [await createAccount(server), await createAccount(server)];
  const contents = [[random.bytes(3000), random.bytes(500)], [random.bytes(700)], [random.bytes(800)]] as const;
  const ids = [await keep(mine, contents[0]), await keep(mine, contents[1]), await keep(other, contents[2])] as const;
  const folder = await temporaryFolder(t);
  const fileOf = (account: TestAccount, blobId: string, part = 0) =>
    join(server.dataDir, 'blobs', account.accountId, blobId, String(part));
  return {
    server,
    mine,
    other,
    contents,
    ids,
    folder,
    file: join(folder, 'backup'),
    data: join(folder, 'data'),
    fileOf,
  };
}

const partsIn = (dataDir: string) =>
  readdirSync(join(dataDir, 'blobs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/\d+$/.test(name))
    .sort();

async function signedIn(t: TestContext, dataDir: string, { lookupId, authenticator }: TestAccount) {
  const browser = (await createTestServer(t, { dataDir })).browser();
  assert.equal((await browser.call('POST', '/api/sign-in/recovery', { lookupId, authenticator })).status, 200);
  return browser;
}

test('SV-76 a backup holds every whole file, and a restore brings each back; what was begun is sent again', async (t) => {
  const { server, mine, contents, ids, file, data, folder } = await kept(t);
  await keep(mine, [random.bytes(300)], false);
  assert.deepEqual(await backUp(server.dataDir, file), { files: 3, spoiled: 0 });
  await keep(mine, [random.bytes(10)]);
  assert.deepEqual(await readdir(folder), ['backup']);
  await restore(file, data);
  assert.deepEqual((await readdir(data)).sort(), ['blobs', 'sotto.sqlite']);
  assert.equal(partsIn(data).length, 4);
  const browser = await signedIn(t, data, mine);
  const { json } = await browser.call('GET', '/api/blobs');
  assert.deepEqual([json.blobs.length, json.usedBytes], [2, 4200]);
  for (const [part, bytes] of contents[0].entries()) {
    assert.deepEqual(new Uint8Array(await readFile(join(data, 'blobs', mine.accountId, ids[0], String(part)))), bytes);
  }
  assert.equal((await browser.call('GET', `/api/blobs/${ids[0]}/1`)).status, 200);
});

test('SV-76 SV-83 a file that was removed is in no byte of a backup, and stays removed', async (t) => {
  const { server, mine, contents, ids, file, data } = await kept(t);
  await mine.browser.call('DELETE', `/api/blobs/${ids[0]}`);
  // Removed between the copy of the database and that of the files, as far as the backup can tell.
  await rm(join(server.dataDir, 'blobs', mine.accountId, ids[1]), { recursive: true });
  assert.deepEqual(await backUp(server.dataDir, file), { files: 1, spoiled: 0 });
  const bytes = await readFile(file);
  for (const [i, parts] of contents.entries())
    for (const part of parts) assert.equal(bytes.includes(Buffer.from(part.subarray(0, 200))), i === 2);
  for (const id of ids.slice(0, 2)) assert.ok(!bytes.includes(id ?? ''));
  await restore(file, data);
  assert.equal(partsIn(data).length, 1);
  const { json } = await (await signedIn(t, data, mine)).call('GET', '/api/blobs');
  assert.deepEqual([json.blobs, json.usedBytes], [[], 0]);
});

test('SV-76 a file that the disk has spoiled is counted and left out, and spoils no backup', async (t) => {
  const { server, mine, ids, file, data, fileOf } = await kept(t);
  await writeFile(fileOf(mine, ids[0], 1), random.bytes(500));
  assert.deepEqual(await backUp(server.dataDir, file), { files: 2, spoiled: 1 });
  await restore(file, data);
  assert.equal(partsIn(data).length, 2);
});

test('SV-76 parts that are missing, too many, swapped or of another digest are refused whole', async (t) => {
  const { server, mine, contents, ids, file, data, folder } = await kept(t);
  await backUp(server.dataDir, file);
  const whole = (await readFile(file)).subarray(0, -48);
  const start = whole.length - 5000;
  const sealed = async (content: Uint8Array) => {
    const bad = join(folder, `bad-${randomHex()}`);
    await writeFile(bad, Buffer.concat([content, Buffer.from(BACKUP_MARK), sha256(Uint8Array.from(content))]));
    return bad;
  };
  const withSql = async (sql: string) => {
    const path = join(folder, `sql-${randomHex()}`);
    await writeFile(path, whole.subarray(0, start));
    const sqlite = new DatabaseSync(path);
    sqlite.exec(`pragma foreign_keys = off; ${sql}`);
    sqlite.close();
    return sealed(Buffer.concat([await readFile(path), whole.subarray(start)]));
  };
  const swapped = Buffer.concat([
    whole.subarray(0, start),
    whole.subarray(start + 10),
    whole.subarray(start, start + 10),
  ]);
  const digest = encodeHex(sha256(contents[1][0]));
  for (const bad of [
    await sealed(whole.subarray(0, -1)),
    await sealed(whole.subarray(0, start)),
    await sealed(Buffer.concat([whole, Buffer.of(0)])),
    await sealed(swapped),
    await withSql(`update blob_parts set digest = '${digest}' where blob_id = '${ids[0]}'`),
    await withSql(`update blob_parts set bytes = bytes + 1 where blob_id = '${ids[0]}'`),
    await withSql(`delete from blob_parts where blob_id = '${ids[0]}'`),
  ])
    await assert.rejects(restore(bad, data), { code: 'backup-damaged' });
  assert.deepEqual(await readdir(data), []);
  void mine;
});

test('SV-86 nothing is restored over files whose database was moved away', async (t) => {
  const { server, file, data } = await kept(t);
  await backUp(server.dataDir, file);
  await mkdir(join(data, 'blobs', randomHex(), randomHex()), { recursive: true });
  await assert.rejects(restore(file, data), { code: 'restore-over-data' });
  await rm(join(data, 'blobs'), { recursive: true });
  await restore(file, data);
  assert.equal(partsIn(data).length, 4);
});
