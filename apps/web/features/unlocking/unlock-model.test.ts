import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SottoError } from '@sotto/bytes';
import { createManualClock } from '@sotto/testkit';
import { fakeAccounts, fakeHistory, fakePreferences, fakeUnlocking } from '../../preview/fake-services.ts';
import type { Accounts, DeviceUnlocking, History } from '../../shell/services.ts';
import { createUnlockSettingsModel } from './settings-model.ts';
import { createUnlockModel } from './unlock-model.ts';

class Failed extends SottoError<'recovery-refused' | 'passphrase-wrong' | 'passphrase-wait' | 'store-full'> {}

const refuse = (code: Failed['code']) => Promise.reject(new Failed(code, '', { action: 'fix-input' }));

function rig(device: Partial<DeviceUnlocking> = {}, changes: Partial<Accounts> = {}) {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  const unlocking = { ...fakeUnlocking(createManualClock(), history), ...device };
  const accounts = { ...fakeAccounts(clock, history), unlocking: async () => unlocking, ...changes };
  const preferences = fakePreferences();
  const opened: History[] = [];
  const ports = { accounts, clock, preferences, onUnlocked: (next: History) => void opened.push(next) };
  return { clock, accounts, unlocking, preferences, opened, unlock: createUnlockModel(ports) };
}

test('a wrong recovery code leaves the text where it is', async () => {
  const { unlock, preferences, opened } = rig({}, { unlockWithRecoveryCode: () => refuse('recovery-refused') });
  unlock.setText('F7KQ-2M9D');
  await unlock.withCode();
  assert.deepEqual([unlock.state.get().text, unlock.state.get().error], ['F7KQ-2M9D', 'recovery-refused']);
  assert.equal(preferences.get('has-account'), undefined);
  assert.deepEqual(opened, []);
});

test('a passphrase is offered where this browser has one, and a wrong one stays in its field', async () => {
  const standing = { passphrase: true, notBeforeMs: 0, staysUnlocked: false };
  const { unlock } = rig({ standing: async () => standing, unlockWithPassphrase: () => refuse('passphrase-wrong') });
  assert.equal(unlock.state.get().hasPassphrase, undefined);
  await unlock.load();
  assert.equal(unlock.state.get().hasPassphrase, true);
  unlock.setPassphrase('lantern');
  await unlock.withPassphrase();
  assert.deepEqual([unlock.state.get().passphrase, unlock.state.get().error], ['lantern', 'passphrase-wrong']);
});

test('after too many wrong ones it is said how long the next one waits', async () => {
  const { unlock, clock } = rig({
    standing: async () => ({ passphrase: true, notBeforeMs: clock.nowMs() + 29_500, staysUnlocked: false }),
    unlockWithPassphrase: () => refuse('passphrase-wait'),
  });
  unlock.setPassphrase('lantern');
  await unlock.withPassphrase();
  assert.deepEqual([unlock.state.get().waitSeconds, unlock.state.get().error], [30, 'passphrase-wait']);
});

test('the right passphrase opens, and is forgotten', async () => {
  const { unlock, opened, preferences } = rig({ unlockWithPassphrase: async () => fakeHistory(createManualClock()) });
  unlock.setPassphrase('lantern');
  await unlock.withPassphrase();
  assert.deepEqual([unlock.state.get().passphrase, unlock.state.get().busy, opened.length], ['', 'no', 1]);
  assert.equal(preferences.get('has-account'), '1');
});

test('a browser that cannot say what it has shows the other ways', async () => {
  const { unlock } = rig({}, { unlocking: () => Promise.reject(new TypeError('not fetched')) });
  await unlock.load();
  assert.equal(unlock.state.get().hasPassphrase, false);
});

function settings(device: Partial<DeviceUnlocking> = {}) {
  const { unlocking, preferences } = rig(device);
  const order: string[] = [];
  const note = (word: string) => async () => void order.push(word);
  const model = createUnlockSettingsModel({
    unlocking: async () => ({ ...unlocking, forget: note('erased') }),
    preferences,
    signOut: note('signed out'),
    leave: note('left'),
  });
  return { model, preferences, order };
}

test('a passphrase is set when both fields agree, and can be taken away', async () => {
  let set = '';
  const { model } = settings({
    setPassphrase: async (passphrase) => {
      set = passphrase;
    },
  });
  await model.load();
  assert.equal(model.state.get().hasPassphrase, false);
  assert.equal(await model.setPassphrase('lantern', 'lanterm'), false);
  assert.deepEqual([model.state.get().said, set], ['passphrase.differs', '']);
  assert.equal(await model.setPassphrase('lantern', 'lantern'), true);
  assert.deepEqual(
    [model.state.get().hasPassphrase, model.state.get().said, set],
    [true, 'passphrase.done', 'lantern'],
  );
  await model.removePassphrase();
  assert.deepEqual([model.state.get().hasPassphrase, model.state.get().said], [false, 'passphrase.removed']);
});

test('what this browser refuses is said, and nothing looks as if it were set', async () => {
  const { model } = settings({
    setPassphrase: () => refuse('store-full'),
    setStaysUnlocked: () => refuse('store-full'),
  });
  await model.load();
  assert.equal(await model.setPassphrase('lantern', 'lantern'), false);
  assert.deepEqual([model.state.get().hasPassphrase, model.state.get().error], [false, 'store-full']);
  await model.setStaysUnlocked(true);
  assert.deepEqual([model.state.get().staysUnlocked, model.state.get().error], [false, 'store-full']);
});

test('staying unlocked is off unless it is asked for', async () => {
  const { model } = settings();
  await model.load();
  assert.equal(model.state.get().staysUnlocked, false);
  await model.setStaysUnlocked(true);
  assert.equal(model.state.get().staysUnlocked, true);
});

test('leaving a browser locks first, then erases, then goes on as a guest', async () => {
  const { model, order } = settings();
  await model.forget();
  assert.deepEqual(order, ['signed out', 'erased', 'left']);
});
