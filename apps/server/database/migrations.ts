/**
 * The schema's history: append only, each entry applied once, in order, in one transaction. Written in the SQL that
 * SQLite and PostgreSQL share: `text`, `bigint`, `bytea` (SQLite takes any type name), no AUTOINCREMENT, no pragma.
 */
import { type Kysely, sql } from 'kysely';
import { StartError } from '../errors.ts';
import type { Database } from './schema.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'accounts, guests, sessions, locks, credentials and records',
    statements: [
      `create table accounts (
        account_id text primary key,
        created_at_ms bigint not null,
        last_sequence bigint not null default 0,
        record_count bigint not null default 0,
        record_bytes bigint not null default 0
      )`,
      `create table guests (guest_id text primary key, created_at_ms bigint not null)`,
      `create table sessions (
        token_hash text primary key,
        account_id text references accounts (account_id) on delete cascade,
        guest_id text references guests (guest_id) on delete cascade,
        created_at_ms bigint not null,
        expires_at_ms bigint not null,
        check ((account_id is null) <> (guest_id is null))
      )`,
      `create index sessions_by_account on sessions (account_id)`,
      `create index sessions_by_guest on sessions (guest_id)`,
      `create table devices (
        account_id text not null references accounts (account_id) on delete cascade,
        public_key bytea not null,
        signed_record bytea not null,
        created_at_ms bigint not null,
        primary key (account_id, public_key)
      )`,
      `create table recoveries (
        lookup_id text primary key,
        account_id text not null references accounts (account_id) on delete cascade,
        verifier bytea not null,
        created_at_ms bigint not null
      )`,
      `create table locks (
        account_id text not null references accounts (account_id) on delete cascade,
        lock_id text not null,
        kind text not null,
        credential_id text,
        lock bytea not null,
        updated_at_ms bigint not null,
        primary key (account_id, lock_id)
      )`,
      `create table credentials (
        credential_id text primary key,
        account_id text not null references accounts (account_id) on delete cascade,
        public_key bytea not null,
        counter bigint not null,
        transports text not null,
        created_at_ms bigint not null,
        last_used_at_ms bigint
      )`,
      `create table challenges (
        challenge_hash text primary key,
        account_id text references accounts (account_id) on delete cascade,
        purpose text not null,
        expires_at_ms bigint not null
      )`,
      `create table records (
        account_id text not null references accounts (account_id) on delete cascade,
        record_id text not null,
        sequence bigint not null,
        envelope bytea,
        written_at_ms bigint not null,
        primary key (account_id, record_id)
      )`,
      `create unique index records_by_sequence on records (account_id, sequence)`,
    ],
  },
  {
    version: 2,
    name: 'sealed files',
    statements: [
      `alter table accounts add column blob_bytes bigint not null default 0`,
      `create table blobs (
        account_id text not null references accounts (account_id) on delete cascade,
        blob_id text not null,
        committed bigint not null,
        written_at_ms bigint not null,
        primary key (account_id, blob_id)
      )`,
      `create table blob_parts (
        account_id text not null,
        blob_id text not null,
        part bigint not null,
        digest text not null,
        bytes bigint not null,
        primary key (account_id, blob_id, part),
        foreign key (account_id, blob_id) references blobs (account_id, blob_id) on delete cascade
      )`,
    ],
  },
  {
    version: 3,
    name: 'epochs of the account key',
    statements: [
      `alter table accounts add column epoch bigint not null default 1`,
      `create table epochs (
        account_id text not null references accounts (account_id) on delete cascade,
        epoch bigint not null,
        record_id text not null,
        begun_at_ms bigint not null,
        primary key (account_id, epoch)
      )`,
    ],
  },
  {
    version: 4,
    name: 'removed accounts',
    statements: [
      `create table deleted_accounts (
        account_id text primary key,
        deleted_at_ms bigint not null
      )`,
    ],
  },
  {
    version: 5,
    name: 'chats shared by link',
    statements: [
      `create table shares (
        share_id text primary key,
        account_id text not null references accounts (account_id) on delete cascade,
        sealed bytea not null,
        created_at_ms bigint not null,
        expires_at_ms bigint not null
      )`,
      `create index shares_by_account on shares (account_id)`,
    ],
  },
];

/**
 * Brings the database to this program's version.
 *
 * @throws StartError `database-newer` when a newer program has already changed it
 */
export async function migrate(
  db: Kysely<Database>,
  nowMs: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  await sql`create table if not exists migrations (version bigint primary key, name text not null, applied_at_ms bigint not null)`.execute(
    db,
  );
  const applied = await db.selectFrom('migrations').select('version').orderBy('version', 'desc').executeTakeFirst();
  const current = applied?.version ?? 0;
  const known = migrations.at(-1)?.version ?? 0;
  // SV-27: an older program would write rows that the newer one no longer understands.
  if (current > known) throw new StartError('database-newer');
  for (const migration of migrations.filter(({ version }) => version > current)) {
    await db.transaction().execute(async (transaction) => {
      for (const statement of migration.statements) await sql.raw(statement).execute(transaction);
      const { version, name } = migration;
      await transaction.insertInto('migrations').values({ version, name, applied_at_ms: nowMs }).execute();
    });
  }
}
