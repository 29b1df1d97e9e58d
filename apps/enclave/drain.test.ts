/** The program is told to stop while it answers: a real process, a real channel, a slow engine behind it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNodeConnectSocket } from '@sotto/adapters-node/socket';
import { encodeUtf8, parseHex } from '@sotto/bytes';
import { connectChannel } from '@sotto/channel/initiator';
import { createRealClock, createSeededRandom } from '@sotto/testkit';
import { encodeRequestHead, WIRE_VERSION } from '@sotto/wire';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** An engine that says a word, and the rest when it is told to. */
async function createEngine(t: TestContext) {
  let answering: ServerResponse | undefined;
  const chunk = (content: string, finish: string | null) =>
    `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;
  const server = createServer((request, response) => {
    if (request.url === '/v1/models')
      return response.end(JSON.stringify({ data: [{ id: 'slow', max_model_len: 99 }] }));
    response.write(chunk('first ', null));
    answering = response;
    return response;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    finish: () => answering?.end(`${chunk('last', 'stop')}data: [DONE]\n\n`),
  };
}

test('CH-89 a program that is told to stop ends when its answer has', { timeout: 30_000 }, async (t) => {
  const engine = await createEngine(t);
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-drain-'));
  const child = spawn(process.execPath, [MAIN, '--data', dataDir, '--engine-url', engine.url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += bytes;
  });
  let code: number | null | undefined;
  const ended = once(child, 'close').then(([exitCode]) => {
    code = exitCode;
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url, nodeId } = JSON.parse(line) as { url: string; nodeId: string };
  const socket = await createNodeConnectSocket()(`${url.replace('http', 'ws')}/channel`);
  const unverified = await connectChannel({
    socket,
    clock: createRealClock(),
    random: createSeededRandom('drain'),
    nodeId: parseHex(nodeId, 16),
  });
  const channel = unverified.promote(unverified);
  const leaving = new Promise((resolve) => {
    channel.onNotice = resolve;
  });
  const head = encodeRequestHead({ version: WIRE_VERSION, method: 'POST', path: '/v1/chat/completions', headers: [] });
  const stream = channel.request(head);
  await stream.write(
    encodeUtf8(JSON.stringify({ model: '', stream: true, messages: [{ role: 'user', content: 'hello' }] })),
  );
  await stream.end();
  await stream.head;
  child.kill('SIGTERM');
  assert.equal(await leaving, 'leaving');
  assert.equal((await fetch(`${url}/node`)).status, 503);
  assert.throws(() => channel.request(head), { code: 'node-leaving' });
  assert.equal(code, undefined);
  engine.finish();
  let text = '';
  for await (const bytes of stream.body) text += new TextDecoder().decode(bytes);
  assert.match(text, /first .*last.*\[DONE\]/s);
  assert.deepEqual(await channel.closed, { kind: 'closed', by: 'peer' });
  await ended;
  assert.equal(code, 0);
  assert.match(log, /"event":"leave","sessions":1/);
});
