/** The directory of nodes and their evidence: public data, the same for everybody. */
import { Hono } from 'hono';
import { ServerError } from '../errors.ts';
import { type AppEnv, addressOf, type Services, spend } from '../services.ts';

export function nodeRoutes({ nodes, rates }: Services): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/nodes', async (c) => c.json({ nodes: await nodes.list() }))
    .get('/nodes/:nodeId/evidence/:digest', async (c) => {
      spend(rates.evidenceReads, addressOf(c));
      const { nodeId, digest } = c.req.param();
      if (!/^[0-9a-f]{32}$/.test(nodeId) || !/^[0-9a-f]{64}$/.test(digest)) throw new ServerError('bad-request');
      return c.body(await nodes.evidence(nodeId, digest), 200, {
        'content-type': 'application/octet-stream',
        'cache-control': 'public, max-age=31536000, immutable',
      });
    });
}
