import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import type { Clock, Fetch, FetchInit } from '@sotto/ports';
import { Mailbox } from './mailbox.ts';
import { serverMailboxes } from './server-mailboxes.ts';

const ID = 'ab'.repeat(16);
const refusal = (code: string) => JSON.stringify({ error: { code, message: '', action: 'stop' } });

function fakeFetch(...answers: (readonly [number, string] | 'lost')[]): {
  fetch: Fetch;
  calls: [string, FetchInit | undefined][];
} {
  const calls: [string, FetchInit | undefined][] = [];
  return {
    calls,
    fetch: async (url, init) => {
      calls.push([url, init]);
      const answer = answers.shift() ?? 'lost';
      if (answer === 'lost') throw new TypeError('no line');
      const [status, body] = answer;
      return { status, header: () => undefined, bytes: async () => encodeUtf8(body) };
    },
  };
}

test('CL-359 a slot is written, asked for and forgotten under its id, and nothing else is said', async () => {
  const { fetch, calls } = fakeFetch([204, ''], [204, ''], [200, 'hello'], [204, '']);
  const mailboxes = serverMailboxes(fetch, 'http://localhost:1');
  await mailboxes.put(ID, 0, encodeUtf8('m'));
  assert.equal(await mailboxes.get(ID, 1), undefined);
  assert.deepEqual(await mailboxes.get(ID, 1), encodeUtf8('hello'));
  await mailboxes.end(ID);
  const url = `http://localhost:1/api/links/${ID}`;
  assert.deepEqual(
    calls.map(([called, init]) => [init?.method, called]),
    [
      ['PUT', `${url}/0`],
      ['GET', `${url}/1`],
      ['GET', `${url}/1`],
      ['DELETE', url],
    ],
  );
});

test('CL-360 refusals have their codes; what is no refusal is one all the same', async () => {
  const cases = [
    [410, refusal('link-ended'), 'link-ended'],
    [409, refusal('link-taken'), 'link-taken'],
    [429, refusal('rate-limited'), 'rate-limited'],
    [400, refusal('made-up'), 'server-refused'],
    [500, '<html>', 'server-refused'],
  ] as const;
  for (const [status, body, code] of cases) {
    const { fetch } = fakeFetch([status, body]);
    await assert.rejects(serverMailboxes(fetch, '').get(ID, 0), { code });
  }
});

test('CL-356 a line that is lost for a moment does not end the waiting', async () => {
  const { fetch } = fakeFetch('lost', [204, ''], 'lost', [200, 'hello']);
  const clock: Clock = { nowMs: () => 0, sleep: async () => {} };
  const mailbox = new Mailbox(serverMailboxes(fetch, ''), ID, clock, undefined);
  assert.deepEqual(await mailbox.take(1), encodeUtf8('hello'));
});
