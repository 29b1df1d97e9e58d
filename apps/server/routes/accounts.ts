/**
 * Accounts and their locks. The client makes every id and key; the server keeps wrapped blobs it cannot open, and what
 * verifies a recovery authenticator without knowing it. spec/server.md §accounts.
 */
import { encodeBase64, encodeHex, equalBytes, parseBase64 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import {
  parseCreateAccountRequest,
  parseLockRequest,
  parseRecoverySignInRequest,
  parseRemoveAccountRequest,
  type RecoverySignInRequest,
} from '@sotto/wire';
import { Hono } from 'hono';
import type { Kysely } from 'kysely';
import { removeAccount } from '../account-removal.ts';
import { readJson } from '../body.ts';
import type { Database } from '../database/schema.ts';
import { wasRemoved } from '../deleted-accounts.ts';
import { ServerError } from '../errors.ts';
import { isOlderThan } from '../sealed-epoch.ts';
import {
  type AppContext,
  type AppEnv,
  addressOf,
  requireAccount,
  requireStanding,
  type Services,
  spend,
} from '../services.ts';
import { expiredCookie } from '../sessions.ts';
import { recoveryProof, signIn } from '../sign-in.ts';
import { passkeyOwner } from './passkeys.ts';

export function accountRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, limits, rates } = services;
  return new Hono<AppEnv>()
    .post('/accounts', async (c) => {
      spend(rates.accounts, addressOf(c));
      const { accountId, device, recovery, lock } = parseCreateAccountRequest(
        await readJson(c.req.raw, limits.jsonBytes),
      );
      const lookupId = encodeHex(parseBase64(recovery.lookupId));
      const now = clock.nowMs();
      const guest = c.get('session')?.subject;
      await db.transaction().execute(async (transaction) => {
        // Written before it is asked: who comes with the same id, or removes it, is then before or after.
        const accounts = await transaction
          .insertInto('accounts')
          .values({ account_id: accountId, created_at_ms: now })
          .onConflict((conflict) => conflict.column('account_id').doNothing())
          .returning('account_id')
          .execute();
        // SV-13: answering with a session would hand an account to whoever repeats its id.
        if (accounts.length === 0) throw new ServerError('account-exists');
        const isRemoved = await wasRemoved({ db: transaction }, accountId);
        // SV-13: the other devices of a removed account are told that it is gone, whoever takes its id.
        if (isRemoved) throw new ServerError('account-exists');
        await transaction
          .insertInto('devices')
          .values({
            account_id: accountId,
            public_key: parseBase64(device.publicKey),
            signed_record: parseBase64(device.record),
            created_at_ms: now,
          })
          .execute();
        const codes = await transaction
          .insertInto('recoveries')
          .values({
            lookup_id: lookupId,
            account_id: accountId,
            verifier: parseBase64(recovery.verifier),
            created_at_ms: now,
          })
          .onConflict((conflict) => conflict.column('lookup_id').doNothing())
          .returning('lookup_id')
          .execute();
        // SV-13: of two accounts with one code its owner would come into the first.
        if (codes.length === 0) throw new ServerError('account-exists');
        await transaction
          .insertInto('locks')
          .values({
            account_id: accountId,
            lock_id: lookupId,
            kind: 'recovery-code',
            credential_id: null,
            lock: parseBase64(lock),
            updated_at_ms: now,
          })
          .execute();
        if (guest?.kind === 'guest') await transaction.deleteFrom('guests').where('guest_id', '=', guest.id).execute();
      });
      return signIn(c, services, accountId, 201, recoveryProof(accountId, lookupId));
    })
    .post('/sign-in/recovery', async (c) => {
      const proof = parseRecoverySignInRequest(await readJson(c.req.raw, limits.jsonBytes));
      const owner = await recoveryOwner(services, c, proof);
      return signIn(c, services, owner, 200, recoveryProof(owner, encodeHex(parseBase64(proof.lookupId))));
    })
    .post('/account/remove', async (c) => {
      const { id } = requireAccount(c);
      const { recovery, passkey } = parseRemoveAccountRequest(await readJson(c.req.raw, limits.jsonBytes));
      const owner =
        recovery !== undefined
          ? await recoveryOwner(services, c, recovery)
          : passkey !== undefined
            ? await passkeyOwner(services, c, passkey)
            : undefined;
      // SV-130: an unlocked device in other hands would be enough, or a lock of somebody else's account.
      if (owner !== id) throw new ServerError('recovery-refused');
      await requireStanding(db, c);
      await removeAccount(services, id);
      c.header('set-cookie', expiredCookie(c.get('site')));
      return c.json({ accountId: id });
    })
    .get('/locks', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const rows = await db.selectFrom('locks').selectAll().where('account_id', '=', id).orderBy('lock_id').execute();
      const locks = rows.map(({ lock_id, kind, lock, credential_id }) => ({
        lockId: lock_id,
        kind,
        lock: encodeBase64(lock),
        ...(credential_id === null ? {} : { credentialId: credential_id }),
      }));
      return c.json({ accountId: id, locks });
    })
    .put('/locks/:lockId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const lockId = c.req.param('lockId');
      if (!/^[0-9a-f]{32}$/.test(lockId)) throw new ServerError('bad-request');
      const { kind, lock, credentialId } = parseLockRequest(await readJson(c.req.raw, limits.jsonBytes));
      const row = { kind, credential_id: credentialId ?? null, lock: parseBase64(lock), updated_at_ms: clock.nowMs() };
      await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        const mine = await transaction.selectFrom('locks').select('lock_id').where('account_id', '=', id).execute();
        const isNew = mine.every(({ lock_id }) => lock_id !== lockId);
        const { epoch } = await transaction
          .selectFrom('accounts')
          .select('epoch')
          .where('account_id', '=', id)
          .executeTakeFirstOrThrow();
        // SV-107: a lock of an older epoch would open an old key.
        if (isOlderThan(epoch, row.lock)) throw new ServerError('epoch-stale');
        // SV-21: a list that grows without end is storage that anybody may fill.
        if (isNew && mine.length >= limits.locksPerAccount) throw new ServerError('locks-full');
        const owner = await transaction
          .selectFrom('credentials')
          .select('account_id')
          .where('credential_id', '=', credentialId ?? '')
          .executeTakeFirst();
        // SV-17: a lock may name only a passkey of its own account.
        if (credentialId !== undefined && owner?.account_id !== id) throw new ServerError('bad-request');
        await transaction
          .insertInto('locks')
          .values({ account_id: id, lock_id: lockId, ...row })
          .onConflict((conflict) => conflict.columns(['account_id', 'lock_id']).doUpdateSet(row))
          .execute();
      });
      return c.json({ lockId });
    });
}

/**
 * The account that a recovery code belongs to.
 *
 * @throws ServerError `recovery-refused`, `rate-limited`
 */
async function recoveryOwner(
  { db, rates }: Services,
  c: AppContext,
  { lookupId, authenticator }: RecoverySignInRequest,
): Promise<string> {
  spend(rates.recoveries, addressOf(c));
  spend(rates.recoveries, `code ${lookupId}`);
  const id = encodeHex(parseBase64(lookupId));
  const nearest = await nearestRecovery(db, id);
  const row = nearest?.lookup_id === id ? nearest : undefined;
  const proven = equalBytes(sha256(parseBase64(authenticator)), row?.verifier ?? NO_VERIFIER);
  // SV-18: one answer for an unknown code and for a wrong secret, compared in equal time.
  if (!proven || row === undefined) throw new ServerError('recovery-refused');
  return row.account_id;
}

const NO_VERIFIER = new Uint8Array(32);

/** The row of this look-up, or of the one after it: to find none takes the database and its driver less time (SV-100). */
function nearestRecovery(db: Kysely<Database>, lookupId: string) {
  const first = db.selectFrom('recoveries').select((eb) => eb.fn.min('lookup_id').as('lookup_id'));
  const next = first.where('lookup_id', '>=', lookupId);
  return db
    .selectFrom('recoveries')
    .selectAll()
    .where('lookup_id', '=', (eb) => eb.fn.coalesce(next, first))
    .executeTakeFirst();
}
