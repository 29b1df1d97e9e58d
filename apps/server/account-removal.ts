/**
 * Removing an account: files, rows, sessions, and what is kept so that its other devices learn why (spec/server.md "Accounts").
 * What is kept is the account's random id and a time, for ninety days.
 */
import { removeInTurn } from './blobs.ts';
import type { Services } from './services.ts';

const REMEMBERED_MS = 90 * 24 * 60 * 60 * 1000;

/** Files first: a crash in between leaves an account that can be removed again, and no file without one. */
export function removeAccount(services: Services, accountId: string): Promise<void> {
  // A part that is on its way is written before, and removed, or is refused after.
  return services.blobTurns.take(accountId, () => removeInItsTurn(services, accountId));
}

async function removeInItsTurn(services: Services, accountId: string): Promise<void> {
  const { db, clock, log, onSessionEnd } = services;
  const files = await db.selectFrom('blobs').select('blob_id').where('account_id', '=', accountId).execute();
  for (const { blob_id } of files) await removeInTurn(services, accountId, blob_id);
  const sessions = await db.transaction().execute(async (transaction) => {
    const ended = await transaction
      .selectFrom('sessions')
      .select('token_hash')
      .where('account_id', '=', accountId)
      .execute();
    const row = { account_id: accountId, deleted_at_ms: clock.nowMs() };
    await transaction
      .insertInto('deleted_accounts')
      .values(row)
      .onConflict((conflict) => conflict.column('account_id').doUpdateSet(row))
      .execute();
    await transaction.deleteFrom('accounts').where('account_id', '=', accountId).execute();
    return ended;
  });
  for (const { token_hash } of sessions) onSessionEnd(token_hash);
  services.captures.forget(accountId);
  log.write({ event: 'account-removed', subject: accountId });
}

export async function forgetRemovedAccounts({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<void> {
  const before = clock.nowMs() - REMEMBERED_MS;
  await db.deleteFrom('deleted_accounts').where('deleted_at_ms', '<', before).execute();
}
