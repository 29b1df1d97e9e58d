/** The Node adapters against the promises of `@sotto/ports`, over real sockets and files. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Socket } from '@sotto/ports';
import { WebSocketServer } from 'ws';
import {
  CookieJar,
  createFileDeviceStore,
  createNodeClock,
  createNodeConnectSocket,
  createNodeFetch,
  createNodeRandom,
} from './index.ts';

async function serve(t: TestContext) {
  const seen: { cookie: string | undefined }[] = [];
  const http = createServer((request, response) => {
    seen.push({ cookie: request.headers.cookie });
    if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
    else if (request.url === '/long') response.end(new Uint8Array(5000));
    else if (request.url === '/never') return;
    else if (request.url === '/out') response.writeHead(204, { 'set-cookie': 'session=; Max-Age=0' }).end();
    else {
      response.writeHead(201, { 'set-cookie': 'session=abc; Path=/; HttpOnly', 'x-answer': 'yes' });
      request.pipe(response);
    }
  });
  const webSockets = new WebSocketServer({ server: http });
  webSockets.on('connection', (socket, request) => {
    seen.push({ cookie: request.headers.cookie });
    if (request.url === '/greeting') for (const word of ['a', 'b', 'c']) socket.send(Buffer.from(word));
    if (request.url === '/text') socket.send('text');
    if (request.url === '/large') socket.send(new Uint8Array(65_536));
    if (request.url === '/bye') socket.close(4000, 'bye');
    socket.on('message', (data) => socket.send(data));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const client of webSockets.clients) client.terminate();
    http.close();
    http.closeAllConnections();
  });
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}`, seen };
}

function messages(socket: Socket, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const found: string[] = [];
    socket.onMessage = (message) => {
      found.push(Buffer.from(message).toString());
      if (found.length === count) resolve(found);
    };
  });
}

const closing = (socket: Socket) =>
  new Promise<[number, string]>((resolve) => {
    socket.onClose = (code, reason) => resolve([code, reason]);
  });

test('clock: sleeping ends in time, or at once when aborted', async () => {
  const clock = createNodeClock();
  const before = clock.nowMs();
  await clock.sleep(10);
  assert.ok(clock.nowMs() - before >= 9);
  const controller = new AbortController();
  const reason = new Error('enough');
  const sleeping = clock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await assert.rejects(sleeping, reason);
  await assert.rejects(clock.sleep(1, controller.signal), reason);
});

test('random: any length, and never the same', () => {
  const random = createNodeRandom();
  assert.equal(random.bytes(0).length, 0);
  assert.equal(random.bytes(200_000).length, 200_000);
  assert.ok(
    random
      .bytes(200_000)
      .subarray(-32)
      .some((byte) => byte !== 0),
  );
  assert.notDeepEqual(random.bytes(32), random.bytes(32));
});

test('fetch: sends and receives bytes, refuses redirects and long answers, names an unreachable server', async (t) => {
  const { url } = await serve(t);
  const fetch = createNodeFetch({ limitBytes: 4000 });
  const answer = await fetch(`${url}/echo`, { method: 'POST', body: Uint8Array.of(1, 2, 255) });
  assert.equal(answer.status, 201);
  assert.equal(answer.header('x-answer'), 'yes');
  assert.equal(answer.header('x-absent'), undefined);
  assert.deepEqual(await answer.bytes(), Uint8Array.of(1, 2, 255));
  await assert.rejects(fetch(`${url}/redirect`), { code: 'network-unreachable' });
  await assert.rejects((await fetch(`${url}/long`)).bytes(), { code: 'network-answer-too-large' });
  await assert.rejects(fetch('http://127.0.0.1:9/'), { code: 'network-unreachable', action: 'retry' });
  const reason = new Error('enough');
  const controller = new AbortController();
  const pending = fetch(`${url}/never`, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(pending, reason);
});

test('cookies: go back to the origin that set them, over http and WebSocket, until it takes them back', async (t) => {
  const [mine, other] = [await serve(t), await serve(t)];
  const cookieJar = new CookieJar();
  const fetch = createNodeFetch({ cookieJar });
  await fetch(`${mine.url}/in`);
  await fetch(`${mine.url}/again`);
  (await createNodeConnectSocket({ cookieJar })(`${mine.ws}/echo`)).close();
  await fetch(`${other.url}/`);
  await fetch(`${mine.url}/out`);
  await fetch(`${mine.url}/`);
  const cookies = mine.seen.map(({ cookie }) => cookie);
  assert.deepEqual(cookies, [undefined, 'session=abc', 'session=abc', 'session=abc', undefined]);
  assert.equal(other.seen[0]?.cookie, undefined);
});

test('cookies: malformed and endless ones are left out', () => {
  const jar = new CookieJar();
  jar.store('http://h', ['', '=x', 'no equals', `long=${'x'.repeat(5000)}`, 'a b=1']);
  assert.equal(jar.header('http://h'), undefined);
  jar.store(
    'http://h',
    Array.from({ length: 40 }, (_, i) => `n${i}=1`),
  );
  assert.equal(jar.header('http://h')?.split('; ').length, 16);
});

test('socket: nothing is lost between connecting and listening, and messages keep their order', async (t) => {
  const { ws } = await serve(t);
  const socket = await createNodeConnectSocket()(`${ws}/greeting`);
  await createNodeClock().sleep(30);
  assert.deepEqual(await messages(socket, 3), ['a', 'b', 'c']);
  const echoes = messages(socket, 2);
  socket.send(Buffer.from('one'));
  socket.send(Buffer.from('two'));
  assert.deepEqual(await echoes, ['one', 'two']);
  const end = closing(socket);
  socket.close(4001, 'done');
  assert.equal((await end)[0], 4001);
  socket.send(Buffer.from('late'));
  assert.equal(socket.bufferedBytes, 0);
});

test('socket: text, a message beyond the cap and a close before anybody listened all end in onClose', async (t) => {
  const { ws } = await serve(t);
  for (const [path, code] of [
    ['/text', 1003],
    ['/large', 1006],
    ['/bye', 4000],
  ] as const) {
    const socket = await createNodeConnectSocket()(ws + path);
    let got = 0;
    socket.onMessage = () => got++;
    assert.equal((await closing(socket))[0], code, path);
    assert.equal(got, 0);
  }
});

test('socket: an unreachable server is named, and a signal ends the attempt', async (t) => {
  const connect = createNodeConnectSocket();
  await assert.rejects(connect('ws://127.0.0.1:9/'), { code: 'network-unreachable' });
  const { ws } = await serve(t);
  await assert.rejects(connect(ws, AbortSignal.abort(new Error('enough'))), { message: 'enough' });
  const controller = new AbortController();
  const attempt = connect(ws, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(attempt, { message: 'enough' });
});

test('device store: values survive, are their owner’s alone, and a write is whole or absent', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'sotto-store-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'device');
  const store = createFileDeviceStore(folder);
  assert.equal(await store.get('absent'), undefined);
  await store.delete('absent');
  await store.set('../escape', Uint8Array.of(1));
  await store.set('key', Uint8Array.of(1, 2, 3));
  await store.set('KEY', new Uint8Array());
  await store.set('key', Uint8Array.of(9));
  assert.deepEqual(await createFileDeviceStore(folder).get('key'), Uint8Array.of(9));
  assert.deepEqual(await store.get('KEY'), new Uint8Array());
  assert.deepEqual(await readdir(parent), ['device']);
  assert.equal((await readdir(folder)).length, 3);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const file of await readdir(folder)) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.set('race', new Uint8Array(1000).fill(i))));
  const raced = await store.get('race');
  assert.ok(raced?.length === 1000 && raced.every((byte) => byte === raced[0]));
  await store.delete('key');
  assert.equal(await store.get('key'), undefined);
  assert.equal((await readdir(folder)).length, 3);
});

test('device store: a bad key and an unusable folder are errors of ours', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'sotto-store-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  await writeFile(join(parent, 'file'), '');
  const store = createFileDeviceStore(join(parent, 'file', 'inner'));
  await assert.rejects(store.set('key', Uint8Array.of(1)), { code: 'device-store-unavailable' });
  await assert.rejects(store.set('', Uint8Array.of(1)), { code: 'device-store-bad-key' });
  await assert.rejects(store.get('x'.repeat(101)), { code: 'device-store-bad-key' });
});
