/** Ends whatever session there was and starts one of the account. */
import type { Kysely } from 'kysely';
import type { Database } from './database/schema.ts';
import { ServerError } from './errors.ts';
import { type AppContext, holdAccount, type Services } from './services.ts';

/** The row that proved who signs in, undefined once it is removed. */
export type Proof = (db: Kysely<Database>) => Promise<object | undefined>;

/** @param proof asked again where the session begins. @throws ServerError `signed-out` */
export async function signIn(
  c: AppContext,
  { db, sessions, onSessionEnd, log }: Services,
  accountId: string,
  status: 200 | 201,
  proof: Proof,
): Promise<Response> {
  const before = c.get('session');
  if (before !== undefined) {
    await sessions.end(before);
    onSessionEnd(before.tokenHash);
  }
  const cookie = await db.transaction().execute(async (transaction) => {
    await holdAccount(transaction, accountId);
    const isRemoved = (await proof(transaction)) === undefined;
    // SV-104: a rotation, between the look-up and here, would leave what it removed signed in for a month.
    if (isRemoved) throw new ServerError('signed-out');
    return sessions.start({ kind: 'account', id: accountId }, c.get('site'), transaction);
  });
  c.header('set-cookie', cookie);
  log.write({ event: status === 201 ? 'account-created' : 'signed-in', subject: accountId });
  return c.json({ accountId }, status);
}

/** A recovery code of this account. @param lookupId 16 bytes as hex */
export function recoveryProof(accountId: string, lookupId: string): Proof {
  return (db) => {
    const mine = db.selectFrom('recoveries').select('lookup_id').where('account_id', '=', accountId);
    return mine.where('lookup_id', '=', lookupId).executeTakeFirst();
  };
}

/** A passkey of this account. */
export function passkeyProof(accountId: string, credentialId: string): Proof {
  return (db) => {
    const mine = db.selectFrom('credentials').select('credential_id').where('account_id', '=', accountId);
    return mine.where('credential_id', '=', credentialId).executeTakeFirst();
  };
}
