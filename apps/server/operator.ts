/**
 * The operator's view: every column of every row that the server holds for one account or guest, read from the database as
 * it is. It knows no column by name, so whatever the schema gains shows by itself (DESIGN §11).
 */
import { encodeHex } from '@sotto/bytes';
import { type Kysely, sql } from 'kysely';
import type { CapturedFrame } from './captures.ts';
import type { Database } from './database/schema.ts';
import { StartError } from './errors.ts';
import type { Subject } from './sessions.ts';

/** Numbers, text and null as stored; bytes as their size and first 48 bytes. */
export type OperatorValue = string | number | null | { readonly bytes: number; readonly firstBytesHex: string };

export interface OperatorTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** All rows of this person; `rows` holds the newest of them. */
  readonly rowCount: number;
  readonly rows: readonly Readonly<Record<string, OperatorValue>>[];
}

export interface OperatorView {
  readonly subject: Subject;
  readonly tables: readonly OperatorTable[];
}

/** What only the running server knows; it is in memory and on no disk. */
export interface LiveView {
  readonly relay: readonly CapturedFrame[];
  readonly log: readonly string[];
}

/** Tables about nobody. Every other table must name its owner: a test reads the schema (SV-25). */
export const TABLES_ABOUT_NOBODY: readonly string[] = ['migrations'];

const ROWS_SHOWN = 500;
/** For `rowsShown`. */
export const ALL_ROWS = -1;
const TEXT_SHOWN = 16_384;
const FIRST_BYTES = 48;
const LENGTH_OF = 'length of ';

/**
 * @param id an account's or a guest's
 * @param rowsShown the newest of each table, or `ALL_ROWS`
 * @throws StartError `account-unknown`
 */
export async function operatorView(
  db: Kysely<Database>,
  id: string,
  rowsShown: number = ROWS_SHOWN,
): Promise<OperatorView> {
  const subject = await subjectOf(db, id);
  const owner = subject.kind === 'account' ? 'account_id' : 'guest_id';
  const limit = rowsShown === ALL_ROWS ? sql`` : sql`limit ${sql.lit(rowsShown)}`;
  const tables: OperatorTable[] = [];
  for (const { name, columns } of await db.introspection.getTables()) {
    if (!columns.some((column) => column.name === owner)) continue;
    const mine = sql`from ${sql.table(name)} where ${sql.ref(owner)} = ${id}`;
    const count = await sql<{ count: number }>`select count(*) as count ${mine}`.execute(db);
    const values = sql.join(columns.map(({ name, dataType }) => selected(name, dataType)));
    const { rows } = await sql<
      Record<string, unknown>
    >`select ${values} ${mine} ${newestFirst(columns)} ${limit}`.execute(db);
    tables.push({
      name,
      columns: columns.map((column) => column.name),
      rowCount: count.rows[0]?.count ?? 0,
      rows: rows.map((row) =>
        Object.fromEntries(columns.map(({ name }) => [name, shown(row[name], row[`${LENGTH_OF}${name}`])])),
      ),
    });
  }
  return { subject, tables };
}

/** Every account and guest, newest first, for the operator's own tool. */
export async function listSubjects(db: Kysely<Database>): Promise<(Subject & { createdAtMs: number })[]> {
  const accounts = await db
    .selectFrom('accounts')
    .select(['account_id as id', 'created_at_ms as createdAtMs'])
    .execute();
  const guests = await db.selectFrom('guests').select(['guest_id as id', 'created_at_ms as createdAtMs']).execute();
  return [
    ...accounts.map((row) => ({ kind: 'account' as const, ...row })),
    ...guests.map((row) => ({ kind: 'guest' as const, ...row })),
  ].sort((a, b) => b.createdAtMs - a.createdAtMs);
}

async function subjectOf(db: Kysely<Database>, id: string): Promise<Subject> {
  const account = await db.selectFrom('accounts').select('account_id').where('account_id', '=', id).executeTakeFirst();
  if (account !== undefined) return { kind: 'account', id };
  const guest = await db.selectFrom('guests').select('guest_id').where('guest_id', '=', id).executeTakeFirst();
  if (guest !== undefined) return { kind: 'guest', id };
  throw new StartError('account-unknown');
}

/** Every table says when a row came, or in which order. */
function newestFirst(columns: readonly { readonly name: string }[]) {
  const orders = columns.filter(({ name }) => name === 'sequence' || name.endsWith('_at_ms'));
  return orders.length === 0 ? sql`` : sql`order by ${sql.join(orders.map(({ name }) => sql`${sql.ref(name)} desc`))}`;
}

/** Of bytes only the beginning leaves the database: hundreds of envelopes would hold up everybody else. */
function selected(name: string, dataType: string) {
  const column = sql.ref(name);
  if (dataType.toLowerCase() !== 'bytea') return column;
  return sql`substr(${column}, 1, ${sql.lit(FIRST_BYTES)}) as ${column}, length(${column}) as ${sql.ref(LENGTH_OF + name)}`;
}

function shown(value: unknown, length: unknown): OperatorValue {
  if (value instanceof Uint8Array) {
    const bytes = typeof length === 'number' ? length : value.length;
    return { bytes, firstBytesHex: encodeHex(value.subarray(0, FIRST_BYTES)) };
  }
  if (typeof value === 'string') return value.slice(0, TEXT_SHOWN);
  return typeof value === 'number' || value === null ? value : String(value);
}
