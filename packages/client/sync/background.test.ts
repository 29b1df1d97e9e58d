import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Socket } from '@sotto/ports';
import { createManualClock, createSeededRandom } from '@sotto/testkit';
import { encodeLiveMessage } from '@sotto/wire';
import { startBackgroundSync } from './background.ts';
import type { SyncProblem, SyncState } from './sync-types.ts';

function setUp() {
  const clock = createManualClock();
  const startMs = clock.nowMs();
  const listeners = new Set<() => void>();
  const engine = {
    cursor: 0,
    state: { pendingCount: 0, lastSyncedAtMs: undefined, online: true } as SyncState,
    fails: undefined as SyncProblem | undefined,
    syncedAtMs: [] as number[],
    reconciled: 0,
    async sync() {
      engine.syncedAtMs.push(clock.nowMs() - startMs);
      const { problem: _, ...state } = engine.state;
      engine.state = engine.fails === undefined ? state : { ...state, problem: engine.fails };
      if (engine.fails !== undefined) throw new Error('refused');
    },
    async reconcile() {
      engine.reconciled++;
      return { missing: [], restarted: false };
    },
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    writes(pendingCount: number) {
      engine.state = { ...engine.state, pendingCount };
      for (const listener of listeners) listener();
    },
  };
  return { clock, engine, listeners, random: createSeededRandom('background') };
}

const MINUTE_MS = 60_000;

test('CL-221 it syncs at the start, after a write, and every five minutes', async () => {
  const { clock, engine, random } = setUp();
  const background = startBackgroundSync({ engine, clock, random });
  await clock.advance(1000);
  assert.deepEqual(engine.syncedAtMs, [0]);
  engine.writes(1);
  await clock.advance(1000);
  assert.deepEqual(engine.syncedAtMs, [0, 1000]);
  engine.writes(0);
  await clock.advance(5 * MINUTE_MS);
  assert.equal(engine.syncedAtMs.length, 3);
  background.stop();
  await clock.advance(60 * MINUTE_MS);
  assert.equal(engine.syncedAtMs.length, 3);
});

test('CL-221 while it fails the pauses grow to five minutes and differ, and a write does not shorten them', async () => {
  const { clock, engine, random } = setUp();
  engine.fails = 'offline';
  const background = startBackgroundSync({ engine, clock, random });
  for (let minute = 0; minute < 40; minute++) {
    await clock.advance(MINUTE_MS);
    engine.writes(minute + 1);
  }
  const pauses = engine.syncedAtMs.slice(1).map((atMs, i) => atMs - (engine.syncedAtMs[i] ?? 0));
  for (const [i, pause] of pauses.entries()) {
    const most = Math.min(5 * MINUTE_MS, 1000 * 2 ** i);
    assert.ok(pause >= most / 2 && pause <= most, `pause ${i}: ${pause}`);
  }
  assert.ok(pauses.length >= 12);
  assert.ok(new Set(pauses.slice(-4)).size === 4, 'they are not all the same');
  engine.fails = undefined;
  await clock.advance(5 * MINUTE_MS);
  engine.fails = 'offline';
  const before = engine.syncedAtMs.length;
  engine.writes(100);
  await clock.advance(3000);
  assert.ok(engine.syncedAtMs.length > before + 1, 'the pauses begin anew');
  background.stop();
});

test('CL-221 a network that is back is tried at once; what only the person can mend waits', async () => {
  const { clock, engine, random } = setUp();
  let tell: (isOnline: boolean) => void = () => undefined;
  const hints = {
    subscribe: (listener: (isOnline: boolean) => void) => {
      tell = listener;
      return () => undefined;
    },
  };
  engine.fails = 'signed-out';
  const background = startBackgroundSync({ engine, clock, random, hints });
  await clock.advance(4 * MINUTE_MS);
  assert.equal(engine.syncedAtMs.length, 1);
  tell(false);
  await clock.advance(1);
  assert.equal(engine.syncedAtMs.length, 1);
  engine.fails = undefined;
  tell(true);
  await clock.advance(1);
  assert.equal(engine.syncedAtMs.length, 2);
  background.stop();
});

test('CL-221 a server that says it is asked too often is left alone for longer', async () => {
  const { clock, engine, random } = setUp();
  engine.fails = 'rate-limited';
  const background = startBackgroundSync({ engine, clock, random });
  await clock.advance(4999);
  assert.equal(engine.syncedAtMs.length, 1);
  await clock.advance(5001);
  assert.equal(engine.syncedAtMs.length, 2);
  background.stop();
});

test('CL-222 everything is compared after the first sync, and once a day', async () => {
  const { clock, engine, random } = setUp();
  engine.fails = 'offline';
  const background = startBackgroundSync({ engine, clock, random });
  await clock.advance(1);
  assert.equal(engine.reconciled, 0);
  engine.fails = undefined;
  await clock.advance(MINUTE_MS);
  assert.equal(engine.reconciled, 1);
  await clock.advance(23 * 60 * MINUTE_MS);
  assert.equal(engine.reconciled, 1);
  await clock.advance(2 * 60 * MINUTE_MS);
  assert.equal(engine.reconciled, 2);
  background.stop();
});

test('CL-226 a newer sequence on the live line leads to a sync; an older one, and other bytes, to none', async () => {
  const { clock, engine, random } = setUp();
  const sockets: (Socket & { closed: boolean })[] = [];
  const connectLive = async () => {
    const socket = {
      ...{ onMessage: undefined, onClose: undefined, bufferedBytes: 0, closed: false, send: () => undefined },
      close() {
        socket.closed = true;
        (socket as Socket).onClose?.(1000, '');
      },
    };
    sockets.push(socket);
    return socket;
  };
  const background = startBackgroundSync({ engine, clock, random, connectLive });
  await clock.advance(1);
  engine.cursor = 7;
  sockets[0]?.onMessage?.(encodeLiveMessage(7));
  await clock.advance(1);
  assert.equal(engine.syncedAtMs.length, 1);
  sockets[0]?.onMessage?.(encodeLiveMessage(8));
  await clock.advance(1);
  assert.equal(engine.syncedAtMs.length, 2);
  sockets[0]?.onMessage?.(new Uint8Array(9));
  assert.ok(sockets[0]?.closed);
  await clock.advance(3000);
  assert.equal(sockets.length, 2);
  assert.equal(engine.syncedAtMs.length, 2);
  background.stop();
  assert.ok(sockets[1]?.closed);
});

test('CL-221 a server that fails every sync does not end the pauses by what it says on the live line', async () => {
  const { clock, engine, random } = setUp();
  const socket: Socket = {
    onMessage: undefined,
    onClose: undefined,
    bufferedBytes: 0,
    send: () => {},
    close: () => {},
  };
  engine.fails = 'server-failed';
  const background = startBackgroundSync({ engine, clock, random, connectLive: async () => socket });
  for (let second = 0; second < 60; second++) {
    await clock.advance(1000);
    socket.onMessage?.(encodeLiveMessage(100 + second));
  }
  assert.ok(engine.syncedAtMs.length <= 8, `${engine.syncedAtMs.length} tries in a minute`);
  background.stop();
});
