import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSnippet } from './snippet.ts';

/** Marks in square brackets. */
function shown(text: string, query: string, asTyped = false): string {
  return makeSnippet(text, query, { asTyped })
    .map((part) => (part.isMarked ? `[${part.text}]` : part.text))
    .join('');
}

const LONG = Array.from({ length: 200 }, (_, number) => `word${number}`).join(' ');

test('marks what was looked for and nothing else', () => {
  assert.equal(shown('The Café is open', 'cafe open'), 'The [Café] is [open]');
  assert.equal(shown('private privacy', 'priv*'), '[private] [privacy]');
  assert.equal(shown('private privacy', 'privac', true), 'private [privacy]');
  assert.equal(shown('new york, york new', '"new york"'), '[new] [york], york new');
  assert.equal(shown('Don’t go', "don't"), '[Don]’[t] go');
  assert.equal(shown('今天天气很好', '天气'), '今天[天气]很好');
  assert.equal(shown('今天天气很好', '天气很'), '今天[天气很]好');
  assert.equal(shown('nothing', 'else'), 'nothing');
});

test('shows the densest piece of a long text, on one line, cut between words', () => {
  const text = `${LONG}\n\nhere is\tthe needle and the thread\n${LONG}`;
  const piece = shown(text, 'needle thread word3');
  assert.ok(piece.includes('the [needle] and the [thread]'));
  assert.ok(piece.startsWith('… ') && piece.endsWith(' …') && !/[\n\t]/.test(piece));
  assert.ok(piece.length < 260, `${piece.length}`);
  assert.ok(shown(text, 'absent').startsWith('word0 word1 '));
});

test('no text and no query is too odd or too long', () => {
  for (const text of [
    '',
    '\ud800',
    '😀'.repeat(5000),
    'x'.repeat(100_000),
    '天'.repeat(50_000),
    'a\u0301\u0301'.repeat(1000),
  ]) {
    for (const query of ['x', '"', '天天', '\udc00', 'a*', '😀', 'x'.repeat(5000), '天'.repeat(500)]) {
      const before = performance.now();
      const piece = makeSnippet(text, query, { asTyped: true })
        .map((part) => part.text)
        .join('');
      assert.ok(piece.length <= 300);
      assert.ok(
        performance.now() - before < 1500,
        `${text.slice(0, 5)} ${query.slice(0, 5)} ${performance.now() - before}`,
      );
      assert.ok(!text.isWellFormed() || piece.isWellFormed());
    }
  }
});
