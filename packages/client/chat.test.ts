import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import { encodeSseEvent, SSE_DONE } from '@sotto/wire';
import { type ChatEvent, streamChat } from './chat.ts';
import type { ClientError } from './errors.ts';
import type { NodeResponse } from './response.ts';

const chunk = (content: string) => JSON.stringify({ choices: [{ delta: { content } }] });
const finish = (reason: string) => JSON.stringify({ choices: [{ delta: {}, finish_reason: reason }] });
const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'hello' }] };

function answering(events: readonly string[], status = 200): (path: string) => Promise<NodeResponse> {
  return async () => ({
    status,
    headers: [],
    body: (async function* () {
      for (const event of events) yield status === 200 ? encodeUtf8(encodeSseEvent(event)) : encodeUtf8(event);
    })(),
  });
}

async function take(send: ReturnType<typeof answering>): Promise<{ events: ChatEvent[]; code: string | undefined }> {
  const events: ChatEvent[] = [];
  try {
    for await (const event of streamChat(send, REQUEST)) events.push(event);
    return { events, code: undefined };
  } catch (error) {
    return { events, code: (error as ClientError).code };
  }
}

test('an answer arrives as text and ends with its reason', async () => {
  const { events, code } = await take(answering([chunk('Good '), chunk('day'), finish('stop'), SSE_DONE]));
  assert.equal(code, undefined);
  assert.deepEqual(events, [
    { kind: 'text-delta', text: 'Good ' },
    { kind: 'text-delta', text: 'day' },
    { kind: 'finish', reason: 'stop', usage: undefined },
  ]);
});

test('CL-07 an answer without its finish reason or end marker is incomplete, and its text was still delivered', async () => {
  for (const events of [[chunk('half')], [chunk('half'), finish('stop')], [chunk('half'), SSE_DONE]]) {
    const taken = await take(answering(events));
    assert.equal(taken.code, 'answer-incomplete');
    assert.deepEqual(taken.events, [{ kind: 'text-delta', text: 'half' }]);
  }
});

test('CL-21 an answer without end is given up at a million characters, and what came before was delivered', async () => {
  const piece = 'x'.repeat(100_000);
  const whole = await take(answering([...Array.from({ length: 10 }, () => chunk(piece)), finish('stop'), SSE_DONE]));
  assert.equal(whole.code, undefined);
  const endless = await take(answering([...Array.from({ length: 12 }, () => chunk(piece)), finish('stop'), SSE_DONE]));
  assert.equal(endless.code, 'node-malformed');
  assert.equal(endless.events.length, 10);
});

test('CL-08 an error inside an answer surfaces by its code and never as text', async () => {
  const error = (code: string) => JSON.stringify({ error: { code, message: 'the secret words', action: 'retry' } });
  const crashed = await take(answering([chunk('half'), error('engine-crashed'), finish('stop'), SSE_DONE]));
  assert.equal(crashed.code, 'engine-crashed');
  assert.deepEqual(crashed.events, [{ kind: 'text-delta', text: 'half' }]);
  assert.equal((await take(answering([error('made-up-by-the-node')]))).code, 'node-refused');
});

test('CL-08 a refusal before the answer is read by its code; anything unreadable is node-refused', async () => {
  const body = (code: string) => JSON.stringify({ error: { code, message: 'm', action: 'retry' } });
  assert.equal((await take(answering([body('prompt-too-long')], 413))).code, 'prompt-too-long');
  assert.equal((await take(answering([body('no-such-code')], 500))).code, 'node-refused');
  assert.equal((await take(answering(['<html>'], 502))).code, 'node-refused');
  assert.equal((await take(answering(['x'.repeat(20_000)], 502))).code, 'node-refused');
});
