/**
 * A door of its own for clients of the confer protocol: its own port, key and evidence. Nothing starts it by itself; the
 * enclave's own channel does not know that it exists (spec/confer.md, routes).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { socketOfWebSocket } from '@sotto/adapters-node/socket';
import { CONFER_WARNING, type ConferClaims, ConferError, verifyConferToken } from '@sotto/channel/confer';
import { x25519PublicKey } from '@sotto/crypto/dh';
import type { Clock, Random } from '@sotto/ports';
import { WebSocketServer } from 'ws';
import { type ApiContext, createApiContext } from '../api.ts';
import type { Engine } from '../engine.ts';
import { serveConfer } from './serve-confer.ts';

/** Above the protocol's 65,535, so that what is longer is refused as the protocol says. */
const MESSAGE_LIMIT_BYTES = 131_072;
const CONNECTIONS_LIMIT = 256;

export interface StartConferOptions {
  readonly engine: Engine | null;
  /** Shared with whoever mints the tokens; 32 bytes or more. */
  readonly tokenSecret: Uint8Array;
  /** Asked once, with the public key that the evidence must vouch for. */
  evidenceFor(publicKey: Uint8Array): Promise<Uint8Array>;
  /** Told what this suite lacks, before anything listens. Print it. */
  onWarning(warning: string): void;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly context?: ApiContext;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface ConferServer {
  /** `ws://127.0.0.1:PORT`; connections at `/websocket?token=…`. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

export async function startConfer(options: StartConferOptions): Promise<ConferServer> {
  const { engine, tokenSecret, clock = createNodeClock(), random = createNodeRandom() } = options;
  if (tokenSecret.length < 32) throw new TypeError('a token secret has 32 bytes or more');
  options.onWarning(CONFER_WARNING);
  const staticPrivateKey = random.bytes(32);
  const evidence = await options.evidenceFor(await x25519PublicKey(staticPrivateKey));
  const context = options.context ?? createApiContext(engine);
  const http = createServer((request, response) => {
    const isPing = request.url === '/v1/ping';
    response.writeHead(isPing ? 200 : 404).end(isPing ? 'PONG' : '');
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MESSAGE_LIMIT_BYTES });
  http.on('upgrade', (request, socket, head) => {
    const claims = claimsOf(request.url ?? '', tokenSecret, clock.nowMs());
    const refusal = claims === undefined ? 401 : sockets.clients.size >= CONNECTIONS_LIMIT ? 503 : undefined;
    if (claims === undefined || refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const parts = { clock, random, staticPrivateKey, evidence, claims, engine };
      serveConfer({ ...parts, socket: socketOfWebSocket(webSocket), context: { ...context, session: {} } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    baseUrl: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close() {
      for (const client of sockets.clients) client.terminate();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}

/** @returns undefined for another path and for a token that is not good */
function claimsOf(url: string, secret: Uint8Array, nowMs: number): ConferClaims | undefined {
  try {
    const { pathname, searchParams } = new URL(url, 'http://enclave');
    if (pathname !== '/websocket') return undefined;
    return verifyConferToken(searchParams.get('token') ?? '', secret, nowMs);
  } catch (error) {
    if (error instanceof ConferError || error instanceof TypeError) return undefined;
    throw error;
  }
}
