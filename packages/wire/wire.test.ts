import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import * as wire from './index.ts';
import { textShape } from './shape.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = encodeUtf8(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function eventsOf(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  const events: string[] = [];
  for await (const data of wire.parseSse(stream)) events.push(data);
  return events;
}

test('heads read back as they were written', () => {
  const request = {
    version: wire.WIRE_VERSION,
    method: 'POST',
    path: '/v1/chat/completions?x=1',
    headers: [
      ['content-type', 'application/json'],
      ['x-empty', ''],
    ],
  } as const;
  assert.deepEqual(wire.parseRequestHead(wire.encodeRequestHead(request)), request);
  assert.equal(wire.headerValue(request, 'x-empty'), '');
  assert.equal(wire.headerValue(request, 'none'), undefined);
  const response = { version: wire.WIRE_VERSION, status: 429, headers: [] } as const;
  assert.deepEqual(wire.parseResponseHead(wire.encodeResponseHead(response)), response);
});

test('WI-12 what could not be read back is not written', () => {
  const head = { version: wire.WIRE_VERSION, status: 200, headers: [['x-a', 'a\nb']] } as const;
  assert.throws(() => wire.encodeResponseHead(head), { rule: 'WI-12' });
});

test('WI-18 what a prototype holds does not count', () => {
  const inherited = Object.create({ sequence: 1 });
  assert.throws(() => wire.parseSequenceAnswer(inherited), { rule: 'WI-18' });
});

test('WI-16 NaN is no number', () => {
  const chat = { model: 'm', messages: [] };
  assert.throws(() => wire.parseChatCompletionRequest({ ...chat, temperature: Number.NaN }), { rule: 'WI-16' });
  assert.throws(() => wire.parseSequenceAnswer({ sequence: Number.NaN }), { rule: 'WI-16' });
});

test('WI-01 JSON and texts above their cap are refused before they are read', () => {
  assert.throws(() => wire.parseJson('[1,2]', 4), { code: 'wire-too-large', rule: 'WI-01' });
  assert.throws(() => wire.parseJson(encodeUtf8('[1,2]'), 4), { code: 'wire-too-large' });
  assert.throws(() => textShape(2)('abc'), { code: 'wire-too-large' });
});

test('WI-14 what is not JSON is refused', () => {
  for (const text of ['', '{', 'undefined', '{"a":1}x']) {
    assert.throws(() => wire.parseJson(text, 100), { code: 'wire-malformed', rule: 'WI-14' });
  }
  assert.throws(() => wire.parseJson(Uint8Array.of(0x22, 0xff, 0x22), 100), { code: 'wire-malformed' });
});

test('WI-21 a chunk says something', () => {
  const chunk = (value: unknown) => wire.parseChatChunk(JSON.stringify(value));
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const error = { code: 'engine-crashed', message: 'The model stopped.', action: 'retry' };
  assert.deepEqual(chunk({ choices: [{ delta: { content: 'a' }, finish_reason: null }] }), { deltaText: 'a' });
  assert.deepEqual(chunk({ choices: [{ delta: {}, finish_reason: 'stop' }] }), { finishReason: 'stop' });
  assert.deepEqual(chunk({ choices: [{ delta: { role: 'assistant' } }] }), {});
  assert.deepEqual(chunk({ choices: [], usage }), { usage });
  assert.deepEqual(chunk({ error }), { error });
  assert.throws(() => chunk({ choices: [] }), { rule: 'WI-21' });
  assert.throws(() => chunk({ choices: [{ delta: {} }, { delta: {} }] }), { rule: 'WI-01' });
  for (const data of ['', '[DONE]', 'null', '[]', '{}', '{"error":{}}']) {
    assert.throws(() => wire.parseChatChunk(data), { name: 'WireError' });
  }
});

test('events are read whole whatever the pieces', async () => {
  const text = ': hello\r\ndata: {"a":"é"}\r\n\r\nid: 1\ndata: one\ndata:two\n\n\ndata: [DONE]\n\n';
  for (const size of [1, 2, 3, 7, 1000]) {
    assert.deepEqual(await eventsOf(pieces(text, size)), ['{"a":"é"}', 'one\ntwo', wire.SSE_DONE]);
  }
  const written = ['{"x":1}', wire.SSE_DONE];
  assert.deepEqual(await eventsOf(pieces(written.map(wire.encodeSseEvent).join(''), 5)), written);
});

test('WI-22 a line without an end is refused', async () => {
  const endless = async function* () {
    for (let sent = 0; sent < 40; sent++) yield new Uint8Array(64 * 1024).fill(0x61);
  };
  await assert.rejects(eventsOf(endless()), { code: 'wire-too-large', rule: 'WI-22' });
});

test('WI-23 an event without an end is refused', async () => {
  const line = `data: ${'a'.repeat(64 * 1024)}\n`;
  const endless = async function* () {
    for (let sent = 0; sent < 40; sent++) yield encodeUtf8(line);
  };
  await assert.rejects(eventsOf(endless()), { code: 'wire-too-large', rule: 'WI-23' });
});

test('WI-24 a stream that ends inside an event is refused', async () => {
  for (const text of ['data: a', 'data: a\n', 'data: a\n\ndata: b\r\n', 'da']) {
    await assert.rejects(eventsOf(pieces(text, 3)), { code: 'wire-truncated', rule: 'WI-24' }, text);
  }
  const halfCharacter = async function* () {
    yield Uint8Array.of(0xc3);
  };
  await assert.rejects(eventsOf(halfCharacter()), { name: 'WireError' });
});

test('WI-07 a stream that is not UTF-8 is refused', async () => {
  const stream = async function* () {
    yield Uint8Array.of(0x64, 0xff, 0x0a);
  };
  await assert.rejects(eventsOf(stream()), { code: 'wire-malformed', rule: 'WI-07' });
});
