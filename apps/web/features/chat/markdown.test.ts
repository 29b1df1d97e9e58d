import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMarkdownStream, lexMarkdown } from './markdown.ts';

const PIECES = [
  'word',
  ' ',
  '  ',
  '    ',
  '\n',
  '\n\n',
  '- ',
  '1. ',
  '1',
  '.',
  '# ',
  '## ',
  '```',
  '```ts\n',
  '~~~',
  '> ',
  '|',
  '|---|---|\n',
  '| a | b |\n',
  '*',
  '**',
  '_',
  '`',
  '---',
  '===',
  '=',
  '-',
  '<div>',
  '</div>',
  '<!--',
  '-->',
  '[a](https://b.example)',
  '[a]: https://b.example\n',
  '[a]',
  '![i](x)',
  '\t',
  '\r\n',
  '\r',
  '&amp;',
  '- [ ] ',
  '- [x] ',
  'https://c.example',
  '+',
  '\\',
  '<',
  '>',
]; // prettier-ignore

const streamed = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 });

test('splitting an answer into pieces never changes its tokens', () => {
  fc.assert(
    fc.property(streamed, (pieces) => {
      const stream = createMarkdownStream();
      let text = '';
      for (const piece of pieces) {
        text += piece;
        assert.deepEqual(stripped(stream.update(text).tokens), stripped(lexMarkdown(text)), JSON.stringify(text));
      }
    }),
    { numRuns: 3000, seed: 20261121 },
  );
});

test('a settled block keeps its identity and is not lexed again', () => {
  const stream = createMarkdownStream();
  const text = `${'A paragraph.\n\n'.repeat(200)}tail`;
  const first = stream.update(text);
  const second = stream.update(`${text} goes on`);
  assert.ok(first.settled > 190);
  for (let i = 0; i < first.settled; i++) assert.equal(first.tokens[i], second.tokens[i]);
});

test('another text than the one before starts anew', () => {
  const stream = createMarkdownStream();
  stream.update('# One\n\ntwo\n\nthree\n');
  assert.deepEqual(stripped(stream.update('Other').tokens), stripped(lexMarkdown('Other')));
});

function stripped(tokens: readonly unknown[]): unknown {
  return JSON.parse(JSON.stringify(tokens));
}

test('an answer nested without end is read in time, and what is too deep stays as written', () => {
  for (const text of [
    '>'.repeat(20_000),
    '> '.repeat(4000),
    '- '.repeat(4000),
    `${'*'.repeat(4000)}a${'*'.repeat(4000)}`,
  ]) {
    const startMs = performance.now();
    const { tokens } = createMarkdownStream().update(`${text}x`);
    assert.ok(performance.now() - startMs < 2000, text.slice(0, 8));
    assert.ok(JSON.stringify(tokens).includes('x'), text.slice(0, 8));
  }
  const nested = lexMarkdown('> > - **a *b* [c](https://d.example)**');
  assert.match(JSON.stringify(nested), /"type":"link"/);
});

test('an item that goes on for thousands of lines is read in time that grows with its length, not with its square', () => {
  const cpuOf = (lines: number) => {
    const text = `- a\n${'ee\n'.repeat(lines)}`;
    const tries = Array.from({ length: 3 }, () => {
      const before = process.threadCpuUsage();
      lexMarkdown(text);
      return process.threadCpuUsage(before).user;
    });
    return Math.min(...tries);
  };
  cpuOf(500);
  // Four times the lines: 4 when it grows with the length, 16 when with its square.
  const ratio = cpuOf(8000) / cpuOf(2000);
  assert.ok(ratio < 9, `took ${ratio.toFixed(1)} times as long`);
});
