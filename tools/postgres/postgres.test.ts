/**
 * The schema's promise (SV-28): PostgreSQL takes it as it is, and every statement that the server's routes put to it. A real
 * one takes part; where there is none the tests say so and are skipped.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { collectBlobs } from '../../apps/server/blobs.ts';
import { MIGRATIONS } from '../../apps/server/database/migrations.ts';
import {
  accountRequest,
  createAccount,
  createTestServer,
  randomBase64,
  randomHex,
} from '../../apps/server/fixture-for-testing.ts';
import { findPostgres, type Postgres, startPostgres } from './server.ts';

const bin = findPostgres();
const skip = bin === undefined ? 'PostgreSQL is not on this machine' : false;
let postgres: Postgres | undefined;

before(async () => {
  if (bin !== undefined) postgres = await startPostgres(bin);
});
after(() => postgres?.stop());

test('SV-28 PostgreSQL takes every migration, and every statement of the routes', { skip }, async (t) => {
  assert.ok(postgres);
  const migrations = MIGRATIONS.flatMap(({ statements }) => statements);
  await postgres.sql(
    [
      'create table migrations (version bigint primary key, name text not null, applied_at_ms bigint not null)',
      ...migrations,
    ]
      .map((statement) => `${statement};`)
      .join('\n'),
  );
  const statements = await statementsOfRoutes(t);
  for (const [i, statement] of statements.entries()) {
    let parameters = 0;
    const numbered = statement.replaceAll('?', () => `$${++parameters}`);
    await assert.doesNotReject(postgres.sql(`prepare s${i} as ${numbered};`), statement);
  }
  t.diagnostic(
    `PostgreSQL ${postgres.version}: ${migrations.length} statements of the schema, ${statements.length} of the routes`,
  );
  assert.ok(statements.length >= 20);
});

test('a schema that PostgreSQL does not take is noticed', { skip }, async () => {
  await assert.rejects(
    async () => postgres?.sql('create table odd (id integer primary key autoincrement);'),
    /syntax error/,
  );
  await assert.rejects(async () => postgres?.sql('prepare odd as select nothing from records;'), /nothing/);
});

/** What the server asks of its database while a person comes, keeps, writes, reads, removes and leaves. */
async function statementsOfRoutes(t: Parameters<typeof createTestServer>[0]): Promise<string[]> {
  const server = await createTestServer(t);
  const seen = new Set<string>();
  const { sqlite } = server.graph;
  const prepare = sqlite.prepare.bind(sqlite);
  sqlite.prepare = (sql) => {
    // What tables there are, each database is asked in its own way, by Kysely.
    const isOwn = /^\s*(select|insert|update|delete|with)\b/i.test(sql) && !/sqlite_master|pragma_/.test(sql);
    if (isOwn) seen.add(sql);
    return prepare(sql);
  };
  await server.browser().call('POST', '/api/guest', {});
  const account = await createAccount(server);
  const { browser, lookupId, authenticator } = account;
  const recordId = randomHex();
  await browser.call('PUT', `/api/records/${recordId}`, new Uint8Array(256));
  await browser.call('PUT', `/api/records/${recordId}`, new Uint8Array(256));
  await browser.call('GET', '/api/records?after=0');
  await browser.call('DELETE', `/api/records/${recordId}`);
  const blobId = randomHex();
  const part = new Uint8Array(300);
  await browser.call('PUT', `/api/blobs/${blobId}/0`, part, { 'sotto-digest': encodeHex(sha256(part)) });
  await browser.call('POST', `/api/blobs/${blobId}/commit`, { parts: 1 });
  for (const path of ['', `/${blobId}`, `/${blobId}/0`]) await browser.call('GET', `/api/blobs${path}`);
  await browser.call('DELETE', `/api/blobs/${blobId}`);
  await collectBlobs(server.graph.services);
  await browser.call('GET', '/api/locks');
  const { body } = accountRequest();
  await browser.call('PUT', `/api/locks/${randomHex()}`, { kind: 'recovery-code', lock: body.lock });
  await browser.call('POST', '/api/passkeys/register/options', {});
  await browser.call('POST', '/api/sign-in/passkey/options', {});
  await browser.call('GET', '/api/operator-view');
  await browser.call('POST', '/api/sign-out', {});
  await server.browser().call('POST', '/api/sign-in/recovery', { lookupId, authenticator });
  await server.browser().call('POST', '/api/sign-in/recovery', { lookupId: randomBase64(16), authenticator });
  return [...seen];
}
