import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { PlainError } from '../plain-error.ts';
import { detectEngines, parseEngineUrl } from './detect-engine.ts';

async function fakeEngine(t: TestContext, answer: unknown, status = 200): Promise<number> {
  const server: Server = createServer((_, response) => {
    response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const NONE = { Ollama: 9, 'LM Studio': 9, 'llama-server': 9, vLLM: 9 };

test('an engine on loopback is found by name, with what it has', async (t) => {
  const port = await fakeEngine(t, { data: [{ id: 'llama3.2\u001b[31m', owned_by: 'library' }] });
  assert.deepEqual(await detectEngines({ ...NONE, Ollama: port }), [
    { name: 'Ollama', url: `http://127.0.0.1:${port}`, models: ['llama3.2[31m'] },
  ]);
});

test('on a port that many programs use, only what says who it is counts', async (t) => {
  const other = await fakeEngine(t, { data: [{ id: 'x', owned_by: 'somebody' }] });
  assert.deepEqual(await detectEngines({ ...NONE, 'llama-server': other, vLLM: other }), []);
  const llama = await fakeEngine(t, { data: [{ id: 'm', owned_by: 'llamacpp' }] });
  assert.equal((await detectEngines({ ...NONE, 'llama-server': llama }))[0]?.name, 'llama-server');
});

test('other web servers, errors and nonsense are no engine', async (t) => {
  for (const [answer, status] of [
    ['<html>', 200],
    [{ data: 7 }, 200],
    ['null', 200],
    [{ data: [] }, 404],
  ] as const) {
    assert.deepEqual(await detectEngines({ ...NONE, Ollama: await fakeEngine(t, answer, status) }), []);
  }
});

test('SOTTO_ENGINE_URL must be on this machine', () => {
  assert.equal(parseEngineUrl('http://localhost:11434/v1'), 'http://localhost:11434');
  assert.equal(parseEngineUrl('http://127.0.0.1:8000'), 'http://127.0.0.1:8000');
  for (const bad of [
    'https://api.example.com',
    'http://10.0.0.1:11434',
    'http://127.0.0.1.example.com',
    'nonsense',
    'http://u:p@127.0.0.1',
  ])
    assert.throws(() => parseEngineUrl(bad), PlainError);
});
