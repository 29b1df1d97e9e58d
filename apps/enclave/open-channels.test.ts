/** What a node says to its sessions when an epoch turns and when it stops; on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelCloseInfo } from '@sotto/channel';
import { createManualClock, settle } from '@sotto/testkit';
import { OpenChannels } from './open-channels.ts';

function createChannel() {
  const { promise: closed, resolve } = Promise.withResolvers<ChannelCloseInfo>();
  const heard: string[] = [];
  return {
    heard,
    closed,
    over: () => resolve({ kind: 'closed', by: 'us' }),
    advise: () => void heard.push('advise'),
    leave: () => void heard.push('leave'),
    close() {
      heard.push('close');
      resolve({ kind: 'closed', by: 'us' });
    },
  };
}

test('CH-82 an epoch that turns is told to every session, spread over a quarter of it and a minute at most', async () => {
  for (const [epochMs, spreadMs] of [
    [20 * 60_000, 60_000],
    [2000, 500],
  ] as const) {
    const clock = createManualClock();
    const open = new OpenChannels(clock);
    const channels = Array.from({ length: 100 }, createChannel);
    for (const channel of channels) open.add(channel);
    const told = () => channels.filter(({ heard }) => heard.length === 1).length;
    const advising = open.advise(epochMs, new AbortController().signal);
    await settle();
    assert.equal(told(), 5);
    await clock.advance(spreadMs / 2);
    assert.equal(told(), 55);
    await clock.advance(spreadMs / 2);
    assert.equal(told(), 100);
    await advising;
    assert.equal(clock.sleeping, 0);
  }
});

test('CH-82 a session of its own is told at once, and nothing is told after the node has stopped', async () => {
  const clock = createManualClock();
  const open = new OpenChannels(clock);
  const [first, second] = [createChannel(), createChannel()];
  open.add(first);
  await open.advise(60_000, new AbortController().signal);
  assert.deepEqual(first.heard, ['advise']);
  open.add(second);
  const stop = new AbortController();
  const advising = open.advise(60_000, stop.signal);
  stop.abort(new Error('stopped'));
  await advising;
  assert.deepEqual([first.heard.length, second.heard.length], [2, 0]);
});

test('CH-89 a node that stops waits for its sessions, and no longer than its limit', async () => {
  const clock = createManualClock();
  const open = new OpenChannels(clock);
  const [quick, slow] = [createChannel(), createChannel()];
  for (const channel of [quick, slow]) open.add(channel);
  let isOver = false;
  const leaving = open.leave(30_000).then(() => {
    isOver = true;
  });
  assert.deepEqual([quick.heard, slow.heard], [['leave'], ['leave']]);
  await clock.advance(10_000);
  quick.over();
  await clock.advance(19_999);
  assert.deepEqual([isOver, open.count], [false, 1]);
  await clock.advance(1);
  assert.deepEqual([isOver, open.count], [true, 0]);
  assert.deepEqual(slow.heard, ['leave', 'close']);
  await leaving;
});

test('CH-89 a node whose sessions are over stops at once', async () => {
  const clock = createManualClock();
  const open = new OpenChannels(clock);
  void open.leave(30_000);
  await settle();
  assert.equal(clock.sleeping, 0);
  const channel = createChannel();
  open.add(channel);
  void open.leave(30_000);
  channel.over();
  await settle();
  assert.deepEqual(channel.heard, ['leave']);
  assert.equal(clock.sleeping, 0);
});
