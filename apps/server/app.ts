/**
 * The HTTP surface (spec/server.md): one chain of checks that every request passes, then the routes. Requests come from
 * anybody, through browsers that other sites may steer.
 */
import { BytesError } from '@sotto/bytes';
import { WireError } from '@sotto/wire';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import { storeErrorOf } from './database/open.ts';
import { ServerError } from './errors.ts';
import { accountRoutes } from './routes/accounts.ts';
import { blobRoutes } from './routes/blobs.ts';
import { collateralRoutes } from './routes/collateral.ts';
import { deviceRoutes } from './routes/devices.ts';
import { guestRoutes } from './routes/guests.ts';
import { linkRoutes } from './routes/links.ts';
import { nodeRoutes } from './routes/nodes.ts';
import { operatorRoutes } from './routes/operator.ts';
import { passkeyRoutes } from './routes/passkeys.ts';
import { recordRoutes } from './routes/records.ts';
import { rotationRoutes } from './routes/rotation.ts';
import { shareRoutes } from './routes/shares.ts';
import { webRoutes } from './routes/web.ts';
import { securityHeaders } from './security-headers.ts';
import { type AppContext, type AppEnv, addressOf, type Services, spend } from './services.ts';
import { wrongHostPage } from './site.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD']);

export function createApp(services: Services): Hono<AppEnv> {
  const { siteOf, sessions, log, clock, rates } = services;
  const app = new Hono<AppEnv>();

  app.use(async (c, next) => {
    const startedMs = clock.nowMs();
    await next();
    for (const [name, value] of Object.entries(securityHeaders(c.get('site'), c.req.path))) {
      c.res.headers.set(name, value);
    }
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
    const subject = c.get('session')?.subject.id;
    const failure = c.error === undefined ? undefined : toServerError(c.error);
    log.write({
      event: 'request',
      level: c.res.status >= 500 ? 'error' : 'info',
      method: c.req.method,
      route: routePath(c),
      status: c.res.status,
      durationMs: clock.nowMs() - startedMs,
      ...(subject === undefined ? {} : { subject }),
      ...(failure === undefined ? {} : { code: failure.code }),
      ...(failure?.code === 'server-failed' && c.error !== undefined ? { errorName: c.error.name } : {}),
    });
  });

  app.use(async (c, next) => {
    const site = siteOf(c.req.header('host'), c.env?.incoming?.socket);
    if (site === undefined) return wrongHost(c, services);
    c.set('site', site);
    // Before anything is read or looked up.
    spend(rates.requests, addressOf(c));
    return next();
  });

  app.use('/api/*', async (c, next) => {
    const origin = c.req.header('origin');
    const foreign = origin !== undefined && origin !== c.get('site').origin;
    // SV-02: browsers name the page that asks; another site must not act with this site's cookie.
    if (foreign) throw new ServerError('origin-refused');
    const bare = !SAFE_METHODS.has(c.req.method) && c.req.header('sotto-client') !== '1';
    // SV-03: a header of our own cannot be set by a foreign page without asking first, and nobody answers that question.
    if (bare) throw new ServerError('client-header-missing');
    const session = await sessions.find(c.req.header('cookie'), c.get('site'));
    const forWhom = c.req.header('sotto-account');
    // SV-113: a browser that still holds another account's session would write into that account.
    if (forWhom !== undefined && forWhom !== (session?.subject.id ?? forWhom)) throw new ServerError('signed-out');
    c.set('session', session);
    await next();
  });

  for (const routes of [
    nodeRoutes,
    collateralRoutes,
    guestRoutes,
    accountRoutes,
    passkeyRoutes,
    deviceRoutes,
    recordRoutes,
    rotationRoutes,
    blobRoutes,
    linkRoutes,
    shareRoutes,
    operatorRoutes,
  ]) {
    app.route('/api', routes(services));
  }
  app.all('/api/*', () => {
    throw new ServerError('not-found');
  });
  app.route('/', webRoutes(services));
  app.notFound((c) => errorAnswer(c, new ServerError('not-found')));
  app.onError((error, c) => errorAnswer(c, toServerError(error)));
  return app;
}

/** Foreign exceptions become ours here; their text goes nowhere. */
function toServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  if (error instanceof WireError) return new ServerError(error.code === 'wire-too-large' ? 'too-large' : 'bad-request');
  if (error instanceof BytesError) return new ServerError('bad-request');
  return storeErrorOf(error) ?? new ServerError('server-failed', error);
}

function errorAnswer(c: AppContext, { code, message, action, rule, status }: ServerError): Response {
  if (status === 429) c.header('retry-after', '10');
  return c.json({ error: { code, message, action, ...(rule === undefined ? {} : { rule }) } }, status);
}

function wrongHost(c: AppContext, { localhostUrl }: Services): Response {
  if (c.req.path.startsWith('/api/')) return errorAnswer(c, new ServerError('host-refused'));
  return c.html(wrongHostPage(localhostUrl()), 421);
}
