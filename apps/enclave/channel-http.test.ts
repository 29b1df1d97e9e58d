/** What one stream may take of the node's memory, without a channel around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { IncomingRequest } from '@sotto/channel';
import { encodeRequestHead, WIRE_VERSION } from '@sotto/wire';
import { BodyBudget, serveStream } from './channel-http.ts';

const MEBIBYTE = 1024 * 1024;

function incomingOf(body: AsyncIterable<Uint8Array>): IncomingRequest {
  const head = encodeRequestHead({ version: WIRE_VERSION, method: 'POST', path: '/v1/chat/completions', headers: [] });
  const writer = {
    write: async () => undefined,
    gathering: () => undefined,
    end: async () => undefined,
    fail: () => undefined,
  };
  const channel = { handshakeHash: new Uint8Array(32), epochId: new Uint8Array(16) };
  const { signal } = new AbortController();
  return { head, channel, body, signal, respond: () => writer, reject: () => undefined };
}

async function* bodyOf(count: number, chunk: Uint8Array, then: () => Promise<void> = async () => undefined) {
  for (let i = 0; i < count; i++) yield chunk;
  await then();
}

const answerOk = async () => new Response('ok');

test('a body in very many pieces takes its own size in memory, and not one object a piece', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const budget = new BodyBudget({ allBytes: MEBIBYTE, sessionBytes: MEBIBYTE });
  const record = new Uint8Array(2048);
  const before = heapBytes();
  let grown = 0;
  async function* pieces() {
    for (let i = 0; i < 150_000; i++) yield record.subarray(i % 2048, (i % 2048) + 1);
    grown = heapBytes() - before;
  }
  let length = 0;
  const measure = async (request: Request) => {
    length = (await request.arrayBuffer()).byteLength;
    return new Response('ok');
  };
  assert.equal(await serveStream(incomingOf(pieces()), measure, { budget, session: {} }), 200);
  assert.equal(length, 150_000);
  assert.ok(grown < 8 * MEBIBYTE, `${grown} bytes`);
});

test('EN-25 bodies that are read at one time are limited by session and over all, and give their room back', async () => {
  const budget = new BodyBudget({ allBytes: 3000, sessionBytes: 2000 });
  const [mine, other, third] = [{}, {}, {}];
  const held = Promise.withResolvers<void>();
  const serve = (session: object, bytes: number, wait = held.promise) =>
    serveStream(incomingOf(bodyOf(1, new Uint8Array(bytes), () => wait)), answerOk, { budget, session });
  const first = serve(mine, 1500);
  assert.equal(await serve(mine, 600), 429);
  const second = serve(other, 1400);
  assert.equal(await serve(third, 200), 429);
  held.resolve();
  assert.deepEqual(await Promise.all([first, second]), [200, 200]);
  assert.equal(await serve(mine, 2000), 200);
  assert.equal(await serve(third, 2000), 200);
});
