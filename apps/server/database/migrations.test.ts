import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Kysely } from 'kysely';
import { openSqlite } from './dialect.ts';
import { MIGRATIONS, migrate } from './migrations.ts';
import { DATABASE_FILE, openDatabase } from './open.ts';
import type { Database } from './schema.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sotto-database-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('SV-27 a database that a newer program has written is refused, and left as it is', async (t) => {
  const dataDir = await folder(t);
  const { db } = await openDatabase(dataDir, 1);
  await db.insertInto('migrations').values({ version: 99, name: 'of the future', applied_at_ms: 2 }).execute();
  await db.destroy();
  await assert.rejects(openDatabase(dataDir, 3), { code: 'database-newer', action: 'update' });
});

test('SV-28 migrations are applied once, in order, and a broken one leaves nothing of itself', async (t) => {
  const { dialect } = openSqlite(join(await folder(t), DATABASE_FILE), { readOnly: false });
  const db = new Kysely<Database>({ dialect });
  t.after(() => db.destroy());
  await migrate(db, 1);
  await migrate(db, 2);
  const broken = {
    version: MIGRATIONS.length + 1,
    name: 'broken',
    statements: ['create table extra (a text)', 'create nonsense'],
  };
  await assert.rejects(migrate(db, 3, [...MIGRATIONS, broken]));
  const applied = await db.selectFrom('migrations').selectAll().execute();
  assert.deepEqual(
    applied.map((row) => ({ ...row })),
    MIGRATIONS.map(({ version, name }) => ({ version, name, applied_at_ms: 1 })),
  );
  const names = (await db.introspection.getTables()).map(({ name }) => name);
  assert.ok(!names.includes('extra') && names.includes('records'));
});

test('SV-28 versions rise by one and the SQL holds nothing of SQLite alone', () => {
  assert.deepEqual(
    MIGRATIONS.map(({ version }) => version),
    MIGRATIONS.map((_, index) => index + 1),
  );
  for (const statement of MIGRATIONS.flatMap(({ statements }) => statements)) {
    assert.doesNotMatch(statement, /autoincrement|without rowid|strict|pragma|\bblob\b|\bdatetime\b|"|`/i);
    const types = [...statement.matchAll(/^\s+[a-z_]+ ([a-z]+)(?= |,|$)/gm)].map((match) => match[1]);
    for (const type of types)
      assert.ok(['text', 'bigint', 'bytea', 'key'].includes(type ?? ''), `${type} in ${statement}`);
  }
});

test('SV-39 a file that is no database, and a folder that cannot be written, are named', async (t) => {
  const dataDir = await folder(t);
  await writeFile(
    join(dataDir, DATABASE_FILE),
    'this is not a database, but it is long enough to be read as a header'.repeat(30),
  );
  await assert.rejects(openDatabase(dataDir, 1), { code: 'database-damaged' });
  await assert.rejects(openDatabase(join(dataDir, 'absent'), 1), { code: 'data-unwritable' });
});
