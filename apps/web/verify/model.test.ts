/** The page that judges evidence: what it says to files, choices and a flipped bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTdxCase } from '@sotto/testkit/evidence-tdx';
import { flipOneBit, judgeOnPage } from './model.ts';
import { fill, words } from './words.ts';

const { quote, timeSeconds } = makeTdxCase();
const files = [{ name: 'quote', bytes: quote }];
const none = { at: '', nonce: '', policy: '' };
const judge = (choices = {}, given = files) => judgeOnPage(given, { ...none, ...choices }, timeSeconds * 1000);

test('evidence is judged, and what cannot be used is said in words', async () => {
  const outcome = await judge();
  assert.equal(outcome.kind, 'report');
  assert.equal(outcome.kind === 'report' && outcome.report.failure?.failureClass, 'chain');
  const said = async (choices: object, given = files) => {
    const outcome = await judge(choices, given);
    return outcome.kind === 'words' ? outcome.text : assert.fail('a report');
  };
  assert.equal(await said({ at: 'x' }), words.timeMalformed);
  assert.equal(await said({ nonce: 'x' }), words.nonceMalformed);
  assert.match(await said({ policy: '{' }), /not JSON/);
  assert.match(await said({ policy: '{"kind":"tdx","version":1}' }), /EV-4\d\d/);
  assert.match(await said({}, [{ name: 'letter', bytes: new Uint8Array([1, 2, 3]) }]), /letter/);
});

test('a flipped bit is one bit of the first file, and the files stay as they were', () => {
  const before = quote.slice();
  const flipped = flipOneBit(files, 0.5);
  assert.ok(flipped);
  const bytes = flipped.files[0]?.bytes as Uint8Array;
  const changed = [...bytes.keys()].filter((at) => bytes[at] !== quote[at]);
  assert.deepEqual(changed, [flipped.offset]);
  assert.deepEqual(quote, before);
  assert.equal(flipOneBit([], 0), undefined);
  assert.equal(flipOneBit(files, 1)?.offset, quote.length - 1);
});

test('words take their values', () => {
  assert.equal(fill(words.flipped, { offset: 7, name: 'quote' }), 'One bit of byte 7 of quote was flipped.');
});
