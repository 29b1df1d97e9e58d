/**
 * What happens between two transactions of one account, in a real PostgreSQL at its usual level (READ COMMITTED), where several requests
 * write at once: spec/server.md, SV-107, SV-133 and the caps. On SQLite one connection does one after the other.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { concatBytes, encodeBase64, encodeHex, parseBase64 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { encodeRecordBatch } from '@sotto/wire';
import { Kysely } from 'kysely';
import { createApp } from '../../apps/server/app.ts';
import { MIGRATIONS } from '../../apps/server/database/migrations.ts';
import type { Database } from '../../apps/server/database/schema.ts';
import {
  accountRequest,
  createAccount,
  createBrowser,
  createTestServer,
  randomBase64,
  randomHex,
  type TestServerOptions,
} from '../../apps/server/fixture-for-testing.ts';
import { Sessions } from '../../apps/server/sessions.ts';
import { connectionsTo } from './connections.ts';
import { findPostgres, type Postgres, startPostgres } from './server.ts';

const bin = findPostgres();
const skip = bin === undefined ? 'PostgreSQL is not on this machine' : false;
let postgres: Postgres | undefined;

before(async () => {
  if (bin === undefined) return;
  postgres = await startPostgres(bin);
  const statements = MIGRATIONS.flatMap((migration) => migration.statements);
  await postgres.sql(statements.map((statement) => `${statement};`).join('\n'));
});
after(() => postgres?.stop());

/** The server, with every row in PostgreSQL. */
async function start(t: Parameters<typeof createTestServer>[0], limits: TestServerOptions['limits'] = {}) {
  const { graph } = await createTestServer(t, { limits });
  const { services } = graph;
  assert.ok(postgres);
  const db = new Kysely<Database>({ dialect: connectionsTo(postgres.psql) });
  t.after(() => db.destroy());
  const sessions = new Sessions(db, services.clock, services.random, services.limits.sessionMs);
  const app = createApp({ ...services, db, sessions });
  return { db, browser: () => createBrowser((url, init) => app.request(url, init)) };
}

/** Until so many connections wait for another one. */
async function waiting(count: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (Number(await postgres?.sql('select count(*) from pg_locks where not granted;')) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`no ${count} connections wait`);
}

function envelope(epoch: number): Uint8Array<ArrayBuffer> {
  const bytes = concatBytes(Uint8Array.of(0x53, 0x56, 0x52, 1), new Uint8Array(252));
  new DataView(bytes.buffer).setUint32(36, epoch);
  return bytes;
}

function lock(epoch: number): string {
  const bytes = concatBytes(Uint8Array.of(0x53, 0x56, 0x4c, 1), new Uint8Array(160));
  new DataView(bytes.buffer).setUint32(37, epoch);
  return encodeBase64(bytes);
}

type Call = readonly [method: string, path: string, body?: unknown, headers?: Record<string, string>];

test('SV-107 SV-133 what waits for a rotation is judged by what the rotation left, under READ COMMITTED', {
  skip,
}, async (t) => {
  const server = await start(t);
  const account = await createAccount(server);
  const { browser, lookupId, authenticator } = account;
  const removed = server.browser();
  await removed.call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  const [recordId, shareId, blobId] = [randomHex(), randomHex(), randomHex()];
  const part = new Uint8Array(300);
  const digest = { 'sotto-digest': encodeHex(sha256(part)) };
  assert.equal((await browser.call('PUT', `/api/records/${recordId}`, envelope(1))).status, 200);
  assert.equal((await browser.call('PUT', `/api/shares/${shareId}?days=1`, part)).status, 200);

  // The rotation stops where it writes its epoch, with the account's row held, until the test lets it go on.
  await postgres?.sql(`
    create function stop_here() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(7); return new; end';
    create trigger stop_here before insert on epochs for each row execute function stop_here();
  `);
  const { promise: gate, resolve: letGo } = Promise.withResolvers<void>();
  const holding = server.db.connection().execute(async (connection) => {
    await connection.executeQuery({ sql: 'select pg_advisory_lock(7)', parameters: [] } as never);
    await gate;
    await connection.executeQuery({ sql: 'select pg_advisory_unlock(7)', parameters: [] } as never);
  });
  const epochRecordId = randomHex();
  const rotation = {
    epoch: 2,
    baseSequence: 1,
    epochRecordId,
    locks: [{ lockId: encodeHex(parseBase64(lookupId)), kind: 'recovery-code', lock: lock(2) }],
    credentials: [],
    devices: [],
    records: [{ recordId: epochRecordId, envelope: encodeBase64(envelope(2)) }],
  };
  const rotating = browser.call('POST', '/api/rotation', rotation);
  await waiting(1);

  const batch = (epoch: number) => encodeRecordBatch([{ recordId: randomHex(), base: 9, envelope: envelope(epoch) }]);
  const code = { kind: 'recovery-code', lookupId: randomBase64(16), verifier: randomBase64(32), lock: lock(2) };
  const ofRemoved: Call[] = [
    ['PUT', `/api/records/${randomHex()}`, envelope(2)],
    ['DELETE', `/api/records/${recordId}`],
    ['POST', '/api/records/batch', batch(2)],
    ['PUT', `/api/shares/${randomHex()}?days=1`, part],
    ['DELETE', `/api/shares/${shareId}`],
    ['POST', '/api/devices', { publicKey: randomBase64(32), record: randomBase64(120) }],
    ['POST', '/api/recoveries', code],
    ['PUT', `/api/blobs/${blobId}/0`, part, digest],
  ];
  const ofRemaining: [Call, string | undefined][] = [
    [['PUT', `/api/records/${randomHex()}`, envelope(1)], 'epoch-stale'],
    [['PUT', `/api/records/${randomHex()}`, envelope(2)], undefined],
    [['PUT', `/api/locks/${randomHex()}`, { kind: 'recovery-code', lock: lock(1) }], 'epoch-stale'],
    [['POST', '/api/rotation', { ...rotation, epochRecordId: randomHex() }], 'epoch-conflict'],
  ];
  const [fromRemoved, fromRemaining] = [
    ofRemoved.map((call) => removed.call(...call)),
    ofRemaining.map(([call]) => browser.call(...call)),
  ];
  await waiting(1 + ofRemoved.length + ofRemaining.length);
  letGo();
  await holding;
  assert.equal((await rotating).status, 200, (await rotating).text);
  for (const [i, answer] of (await Promise.all(fromRemoved)).entries())
    assert.equal(answer.json?.error?.code, 'signed-out', ofRemoved[i]?.slice(0, 2).join(' '));
  for (const [i, answer] of (await Promise.all(fromRemaining)).entries())
    assert.equal(answer.json?.error?.code, ofRemaining[i]?.[1], ofRemaining[i]?.[0].slice(0, 2).join(' '));
  const { json } = await browser.call('GET', '/api/records?after=0');
  assert.equal(json.records.length, 3, 'the first, the statement, and the one of the new epoch');
  assert.equal((await browser.call('GET', '/api/locks')).json.locks.length, 1);
});

test('SV-23 SV-21 SV-121 SV-123 writes at once have numbers of their own, and go over no cap', { skip }, async (t) => {
  const server = await start(t, { sharesPerAccount: 2, recordsPerAccount: 10 });
  const [mine, theirs] = [await createAccount(server), await createAccount(server)];
  const codes = async (calls: Promise<{ json?: { error?: { code: string } } }>[]) =>
    (await Promise.all(calls)).map(({ json }) => json?.error?.code ?? 'done').sort();
  const many = Array.from({ length: 12 }, () => mine.browser.call('PUT', `/api/records/${randomHex()}`, envelope(1)));
  assert.deepEqual(await codes(many), [...Array(10).fill('done'), 'store-full', 'store-full']);
  const sequences = new Set((await Promise.all(many)).flatMap(({ json }) => json.sequence ?? []));
  assert.deepEqual(
    [...sequences].sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  const share = (who: typeof mine, id = randomHex()) =>
    who.browser.call('PUT', `/api/shares/${id}?days=1`, new Uint8Array(100));
  assert.deepEqual(await codes([share(mine), share(mine), share(mine)]), ['done', 'done', 'shares-full']);
  const other = await createAccount(server);
  const id = randomHex();
  assert.deepEqual(await codes([share(theirs, id), share(other, id)]), ['done', 'share-taken']);
});

test('SV-13 of two who name one account or one code at once the second is refused', { skip }, async (t) => {
  const server = await start(t);
  const { body } = accountRequest();
  const other = { ...body, accountId: randomHex() };
  const answers = await Promise.all(
    [body, body, other].map((one) => server.browser().call('POST', '/api/accounts', one)),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
});
