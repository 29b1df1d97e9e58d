/**
 * Where two devices of a person meet while one is linked. Neither needs a session: the new one has no account yet. The server
 * passes on bytes that tell it nothing. spec/server.md "Links".
 */
import { Hono } from 'hono';
import { readBytes } from '../body.ts';
import { ServerError } from '../errors.ts';
import { LINK_SLOTS } from '../link-mailboxes.ts';
import { type AppContext, type AppEnv, addressOf, type Services, spend } from '../services.ts';

export function linkRoutes({ links, limits, rates }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .put('/links/:linkId/:slot', async (c) => {
      const { id, slot } = placeOf(c);
      spend(rates.links, addressOf(c));
      const subject = c.get('session')?.subject;
      if (subject?.kind === 'account') spend(rates.links, `account ${subject.id}`);
      const message = await readBytes(c.req.raw, limits.linkBytes);
      // SV-115: an empty slot would look like one that was never written.
      if (message.length === 0) throw new ServerError('bad-request');
      links.put(id, slot, message, addressOf(c));
      return c.body(null, 204);
    })
    .get('/links/:linkId/:slot', (c) => {
      const { id, slot } = placeOf(c);
      spend(rates.linkReads, addressOf(c));
      const message = links.get(id, slot);
      if (message === undefined) return c.body(null, 204);
      return c.body(message, 200, { 'content-type': 'application/octet-stream' });
    })
    .delete('/links/:linkId', (c) => {
      spend(rates.links, addressOf(c));
      links.end(idOf(c));
      return c.body(null, 204);
    });
}

function idOf(c: AppContext): string {
  const id = c.req.param('linkId') ?? '';
  // SV-115: ids that can be guessed would let strangers meet a person's devices.
  if (!/^[0-9a-f]{32}$/.test(id)) throw new ServerError('bad-request');
  return id;
}

function placeOf(c: AppContext): { id: string; slot: number } {
  const slot = c.req.param('slot') ?? '';
  // SV-115: a mailbox has a few slots, and is no storage.
  if (!/^[0-9]$/.test(slot) || Number(slot) >= LINK_SLOTS) throw new ServerError('bad-request');
  return { id: idOf(c), slot: Number(slot) };
}
