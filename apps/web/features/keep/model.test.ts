import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SottoError } from '@sotto/bytes';
import { createManualClock } from '@sotto/testkit';
import { fakeAccounts, fakeHistory, fakePage, fakePreferences } from '../../preview/fake-services.ts';
import type { Accounts, History } from '../../shell/services.ts';
import { createKeepModel } from './model.ts';

class Failed extends SottoError<'keep-incomplete' | 'passkey-cancelled'> {}

function createRig(changes: Partial<Accounts> = {}) {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  const accounts = {
    ...fakeAccounts(clock, history),
    keep: async () => history,
    addPasskey: async () => 'opens-chats' as const,
    ...changes,
  };
  const preferences = fakePreferences();
  const kept: History[] = [];
  const order: string[] = [];
  const keep = createKeepModel({
    accounts,
    page: fakePage(clock),
    preferences,
    settle: async () => void order.push('settled'),
    onKept: (next) => {
      order.push('kept');
      kept.push(next);
    },
  });
  return { keep, accounts, preferences, kept, order };
}

test('chats are kept only after the last group was typed, and the code is then forgotten', async () => {
  const { keep, kept, preferences, order } = createRig();
  await keep.start();
  keep.written();
  await keep.confirm('XXXX');
  assert.equal(keep.state.get().error, 'group-differs');
  assert.equal(kept.length, 0);
  await keep.confirm(' ju-5a ');
  assert.equal(kept.length, 1);
  assert.deepEqual(order, ['settled', 'kept']);
  assert.equal(keep.state.get().step, 'passkey');
  assert.equal(keep.state.get().code, '');
  assert.equal(preferences.get('has-account'), '1');
});

test('a move that fails keeps the code, so that it can be tried again', async () => {
  let tries = 0;
  const history = fakeHistory(createManualClock());
  const codes: string[] = [];
  const { keep, kept } = createRig({
    keep: async (code) => {
      codes.push(code);
      if (tries++ === 0) throw new Failed('keep-incomplete', '', { action: 'retry' });
      return history;
    },
  });
  await keep.start();
  keep.written();
  await keep.confirm('JV5A');
  assert.deepEqual([keep.state.get().step, keep.state.get().error], ['confirm', 'keep-incomplete']);
  await keep.confirm('JV5A');
  assert.equal(codes[0], codes[1]);
  assert.equal(kept.length, 1);
});

test('where there are no passkeys none is offered; where PRF is missing the person is told', async () => {
  const none = createRig({ passkeysAvailable: () => false });
  await none.keep.start();
  await none.keep.confirm('JV5A');
  assert.equal(none.keep.state.get().step, 'done');

  const signIn = createRig({ addPasskey: async () => 'signs-in-only' });
  await signIn.keep.start();
  await signIn.keep.confirm('JV5A');
  await signIn.keep.addPasskey();
  assert.deepEqual([signIn.keep.state.get().step, signIn.keep.state.get().passkey], ['done', 'signs-in-only']);
});

test('a cancelled passkey changes nothing and can be tried again', async () => {
  const { keep } = createRig({
    addPasskey: () => Promise.reject(new Failed('passkey-cancelled', '', { action: 'retry' })),
  });
  await keep.start();
  await keep.confirm('JV5A');
  await keep.addPasskey();
  assert.deepEqual([keep.state.get().step, keep.state.get().error], ['passkey', 'passkey-cancelled']);
});
