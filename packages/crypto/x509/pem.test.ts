/** PEM: one spelling but for line ends and line lengths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPem } from '@sotto/testkit/certificates';
import { parsePem } from './pem.ts';
import { refused } from './refused-for-testing.ts';

const block = Uint8Array.from({ length: 100 }, (_, index) => index);
const one = testPem('CERTIFICATE', [block]);

test('EV-360 what is not a row of whole blocks of one label is refused', () => {
  assert.deepEqual(parsePem(one, 'CERTIFICATE'), [block]);
  assert.deepEqual(parsePem(one.replaceAll('\n', '\r\n'), 'CERTIFICATE'), [block]);
  assert.deepEqual(parsePem(`\n${one}\n\n${one.trimEnd()}`, 'CERTIFICATE'), [block, block]);
  const wrong = {
    empty: '',
    'another label': one.replaceAll('CERTIFICATE', 'X509 CRL'),
    'two labels': one.replace('END CERTIFICATE', 'END X509 CRL'),
    'text before': `hello\n${one}`,
    'text after': `${one}hello`,
    'a space at the end of a line': one.replace('\n', ' \n'),
    'a lone carriage return': one.replace('\n', '\r'),
    'an empty line within': one.replace('-----\n', '-----\n\n'),
    'no end': one.slice(0, 60),
    'a second block without an end': one + one.slice(0, 60),
    'no beginning': one.slice(28),
    'a carriage return at the end': `${one}\r`,
    'a null at the end': `${one}\0`,
    'two beginnings': one.replace('-----\n', '-----\n-----BEGIN CERTIFICATE-----\n'),
    'base64 without padding': one.replace('==', ''),
    'spare bits': one.replace(/.==/, 'X=='),
    'nine blocks': one.repeat(9),
    'two mebibytes around a block': '\n'.repeat(2 * 1024 * 1024) + one,
  };
  for (const [note, text] of Object.entries(wrong)) {
    assert.throws(() => parsePem(text, 'CERTIFICATE'), refused('pem-malformed', 'EV-360'), note);
  }
  assert.throws(() => parsePem(one + one, 'CERTIFICATE', 1), refused('pem-malformed', 'EV-360'));
});
