import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SottoError } from '@sotto/bytes';
import { showSecret, showShortCode } from '@sotto/client/link';
import { createSeededRandom, settle } from '@sotto/testkit';
import type { Accounts, History } from '../../shell/services.ts';
import { createLinkModel, type LinkModelPorts, type Side } from './model.ts';
import { linkErrorWords, w } from './words.ts';

class Failed extends SottoError<string> {}

const random = createSeededRandom('link model');
const history = {} as History;

function createRig(side: Side, overrides: Partial<Accounts> = {}, passkeys = true) {
  const calls: string[] = [];
  const joined: History[] = [];
  const accounts: LinkModelPorts['accounts'] = {
    letIn: async ({ meeting, agree }) => {
      calls.push(`letIn ${meeting.way}`);
      if (!(await agree(meeting.way === 'digits' ? '012345' : undefined)))
        throw new Failed('link-refused', '', { action: 'stop' });
    },
    join: async ({ meeting, compare }) => {
      calls.push(`join ${meeting.way}`);
      if (meeting.way === 'digits' && !(await compare('012345')))
        throw new Failed('link-refused', '', { action: 'stop' });
      return history;
    },
    addPasskey: async () => 'opens-chats',
    passkeysAvailable: () => passkeys,
    ...overrides,
  };
  return { calls, joined, link: createLinkModel(side, { random, accounts, onJoined: (one) => void joined.push(one) }) };
}

test('the open device shows a code, asks, and lets in; a no ends the link', async () => {
  const { link } = createRig('open');
  void link.show('secret');
  const shown = link.state.get();
  assert.ok(shown.step === 'shown' || shown.step === 'asked');
  await settle();
  assert.deepEqual(link.state.get(), { step: 'asked', digits: undefined });
  link.answer(true);
  await settle();
  assert.deepEqual(link.state.get(), { step: 'done', passkey: 'none' });

  const refusing = createRig('open').link;
  void refusing.show('secret');
  await settle();
  refusing.answer(false);
  await settle();
  assert.deepEqual(refusing.state.get(), { step: 'failed', code: 'link-refused' });
  refusing.again();
  assert.deepEqual(refusing.state.get(), { step: 'choose' });
});

test('the new device shows a short code, compares six digits, is in, and adds a passkey or not', async () => {
  const { link, joined } = createRig('new');
  void link.show('digits');
  await settle();
  assert.deepEqual(link.state.get(), { step: 'asked', digits: '012345' });
  link.answer(true);
  await settle();
  assert.deepEqual(joined, [history]);
  assert.equal(link.state.get().step, 'joined');
  await link.addPasskey();
  assert.deepEqual(link.state.get(), { step: 'done', passkey: 'opens-chats' });

  const plain = createRig('new', {}, false);
  await plain.link.show('secret');
  assert.deepEqual([plain.link.state.get().step, plain.link.passkeysAvailable], ['joined', false]);
});

test('a passkey that was cancelled can be tried again, or left out', async () => {
  const addPasskey = () => Promise.reject(new Failed('passkey-cancelled', '', { action: 'retry' }));
  const { link } = createRig('new', { addPasskey });
  await link.show('secret');
  await link.addPasskey();
  assert.deepEqual(link.state.get(), { step: 'joined', error: 'passkey-cancelled' });
  link.withoutLock();
  assert.deepEqual(link.state.get(), { step: 'done', passkey: 'none' });
});

test('CL-361 what was read is judged before anything is sent: a wrong code says what is wrong and stays where it is', async () => {
  const { link, calls } = createRig('open');
  link.read();
  for (const [text, error] of [
    ['hello', 'link-code-typo'],
    ['SOTTO-LINK:AAAA', 'link-version-unsupported'],
    [`${showSecret('new', random).text}x`, 'link-text-malformed'],
    [showSecret('open', random).text, 'link-same-side'],
  ] as const) {
    await link.take(text);
    assert.deepEqual(link.state.get(), { step: 'reading', error });
    assert.notEqual(linkErrorWords(error), undefined);
  }
  assert.deepEqual(calls, []);
  void link.take(showSecret('new', random).text);
  await settle();
  assert.deepEqual(calls, ['letIn secret']);
});

test('a link that was stopped says nothing any more, and a new one can be begun', async () => {
  let aborted = 0;
  const { link } = createRig('new', {
    join: ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          aborted++;
          reject(signal.reason);
        });
      }),
  });
  void link.show('secret');
  link.again();
  await settle();
  assert.deepEqual([aborted, link.state.get().step], [1, 'choose']);
  void link.take(showShortCode(random).text);
  link.stop();
  await settle();
  assert.equal(aborted, 2);
});

test('words with numbers in them, and none for codes that the app’s own table has', () => {
  assert.equal(w('asked.digitsLabel', { digits: '1 2 3' }), 'Six digits: 1 2 3');
  assert.equal(linkErrorWords('network-unreachable'), undefined);
});
