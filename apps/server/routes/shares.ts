/**
 * Sealed copies of chats that their owner shared by a link (spec/server.md "Shares"). The key is in the link's fragment, which no
 * browser sends: the server hands sealed bytes to whoever names the id, until their time is over or their owner revokes them.
 */
import { SHARE_DAYS_LIMIT, SHARE_LIMIT_BYTES } from '@sotto/wire';
import { Hono } from 'hono';
import { readBytes } from '../body.ts';
import { ServerError } from '../errors.ts';
import {
  type AppContext,
  type AppEnv,
  addressOf,
  requireAccount,
  requireStanding,
  type Services,
  spend,
} from '../services.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export function shareRoutes(services: Services): Hono<AppEnv> {
  const { db, clock, limits, rates } = services;
  return new Hono<AppEnv>()
    .get('/shares', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const rows = await db
        .selectFrom('shares')
        .select(['share_id', 'created_at_ms', 'expires_at_ms'])
        .where('account_id', '=', id)
        .where('expires_at_ms', '>', clock.nowMs())
        .orderBy('share_id')
        .execute();
      return c.json({
        shares: rows.map(({ share_id, created_at_ms, expires_at_ms }) => ({
          shareId: share_id,
          createdAtMs: created_at_ms,
          expiresAtMs: expires_at_ms,
        })),
      });
    })
    .put('/shares/:shareId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.blobWrites, id);
      const [shareId, days] = [shareIdOf(c), Number(c.req.query('days'))];
      // SV-122: a link without an end is one that nobody remembers
      if (!Number.isInteger(days) || days < 1 || days > SHARE_DAYS_LIMIT) throw new ServerError('bad-request');
      const sealed = await readBytes(c.req.raw, SHARE_LIMIT_BYTES);
      if (sealed.length === 0) throw new ServerError('bad-request');
      const nowMs = clock.nowMs();
      const row = {
        share_id: shareId,
        account_id: id,
        sealed,
        created_at_ms: nowMs,
        expires_at_ms: nowMs + days * DAY_MS,
      };
      await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        const mine = await transaction.selectFrom('shares').select('share_id').where('account_id', '=', id).execute();
        // SV-121: a list that grows without end is storage that anybody may fill.
        if (mine.length >= limits.sharesPerAccount) throw new ServerError('shares-full');
        const insertion = transaction.insertInto('shares').values(row).returning('share_id');
        const added = await insertion.onConflict((conflict) => conflict.column('share_id').doNothing()).execute();
        // SV-123: a second copy under one link would be another chat than its owner showed
        if (added.length === 0) throw new ServerError('share-taken');
      });
      return c.json({ shareId, expiresAtMs: row.expires_at_ms });
    })
    .get('/shares/:shareId', async (c) => {
      spend(rates.shareReads, addressOf(c));
      const row = await db
        .selectFrom('shares')
        .select(['sealed', 'expires_at_ms'])
        .where('share_id', '=', shareIdOf(c))
        .executeTakeFirst();
      // SV-124: what is over, revoked or never was gets one answer
      if (row === undefined || row.expires_at_ms <= clock.nowMs()) throw new ServerError('share-unknown');
      return c.body(row.sealed, 200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
    })
    .delete('/shares/:shareId', async (c) => {
      const { id } = requireAccount(c);
      spend(rates.accountCalls, id);
      const shareId = shareIdOf(c);
      await db.transaction().execute(async (transaction) => {
        await requireStanding(transaction, c);
        // SV-120: only its owner takes a link back
        await transaction.deleteFrom('shares').where('share_id', '=', shareId).where('account_id', '=', id).execute();
      });
      return c.json({ shareId });
    });
}

/** Removes copies whose time is over. */
export async function removeExpiredShares({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<void> {
  await db.deleteFrom('shares').where('expires_at_ms', '<=', clock.nowMs()).execute();
}

function shareIdOf(c: AppContext): string {
  const shareId = c.req.param('shareId') ?? '';
  // SV-125: an id of another form is nobody's
  if (!/^[0-9a-f]{32}$/.test(shareId)) throw new ServerError('bad-request');
  return shareId;
}
