/** Clients that send their requests a byte at a time, or never to the end: each gives up its stream, and nobody else's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import { createChannelPair, createManualClock, readBody, settle } from '@sotto/testkit';
import { encodeRequestHead, WIRE_VERSION } from '@sotto/wire';
import { BodyBudget, DEFAULT_BODY_LIMITS, serveStream } from './channel-http.ts';
import { KeptAnswers } from './kept-answers.ts';

const head = encodeRequestHead({ version: WIRE_VERSION, method: 'POST', path: '/v1/chat/completions', headers: [] });

test('EN-25 a body that drips is given up after two minutes, and its session serves others', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = createManualClock();
  const budget = new BodyBudget(DEFAULT_BODY_LIMITS);
  const kept = new KeptAnswers(clock);
  t.after(() => kept.close());
  const session = {};
  const opening = createChannelPair({
    clock,
    onRequest: (incoming) =>
      void serveStream(incoming, async () => new Response('served'), { budget, session, kept }).catch(() => undefined),
  });
  await clock.advance(50);
  const pair = await opening;
  const channel = pair.unverified.promote(pair.expected);
  const slow = channel.request(head);
  const reset = assert.rejects(slow.head, { code: 'stream-reset', reset: 'internal' });
  for (let seconds = 0; seconds < 119; seconds += 17) {
    slow.write(encodeUtf8('x')).catch(() => undefined);
    await clock.advance(50);
    t.mock.timers.tick(17_000);
    await settle();
  }
  t.mock.timers.tick(2000);
  await clock.advance(50);
  assert.equal(await Promise.race([reset.then(() => 'given up'), settle().then(() => 'open')]), 'given up');
  const other = channel.request(head);
  void other.end();
  await clock.advance(50);
  const body = readBody(other.body);
  await clock.advance(50);
  assert.deepEqual(await body, encodeUtf8('served'));
  channel.close();
});
