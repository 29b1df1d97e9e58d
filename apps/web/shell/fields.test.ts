/** Every field of the app, in its source. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.join(import.meta.dirname, '..');

/** The opening tags of fields that hold words, and where they are. */
function fields(): [string, string][] {
  return globSync('**/*.tsx', { cwd: root }).flatMap((file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    return [...source.matchAll(/<(?:input|textarea)\b/g)].map(({ index }): [string, string] => [
      `${file}:${source.slice(0, index).split('\n').length}`,
      openingTag(source.slice(index)),
    ]);
  });
}

/** Up to the `>` that stands in no braces. */
function openingTag(text: string): string {
  let depth = 0;
  for (const [at, letter] of [...text].entries()) {
    if (letter === '{') depth++;
    if (letter === '}') depth--;
    if (letter === '>' && depth === 0) return text.slice(0, at + 1);
  }
  assert.fail('a tag without an end');
}

/** Fields in which a browser may keep what is typed: a password it does not, and a mark is not typed. */
function kept(found: readonly [string, string][]): [string, string][] {
  const isTyped = (tag: string) => !/type="(?:checkbox|radio|password)"/.test(tag);
  return found.filter(([, tag]) => isTyped(tag) && !/autoComplete="off"/.test(tag));
}

test('CL-390 no field lets the browser keep what is typed', (t) => {
  const found = fields();
  t.diagnostic(`${found.length} fields`);
  assert.ok(found.length > 20);
  assert.deepEqual(kept(found), []);
  const planted: [string, string] = ['planted', openingTag('<textarea onChange={() => 1 > 0} rows={1}>')];
  assert.deepEqual(kept([...found, planted]), [planted]);
});
