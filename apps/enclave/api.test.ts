import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedEngine } from '@sotto/testkit';
import {
  parseChatChunk,
  parseChatCompletion,
  parseErrorAnswer,
  parseModelsAnswer,
  parseSse,
  SSE_DONE,
} from '@sotto/wire';
import { createApiContext, handleApi } from './api.ts';
import type { Engine } from './engine.ts';
import { FairQueue } from './fair-queue.ts';

const BASE = 'http://enclave';

async function readAll<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of source) all.push(each);
  return all;
}

function chatRequest(content: string, more: object = {}, signal?: AbortSignal): Request {
  const body = JSON.stringify({ model: '', messages: [{ role: 'user', content }], ...more });
  return new Request(`${BASE}/v1/chat/completions`, {
    method: 'POST',
    body,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function readEvents(response: Response): Promise<string[]> {
  return readAll(parseSse(response.body as AsyncIterable<Uint8Array>));
}

async function errorOf(response: Response): Promise<{ status: number; code: string; text: string }> {
  const text = await response.text();
  return { status: response.status, code: parseErrorAnswer(JSON.parse(text)).error.code, text };
}

function brokenEngine(generate: Engine['generate']): Engine {
  return { ...scriptedEngine(), generate };
}

test('the models list names the model with our fields', async () => {
  const response = await handleApi(new Request(`${BASE}/v1/models`), scriptedEngine());
  const { data } = parseModelsAnswer(await response.json());
  assert.deepEqual(
    data.map(({ id, starter, context_tokens }) => ({ id, starter, context_tokens })),
    [{ id: 'scripted', starter: false, context_tokens: 4096 }],
  );
  const empty = await handleApi(new Request(`${BASE}/v1/models`), null);
  assert.deepEqual(parseModelsAnswer(await empty.json()).data, []);
});

test('an answer streams as chunks, a finish with usage, and the end marker', async () => {
  const response = await handleApi(chatRequest('one two three', { stream: true }), scriptedEngine());
  assert.equal(response.status, 200);
  const events = await readEvents(response);
  assert.equal(events.at(-1), SSE_DONE);
  const chunks = events.slice(0, -1).map(parseChatChunk);
  assert.equal(chunks.map(({ deltaText }) => deltaText ?? '').join(''), 'Echo: one two three');
  assert.equal(chunks.at(-1)?.finishReason, 'stop');
  assert.deepEqual(chunks.at(-1)?.usage, { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 });
});

test('an answer that is not streamed comes whole', async () => {
  const response = await handleApi(chatRequest('one', { max_tokens: 1 }), scriptedEngine());
  const { choices, usage } = parseChatCompletion(await response.json());
  assert.equal(choices[0]?.message.content, 'Echo:');
  assert.equal(choices[0]?.finish_reason, 'length');
  assert.equal(usage?.completion_tokens, 1);
});

test('paths, methods and models that do not exist are named as such', async () => {
  const engine = scriptedEngine();
  assert.equal((await errorOf(await handleApi(new Request(`${BASE}/v2`), engine))).code, 'not-found');
  const post = new Request(`${BASE}/v1/models`, { method: 'POST' });
  assert.equal((await errorOf(await handleApi(post, engine))).status, 405);
  assert.equal((await errorOf(await handleApi(chatRequest('a', { model: 'other' }), engine))).code, 'model-not-found');
  assert.equal((await errorOf(await handleApi(chatRequest('a'), null))).code, 'engine-missing');
});

test('EN-05 whatever is not a chat request is refused before the engine sees it', async () => {
  const engine = scriptedEngine();
  const bodies = [
    '',
    '[]',
    '{"messages":[]}',
    '{"model":"","messages":"a"}',
    '{"model":"","messages":[{"role":"root","content":"a"}]}',
  ];
  for (const body of bodies) {
    const request = new Request(`${BASE}/v1/chat/completions`, { method: 'POST', body });
    const answer = await errorOf(await handleApi(request, engine));
    assert.equal(answer.code, 'bad-request', body);
    assert.equal(answer.status, 400);
  }
  assert.equal(engine.counts.started, 0);
});

test('EN-09 a request over its time is stopped and gives its place back', async () => {
  const engine = scriptedEngine();
  const context = { ...createApiContext(engine), requestTimeMs: 40 };
  const response = await handleApi(chatRequest('/slow 100', { stream: true }), engine, context);
  const events = await readEvents(response);
  assert.equal(parseChatChunk(events.at(-1) ?? '').error?.code, 'time-limit');
  assert.equal(context.queue.running, 0);
  assert.equal(engine.counts.stopped, 1);
});

test('EN-09 a request whose answer nobody reads gives its place back in time', async () => {
  const engine = scriptedEngine();
  const context = { ...createApiContext(engine), requestTimeMs: 20 };
  await handleApi(chatRequest('/lorem 10', { stream: true }), engine, context);
  assert.equal(context.queue.running, 1);
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(context.queue.running, 0);
});

test('EN-10 generation ends at once when the person stops it', async () => {
  const engine = scriptedEngine();
  const context = createApiContext(engine);
  const stop = new AbortController();
  const response = await handleApi(chatRequest('/slow 100', { stream: true }, stop.signal), engine, context);
  stop.abort();
  const events = await readEvents(response);
  assert.equal(parseChatChunk(events.at(-1) ?? '').error?.code, 'cancelled');
  assert.equal(engine.counts.stopped, 1);
  assert.ok(engine.counts.tokens <= 2);
  assert.equal(context.queue.running, 0);
});

test('EN-10 generation ends at once when the answer is cancelled', async () => {
  const engine = scriptedEngine();
  const context = createApiContext(engine);
  const response = await handleApi(chatRequest('/slow 100', { stream: true }), engine, context);
  await response.body?.cancel();
  await new Promise(setImmediate);
  assert.equal(engine.counts.stopped, 1);
  assert.equal(context.queue.running, 0);
});

test('EN-11 an engine that breaks in mid-answer ends it with an error and without the end marker', async () => {
  const response = await handleApi(chatRequest('/crash 3', { stream: true }), scriptedEngine());
  const events = await readEvents(response);
  assert.ok(!events.includes(SSE_DONE));
  assert.equal(events.length, 4);
  assert.equal(parseChatChunk(events[3] as string).error?.code, 'engine-crashed');
});

test('EN-11 an engine that ends without a finish is not taken for a whole answer', async () => {
  const engine = brokenEngine(async function* () {
    yield { text: 'half' };
  });
  const events = await readEvents(await handleApi(chatRequest('a', { stream: true }), engine));
  assert.equal(parseChatChunk(events.at(-1) ?? '').error?.code, 'engine-crashed');
  assert.equal((await errorOf(await handleApi(chatRequest('a'), engine))).code, 'engine-crashed');
});

test('EN-12 the text of an exception from inside never reaches an answer', async () => {
  const canary = 'canary-words-of-a-person';
  for (const stream of [true, false]) {
    const answer = await handleApi(chatRequest(`${canary} `, { stream }), scriptedEngine({ crashAfterTokens: 0 }));
    const { code, text, status } = await errorOf(answer);
    assert.equal(code, 'engine-crashed');
    assert.equal(status, 502);
    assert.ok(!text.includes(canary));
  }
  const foreign = Object.assign(new Error(canary), { code: canary });
  const engine = brokenEngine(async function* () {
    yield* [];
    throw foreign;
  });
  assert.ok(!(await (await handleApi(chatRequest('a'), engine)).text()).includes(canary));
});

test('a prompt over the limit states the limit and what was used', async () => {
  const answer = await errorOf(await handleApi(chatRequest('word '.repeat(30)), scriptedEngine({ contextTokens: 20 })));
  assert.equal(answer.code, 'prompt-too-long');
  const { error } = JSON.parse(answer.text);
  assert.deepEqual([error.limitTokens, error.usedTokens], [20, 30]);
  assert.match(error.message, /about 30 tokens; the limit is 20/);
});

test('a full queue answers busy', async () => {
  const engine = scriptedEngine();
  const queue = new FairQueue({ running: 1, waiting: 0, perSession: 8 });
  const context = { queue, requestTimeMs: 10_000, session: {} };
  const first = await handleApi(chatRequest('/slow 50', { stream: true }), engine, context);
  const second = await errorOf(await handleApi(chatRequest('a'), engine, { ...context, session: {} }));
  assert.deepEqual([second.code, second.status], ['busy', 429]);
  await first.body?.cancel();
});
