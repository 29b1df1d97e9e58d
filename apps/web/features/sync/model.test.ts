import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SyncProblem, SyncState } from '@sotto/client/accounts';
import { createManualClock } from '@sotto/testkit';
import { createSyncLine } from './model.ts';
import { w } from './words.ts';

function setUp() {
  const listeners = new Set<() => void>();
  const sync = {
    state: { pendingCount: 0, lastSyncedAtMs: undefined, online: true } as SyncState,
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const clock = createManualClock();
  const line = createSyncLine(sync, clock);
  const now = (pendingCount: number, problem?: SyncProblem) => {
    sync.state = {
      ...sync.state,
      pendingCount,
      ...(problem === undefined ? { problem: undefined as never } : { problem }),
    };
    for (const listener of listeners) listener();
  };
  return { line, clock, now, words: () => line.state.get().words };
}

test('nothing is said while everything is sent, nor of a write that is on its way for a moment', async () => {
  const { clock, now, words } = setUp();
  assert.equal(words(), undefined);
  now(1);
  await clock.advance(1000);
  now(0);
  await clock.advance(5000);
  assert.equal(words(), undefined);
});

test('what waits for longer is counted, and that it is sent is said for a moment', async () => {
  const { clock, now, words, line } = setUp();
  now(1);
  now(3);
  await clock.advance(2000);
  assert.deepEqual(line.state.get(), { words: 'sync.to-send', count: 3, mayTryNow: false });
  now(0);
  assert.equal(words(), 'sync.sent');
  await clock.advance(3000);
  assert.equal(words(), undefined);
});

test('each problem has its line, at once, and says what is kept here', () => {
  const { now, words, line } = setUp();
  const said = (pendingCount: number, problem: SyncProblem) => {
    now(pendingCount, problem);
    const { words: key, count } = line.state.get();
    return key === undefined ? undefined : w(key, { count });
  };
  assert.match(said(0, 'offline') ?? '', /No connection.*on this device/);
  assert.match(said(2, 'offline') ?? '', /2 kept on this device, to send/);
  assert.ok(line.state.get().mayTryNow);
  assert.match(said(2, 'signed-out') ?? '', /2 kept on this device/);
  assert.match(said(2, 'account-full') ?? '', /2 kept on this device only/);
  assert.match(said(2, 'server-failed') ?? '', /2 kept/);
  assert.match(said(2, 'rate-limited') ?? '', /2 to send/);
  assert.match(said(2, 'device-full') ?? '', /no room/);
  assert.match(said(2, 'device-unavailable') ?? '', /does not keep/);
  now(0);
  assert.equal(words(), 'sync.sent');
});

test('whoever stops following is told nothing more', async () => {
  const { line, clock, now, words } = setUp();
  now(1);
  line.stop();
  await clock.advance(10_000);
  now(2, 'offline');
  assert.equal(words(), undefined);
});
