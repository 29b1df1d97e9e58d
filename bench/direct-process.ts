/**
 * What the private path is compared with: the same handler and engine behind plain HTTP, in a process of its own, with no
 * channel and no relay. Prints `{"ready":true,"url":…}`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { createApiContext, handleApi } from '../apps/enclave/api.ts';
import { FairQueue } from '../apps/enclave/fair-queue.ts';
import { createBenchEngine, endWithParent } from './engines.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { 'model-file': text, 'tokens-per-second': text } });
const engine = await createBenchEngine(values);
const queue = new FairQueue({ running: engine?.concurrency ?? 1, waiting: 64, perSession: 64 });
const context = { ...createApiContext(engine), queue };

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const stop = new AbortController();
  outgoing.once('close', () => stop.abort());
  const request = new Request(`http://direct${incoming.url}`, {
    method: incoming.method ?? 'GET',
    signal: stop.signal,
    ...(incoming.method === 'POST' ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
  });
  const response = await handleApi(request, engine, context);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  for await (const chunk of response.body ?? []) if (!outgoing.write(chunk)) await drained(outgoing);
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => outgoing.once('drain', resolve));
}

const server = createServer((incoming, outgoing) => void answer(incoming, outgoing).catch(() => outgoing.destroy()));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});
endWithParent(async () => {
  server.closeAllConnections();
  server.close();
  await engine?.close();
});
