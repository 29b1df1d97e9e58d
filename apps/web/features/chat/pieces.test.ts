import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
import fc from 'fast-check';
import { fitTurns, judgeLength, titleOf } from './context.ts';
import { createPacer } from './pacer.ts';
import { decodeEntities, safeHref } from './safe-text.ts';
import { createSaver } from './saver.ts';

test('the pacer never goes back, never passes what arrived, and never shows half a word', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('word ', 'a', '\n', 'longer ', '我们'), fc.nat(80)), { maxLength: 60 }),
      (steps) => {
        const pacer = createPacer();
        let text = '';
        let nowMs = 0;
        let before = 0;
        for (const [piece, ms] of steps) {
          text += piece;
          nowMs += ms;
          const shown = pacer.advance(text, nowMs);
          assert.ok(shown >= before && shown <= text.length);
          if (shown > before && !/\S{20}/.test(text)) assert.match(text[shown - 1] ?? '', /\s/);
          before = shown;
        }
      },
    ),
  );
});

test('the pacer catches up with a fast machine in about half a second', () => {
  const pacer = createPacer();
  const text = 'word '.repeat(2000);
  let shown = 0;
  for (let ms = 0; ms <= 3000 && shown < text.length; ms += 16) shown = pacer.advance(text, ms);
  assert.ok(shown > text.length * 0.99);
});

test('the question always reaches the model, with as much before it as fits', () => {
  const long = { role: 'user' as const, text: 'x'.repeat(3000) };
  const { turns, leftOut } = fitTurns([long, { role: 'assistant', text: 'old' }, { role: 'user', text: 'now?' }], 900);
  assert.deepEqual(turns, [{ role: 'user', content: 'now?' }]);
  assert.equal(leftOut, 2);
  assert.equal(fitTurns([long], 100).turns.length, 1);
});

test('100,000 characters are judged quickly, with the limit in words', () => {
  const started = performance.now();
  const verdict = judgeLength('word '.repeat(20_000), 2048);
  assert.ok(performance.now() - started < 100);
  assert.deepEqual(verdict, { kind: 'too-long', limitWords: 1400, words: 20_000 });
  assert.deepEqual(judgeLength('short', 2048), { kind: 'fits' });
  assert.equal(judgeLength('é'.repeat(40_000), undefined).kind, 'too-long');
});

test('a title is the first words of the chat', () => {
  assert.equal(titleOf('  What is\n this?  '), 'What is this?');
  assert.equal(
    titleOf('My lease says I owe three months if I leave before June.'),
    'My lease says I owe three months if I leave…',
  );
  assert.equal(titleOf('   '), 'New chat');
});

test('links of an answer can only open pages and mail', () => {
  assert.equal(safeHref('https://example.org/a?b#c'), 'https://example.org/a?b#c');
  for (const href of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    '/api/sign-out',
    '//x',
    'blob:x',
    'file:///etc/passwd',
    '',
  ]) {
    assert.equal(safeHref(href), undefined, href);
  }
});

test('character references become characters, unknown ones stay', () => {
  assert.equal(decodeEntities('a &amp; b &lt;c&gt; &#65; &#x1F600; &nope; &#xD800;'), 'a & b <c> A 😀 &nope; \ufffd');
});

test('on a slow line the saves of an answer do not queue up, and the last comes right after the one in progress', async () => {
  const clock = createManualClock();
  let [begun, under, most] = [0, 0, 0];
  const write = async () => {
    begun++;
    most = Math.max(most, ++under);
    await clock.sleep(5000);
    under--;
  };
  const saver = createSaver(clock, 900, write, () => assert.fail());
  for (let i = 0; i < 60; i++) {
    saver.offer();
    await clock.advance(500);
  }
  assert.ok(begun <= 6, `${begun} writes in 30 seconds`);
  assert.equal(most, 1);
  let isDone = false;
  void saver
    .finish(async () => undefined)
    .then(() => {
      isDone = true;
    });
  await clock.advance(5000);
  assert.ok(isDone);
});
