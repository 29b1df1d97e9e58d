/**
 * The ciphertext store: sealed envelopes under random ids, numbered per account in the order of their writes. The server
 * cannot tell what an envelope holds; it keeps it whole or not at all. spec/server.md §records.
 */
import { encodeBase64 } from '@sotto/bytes';
import {
  encodeRecordIndex,
  encodeRecordPage,
  parseRecordBatch,
  RECORD_BATCH_LIMIT_BYTES,
  type RecordBulkPage,
  type RecordIndexPage,
} from '@sotto/wire';
import { Hono } from 'hono';
import type { Kysely } from 'kysely';
import { readBytes } from '../body.ts';
import type { Database } from '../database/schema.ts';
import { ServerError } from '../errors.ts';
import { type RecordWrite, writeRecords } from '../record-writes.ts';
import { type AppContext, type AppEnv, requireAccount, requireWriter, type Services, spend } from '../services.ts';

export function recordRoutes(services: Services): Hono<AppEnv> {
  const { limits } = services;
  return new Hono<AppEnv>()
    .get('/records', async (c) => {
      const { id } = requireAccount(c);
      spendPage(services, id);
      const after = sequenceOf(c.req.query('after') ?? '0');
      const { records, more } = await readPage(services, id, after, limits.pageRecords, limits.pageBytes);
      return c.json({
        records: records.map(({ envelope, ...record }) => ({
          ...record,
          envelope: envelope === undefined ? null : encodeBase64(envelope),
        })),
        nextSequence: records.at(-1)?.sequence ?? after,
        more,
      });
    })
    .get('/records/bulk', async (c) => {
      const { id } = requireAccount(c);
      spendPage(services, id);
      const after = sequenceOf(c.req.query('after') ?? '0');
      const page = await readPage(services, id, after, limits.bulkRecords, limits.bulkBytes);
      return binary(c, encodeRecordPage(page));
    })
    .get('/records/index', async (c) => {
      const { id } = requireAccount(c);
      spendPage(services, id);
      const after = c.req.query('after') ?? '';
      if (!/^([0-9a-f]{32})?$/.test(after)) throw new ServerError('bad-request');
      return binary(c, encodeRecordIndex(await readIndex(services, id, after)));
    })
    .post('/records/batch', async (c) => {
      const { id } = requireAccount(c);
      const writes = parseRecordBatch(await readBytes(c.req.raw, RECORD_BATCH_LIMIT_BYTES));
      spendWrites(services, id, writes);
      return c.json(await writeRecords(services, requireWriter(c), writes));
    })
    .put('/records/:recordId', async (c) => {
      const { id } = requireAccount(c);
      const envelope = await readBytes(c.req.raw, limits.recordBytes);
      if (envelope.length === 0) throw new ServerError('bad-request');
      return c.json({ sequence: await writeOne(services, c, id, envelope) });
    })
    .delete('/records/:recordId', async (c) => {
      const { id } = requireAccount(c);
      return c.json({ sequence: await writeOne(services, c, id, undefined) });
    });
}

async function writeOne(
  services: Services,
  c: AppContext,
  accountId: string,
  envelope: Uint8Array<ArrayBuffer> | undefined,
): Promise<number> {
  const base = c.req.query('base');
  const write = {
    recordId: c.req.param('recordId') ?? '',
    envelope,
    base: base === undefined ? undefined : sequenceOf(base),
  };
  spendWrites(services, accountId, [write]);
  const { sequences, refused } = await writeRecords(services, requireWriter(c), [write]);
  if (refused !== undefined) throw new ServerError(refused);
  return sequences[0] as number;
}

/** SV-68: what a write costs is counted by record and by byte, however many come in one request. */
function spendWrites({ rates }: Services, accountId: string, writes: readonly RecordWrite[]): void {
  // An empty batch is a transaction, too.
  spend(rates.recordWrites, accountId, Math.max(1, writes.length));
  const bytes = writes.reduce((sum, { envelope }) => sum + (envelope?.length ?? 0), 0);
  spend(rates.recordWriteBytes, accountId, bytes);
}

/** SV-68: a page is megabytes for one small question. */
function spendPage({ rates }: Services, accountId: string): void {
  spend(rates.recordPages, accountId);
}

/** One view of the account: what is written meanwhile belongs to the next page. */
function readPage(
  { db }: Services,
  accountId: string,
  after: number,
  limitCount: number,
  limitBytes: number,
): Promise<RecordBulkPage> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (transaction) => {
      const newer = transaction
        .selectFrom('records')
        .where('account_id', '=', accountId)
        .where('sequence', '>', after)
        .orderBy('sequence');
      // Sizes first: reading every envelope of a page that then ends early would be work for nothing, for everybody.
      const rows = await newer
        .select((eb) => eb.fn<number | null>('length', ['envelope']).as('bytes'))
        .limit(limitCount + 1)
        .execute();
      let [count, bytes] = [0, 0];
      for (const row of rows.slice(0, limitCount)) {
        bytes += row.bytes ?? 0;
        if (count > 0 && bytes > limitBytes) break;
        count++;
      }
      const page = await newer.select(['record_id', 'sequence', 'envelope']).limit(count).execute();
      const records = page.map(({ record_id, sequence, envelope }) => ({
        recordId: record_id,
        sequence,
        envelope: envelope ?? undefined,
      }));
      return { records, newest: await newestOf(transaction, accountId), more: count < rows.length };
    });
}

async function readIndex({ db, limits }: Services, accountId: string, after: string): Promise<RecordIndexPage> {
  const rows = await db
    .selectFrom('records')
    .select(['record_id', 'sequence'])
    .where('account_id', '=', accountId)
    .where('record_id', '>', after)
    .where('envelope', 'is not', null)
    .orderBy('record_id')
    .limit(limits.indexRecords + 1)
    .execute();
  const entries = rows
    .slice(0, limits.indexRecords)
    .map(({ record_id, sequence }) => ({ recordId: record_id, sequence }));
  return { entries, newest: await newestOf(db, accountId), more: rows.length > entries.length };
}

async function newestOf(db: Kysely<Database>, accountId: string): Promise<number> {
  const account = await db
    .selectFrom('accounts')
    .select('last_sequence')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return account?.last_sequence ?? 0;
}

function sequenceOf(text: string): number {
  const sequence = Number(text);
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw new ServerError('bad-request');
  return sequence;
}

function binary(c: AppContext, bytes: Uint8Array<ArrayBuffer>): Response {
  return c.body(bytes, 200, { 'content-type': 'application/octet-stream' });
}
