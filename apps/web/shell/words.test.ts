import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorWords, t } from './words.ts';

test('parameters are put in; an unknown error has general words', () => {
  assert.equal(t('chat.branch', { at: 2, count: 3 }), 'Version 2 of 3');
  assert.equal(errorWords('no-such-code'), t('error.unexpected'));
  assert.equal(errorWords('toString'), t('error.unexpected'));
});
