/** Listens: the HTTP server, the relay's upgrades, the operator's socket. spec/server.md. */

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { forgetRemovedAccounts } from './account-removal.ts';
import { createApp } from './app.ts';
import { collectBlobs } from './blobs.ts';
import { emptyWriteLog } from './database/open.ts';
import { StartError } from './errors.ts';
import { createGraph, plainUrl, type ServerConfig } from './graph.ts';
import { serveLive } from './live-socket.ts';
import { LIVE_PATH } from './live-updates.ts';
import { liveView } from './routes/operator.ts';
import { removeExpiredShares } from './routes/shares.ts';
import type { Services } from './services.ts';

export type { ServerConfig } from './graph.ts';

export interface RunningServer {
  /** Where a browser opens it. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const SWEEP_MS = 10 * 60 * 1000;
const WRITE_LOG_MS = 60 * 1000;
const CLOSE_GRACE_MS = 1000;
/**
 * A connection that is idle stays open for longer than clients and proxies keep it (60 s is common): closed first by this end, it
 * may take a request with it. Who sends half a request is not idle, and is cut as before: `headersTimeout` counts from its first byte.
 */
export const HTTP_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
} as const;

/** @throws StartError when the port is taken, the data folder cannot be used, or the certificate cannot be read */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const graph = await createGraph(config);
  const { services, relay, live: updates } = graph;
  try {
    await services.sessions.sweep();
    emptyWriteLog(graph.sqlite);
    const http = await createHttp(config, services);
    graph.port = await listen(http, config);
    http.on('upgrade', (request, socket, head) => {
      (request.url === LIVE_PATH ? updates : relay).onUpgrade(request, socket, head);
    });
    const live = await serveLive(config.dataDir, (subjectId) => liveView(services, subjectId));
    const sweep = setInterval(() => {
      services.sessions.sweep().catch(() => undefined);
      collectBlobs(services).catch(() => undefined);
      forgetRemovedAccounts(services).catch(() => undefined);
      removeExpiredShares(services).catch(() => undefined);
    }, SWEEP_MS);
    sweep.unref();
    const emptying = setInterval(() => emptyWriteLog(graph.sqlite), WRITE_LOG_MS);
    emptying.unref();
    return {
      url: config.tls === undefined ? plainUrl(graph.port) : tlsUrl(config.host, graph.port),
      port: graph.port,
      async close() {
        clearInterval(sweep);
        clearInterval(emptying);
        live?.close();
        relay.close();
        updates.close();
        const closed = new Promise((resolve) => http.close(resolve));
        http.closeIdleConnections();
        const cut = setTimeout(() => http.closeAllConnections(), CLOSE_GRACE_MS);
        await closed;
        clearTimeout(cut);
        await graph.close();
      },
    };
  } catch (error) {
    await graph.close();
    throw error;
  }
}

async function createHttp({ tls }: ServerConfig, services: Services): Promise<Server> {
  const listener = getRequestListener(createApp(services).fetch, { overrideGlobalObjects: false });
  if (tls === undefined) return createServer(HTTP_LIMITS, listener);
  try {
    const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
    return createTlsServer({ ...HTTP_LIMITS, cert, key, minVersion: 'TLSv1.3' }, listener);
  } catch (error) {
    throw new StartError('tls-unreadable', error);
  }
}

function listen(http: Server, { port, host }: ServerConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new StartError('port-taken', error));
      else if (error.code === 'EACCES') reject(new StartError('port-refused', error));
      else reject(new StartError('host-unusable', error));
    });
    http.listen(port, host ?? '127.0.0.1', () => resolve((http.address() as AddressInfo).port));
  });
}

/** A name to try: which ones work is the certificate's to say. */
function tlsUrl(host: string | undefined, port: number): string {
  const local = host === undefined || /^(127\.|0\.0\.0\.0$|::1?$)/.test(host);
  return `https://${local ? 'localhost' : host}:${port}`;
}
