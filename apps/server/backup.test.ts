import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { link, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@sotto/crypto/hash';
import { createSeededRandom } from '@sotto/testkit';
import { BACKUP_MARK, backUp } from './backup.ts';
import { createAccount, createTestServer, randomHex, temporaryFolder } from './fixture-for-testing.ts';
import { restore } from './restore.ts';

const random = createSeededRandom('backup');
const DATABASE = 'sotto.sqlite';
const ADMIN = fileURLToPath(new URL('./admin-main.ts', import.meta.url));

async function kept(t: TestContext, count = 20) {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const records = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const [id, envelope] = [randomHex(), random.bytes(200 + 30 * i)];
    await account.browser.call('PUT', `/api/records/${id}`, envelope);
    records.set(id, envelope);
  }
  const folder = await temporaryFolder(t);
  return { server, account, records, folder, file: join(folder, 'backup') };
}

function rowsOf(dataDir: string, table = 'records'): Record<string, unknown>[] {
  const sqlite = new DatabaseSync(join(dataDir, DATABASE), { readOnly: true });
  const rows = sqlite.prepare(`select * from ${table} order by 1, 2`).all();
  sqlite.close();
  return rows;
}

/** The backup with other SQL done to it, under a digest that fits. */
async function forged(t: TestContext, file: string, sql: string): Promise<string> {
  const bytes = await readFile(file);
  const path = join(await temporaryFolder(t), 'forged');
  await writeFile(path, bytes.subarray(0, -48));
  const sqlite = new DatabaseSync(path);
  sqlite.exec(`pragma foreign_keys = off; ${sql}`);
  sqlite.close();
  return resealed(path, await readFile(path));
}

async function resealed(path: string, content: Uint8Array): Promise<string> {
  await writeFile(path, Buffer.concat([content, Buffer.from(BACKUP_MARK), sha256(Uint8Array.from(content))]));
  return path;
}

test('SV-82 a backup beside a writing server holds every answered write, whole, and replaces nothing', async (t) => {
  const { server, account, records, folder, file } = await kept(t);
  await backUp(server.dataDir, file);
  await account.browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(100));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['backup']);
  await assert.rejects(backUp(server.dataDir, file), { code: 'backup-exists' });
  await assert.rejects(backUp(server.dataDir, join(folder, 'absent', 'x')), { code: 'backup-unwritable' });
  await assert.rejects(backUp(folder, join(folder, 'other')), { code: 'data-unreadable' });
  const restored = join(folder, 'data');
  await restore(file, restored);
  const rows = rowsOf(restored);
  assert.equal(rows.length, records.size);
  for (const row of rows) assert.deepEqual(row.envelope, records.get(String(row.record_id)));
  assert.deepEqual(await readdir(folder), ['backup', 'data']);
  assert.deepEqual(await readdir(restored), [DATABASE]);
  assert.equal((await stat(join(restored, DATABASE))).mode & 0o777, 0o600);
});

test('SV-82 SV-84 a damaged database gives no backup, and no half of one stays', async (t) => {
  const { server, folder, file } = await kept(t);
  await backUp(server.dataDir, file);
  const bytes = await readFile(file);
  const damaged = await temporaryFolder(t);
  // The page of the records' index by sequence, by its own key.
  const sqlite = new DatabaseSync(file, { readOnly: true });
  const root = sqlite.prepare(`select rootpage from sqlite_master where name = 'records_by_sequence'`).get()?.rootpage;
  sqlite.close();
  bytes.fill(0xff, 4096 * (Number(root) - 1) + 3000, 4096 * Number(root));
  await writeFile(join(damaged, DATABASE), bytes.subarray(0, -48));
  await assert.rejects(backUp(damaged, join(folder, 'second')), { code: 'database-damaged' });
  assert.deepEqual(await readdir(folder), ['backup']);
  await assert.rejects(restore(await resealed(join(folder, 'third'), bytes.subarray(0, -48)), join(folder, 'data')), {
    code: 'backup-damaged',
  });
});

test('SV-83 what was removed before a backup is in no byte of it, and stays removed', async (t) => {
  const { server, account, records, folder, file } = await kept(t);
  server.graph.sqlite.exec('pragma secure_delete = off');
  const [gone] = records;
  await account.browser.call('DELETE', `/api/records/${gone?.[0]}`);
  server.graph.sqlite.exec('pragma wal_checkpoint(truncate)');
  await backUp(server.dataDir, file);
  const bytes = await readFile(file);
  for (const [id, envelope] of records)
    assert.equal(bytes.includes(Buffer.from(envelope.subarray(0, 100))), id !== gone?.[0]);
  await restore(file, join(folder, 'data'));
  const rows = rowsOf(join(folder, 'data'));
  assert.equal(rows.find(({ record_id }) => record_id === gone?.[0])?.envelope, null);
});

test('SV-84 every changed, missing or additional byte of a backup is noticed', async (t) => {
  const { server, folder, file } = await kept(t, 4);
  await backUp(server.dataDir, file);
  const bytes = await readFile(file);
  const data = join(folder, 'data');
  const bad = join(folder, 'bad');
  for (let i = 0; i < 60; i++) {
    const changed = Buffer.from(bytes);
    const at = i < 48 ? bytes.length - 1 - i : Math.floor((bytes.length / 60) * i);
    changed[at] = (changed[at] ?? 0) ^ (1 << (i % 8));
    await writeFile(bad, changed);
    await assert.rejects(restore(bad, data), { code: 'backup-damaged' }, `byte ${at}`);
  }
  for (const length of [0, 1, 47, 48, 49, 4096, bytes.length - 1]) {
    await writeFile(bad, bytes.subarray(0, length));
    await assert.rejects(restore(bad, data), { code: 'backup-damaged' }, `cut at ${length}`);
  }
  await writeFile(bad, Buffer.concat([bytes, Buffer.of(0)]));
  await assert.rejects(restore(bad, data), { code: 'backup-damaged' });
  await assert.rejects(restore(await resealed(bad, Buffer.from('no database')), data), { code: 'backup-damaged' });
  await assert.rejects(restore(join(folder, 'absent'), data), { code: 'backup-unreadable' });
  assert.deepEqual(await readdir(data), []);
});

test('SV-84 a schema of nobody’s, a newer one and a row of no account are refused', async (t) => {
  const { server, folder, file } = await kept(t, 2);
  await backUp(server.dataDir, file);
  const data = join(folder, 'data');
  const refusals: [string, string][] = [
    ['create trigger leak after insert on records begin delete from locks; end', 'backup-damaged'],
    ['alter table records add column leaked text', 'backup-damaged'],
    ['drop table migrations', 'backup-damaged'],
    [`insert into migrations values (99, 'of the future', 1)`, 'database-newer'],
    [`update records set account_id = 'nobody'`, 'backup-damaged'],
  ];
  for (const [sql, code] of refusals) await assert.rejects(restore(await forged(t, file, sql), data), { code }, sql);
  assert.deepEqual(await readdir(data), []);
});

test('SV-85 nothing is restored under a running server, an idle one without accounts too', async (t) => {
  const { server, folder, file } = await kept(t, 2);
  await backUp(server.dataDir, file);
  await assert.rejects(restore(file, server.dataDir), { code: 'server-running' });
  const idle = await createTestServer(t);
  await assert.rejects(restore(file, idle.dataDir), { code: 'server-running' });
  await createAccount(idle);
  assert.equal(rowsOf(idle.dataDir, 'accounts').length, 1);
  assert.ok(!(await readdir(folder)).includes('data'));
});

test('SV-85 a program that opened the database before it was replaced begins nothing on it', async (t) => {
  const { server, folder, file } = await kept(t, 2);
  await backUp(server.dataDir, file);
  const data = join(folder, 'data');
  const empty = await createTestServer(t, { dataDir: data });
  await empty.graph.close();
  // A second name for the old file, to look at what a late program would find in it.
  await link(join(data, DATABASE), join(folder, 'late'));
  await restore(file, data);
  const late = new DatabaseSync(join(folder, 'late'));
  assert.equal(late.prepare('select max(version) as v from migrations').get()?.v, 2 ** 31);
  late.close();
  assert.deepEqual(await readdir(data), [DATABASE]);
  assert.equal(rowsOf(data).length, 2);
});

test('SV-86 nothing is restored over accounts, a foreign file, or what a moved database left', async (t) => {
  const { server, folder, file } = await kept(t, 2);
  await backUp(server.dataDir, file);
  await server.graph.close();
  const before = rowsOf(server.dataDir);
  await assert.rejects(restore(file, server.dataDir), { code: 'restore-over-data' });
  assert.deepEqual(rowsOf(server.dataDir), before);
  const foreign = join(await temporaryFolder(t), DATABASE);
  await writeFile(foreign, 'not a database, long enough to be read as a header'.repeat(100));
  await assert.rejects(restore(file, join(foreign, '..')), { code: 'restore-over-data' });
  const other = join(await temporaryFolder(t), DATABASE);
  const sqlite = new DatabaseSync(other);
  sqlite.exec('create table somebody (a text)');
  sqlite.close();
  await assert.rejects(restore(file, join(other, '..')), { code: 'restore-over-data' });
  for (const end of ['-wal', '-journal']) {
    const left = await temporaryFolder(t);
    await writeFile(join(left, DATABASE + end), 'old pages');
    await assert.rejects(restore(file, left), { code: 'restore-over-data' });
    assert.deepEqual(await readdir(left), [DATABASE + end]);
  }
  assert.ok((await readdir(folder)).includes('backup'));
});

test('SV-87 a restore that fails leaves the folder as it was', async (t) => {
  const { server, folder, file } = await kept(t, 2);
  await backUp(server.dataDir, file);
  const data = join(folder, 'data');
  const empty = await createTestServer(t, { dataDir: data });
  await empty.graph.close();
  const { ino } = await stat(join(data, DATABASE));
  await assert.rejects(restore(await forged(t, file, 'create table extra (a text)'), data), { code: 'backup-damaged' });
  assert.equal((await stat(join(data, DATABASE))).ino, ino);
  await restore(file, data);
  // Another file under the name: no reader ever saw a half of it.
  assert.notEqual((await stat(join(data, DATABASE))).ino, ino);
  assert.deepEqual(await readdir(data), [DATABASE]);
});

test('SV-88 SV-89 after a restore the account is whole, nobody is signed in, and numbers go on above all that were given', async (t) => {
  const { server, account, records, folder, file } = await kept(t, 3);
  server.graph.sqlite.exec(`insert into challenges values ('c', null, 'sign-in', ${Number.MAX_SAFE_INTEGER})`);
  await backUp(server.dataDir, file);
  let newest = 0;
  for (let i = 0; i < 5; i++) {
    newest = (await account.browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(9))).json.sequence;
  }
  const data = join(folder, 'data');
  await restore(file, data);
  const again = await createTestServer(t, { dataDir: data, clock: server.clock });
  const browser = again.browser();
  browser.cookie = account.browser.cookie;
  assert.equal((await browser.call('GET', '/api/records')).status, 401);
  assert.deepEqual(rowsOf(data, 'challenges'), []);
  const { lookupId, authenticator } = account;
  assert.equal((await browser.call('POST', '/api/sign-in/recovery', { lookupId, authenticator })).status, 200);
  assert.equal((await browser.call('GET', '/api/records')).json.records.length, records.size);
  const id = randomHex();
  assert.ok((await browser.call('PUT', `/api/records/${id}`, random.bytes(9))).json.sequence > newest);
  const { json } = await browser.call('GET', `/api/records?after=${newest}`);
  assert.deepEqual(
    json.records.map(({ recordId }: { recordId: string }) => recordId),
    [id],
  );
});

test('SV-82 SV-87 the tool says what was done and what it means', async (t) => {
  const { server, account, folder, file } = await kept(t, 1);
  const admin = (...words: string[]) => spawnSync(process.execPath, [ADMIN, ...words], { encoding: 'utf8' });
  const shown = admin('--data', server.dataDir, '--', 'disclose', account.accountId);
  assert.match(shown.stdout, /What cannot be handed over/);
  assert.match(admin('--data', server.dataDir, '--', 'backup', file).stdout, /Written to/);
  const data = join(folder, 'data');
  assert.match(admin('--data', data, '--', 'restore', file).stdout, /history-rolled-back \(rule VA-104\)/);
  const twice = admin('--data', data, '--', 'restore', file);
  assert.match(twice.stderr, /Move every sotto\.sqlite file and the folder “blobs” away/);
  assert.equal(twice.status, 1);
});
