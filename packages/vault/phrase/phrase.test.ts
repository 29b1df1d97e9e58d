/** Recovery phrases, as people write them down and type them again (spec/vault.md, "Recovery phrase"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { createRecoveryCode, deriveRecovery, looksLikePhrase, parseRecoveryCode } from '../index.ts';
import { createRecoveryPhrase, parseRecoveryPhrase, spellPhrase } from './index.ts';
import { WORDS } from './words.ts';

const random = createSeededRandom('phrase');
const { code, recovery } = createRecoveryCode(random);
const phrase = spellPhrase(parseRecoveryCode(code));
const words = phrase.split(' ');
const isSame = (text: string) =>
  assert.deepEqual(deriveRecovery(parseRecoveryPhrase(text)).lookupId, recovery.lookupId);

test('VA-156 the words are told apart by four letters, no two are one letter apart, and their order is fixed', () => {
  assert.equal(WORDS.length, 1024);
  assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, 1024);
  assert.deepEqual(WORDS, WORDS.toSorted());
  for (const word of WORDS) assert.match(word, /^[a-z]{4,7}$/);
  const holes = WORDS.flatMap((word) => Array.from(word, (_, at) => `${word.slice(0, at)}_${word.slice(at + 1)}`));
  assert.equal(new Set(holes).size, holes.length);
});

test('VA-155 a phrase is the code of the same bits, in fourteen words', () => {
  assert.equal(words.length, 14);
  isSame(phrase);
  assert.equal(parseRecoveryPhrase(phrase).spell(), code);
  assert.notEqual(createRecoveryPhrase(random), createRecoveryPhrase(random));
});

test('VA-151 a phrase is forgiven case, numbers, punctuation, line breaks and the ends of its words', () => {
  isSame(`  ${phrase.toUpperCase()} `);
  isSame(words.map((word, i) => `${i + 1}. ${word}`).join('\n'));
  isSame(words.join('-'));
  isSame(words.join(', '));
  isSame(words.map((word) => word.slice(0, 4)).join(' '));
  isSame(words.map((word) => word.normalize('NFKC').replace('a', 'ａ')).join(' '));
});

test('VA-157 no code is taken for a phrase, however it is typed and whatever letters it has, and no phrase for a code', () => {
  let ofLetters = 0;
  for (let round = 0; round < 5000; round++) {
    const made = createRecoveryCode(random).code;
    if ((made.match(/[A-Z]{3,}/g) ?? []).length === 7) ofLetters++;
    // As people read and space it.
    const misread = made.replace(/0/g, 'O').replace(/1/g, 'l').replace(/V/g, 'U');
    const symbols = misread.replaceAll('-', '');
    for (const text of [made, misread, symbols, symbols.replace(/(...)/g, '$1 '), misread.toLowerCase()]) {
      assert.equal(looksLikePhrase(text), false, 'a code');
    }
  }
  assert.ok(ofLetters > 0, 'some have three letters in a row in each group');
  for (let round = 0; round < 200; round++) {
    const made = createRecoveryPhrase(random);
    const short = made.split(' ').map((word) => word.slice(0, 4));
    for (const text of [
      made,
      short.join(' '),
      short.slice(3).join('-'),
      short.map((word, i) => `${i}${word}`).join(),
    ]) {
      assert.equal(looksLikePhrase(text), true, 'a phrase');
    }
  }
});

test('VA-150 a text that is too long is not looked at', () => {
  const refused = { code: 'recovery-phrase-length', rule: 'VA-150' };
  assert.throws(() => parseRecoveryPhrase(phrase.replace(' ', ' '.repeat(500))), refused);
});

test('VA-152 a word that is none of the list is named by its place', () => {
  const refused = { code: 'recovery-phrase-word', rule: 'VA-152', group: 3 };
  for (const wrong of ['zzzz', `${words[2]}x`, (words[2] as string).slice(0, 3), 'grüße']) {
    assert.throws(() => parseRecoveryPhrase(words.with(2, wrong).join(' ')), refused, wrong);
  }
});

test('VA-153 a word too few or too many is said', () => {
  const refused = { code: 'recovery-phrase-length', rule: 'VA-153' };
  assert.throws(() => parseRecoveryPhrase(words.slice(1).join(' ')), refused);
  assert.throws(() => parseRecoveryPhrase(`${phrase} able`), refused);
  assert.throws(() => parseRecoveryPhrase(''), refused);
});

test('VA-154 every wrong word is noticed, and of swapped neighbours all but about one pair in 32', () => {
  const refused = { code: 'recovery-phrase-typo', rule: 'VA-154' };
  for (let at = 0; at < 14; at++) {
    for (const word of WORDS.filter((_, i) => i % 37 === at)) {
      if (word === words[at]) continue;
      assert.throws(() => parseRecoveryPhrase(words.with(at, word).join(' ')), refused);
    }
  }
  let unnoticed = 0;
  for (let round = 0; round < 40; round++) {
    const other = createRecoveryPhrase(random).split(' ');
    for (let at = 0; at < 13; at++) {
      const swapped = other.with(at, other[at + 1] as string).with(at + 1, other[at] as string);
      try {
        parseRecoveryPhrase(swapped.join(' '));
        if (swapped.join() !== other.join()) unnoticed++;
      } catch {}
    }
  }
  assert.ok(unnoticed <= 40, `${unnoticed} of 520`);
});
