/**
 * Rotation: the locks of a new epoch replace the old ones in one step, and what was removed is gone: its look-ups, passkeys,
 * devices and sessions. The server cannot tell whether it was done rightly; the other devices can. spec/server.md "Rotation".
 */
import { encodeBase64, encodeHex, equalBytes, parseBase64 } from '@sotto/bytes';
import {
  type EpochAnswer,
  parseRecoveryRequest,
  parseRotationRequest,
  ROTATION_LIMIT_BYTES,
  type RotationRequest,
} from '@sotto/wire';
import { Hono } from 'hono';
import type { Kysely } from 'kysely';
import { readJson } from '../body.ts';
import type { Database } from '../database/schema.ts';
import { ServerError } from '../errors.ts';
import { writeRecordsIn } from '../record-writes.ts';
import { isOlderThan } from '../sealed-epoch.ts';
import { type AppEnv, requireAccount, requireSession, requireStanding, type Services, spend } from '../services.ts';

export function rotationRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, limits, rates, onSessionEnd, onRecordsChanged } = services;
  return new Hono<AppEnv>()
    .get('/epoch', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      return c.json(await newestEpoch(db, id));
    })
    .post('/rotation', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.rotations, id);
      const request = parseRotationRequest(await readJson(c.req.raw, ROTATION_LIMIT_BYTES));
      const { newest, ended } = await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        return rotate(services, transaction, id, requireSession(c).tokenHash, request);
      });
      for (const tokenHash of ended) onSessionEnd(tokenHash);
      onRecordsChanged(id, newest);
      return c.json({ epoch: request.epoch });
    })
    .get('/passkeys', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const rows = await db
        .selectFrom('credentials')
        .select(['credential_id', 'created_at_ms', 'last_used_at_ms'])
        .where('account_id', '=', id)
        .orderBy('created_at_ms')
        .execute();
      const passkeys = rows.map(({ credential_id, created_at_ms, last_used_at_ms }) => ({
        credentialId: credential_id,
        createdAtMs: created_at_ms,
        ...(last_used_at_ms === null ? {} : { lastUsedAtMs: last_used_at_ms }),
      }));
      return c.json({ passkeys });
    })
    .post('/recoveries', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.rotations, id);
      const { kind, lookupId, verifier, lock } = parseRecoveryRequest(await readJson(c.req.raw, limits.jsonBytes));
      const lockId = encodeHex(parseBase64(lookupId));
      await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        const known = await transaction
          .selectFrom('recoveries')
          .selectAll()
          .where('lookup_id', '=', lockId)
          .executeTakeFirst();
        const isRepeated = known?.account_id === id && equalBytes(known.verifier, parseBase64(verifier));
        // SV-109: a look-up that could be taken over would sign its finder in to another account.
        if (known !== undefined && !isRepeated) throw new ServerError('account-exists');
        if (isRepeated) return;
        const { epoch } = await transaction
          .selectFrom('accounts')
          .select('epoch')
          .where('account_id', '=', id)
          .executeTakeFirstOrThrow();
        // SV-107: a lock of an older epoch would open an old key.
        if (isOlderThan(epoch, parseBase64(lock))) throw new ServerError('epoch-stale');
        const mine = await transaction.selectFrom('locks').select('lock_id').where('account_id', '=', id).execute();
        // SV-21: a list that grows without end is storage that anybody may fill.
        if (mine.length >= limits.locksPerAccount) throw new ServerError('locks-full');
        const created = { account_id: id, created_at_ms: clock.nowMs() };
        await transaction
          .insertInto('recoveries')
          .values({ lookup_id: lockId, verifier: parseBase64(verifier), ...created })
          .execute();
        await transaction
          .insertInto('locks')
          .values({
            account_id: id,
            lock_id: lockId,
            kind,
            credential_id: null,
            lock: parseBase64(lock),
            updated_at_ms: clock.nowMs(),
          })
          .execute();
      });
      return c.json({ lockId }, 201);
    });
}

async function newestEpoch(db: Kysely<Database>, accountId: string): Promise<EpochAnswer> {
  const row = await db
    .selectFrom('epochs')
    .select(['epoch', 'record_id'])
    .where('account_id', '=', accountId)
    .orderBy('epoch', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return { epoch: 1 };
  const record = await db
    .selectFrom('records')
    .select('envelope')
    .where('account_id', '=', accountId)
    .where('record_id', '=', row.record_id)
    .executeTakeFirst();
  if (record === undefined || record.envelope === null) return { epoch: row.epoch };
  return { epoch: row.epoch, statement: { recordId: row.record_id, envelope: encodeBase64(record.envelope) } };
}

/** All of it, or nothing: the caller's transaction. */
async function rotate(
  services: Services,
  db: Kysely<Database>,
  accountId: string,
  ownSession: string,
  request: RotationRequest,
): Promise<{ readonly newest: number; readonly ended: readonly string[] }> {
  const nowMs = services.clock.nowMs();
  // Written before it is read, so that another writer of this account waits here.
  const account = await db
    .updateTable('accounts')
    .set((eb) => ({ last_sequence: eb.ref('last_sequence') }))
    .where('account_id', '=', accountId)
    .returningAll()
    .executeTakeFirstOrThrow();
  // SV-102: two devices that rotate at once would each lock the other out.
  if (request.epoch !== account.epoch + 1) throw new ServerError('epoch-conflict');
  // SV-103: what the rotating device has not seen would be refused by every device for ever.
  if (request.baseSequence !== account.last_sequence) throw new ServerError('record-conflict');
  // SV-108: an account without a lock is an account that nobody opens again.
  if (request.locks.length === 0) throw new ServerError('bad-request');
  const [lockIds, recordIds] = [request.locks.map(({ lockId }) => lockId), request.records.map((r) => r.recordId)];
  // SV-134: of two with one id the database refuses the second, and the device would try again for ever.
  if (hasTwice(lockIds) || hasTwice(recordIds)) throw new ServerError('bad-request');
  // SV-134: who comes later would be told of an epoch whose statement is not there.
  if (!recordIds.includes(request.epochRecordId)) throw new ServerError('bad-request');

  const own = await db.selectFrom('credentials').select('credential_id').where('account_id', '=', accountId).execute();
  const ownIds = new Set(own.map(({ credential_id }) => credential_id));
  const named = [...request.credentials, ...request.locks.flatMap(({ credentialId }) => credentialId ?? [])];
  // SV-105: a lock may name only a passkey of its own account that remains.
  if (named.some((id) => !ownIds.has(id) || !request.credentials.includes(id))) throw new ServerError('bad-request');

  await db.updateTable('accounts').set({ epoch: request.epoch }).where('account_id', '=', accountId).execute();
  const writes = request.records.map(({ recordId, envelope }) => ({ recordId, envelope: parseBase64(envelope) }));
  const { newest, refused } = await writeRecordsIn(services, db, accountId, writes, request.epoch - 1);
  if (refused !== undefined) throw new ServerError(refused);
  await db
    .insertInto('epochs')
    .values({
      account_id: accountId,
      epoch: request.epoch,
      record_id: request.epochRecordId,
      begun_at_ms: nowMs,
    })
    .execute();
  await removeWhatIsGone(db, accountId, request);
  await db.deleteFrom('locks').where('account_id', '=', accountId).execute();
  for (const { lockId, kind, lock, credentialId } of request.locks) {
    await db
      .insertInto('locks')
      .values({
        account_id: accountId,
        lock_id: lockId,
        kind,
        credential_id: credentialId ?? null,
        lock: parseBase64(lock),
        updated_at_ms: nowMs,
      })
      .execute();
  }
  const others = db.deleteFrom('sessions').where('account_id', '=', accountId).where('token_hash', '<>', ownSession);
  // A device that was removed stays signed in for a month otherwise (SV-106).
  const ended = await others.returning('token_hash').execute();
  return { newest, ended: ended.map(({ token_hash }) => token_hash) };
}

function hasTwice(ids: readonly string[]): boolean {
  return new Set(ids).size < ids.length;
}

/** SV-104: look-ups, passkeys and devices of what was removed, which would go on signing in. */
async function removeWhatIsGone(db: Kysely<Database>, accountId: string, request: RotationRequest): Promise<void> {
  const lockIds = new Set(request.locks.map(({ lockId }) => lockId));
  const recoveries = await db
    .selectFrom('recoveries')
    .select('lookup_id')
    .where('account_id', '=', accountId)
    .execute();
  for (const { lookup_id } of recoveries) {
    if (lockIds.has(lookup_id)) continue;
    await db.deleteFrom('recoveries').where('lookup_id', '=', lookup_id).execute();
  }
  const credentials = await db
    .selectFrom('credentials')
    .select('credential_id')
    .where('account_id', '=', accountId)
    .execute();
  for (const { credential_id } of credentials) {
    if (request.credentials.includes(credential_id)) continue;
    await db.deleteFrom('credentials').where('credential_id', '=', credential_id).execute();
  }
  const devices = await db.selectFrom('devices').select('public_key').where('account_id', '=', accountId).execute();
  for (const { public_key } of devices) {
    if (request.devices.includes(encodeBase64(public_key))) continue;
    await db.deleteFrom('devices').where('account_id', '=', accountId).where('public_key', '=', public_key).execute();
  }
}
