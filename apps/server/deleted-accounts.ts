/** Which accounts were removed, while that is remembered (spec/server.md "Accounts"). */
import type { Kysely } from 'kysely';
import type { Database } from './database/schema.ts';

/** True for some months after an account was removed. */
export async function wasRemoved({ db }: { readonly db: Kysely<Database> }, accountId: string): Promise<boolean> {
  const row = await db
    .selectFrom('deleted_accounts')
    .select('account_id')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row !== undefined;
}
