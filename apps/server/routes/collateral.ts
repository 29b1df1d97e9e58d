/** What vendors publish for judging evidence: public data, the same for everybody. */
import { Hono } from 'hono';
import { type AppEnv, addressOf, type Services, spend } from '../services.ts';

const PREFIX = '/api/collateral/';

export function collateralRoutes({ collateral, rates }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/collateral/*', async (c) => {
    spend(rates.collateral, addressOf(c));
    const answer = await collateral.answer(c.req.path.slice(PREFIX.length));
    return c.body(answer, 200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  });
}
