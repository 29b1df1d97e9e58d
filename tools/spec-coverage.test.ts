import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plant } from './planted.ts';
import { checkCoverage, readRules, rulesInComment } from './spec-coverage.ts';
import { rulesInTitle } from './test-titles.ts';

// Ids are spelled with a hole, so that this file names no rule of the real specification.
const A = `QQ-${1}`;
const B = `QQ-${2}`;
const spec = (...lines: string[]): string => `# A\n\n${lines.join('\n')}\n`;
const whole = {
  'spec/a.md': spec(`- **${A}** First,`, '  on two lines.', `- **${B}** Second (informative).`),
  'packages/x/a.ts': `// ${A}: why\nif (Math.PI > 3) throw new Error();\n`,
  'packages/x/a.test.ts': `test('${A} holds', () => {});\n`,
};

test('a covered tree has no faults and says what it searched', (t) => {
  assert.deepEqual(checkCoverage(plant(t, whole)), { faults: [], rules: 2, tests: 1, files: 2 });
});

test('a rule keeps its further lines', (t) => {
  assert.equal(readRules(plant(t, whole))[0]?.text, 'First, on two lines.');
});

test('ids count at the start of a title and in brackets, not elsewhere', () => {
  assert.deepEqual(rulesInTitle(`${A}, ${B}: both`), [A, B]);
  assert.deepEqual(rulesInTitle(`${A} and ${B} hold`), [A, B]);
  assert.deepEqual(rulesInTitle(`a frame (${A}, ${B})`), [A, B]);
  assert.deepEqual(rulesInTitle(`[${A}] a frame`), [A]);
  assert.deepEqual(rulesInTitle(`unlike ${A}`), []);
  assert.deepEqual(rulesInTitle('SHA-256 is SHA-256'), []);
});

test('comments name rules before a colon only', () => {
  assert.deepEqual(rulesInComment(`  // ${A}, ${B}: why`), [A, B]);
  assert.deepEqual(rulesInComment(`  // see ${A}: there`), []);
});

const planted: [name: string, files: Record<string, string>, expected: RegExp][] = [
  ['a rule without a test', { 'packages/x/a.test.ts': "test('nothing', () => {});\n" }, /no test is titled QQ-1/],
  ['a test that is skipped', { 'packages/x/a.test.ts': `test.skip('${A} x', () => {});\n` }, /no test is titled QQ-1/],
  [
    'a test with a skip option',
    { 'packages/x/a.test.ts': `test('${A} x', { skip: 'later' }, f);\n` },
    /no test is titled/,
  ],
  ['an id in the middle of a title', { 'packages/x/a.test.ts': `test('as ${A}', f);\n` }, /no test is titled QQ-1/],
  ['an unknown id in a title', { 'packages/x/b.test.ts': "it('QQ-9 x', f);\n" }, /b\.test\.ts:1: QQ-9 is no rule/],
  ['an unknown id in a comment', { 'apps/y/b.ts': 'f();\n// QQ-9: why\nf();\n' }, /b\.ts:2: QQ-9 is no rule/],
  ['a rule twice', { 'spec/b.md': spec(`- **${A}** Again.`) }, /b\.md:3: QQ-1 stands already at spec\/a\.md:3/],
  ['an empty rule', { 'spec/b.md': spec('- **QQ-3** ') }, /QQ-3 says nothing/],
];
for (const [name, files, expected] of planted) {
  test(`planted: ${name}`, (t) => {
    assert.match(checkCoverage(plant(t, { ...whole, ...files })).faults.join('\n'), expected);
  });
}

test('an empty tree is searched in vain', (t) => {
  const report = checkCoverage(plant(t, { 'readme.txt': '' }));
  assert.deepEqual([report.rules, report.tests], [0, 0]);
});
