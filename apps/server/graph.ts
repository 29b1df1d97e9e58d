/**
 * The composition root: the one place that makes a database, a clock and a network, and hands them to the parts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createFileBlobStore } from '@sotto/adapters-node/blob-store';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeFetch } from '@sotto/adapters-node/fetch';
import { createNodeRandom } from '@sotto/adapters-node/random';
import type { BlobStore, Clock, Random } from '@sotto/ports';
import { COLLATERAL_LIMIT_BYTES } from '@sotto/wire';
import { isForeignStore } from './blobs.ts';
import { Captures } from './captures.ts';
import { Collateral, type CollateralConfig } from './collateral/collateral.ts';
import { BLOBS_FOLDER, openDatabase } from './database/open.ts';
import { StartError } from './errors.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { LinkMailboxes } from './link-mailboxes.ts';
import { LiveUpdates } from './live-updates.ts';
import { createLog } from './log.ts';
import { type NodeAddress, NodeDirectory } from './node-directory.ts';
import { RateLimit } from './rate-limit.ts';
import { Relay } from './relay.ts';
import type { Services } from './services.ts';
import { Sessions } from './sessions.ts';
import { plainSites, tlsSites } from './site.ts';
import { Turns } from './turns.ts';

export interface ServerConfig {
  /** 0 takes any free port. */
  readonly port: number;
  /** The address to listen on; `127.0.0.1` unless said otherwise. */
  readonly host?: string;
  readonly dataDir: string;
  readonly webDir: string;
  readonly nodes: readonly NodeAddress[];
  /** Where what vendors publish comes from; off unless said otherwise. */
  readonly collateral?: CollateralConfig;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Receives log lines; the standard error stream unless said otherwise. */
  readonly logSink?: (line: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<Limits>;
  /** Where sealed files are kept; a folder beside the database unless said otherwise. */
  readonly blobs?: BlobStore;
}

export interface Graph {
  readonly services: Services;
  readonly relay: Relay;
  readonly live: LiveUpdates;
  readonly sqlite: DatabaseSync;
  /** The port in addresses; set once it is known. */
  port: number;
  close(): Promise<void>;
}

/** @throws StartError when the data folder cannot be used */
export async function createGraph(config: ServerConfig): Promise<Graph> {
  const clock = config.clock ?? createNodeClock();
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const random = config.random ?? createNodeRandom();
  await makeDataDir(config.dataDir);
  const { db, sqlite } = await openDatabase(config.dataDir, clock.nowMs());
  const blobs = config.blobs ?? createFileBlobStore(join(config.dataDir, BLOBS_FOLDER));
  const isForeign = await isForeignStore(db, blobs);
  if (isForeign) await db.destroy();
  // SV-75: their database may stand elsewhere, and what is collected is gone
  if (isForeign) throw new StartError('blobs-foreign');
  const services: Services = {
    db,
    blobs,
    blobTurns: new Turns(),
    clock,
    random,
    limits,
    log: createLog(clock, config.logSink ?? ((line) => process.stderr.write(`${line}\n`))),
    siteOf: config.tls === undefined ? plainSites(() => graph.port) : tlsSites(),
    localhostUrl: () => (config.tls === undefined ? plainUrl(graph.port) : undefined),
    sessions: new Sessions(db, clock, random, limits.sessionMs),
    nodes: new NodeDirectory(config.nodes, createNodeFetch(), clock),
    captures: new Captures(limits),
    links: new LinkMailboxes(clock, limits),
    collateral: new Collateral(
      config.collateral ?? { kind: 'off' },
      createNodeFetch({ limitBytes: COLLATERAL_LIMIT_BYTES }),
      clock,
      limits.collateralBytes,
    ),
    rates: {
      requests: new RateLimit(limits.requests, clock),
      guests: new RateLimit(limits.guests, clock),
      accounts: new RateLimit(limits.accounts, clock),
      passkeys: new RateLimit(limits.passkeys, clock),
      recoveries: new RateLimit(limits.recoveries, clock),
      deviceSignIns: new RateLimit(limits.deviceSignIns, clock),
      links: new RateLimit(limits.linkWrites, clock),
      linkReads: new RateLimit(limits.linkReads, clock),
      rotations: new RateLimit(limits.rotations, clock),
      accountCalls: new RateLimit(limits.accountCalls, clock),
      recordWrites: new RateLimit(limits.recordWrites, clock),
      recordWriteBytes: new RateLimit(limits.recordWriteBytes, clock),
      recordPages: new RateLimit(limits.recordPages, clock),
      liveOpens: new RateLimit(limits.liveOpens, clock),
      blobWrites: new RateLimit(limits.blobWrites, clock),
      blobReads: new RateLimit(limits.blobReads, clock),
      shareReads: new RateLimit(limits.shareReads, clock),
      relayOpens: new RateLimit(limits.relayOpens, clock),
      evidenceReads: new RateLimit(limits.evidenceReads, clock),
      collateral: new RateLimit(limits.collateral, clock),
    },
    onSessionEnd: (tokenHash) => {
      relay.endSession(tokenHash);
      live.endSession(tokenHash);
    },
    onRecordsChanged: (accountId, newest) => live.tell(accountId, newest),
    webDir: config.webDir,
  };
  const relay = new Relay(services);
  const live = new LiveUpdates(services);
  const graph: Graph = {
    services,
    relay,
    live,
    sqlite,
    port: config.port,
    async close() {
      relay.close();
      live.close();
      await db.destroy();
    },
  };
  return graph;
}

/** The one address of a server without a certificate. */
export function plainUrl(port: number): string {
  return port === 80 ? 'http://localhost' : `http://localhost:${port}`;
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartError((error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'data-full' : 'data-unwritable', error);
  }
}
