/**
 * An operator who turned evil: stands in front of the real server, passes everything on, and changes what an attack says it
 * should. It has all that a real operator has: every HTTP body and every relayed frame, in both directions.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';

export interface Answer {
  status: number;
  body: Buffer;
}

export interface EvilHooks {
  /** Sees what the victim sends to the server. */
  onRequest?(method: string, path: string, body: Buffer): void;
  /** Changes the server's answer to a call before the victim gets it. */
  onAnswer?(method: string, path: string, answer: Answer): void | Promise<void>;
  /** The frame to pass on, others in its stead, or none. `index` counts from 0 in each direction and connection. */
  onFrame?(direction: 'to-node' | 'to-client', frame: Buffer, index: number): Buffer[];
  /** Where the relay really leads; the server's own relay when undefined. */
  divertTo?: string;
}

export interface EvilOperator {
  readonly url: string;
  hooks: EvilHooks;
  /** Bytes of frames that went through, by direction. */
  readonly relayed: { toNode: number; toClient: number };
  close(): Promise<void>;
}

export async function startEvilOperator(serverUrl: string): Promise<EvilOperator> {
  const target = new URL(serverUrl);
  const relayed = { toNode: 0, toClient: 0 };
  const operator = { hooks: {} as EvilHooks };

  const http = createServer((request, response) => {
    passCall(request, response).catch(() => response.writeHead(502).end());
  });

  async function passCall(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '/';
    const method = request.method ?? 'GET';
    operator.hooks.onRequest?.(method, path, Buffer.concat(chunks));
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (typeof value === 'string' && !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name)) {
        headers.set(name, name === 'origin' ? target.origin : value);
      }
    }
    const real = await fetch(target.origin + path, {
      method,
      headers,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const answer: Answer = { status: real.status, body: Buffer.from(await real.arrayBuffer()) };
    await operator.hooks.onAnswer?.(method, path, answer);
    const kept = [...real.headers].filter(
      ([name]) => !/^(content-length|content-encoding|transfer-encoding|connection|set-cookie)$/.test(name),
    );
    const cookies = real.headers.getSetCookie();
    response.writeHead(answer.status, {
      ...Object.fromEntries(kept),
      ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
    });
    response.end(answer.body);
  }

  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  http.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (victim) => {
      const to = operator.hooks.divertTo ?? target.origin.replace('http', 'ws') + request.url;
      const real = new WebSocket(to, {
        perMessageDeflate: false,
        headers: { origin: target.origin, ...(request.headers.cookie ? { cookie: request.headers.cookie } : {}) },
      });
      const early: Buffer[] = [];
      pump(victim, 'to-node', (frame) => (real.readyState === WebSocket.OPEN ? real.send(frame) : early.push(frame)));
      pump(real, 'to-client', (frame) => victim.send(frame));
      real.on('open', () => {
        for (const frame of early.splice(0)) real.send(frame);
      });
      for (const side of [victim, real]) {
        side.on('error', () => {});
        side.on('close', () => {
          victim.close();
          real.close();
        });
      }
    });
  });

  function pump(from: WebSocket, direction: 'to-node' | 'to-client', pass: (frame: Buffer) => void): void {
    let index = 0;
    from.on('message', (data: RawData) => {
      const frame = data as Buffer;
      relayed[direction === 'to-node' ? 'toNode' : 'toClient'] += frame.length;
      for (const out of operator.hooks.onFrame?.(direction, frame, index) ?? [frame]) pass(out);
      index++;
    });
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://localhost:${(http.address() as AddressInfo).port}`;
  return {
    url,
    get hooks() {
      return operator.hooks;
    },
    set hooks(hooks) {
      operator.hooks = hooks;
    },
    relayed,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}
