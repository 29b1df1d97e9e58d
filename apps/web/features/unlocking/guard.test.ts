import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
import { fakePreferences } from '../../preview/fake-services.ts';
import { idleMinutesOf, setIdleMinutes, startGuard } from './guard.ts';

const MINUTE_MS = 60_000;

function rig(tabCount = 1) {
  const clock = createManualClock();
  const preferences = fakePreferences();
  const listeners = new Map<number, (word: string) => void>();
  let posts = 0;
  const tabs = Array.from({ length: tabCount }, (_, i) => {
    const tab = { busy: false, locks: 0 };
    const guard = startGuard({
      clock,
      preferences,
      tabs: {
        post: (word) => {
          posts++;
          for (const [other, hear] of listeners) if (other !== i) hear(word);
        },
        subscribe: (listener) => {
          listeners.set(i, listener);
          return () => listeners.delete(i);
        },
      },
      isBusy: () => tab.busy,
      lock: async () => {
        tab.locks++;
      },
    });
    return Object.assign(tab, guard);
  });
  return { clock, preferences, tabs, tab: tabs[0] as (typeof tabs)[number], posts: () => posts };
}

test('CL-342 an account that nobody uses locks after a quarter of an hour, and warns a minute before', async () => {
  const { clock, tab } = rig();
  await clock.advance(14 * MINUTE_MS - 1000);
  assert.equal(tab.state.get().secondsLeft, undefined);
  await clock.advance(2000);
  assert.equal(tab.state.get().secondsLeft, 59);
  await clock.advance(58_000);
  assert.equal(tab.locks, 0);
  await clock.advance(2000);
  assert.deepEqual([tab.locks, tab.state.get().secondsLeft], [1, undefined]);
  await clock.advance(60 * MINUTE_MS);
  assert.equal(tab.locks, 1);
});

test('CL-342 who is there is not locked out: the time begins anew, and the warning goes', async () => {
  const { clock, tab } = rig();
  await clock.advance(14 * MINUTE_MS + 30_000);
  assert.equal(tab.state.get().secondsLeft, 30);
  tab.active();
  assert.equal(tab.state.get().secondsLeft, undefined);
  await clock.advance(14 * MINUTE_MS);
  assert.equal(tab.locks, 0);
  await clock.advance(MINUTE_MS);
  assert.equal(tab.locks, 1);
});

test('CL-342 an answer that runs is not cut, and the time begins when it ends', async () => {
  const { clock, tab } = rig();
  tab.busy = true;
  await clock.advance(45 * MINUTE_MS);
  assert.equal(tab.locks, 0);
  tab.busy = false;
  await clock.advance(14 * MINUTE_MS);
  assert.equal(tab.locks, 0);
  await clock.advance(MINUTE_MS + 10_000);
  assert.equal(tab.locks, 1);
});

test('CL-342 somebody in one tab, or an answer in it, keeps the others open', async () => {
  const { clock, tabs, posts } = rig(2);
  const [first, second] = tabs as [(typeof tabs)[number], (typeof tabs)[number]];
  for (let i = 0; i < 60; i++) {
    await clock.advance(MINUTE_MS / 2);
    first.active();
  }
  assert.deepEqual([first.locks, second.locks], [0, 0]);
  for (let i = 0; i < 100; i++) first.active();
  assert.ok(posts() <= 61);
  second.busy = true;
  await clock.advance(30 * MINUTE_MS);
  assert.deepEqual([first.locks, second.locks], [0, 0]);
});

test('CL-342 the time is the person’s to choose, also while it runs, and staying unlocked means it', async () => {
  const { clock, preferences, tab } = rig();
  assert.equal(idleMinutesOf(preferences), 15);
  setIdleMinutes(preferences, 0);
  await clock.advance(600 * MINUTE_MS);
  assert.equal(tab.locks, 0);
  tab.active();
  preferences.set('stays-unlocked', '1');
  setIdleMinutes(preferences, 1);
  await clock.advance(30 * MINUTE_MS);
  assert.equal(tab.locks, 0);
  preferences.set('stays-unlocked', undefined);
  await clock.advance(10_000);
  assert.equal(tab.locks, 1);
  preferences.set('idle-minutes', '7e9');
  assert.equal(idleMinutesOf(preferences), 15);
});

test('CL-342 with the shortest time the warning comes after the first touchless second, not at once', async () => {
  const { clock, preferences, tab } = rig();
  setIdleMinutes(preferences, 1);
  tab.active();
  assert.equal(tab.state.get().secondsLeft, undefined);
  await clock.advance(61_000);
  assert.equal(tab.locks, 1);
});

test('a guard that was stopped locks nobody', async () => {
  const { clock, tab } = rig();
  tab.stop();
  await clock.advance(60 * MINUTE_MS);
  assert.equal(tab.locks, 0);
});

test('CL-342 a computer that slept past the time locks as soon as it wakes', async () => {
  const clock = createManualClock();
  let offsetMs = 0;
  let locks = 0;
  const guard = startGuard({
    clock: { nowMs: () => clock.nowMs() + offsetMs, sleep: clock.sleep },
    preferences: fakePreferences(),
    tabs: { post: () => {}, subscribe: () => () => {} },
    isBusy: () => false,
    lock: async () => {
      locks++;
    },
  });
  await clock.advance(1000);
  offsetMs = 8 * 60 * MINUTE_MS;
  await clock.advance(10_000);
  assert.equal(locks, 1);
  guard.stop();
});

test('CL-342 the first key after a long sleep unlocks nothing: it locks', async () => {
  const { clock, tab } = rig();
  const nowMs = clock.nowMs;
  clock.nowMs = () => nowMs() + 8 * 60 * MINUTE_MS;
  tab.active();
  assert.equal(tab.locks, 1);
  clock.nowMs = nowMs;
  await clock.advance(60 * MINUTE_MS);
  assert.equal(tab.locks, 1);
});
