/** Stands between server and enclave and keeps every byte that passes, both ways, as the operator of the server could. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export interface Tap {
  /** What the server is told instead of the enclave's address. */
  readonly url: string;
  readonly toEnclave: Buffer[];
  readonly fromEnclave: Buffer[];
  close(): void;
}

/** @param upstream the enclave's origin, `http://…` */
export async function tapEnclave(upstream: string): Promise<Tap> {
  const toEnclave: Buffer[] = [];
  const fromEnclave: Buffer[] = [];
  const http = createServer(async (request, response) => {
    toEnclave.push(Buffer.from(`${request.method} ${request.url} ${JSON.stringify(request.headers)}\n`));
    try {
      const answer = await fetch(`${upstream}${request.url}`);
      const body = Buffer.from(await answer.arrayBuffer());
      fromEnclave.push(body);
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body);
    } catch {
      response.writeHead(502).end();
    }
  });
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on('connection', (near, request) => {
    const far = new WebSocket(`${upstream.replace('http', 'ws')}${request.url}`, { perMessageDeflate: false });
    const early: [Buffer, boolean][] = [];
    near.on('message', (data, isBinary) => {
      toEnclave.push(data as Buffer);
      if (far.readyState === WebSocket.OPEN) far.send(data as Buffer, { binary: isBinary });
      else early.push([data as Buffer, isBinary]);
    });
    far.on('open', () => {
      for (const [data, binary] of early) far.send(data, { binary });
    });
    far.on('message', (data, isBinary) => {
      fromEnclave.push(data as Buffer);
      near.send(data as Buffer, { binary: isBinary });
    });
    near.on('close', () => far.close());
    far.on('close', () => near.close());
    near.on('error', () => far.terminate());
    far.on('error', () => near.terminate());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    toEnclave,
    fromEnclave,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      http.close();
      http.closeAllConnections();
    },
  };
}
