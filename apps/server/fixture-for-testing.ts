/** What the server's tests share: an app on a fresh database in a temporary folder, and a browser that keeps its cookie. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { encodeBase64, encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { createManualClock, createSeededRandom, type ManualClock } from '@sotto/testkit';
import { createApp } from './app.ts';
import type { CollateralConfig } from './collateral/collateral.ts';
import { createGraph, type Graph } from './graph.ts';
import type { Limits } from './limits.ts';
import type { NodeAddress } from './node-directory.ts';

export const PORT = 8787;
export const ORIGIN = `http://localhost:${PORT}`;

const random = createSeededRandom('server tests');

export function randomHex(length = 16): string {
  return encodeHex(random.bytes(length));
}

export function randomBase64(length: number): string {
  return encodeBase64(random.bytes(length));
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-server-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface Browser {
  cookie: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export interface TestServer {
  readonly graph: Graph;
  readonly clock: ManualClock;
  readonly dataDir: string;
  readonly webDir: string;
  readonly log: string[];
  /** @param address where its requests come from */
  browser(address?: string): Browser;
}

export interface TestServerOptions {
  readonly limits?: Partial<Limits>;
  readonly nodes?: readonly NodeAddress[];
  readonly collateral?: CollateralConfig;
  readonly dataDir?: string;
  readonly clock?: ManualClock;
}

export async function createTestServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await temporaryFolder(t));
  const webDir = await temporaryFolder(t);
  const clock = options.clock ?? createManualClock();
  const log: string[] = [];
  const graph = await createGraph({
    port: PORT,
    dataDir,
    webDir,
    nodes: options.nodes ?? [],
    ...(options.collateral && { collateral: options.collateral }),
    clock,
    logSink: (line) => log.push(line),
    limits: options.limits ?? {},
  });
  t.after(() => graph.close());
  const app = createApp(graph.services);
  const browser = (remoteAddress?: string) => {
    const env = remoteAddress === undefined ? {} : { incoming: { socket: { remoteAddress } } };
    return createBrowser((url, init) => app.request(url, init, env));
  };
  return { graph, clock, dataDir, webDir, log, browser };
}

/** Sends what a page of this server would send, unless a header says otherwise. */
export function createBrowser(send: (url: string, init: RequestInit) => Promise<Response> | Response): Browser {
  return {
    cookie: '',
    async call(method, path, body, headers = {}) {
      const bytes = body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : undefined;
      const response = await send(path.startsWith('http') ? path : `${ORIGIN}${path}`, {
        method,
        headers: {
          host: `localhost:${PORT}`,
          origin: ORIGIN,
          'sotto-client': '1',
          ...(body === undefined ? {} : { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
          ...(this.cookie === '' ? {} : { cookie: this.cookie }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: bytes ?? (typeof body === 'string' ? body : JSON.stringify(body)) }),
      });
      for (const header of response.headers.getSetCookie()) this.cookie = header.split(';')[0] ?? '';
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, json: parsedOrUndefined(text) };
    },
  };
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface TestAccount {
  readonly browser: Browser;
  readonly accountId: string;
  readonly lookupId: string;
  readonly authenticator: string;
}

/** A body for `POST /api/accounts`, and the authenticator that its verifier stands for. */
export function accountRequest() {
  const authenticator = random.bytes(32);
  return {
    authenticator: encodeBase64(authenticator),
    body: {
      accountId: randomHex(),
      device: { publicKey: randomBase64(32), record: randomBase64(120) },
      recovery: { lookupId: randomBase64(16), verifier: encodeBase64(sha256(authenticator)) },
      lock: randomBase64(100),
    },
  };
}

export async function createAccount(server: { browser(): Browser }): Promise<TestAccount> {
  const browser = server.browser();
  const { authenticator, body } = accountRequest();
  const answer = await browser.call('POST', '/api/accounts', body);
  if (answer.status !== 201) throw new Error(`no account: ${answer.text}`);
  return { browser, accountId: body.accountId, lookupId: body.recovery.lookupId, authenticator };
}
