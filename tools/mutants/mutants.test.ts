import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plant } from '../planted.ts';
import { readRules } from '../spec-coverage.ts';
import { findMutants } from './find-mutants.ts';
import { rulesWithoutMutant, runMutants } from './run.ts';

// Ids are spelled with a hole, so that this file names no rule of the real specification.
const id = (number: number): string => `QQ-${number}`;
const check = (number: number, condition: string, then: string): string =>
  `  // ${id(number)}: otherwise it hurts,\n  // and badly.\n  if (${condition}) ${then}\n`;
const testing = (title: string, body: string): string =>
  `import { test } from 'node:test';\nimport assert from 'node:assert/strict';\nimport { f } from './a.ts';\n` +
  `test('${title}', async () => { ${body} });\n`;
const source = (...checks: string[]): string =>
  `// “ünï😀” moves no offset\nexport function f(x: number): number {\n${checks.join('')}  return x;\n}\n`;
const throwing = check(1, 'x <\n    0', "throw new Error('negative');");

async function verdicts(root: string): Promise<string[]> {
  const { mutants } = findMutants(root);
  const results = await runMutants(root, mutants, () => {}, 2000);
  return results.map(({ mutant, verdict }) => `${mutant.rules.join('+')} ${verdict}`);
}

test('a tested check is killed, and its mutant keeps every line', async (t) => {
  const root = plant(t, {
    'packages/x/package.json': { type: 'module' },
    'packages/x/a.ts': source(throwing),
    'packages/x/a.test.ts': testing(`${id(1)} holds`, 'assert.throws(() => f(-1));'),
  });
  const { mutants, files } = findMutants(root);
  assert.equal(files, 1);
  assert.deepEqual([mutants[0]?.line, mutants[0]?.replacement, mutants[0]?.was], [5, 'false\n', 'x < 0']);
  assert.deepEqual(await verdicts(root), [`${id(1)} killed`]);
});

const planted: [name: string, a: string, tests: string, expected: string][] = [
  ['a check that no test needs', source(throwing), testing(`${id(1)} holds`, 'assert.equal(f(1), 1);'), 'survived'],
  ['a check whose rule no test names', source(throwing), testing('holds', 'assert.throws(() => f(-1));'), 'no test'],
  [
    'a longer number is another rule',
    source(throwing),
    testing(`${id(1)}5 holds`, 'assert.throws(() => f(-1));'),
    'no test',
  ],
  ['a test that fails by itself', source(throwing), testing(`${id(1)} holds`, 'assert.fail();'), 'control failed'],
  [
    'a check without which nothing ends',
    source(check(1, 'x > 99', 'return 0;'), '  if (x > 99) for (;;);\n'),
    testing(`${id(1)} holds`, 'f(100);'),
    'hang',
  ],
  [
    'a check without which the process leaves',
    source(check(1, 'x > 99', 'return 0;'), '  if (x > 99) process.exit(3);\n'),
    testing(`${id(1)} holds`, 'f(100);'),
    'crash',
  ],
  [
    'a check in a program that the test starts',
    `${source(throwing)}if (process.argv[2] === 'child') f(-1);\n`,
    testing(
      `${id(1)} holds`,
      `const { spawnSync } = await import('node:child_process');
       assert.equal(spawnSync(process.execPath, [import.meta.dirname + '/a.ts', 'child']).status, 1);`,
    ),
    'killed',
  ],
];
for (const [name, a, tests, expected] of planted) {
  test(`planted: ${name}`, async (t) => {
    const files = {
      'packages/x/package.json': { type: 'module' },
      'packages/x/a.ts': a,
      'packages/x/a.test.ts': tests,
    };
    assert.deepEqual(await verdicts(plant(t, files)), [`${id(1)} ${expected}`]);
  });
}

test('a listed mutant counts, and must be found exactly once', async (t) => {
  const listed = (find: string): object[] => [{ rule: id(2), file: 'apps/y/a.ts', find, replace: 'x' }];
  const files = {
    'apps/y/package.json': { type: 'module' },
    'apps/y/a.ts': 'export const f = (x: number): number => Math.min(x, 9);\n',
    'apps/y/a.test.ts': testing(`${id(2)} holds`, 'assert.equal(f(10), 9);'),
    'tools/mutants/mutants.json': listed('Math.min(x, 9)'),
  };
  assert.deepEqual(await verdicts(plant(t, files)), [`${id(2)} killed`]);
  for (const find of ['x', 'Math.max', '']) {
    const root = plant(t, { ...files, 'tools/mutants/mutants.json': listed(find) });
    assert.match(findMutants(root).faults.join(), /stands there (?:never|more than once)/);
  }
});

test('a comment that stands above no if, and one beside other words, make no mutant', (t) => {
  const text = `// ${id(1)}: here\nexport const a = 1;\n// see ${id(1)}: there\nif (a > 2) throw new Error();\n`;
  assert.deepEqual(findMutants(plant(t, { 'packages/x/a.ts': text })).mutants, []);
});

test('planted: a rule without mutant is found, unless its text excuses it', (t) => {
  const root = plant(t, {
    'spec/a.md': `- **${id(1)}** Kept.\n- **${id(2)}** Bare.\n- **${id(3)}** Form (no check).\n- **${id(4)}** Why (informative).\n`,
    'packages/x/a.ts': source(throwing),
  });
  const bare = rulesWithoutMutant(readRules(root), findMutants(root).mutants);
  assert.deepEqual(
    bare.map((rule) => rule.id),
    [id(2)],
  );
});
