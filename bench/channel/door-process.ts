/**
 * A node's door with nothing behind it: channels over WebSocket, each answer made to order. The client is of this
 * benchmark and trusted.
 *
 *   node bench/channel/door-process.ts
 *
 * A request's head is JSON: {"bytes", "chunk"}: so many bytes, so many a write; or {"tokens", "everyMs"}: 24 bytes each,
 * of which the first 8 are when it was made (milliseconds since 1970, a double).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { socketOfWebSocket } from '@sotto/adapters-node/socket';
import { acceptChannel, type IncomingRequest, type ResponseWriter } from '@sotto/channel/responder';
import { type WebSocket, WebSocketServer } from 'ws';
import { endWithParent } from '../engines.ts';
import { NODE, nowMs, TOKEN_BYTES } from './node-keys.ts';

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const [random, clock] = [createNodeRandom(), createNodeClock()];

async function answer(request: IncomingRequest): Promise<void> {
  const asked = JSON.parse(Buffer.from(request.head).toString()) as Record<string, number>;
  const writer = request.respond(new Uint8Array(1));
  if (asked.tokens === undefined) await writeBulk(writer, asked.bytes ?? 0, asked.chunk ?? 65_536);
  else await writeTokens(writer, asked.tokens, asked.everyMs ?? 20);
  await writer.end();
}

async function writeBulk(writer: ResponseWriter, bytes: number, chunkBytes: number): Promise<void> {
  const chunk = new Uint8Array(chunkBytes).fill(7);
  for (let left = bytes; left > 0; left -= chunkBytes)
    await writer.write(chunk.subarray(0, Math.min(chunkBytes, left)));
}

/** As an engine does: on time, whether or not the last one has left. */
async function writeTokens(writer: ResponseWriter, tokens: number, everyMs: number): Promise<void> {
  const startMs = nowMs();
  const writes: Promise<void>[] = [];
  for (let token = 0; token < tokens; token++) {
    const bytes = new Uint8Array(TOKEN_BYTES);
    new DataView(bytes.buffer).setFloat64(0, nowMs());
    writes.push(writer.write(bytes));
    await sleep(Math.max(0, startMs + (token + 1) * everyMs - nowMs()));
  }
  await Promise.all(writes);
}

/** A WebSocket with nothing in it: as many bytes as the path says, in messages as long as the largest record. */
function pour(webSocket: WebSocket, bytes: number): void {
  const message = Buffer.alloc(65_535, 7);
  let left = bytes;
  const send = () => {
    for (; left > 0; left -= message.length) {
      if (webSocket.bufferedAmount > 1_048_576) return void setImmediate(send);
      webSocket.send(message);
    }
  };
  send();
}

sockets.on('connection', (webSocket, request) => {
  const bare = /^\/bare\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (bare !== undefined) return pour(webSocket, Number(bare));
  acceptChannel({
    socket: socketOfWebSocket(webSocket),
    random,
    clock,
    nodeId: NODE.nodeId,
    currentEpoch: () => NODE.epoch,
    onRequest: (request) => void answer(request).catch(() => undefined),
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `ws://127.0.0.1:${port}` })}\n`);
});
endWithParent(async () => {
  for (const client of sockets.clients) client.terminate();
  server.close();
});
