/**
 * Builds the server's one graph of parts and listens. The composition root: nothing else makes a database, a clock or a
 * socket. spec/server.md.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeFetch } from '@sotto/adapters-node/fetch';
import { createNodeRandom } from '@sotto/adapters-node/random';
import type { Clock, Random } from '@sotto/ports';
import { createApp } from './app.ts';
import { Captures } from './captures.ts';
import { openDatabase } from './database/open.ts';
import { StartError } from './errors.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { serveLive } from './live-socket.ts';
import { createLog } from './log.ts';
import { type NodeAddress, NodeDirectory } from './node-directory.ts';
import { RateLimit } from './rate-limit.ts';
import { Relay } from './relay.ts';
import { liveView } from './routes/operator.ts';
import type { Services } from './services.ts';
import { Sessions } from './sessions.ts';
import { plainSites, tlsSites } from './site.ts';

export interface ServerConfig {
  /** 0 takes any free port. */
  readonly port: number;
  /** The address to listen on; `127.0.0.1` unless said otherwise. */
  readonly host?: string;
  readonly dataDir: string;
  readonly webDir: string;
  readonly nodes: readonly NodeAddress[];
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Receives log lines; the standard error stream unless said otherwise. */
  readonly logSink?: (line: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<Limits>;
}

export interface RunningServer {
  /** Where a browser opens it. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const SWEEP_MS = 10 * 60 * 1000;

/** @throws StartError when the port is taken, the data folder cannot be used, or the certificate cannot be read */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const clock = config.clock ?? createNodeClock();
  const random = config.random ?? createNodeRandom();
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const log = createLog(clock, config.logSink ?? ((line) => process.stderr.write(`${line}\n`)));
  await makeDataDir(config.dataDir);
  const { db } = await openDatabase(config.dataDir, clock.nowMs());
  let port = config.port;
  let relay: Relay | undefined;
  const services: Services = {
    db,
    clock,
    random,
    log,
    limits,
    siteOf: config.tls === undefined ? plainSites(() => port) : tlsSites(),
    localhostUrl: () => (config.tls === undefined ? plainUrl(port) : undefined),
    sessions: new Sessions(db, clock, random, limits.sessionMs),
    nodes: new NodeDirectory(config.nodes, createNodeFetch(), clock),
    captures: new Captures(limits),
    rates: {
      guests: new RateLimit(limits.guests, clock),
      signIns: new RateLimit(limits.signIns, clock),
      recordWrites: new RateLimit(limits.recordWrites, clock),
      relayOpens: new RateLimit(limits.relayOpens, clock),
    },
    onSessionEnd: (tokenHash) => relay?.endSession(tokenHash),
    webDir: config.webDir,
  };
  try {
    await services.sessions.sweep();
    const http = await createHttp(config, services);
    port = await listen(http, config);
    relay = new Relay(services);
    http.on('upgrade', relay.onUpgrade);
    const live = await serveLive(config.dataDir, (subjectId) => liveView(services, subjectId));
    const sweep = setInterval(() => services.sessions.sweep().catch(() => undefined), SWEEP_MS);
    sweep.unref();
    return {
      url: config.tls === undefined ? plainUrl(port) : `https://${config.host ?? 'localhost'}:${port}`,
      port,
      async close() {
        clearInterval(sweep);
        relay?.close();
        live?.close();
        const closed = new Promise((resolve) => http.close(resolve));
        http.closeIdleConnections();
        const cut = setTimeout(() => http.closeAllConnections(), 1000);
        await closed;
        clearTimeout(cut);
        await db.destroy();
      },
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

function plainUrl(port: number): string {
  return port === 80 ? 'http://localhost' : `http://localhost:${port}`;
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError((error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'data-full' : 'data-unwritable', error);
  }
}

async function createHttp({ tls }: ServerConfig, services: Services): Promise<Server> {
  const listener = getRequestListener(createApp(services).fetch, { overrideGlobalObjects: false });
  const options = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 60_000 };
  if (tls === undefined) return createServer(options, listener);
  try {
    const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
    return createTlsServer({ ...options, cert, key, minVersion: 'TLSv1.3' }, listener);
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
