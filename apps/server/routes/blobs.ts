/**
 * Sealed files, part by part (spec/server.md "Files"). The server is told a random id, numbers and sealed bytes; not a name, a type, or how
 * long a file is.
 */
import { SottoError } from '@sotto/bytes';
import { BLOB_DIGEST_HEADER, BLOB_PART_LIMIT_BYTES, BLOB_PARTS_LIMIT, parseCommitBlobRequest } from '@sotto/wire';
import { Hono } from 'hono';
import { commitBlob, putPart, readPart, removeBlob } from '../blobs.ts';
import { readBytes, readJson } from '../body.ts';
import { ServerError } from '../errors.ts';
import { type AppContext, type AppEnv, requireAccount, requireWriter, type Services, spend } from '../services.ts';

const PAGE_BLOBS = 500;

export function blobRoutes(services: Services): Hono<AppEnv> {
  const { db, limits, rates } = services;
  return new Hono<AppEnv>()
    .get('/blobs', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const after = c.req.query('after') ?? '';
      // SV-70: text that a database may not know how to compare
      if (!/^([0-9a-f]{32})?$/.test(after)) throw new ServerError('bad-request');
      const rows = await db
        .selectFrom('blobs')
        .innerJoin('blob_parts', (join) =>
          join
            .onRef('blob_parts.account_id', '=', 'blobs.account_id')
            .onRef('blob_parts.blob_id', '=', 'blobs.blob_id'),
        )
        .select(['blobs.blob_id', 'blobs.written_at_ms', (eb) => eb.fn.sum<number>('blob_parts.bytes').as('bytes')])
        .where('blobs.account_id', '=', id)
        .where('blobs.committed', '=', 1)
        .where('blobs.blob_id', '>', after)
        .groupBy(['blobs.blob_id', 'blobs.written_at_ms'])
        .orderBy('blobs.blob_id')
        .limit(PAGE_BLOBS + 1)
        .execute();
      const account = await db
        .selectFrom('accounts')
        .select(['record_bytes', 'blob_bytes'])
        .where('account_id', '=', id)
        .executeTakeFirstOrThrow();
      return c.json({
        blobs: rows.slice(0, PAGE_BLOBS).map(({ blob_id, bytes, written_at_ms }) => ({
          blobId: blob_id,
          bytes: Number(bytes),
          writtenAtMs: written_at_ms,
        })),
        more: rows.length > PAGE_BLOBS,
        usedBytes: account.record_bytes + account.blob_bytes,
        allowedBytes: limits.bytesPerAccount,
      });
    })
    .get('/blobs/:blobId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.blobReads, id);
      const blobId = blobIdOf(c);
      const mine = db.selectFrom('blobs').where('account_id', '=', id).where('blob_id', '=', blobId);
      const blob = await mine.select('committed').executeTakeFirst();
      const parts = await db
        .selectFrom('blob_parts')
        .select('part')
        .where('account_id', '=', id)
        .where('blob_id', '=', blobId)
        .orderBy('part')
        .execute();
      return c.json({ committed: blob?.committed === 1, parts: parts.map(({ part }) => part) });
    })
    .get('/blobs/:blobId/:part', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.blobReads, id);
      const bytes = await told(readPart(services, id, blobIdOf(c), partOf(c)));
      return c.body(bytes, 200, { 'content-type': 'application/octet-stream' });
    })
    .put('/blobs/:blobId/:part', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.blobWrites, id);
      const [blobId, part] = [blobIdOf(c), partOf(c)];
      const bytes = await readBytes(c.req.raw, BLOB_PART_LIMIT_BYTES);
      if (bytes.length === 0) throw new ServerError('bad-request');
      const digest = c.req.header(BLOB_DIGEST_HEADER) ?? '';
      return c.json({ bytes: await told(putPart(services, requireWriter(c), blobId, part, bytes, digest)) });
    })
    .post('/blobs/:blobId/commit', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.blobWrites, id);
      const { parts } = parseCommitBlobRequest(await readJson(c.req.raw, limits.jsonBytes));
      return c.json({ bytes: await told(commitBlob(services, requireWriter(c), blobIdOf(c), parts)) });
    })
    .delete('/blobs/:blobId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.blobWrites, id);
      await told(removeBlob(services, requireWriter(c), blobIdOf(c)));
      return c.json({ bytes: 0 });
    });
}

function blobIdOf(c: AppContext): string {
  const blobId = c.req.param('blobId') ?? '';
  // SV-70: an id of another form would be a path
  if (!/^[0-9a-f]{32}$/.test(blobId)) throw new ServerError('bad-request');
  return blobId;
}

function partOf(c: AppContext): number {
  const part = c.req.param('part') ?? '';
  // SV-70: a number without end is a file without end
  if (!/^(0|[1-9][0-9]{0,4})$/.test(part) || Number(part) >= BLOB_PARTS_LIMIT) throw new ServerError('bad-request');
  return Number(part);
}

/** What the store says, as an answer. */
async function told<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SottoError) || error instanceof ServerError) throw error;
    if (error.code === 'store-full') throw new ServerError('store-full', error);
    if (error.code === 'store-unavailable') throw new ServerError('store-unavailable', error);
    throw error;
  }
}
