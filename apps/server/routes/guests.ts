/** Guests, and the end of any session. A guest is an id and a time: it holds no rows and unlocks nothing. */
import { encodeHex } from '@sotto/bytes';
import { Hono } from 'hono';
import { type AppEnv, addressOf, requireSession, type Services, spend } from '../services.ts';
import { expiredCookie } from '../sessions.ts';

export function guestRoutes({ db, clock, random, rates, sessions, onSessionEnd }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post('/guest', async (c) => {
      const present = c.get('session');
      if (present?.subject.kind === 'guest') return c.json({ guestId: present.subject.id }, 201);
      // An account's session serves the relay as well.
      if (present !== undefined) return c.json({ accountId: present.subject.id });
      spend(rates.guests, addressOf(c));
      const guestId = encodeHex(random.bytes(16));
      await db.insertInto('guests').values({ guest_id: guestId, created_at_ms: clock.nowMs() }).execute();
      c.header('set-cookie', await sessions.start({ kind: 'guest', id: guestId }, c.get('site')));
      return c.json({ guestId }, 201);
    })
    .post('/sign-out', async (c) => {
      const session = requireSession(c);
      await sessions.end(session);
      onSessionEnd(session.tokenHash);
      c.header('set-cookie', expiredCookie(c.get('site')));
      return c.body(null, 204);
    });
}
