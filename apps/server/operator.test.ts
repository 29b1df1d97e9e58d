import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { Captures } from './captures.ts';
import { openDatabaseReadOnly } from './database/open.ts';
import { accountRequest, createAccount, createTestServer, randomHex } from './fixture-for-testing.ts';
import { listSubjects, operatorView, TABLES_ABOUT_NOBODY } from './operator.ts';

const random = createSeededRandom('operator');

test('SV-24 a person sees their own rows, frames and log lines, and nothing of anybody else', async (t) => {
  const server = await createTestServer(t);
  const mine = await createAccount(server);
  const theirs = await createAccount(server);
  for (const { browser } of [mine, theirs]) await browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(300));
  server.graph.services.captures.add(mine.accountId, 5, 'to-node', random.bytes(100));
  server.graph.services.captures.add(theirs.accountId, 6, 'from-node', random.bytes(100));
  const { json, text } = await mine.browser.call('GET', '/api/operator-view');
  assert.deepEqual(json.subject, { kind: 'account', id: mine.accountId });
  const rowCounts = Object.fromEntries(
    json.tables.map((table: { name: string; rowCount: number }) => [table.name, table.rowCount]),
  );
  assert.deepEqual(rowCounts, {
    accounts: 1,
    blob_parts: 0,
    blobs: 0,
    challenges: 0,
    credentials: 0,
    deleted_accounts: 0,
    devices: 1,
    epochs: 0,
    locks: 1,
    recoveries: 1,
    records: 1,
    sessions: 1,
    shares: 0,
  });
  assert.equal(json.relay.length, 1);
  assert.equal(json.relay[0].firstBytesHex.length, 96);
  assert.ok(json.log.length > 0);
  assert.ok(!text.includes(theirs.accountId) && !text.includes(theirs.accountId.slice(0, 8)));

  const guest = server.browser();
  const { guestId } = (await guest.call('POST', '/api/guest')).json;
  const view = (await guest.call('GET', '/api/operator-view')).json;
  assert.deepEqual(view.subject, { kind: 'guest', id: guestId });
  assert.deepEqual(
    view.tables.map((table: { name: string; rowCount: number }) => [table.name, table.rowCount]),
    [
      ['guests', 1],
      ['sessions', 1],
    ],
  );
});

test('SV-25 a column that the server gains, plaintext in it too, shows by itself', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  await account.browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(300));
  server.graph.sqlite.exec(`alter table records add column leaked_text text`);
  server.graph.sqlite.exec(`update records set leaked_text = 'what the person wrote'`);
  server.graph.sqlite.exec(`create table notes (account_id text, note text)`);
  server.graph.sqlite.exec(`insert into notes values ('${account.accountId}', 'the operator’s note')`);
  const { json } = await account.browser.call('GET', '/api/operator-view');
  const table = (name: string) => json.tables.find((one: { name: string }) => one.name === name);
  assert.ok(table('records').columns.includes('leaked_text'));
  assert.equal(table('records').rows[0].leaked_text, 'what the person wrote');
  assert.equal(table('records').rows[0].envelope.bytes, 300);
  assert.equal(table('notes').rows[0].note, 'the operator’s note');
});

test('SV-25 every table that the migrations make names whose row it is', async (t) => {
  const { graph } = await createTestServer(t);
  const tables = await graph.services.db.introspection.getTables();
  assert.ok(tables.length >= 9);
  for (const { name, columns } of tables) {
    const named = columns.some((column) => column.name === 'account_id' || column.name === 'guest_id');
    assert.ok(named || TABLES_ABOUT_NOBODY.includes(name), name);
  }
});

test('SV-36 captures keep the last frames of the last people, 48 bytes of each', () => {
  const captures = new Captures({ capturedFrames: 3, capturedSubjects: 2 });
  for (let i = 0; i < 5; i++) captures.add('a', i, 'to-node', new Uint8Array(1000).fill(i));
  assert.deepEqual(captures.framesOf('a'), [
    { timeMs: 2, direction: 'to-node', sizeBytes: 1000, firstBytesHex: '02'.repeat(48) },
    { timeMs: 3, direction: 'to-node', sizeBytes: 1000, firstBytesHex: '03'.repeat(48) },
    { timeMs: 4, direction: 'to-node', sizeBytes: 1000, firstBytesHex: '04'.repeat(48) },
  ]);
  const reused = Buffer.of(7);
  captures.add('b', 9, 'from-node', reused);
  reused[0] = 1;
  captures.add('c', 9, 'from-node', Uint8Array.of(8));
  assert.deepEqual(captures.framesOf('a'), []);
  assert.equal(captures.framesOf('b')[0]?.firstBytesHex, '07');
});

test('SV-40 the operator’s tool reads the same beside a running server', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const db = openDatabaseReadOnly(server.dataDir);
  t.after(() => db.destroy());
  const { json } = await account.browser.call('GET', '/api/operator-view');
  const view = await operatorView(db, account.accountId);
  assert.deepEqual(JSON.parse(JSON.stringify(view)).tables, json.tables);
  assert.deepEqual(
    (await listSubjects(db)).map(({ id }) => id),
    [account.accountId],
  );
  await assert.rejects(operatorView(db, randomHex()), { code: 'account-unknown' });
  await assert.rejects(async () => db.deleteFrom('records').execute(), /readonly/);
});

test('SV-24 an account whose id begins like another’s sees no line of the other', async (t) => {
  const server = await createTestServer(t);
  const victim = await createAccount(server);
  await victim.browser.call('GET', '/api/locks');
  const { body } = accountRequest();
  const twin = { ...body, accountId: victim.accountId.slice(0, 8) + body.accountId.slice(8) };
  const browser = server.browser();
  assert.equal((await browser.call('POST', '/api/accounts', twin)).status, 201);
  const { log } = (await browser.call('GET', '/api/operator-view')).json;
  assert.ok(log.length > 0);
  assert.ok(!log.some((line: string) => line.includes('/api/locks')));
  const own = (await victim.browser.call('GET', '/api/operator-view')).json.log;
  assert.ok(own.some((line: string) => line.includes('/api/locks')));
});
