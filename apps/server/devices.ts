/** Taking a device out of an account (spec/server.md "Devices"). */
import type { Kysely } from 'kysely';
import type { Database } from './database/schema.ts';

/**
 * Removes devices and ends every session of the account but one: which of them a removed device holds cannot be told, and the
 * devices that remain sign in again by their keys. Run it in the transaction that does the rest.
 *
 * @param publicKeys 32 bytes each
 * @param ownTokenHash the session that asks, which goes on
 * @returns the sessions that ended, for `onSessionEnd` once the transaction is done
 */
export async function removeDevices(
  db: Kysely<Database>,
  accountId: string,
  publicKeys: readonly Uint8Array<ArrayBuffer>[],
  ownTokenHash: string,
): Promise<readonly string[]> {
  if (publicKeys.length === 0) return [];
  await db.deleteFrom('devices').where('account_id', '=', accountId).where('public_key', 'in', publicKeys).execute();
  const ended = await db
    .deleteFrom('sessions')
    .where('account_id', '=', accountId)
    .where('token_hash', '!=', ownTokenHash)
    .returning('token_hash')
    .execute();
  return ended.map(({ token_hash }) => token_hash);
}
