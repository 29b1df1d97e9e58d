/**
 * The node's door: plain HTTP on loopback, for the relay alone (spec/enclave.md §door). It hands out public facts and opens
 * channels; nothing of a conversation passes outside a channel. Whoever connects is untrusted.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { socketOfWebSocket } from '@sotto/adapters-node/socket';
import { encodeHex } from '@sotto/bytes';
import type { Socket } from '@sotto/ports';
import { WebSocketServer } from 'ws';
import { EnclaveError, encodeErrorBody } from './enclave-error.ts';
import { type Epochs, SUITES } from './epochs.ts';

/** One Noise message is at most 65,535 bytes (spec/channel.md). */
const FRAME_LIMIT_BYTES = 65_535;
const HEADERS_TIMEOUT_MS = 10_000;

export interface NodeServerOptions {
  readonly port: number;
  readonly nodeId: Uint8Array;
  readonly epochs: Epochs;
  readonly sessionLimit: number;
  /** Called with each new socket; its handlers must be set before it returns. */
  readonly onSocket: (socket: Socket) => void;
}

export interface NodeServer {
  readonly url: string;
  readonly port: number;
  /** No new session from now on; the node is no longer listed. */
  leave(): void;
  /** Closes the door and every open socket. */
  close(): Promise<void>;
}

/** @throws EnclaveError `port-taken` */
export async function startNodeServer(options: NodeServerOptions): Promise<NodeServer> {
  let isLeaving = false;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_LIMIT_BYTES, perMessageDeflate: false });
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS },
    (request, response) => void answer(request, response, options, isLeaving).catch(() => response.destroy()),
  );
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy());
    const status = isLeaving ? 503 : refuseUpgrade(request, sockets.clients.size, options);
    if (status !== undefined) return refuse(stream, status);
    // The keys are made fresh before the handshake can ask for them.
    options.epochs.refresh().then(
      () => sockets.handleUpgrade(request, stream, head, (webSocket) => options.onSocket(socketOfWebSocket(webSocket))),
      () => refuse(stream, 503),
    );
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    leave() {
      isLeaving = true;
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', () => reject(new EnclaveError('port-taken')));
    server.listen(port, '127.0.0.1', resolve);
  });
}

/** Why a request is not from the relay, as an HTTP status; undefined when it may be. */
function refuseStranger(request: IncomingMessage): number | undefined {
  // EN-01: a web page that a person has open must not reach the node behind the server's back.
  if (request.headers.origin !== undefined) return 403;
  const host = /^(.*?)(?::\d+)?$/.exec(request.headers.host ?? '')?.[1] ?? '';
  const isLoopback = host === 'localhost' || host === '127.0.0.1';
  // EN-02: another name that points here is how a page gets around its own origin.
  if (!isLoopback) return 421;
  return undefined;
}

function refuseUpgrade(request: IncomingMessage, sessions: number, options: NodeServerOptions): number | undefined {
  const stranger = refuseStranger(request);
  if (stranger !== undefined) return stranger;
  if (request.url !== '/channel') return 404;
  // EN-06: every session holds keys and buffers; without a limit a stranger takes them all.
  if (sessions >= options.sessionLimit) return 503;
  return undefined;
}

/** Cut as soon as it is said: whoever keeps its half open would hold a descriptor, and the end of the program (EN-26). */
function refuse(stream: Duplex, status: number): void {
  stream.once('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: NodeServerOptions,
  isLeaving: boolean,
): Promise<void> {
  const stranger = refuseStranger(request);
  if (stranger !== undefined) return send(response, stranger, 'text/plain', '');
  if (request.method !== 'GET') return sendError(response, new EnclaveError('method-not-allowed'));
  if (request.url === '/healthz') return send(response, 200, 'text/plain', 'ok\n');
  // CH-89: a node that stops must not be chosen for a new session.
  if (isLeaving) return send(response, 503, 'text/plain', '');
  if (request.url === '/node') {
    await options.epochs.refresh();
    return send(response, 200, 'application/json', encodeListing(options));
  }
  const digest = /^\/evidence\/([0-9a-f]{64})$/.exec(request.url ?? '')?.[1];
  const evidence = digest === undefined ? undefined : options.epochs.evidence(digest);
  if (evidence === undefined) return sendError(response, new EnclaveError('not-found'));
  return send(response, 200, 'application/octet-stream', evidence);
}

function encodeListing({ nodeId, epochs }: NodeServerOptions): string {
  const { evidenceDigest, epochId } = epochs.current();
  return JSON.stringify({
    nodeId: encodeHex(nodeId),
    suites: SUITES,
    evidenceDigest: encodeHex(evidenceDigest),
    epochId: encodeHex(epochId),
  });
}

function sendError(response: ServerResponse, error: EnclaveError): void {
  send(response, error.status, 'application/json', encodeErrorBody(error));
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
