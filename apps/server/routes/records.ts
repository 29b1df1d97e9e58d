/**
 * The ciphertext store: sealed envelopes under random ids, numbered per account in the order of their writes. The server
 * cannot tell what an envelope holds; it keeps it whole or not at all. spec/server.md §records.
 */
import { encodeBase64 } from '@sotto/bytes';
import { Hono } from 'hono';
import type { Kysely } from 'kysely';
import { readBytes } from '../body.ts';
import type { Database } from '../database/schema.ts';
import { ServerError } from '../errors.ts';
import { type AppEnv, requireAccount, type Services, spend } from '../services.ts';

export function recordRoutes(services: Services): Hono<AppEnv> {
  const { db, limits, rates } = services;
  return new Hono<AppEnv>()
    .get('/records', async (c) => {
      const { id } = requireAccount(c);
      const after = Number(c.req.query('after') ?? '0');
      if (!Number.isSafeInteger(after) || after < 0) throw new ServerError('bad-request');
      const newer = db.selectFrom('records').where('account_id', '=', id).where('sequence', '>', after);
      // Sizes first: reading every envelope of a page that then ends early would be work for nothing, for everybody.
      const rows = await newer
        .select(['sequence', (eb) => eb.fn<number | null>('length', ['envelope']).as('bytes')])
        .orderBy('sequence')
        .limit(limits.pageRecords + 1)
        .execute();
      let [count, bytes] = [0, 0];
      for (const row of rows.slice(0, limits.pageRecords)) {
        bytes += row.bytes ?? 0;
        if (count > 0 && bytes > limits.pageBytes) break;
        count++;
      }
      const last = rows[count - 1]?.sequence ?? after;
      const page = await newer
        .select(['record_id', 'sequence', 'envelope'])
        .where('sequence', '<=', last)
        .orderBy('sequence')
        .limit(count)
        .execute();
      return c.json({
        records: page.map(({ record_id, sequence, envelope }) => ({
          recordId: record_id,
          sequence,
          envelope: envelope === null ? null : encodeBase64(envelope),
        })),
        nextSequence: page.at(-1)?.sequence ?? after,
        more: page.length < rows.length,
      });
    })
    .put('/records/:recordId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.recordWrites, id);
      const envelope = await readBytes(c.req.raw, limits.recordBytes);
      if (envelope.length === 0) throw new ServerError('bad-request');
      return c.json({ sequence: await write(services, id, c.req.param('recordId'), envelope) });
    })
    .delete('/records/:recordId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.recordWrites, id);
      return c.json({ sequence: await write(services, id, c.req.param('recordId'), null) });
    });
}

/** One transaction: a failure, a full disk too, leaves the record and the account as they were (SV-23). */
async function write(
  { db, clock, limits }: Services,
  accountId: string,
  recordId: string,
  envelope: Uint8Array<ArrayBuffer> | null,
): Promise<number> {
  if (!/^[0-9a-f]{32}$/.test(recordId)) throw new ServerError('bad-request');
  return db.transaction().execute(async (transaction) => {
    const account = await transaction
      .updateTable('accounts')
      .set((eb) => ({ last_sequence: eb('last_sequence', '+', 1) }))
      .where('account_id', '=', accountId)
      .returningAll()
      .executeTakeFirstOrThrow();
    const before = await sizeOf(transaction, accountId, recordId);
    const count = account.record_count + (before === undefined ? 1 : 0);
    const bytes = account.record_bytes + (envelope?.length ?? 0) - (before ?? 0);
    const overCap = count > limits.recordsPerAccount || (envelope !== null && bytes > limits.bytesPerAccount);
    // SV-21: one account must not fill the disk for all.
    if (overCap) throw new ServerError('store-full');
    const row = { sequence: account.last_sequence, envelope, written_at_ms: clock.nowMs() };
    await transaction
      .insertInto('records')
      .values({ account_id: accountId, record_id: recordId, ...row })
      .onConflict((conflict) => conflict.columns(['account_id', 'record_id']).doUpdateSet(row))
      .execute();
    await transaction
      .updateTable('accounts')
      .set({ record_count: count, record_bytes: bytes })
      .where('account_id', '=', accountId)
      .execute();
    return account.last_sequence;
  });
}

/** Bytes of the stored envelope, 0 for a removed one, undefined for one never written. */
async function sizeOf(db: Kysely<Database>, accountId: string, recordId: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('records')
    .select('envelope')
    .where('account_id', '=', accountId)
    .where('record_id', '=', recordId)
    .executeTakeFirst();
  return row === undefined ? undefined : (row.envelope?.length ?? 0);
}
