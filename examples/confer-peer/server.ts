/** A machine as the public confer-proxy is one, with scripted answers, over a real WebSocket. Shares no code with packages/. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { decodeRequest, encodeResponse, framesOf, Joiner, type Request } from './messages.ts';
import { type KeyPair, keyPair, type Pipe, Server } from './noise-xx.ts';
import { isTokenGood } from './token.ts';

type Seen = 'requests' | 'clientKeys' | 'received' | 'frameIds';

export interface PeerServerOptions {
  secret: string;
  /** Words that a streamed chat answers with; `cut` closes after them, `mute` says nothing more. */
  words?: string[];
  ending?: 'completion' | 'cut' | 'mute' | 'error' | 'pending';
  /** The evidence, instead of a sound one for the key. */
  evidence?: (key: KeyPair) => string;
  /** How large the pieces are that answers are cut into. */
  pieceBytes?: number;
  headers?: Record<string, string>;
}

export interface PeerServer {
  baseUrl: string;
  /** Requests as they were read. */
  requests: Request[];
  /** What the clients gave as their static keys, in hex. */
  clientKeys: string[];
  /** Sizes of what came in, for each connection. */
  received: number[][];
  /** The ids of the frames that came in, for each connection. */
  frameIds: string[][];
  close(): Promise<void>;
}

/** An "attestation" of this example: a third party's statement, as JSON in base64url, and a signature that it does not have. */
export function evidenceFor(key: KeyPair): string {
  const claims = { tdx_report_data: Buffer.concat([key.point, Buffer.alloc(32)]).toString('hex') };
  const attestation = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2lnbmVk'].join('.');
  return JSON.stringify({ attestation, manifest: '{}', manifestBundle: '{}', platform: 'TDX' });
}

export async function startPeerServer(options: PeerServerOptions): Promise<PeerServer> {
  const key = keyPair();
  const seen: Pick<PeerServer, Seen> = { requests: [], clientKeys: [], received: [], frameIds: [] };
  const http = createServer((_, response) => response.writeHead(200).end('PONG'));
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://peer');
    const isGood = isTokenGood(options.secret, url.searchParams.get('token') ?? '', Date.now() / 1000);
    if (url.pathname !== '/websocket' || !isGood) {
      socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, key, options, seen));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    ...seen,
    baseUrl: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}

function serve(webSocket: WebSocket, key: KeyPair, options: PeerServerOptions, seen: Pick<PeerServer, Seen>): void {
  const noise = new Server(key);
  const joiner = new Joiner();
  const sizes: number[] = [];
  seen.received.push(sizes);
  seen.frameIds.push(joiner.ids);
  let pipe: Pipe | undefined;
  webSocket.on('message', (data: Buffer) => {
    sizes.push(data.length);
    try {
      if (sizes.length === 1) {
        webSocket.send(noise.answer(data, Buffer.from((options.evidence ?? evidenceFor)(key))));
      } else if (pipe === undefined) {
        const finished = noise.finish(data);
        pipe = finished.pipe;
        seen.clientKeys.push(finished.clientKey.toString('hex'));
      } else {
        const message = joiner.take(pipe.open(data));
        if (message === undefined) return;
        const request = decodeRequest(message);
        seen.requests.push(request);
        answer(request, webSocket, pipe, options);
      }
    } catch {
      webSocket.close(1011, 'Handshake failed');
    }
  });
}

function answer(request: Request, webSocket: WebSocket, pipe: Pipe, options: PeerServerOptions): void {
  const say = (status: number, body: string): void => {
    const response = encodeResponse({ id: request.id, status, body }, options.headers);
    for (const frame of framesOf(response, options.pieceBytes)) webSocket.send(pipe.seal(frame));
  };
  const route = `${request.verb} ${request.path}`;
  if (route === 'GET /ping') say(200, 'PONG');
  else if (route === 'POST /v1/vllm/chat/completions') chat(request, webSocket, say, options);
  else say(404, 'Route not found');
}

function chat(
  request: Request,
  webSocket: WebSocket,
  say: (status: number, body: string) => void,
  options: PeerServerOptions,
): void {
  const words = options.words ?? ['Hello', ', ', 'world'];
  const { stream } = JSON.parse(request.body) as { stream: boolean };
  if (!stream) {
    say(200, words.join(''));
    return;
  }
  for (const content of words) say(200, JSON.stringify({ type: 'token', content }));
  const ending = options.ending ?? 'completion';
  if (ending === 'cut') webSocket.terminate();
  if (ending === 'error') say(500, 'Streaming error');
  if (ending === 'completion' || ending === 'pending') {
    const pending = ending === 'pending' ? { pending_tool_calls: true } : {};
    say(200, JSON.stringify({ type: 'thinking', content: 'not words of the answer' }));
    say(200, JSON.stringify({ type: 'completion', context_tokens: 42, max_context_tokens: 262_144, ...pending }));
  }
}
