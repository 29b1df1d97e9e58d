import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asSentence, errorWords, t } from './words.ts';

test('parameters are put in; an unknown error has general words', () => {
  assert.equal(t('chat.branch', { at: 2, count: 3 }), 'Version 2 of 3');
  assert.equal(errorWords('no-such-code'), t('error.unexpected'));
  assert.equal(errorWords('toString'), t('error.unexpected'));
});

test('a message becomes a sentence once', () => {
  assert.equal(asSentence('the handshake failed'), 'The handshake failed.');
  assert.equal(
    asSentence('This machine was not verified. Nothing was sent.'),
    'This machine was not verified. Nothing was sent.',
  );
});
