/**
 * The control of the property suite: known-wrong merges are planted, one at a time, in the product as it is loaded, and the same
 * worlds must notice each. A suite that cannot fail proves nothing.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const ROOT = path.join(import.meta.dirname, '../../..');
const SEEDS = 5000;
const ENGINE = 'packages/client/sync/engine.ts';

/** What is made wrong, where, and from what to what. */
const WRONG: readonly (readonly [name: string, file: string, find: string, replace: string])[] = [
  [
    'what arrives last wins',
    'packages/vault/tree.ts',
    '    a.content.clock - b.content.clock ||\n    compareText(a.deviceId',
    '    -1 ||\n    compareText(a.deviceId',
  ],
  [
    'a concurrent sibling is dropped',
    'packages/vault/tree.ts',
    "nodes.get(node.parentId ?? '')?.childIds.push(node.recordId)",
    "if (nodes.get(node.parentId ?? '')?.childIds.length === 0) nodes.get(node.parentId ?? '')?.childIds.push(node.recordId)",
  ],
  [
    'the cursor is stored before what it brought',
    ENGINE,
    'await this.#write([...changes, ...this.#outbox.remove(lost), { name: this.#cursorName, value }]);',
    'await this.#write([{ name: this.#cursorName, value }]); await this.#write([...changes, ...this.#outbox.remove(lost)]);',
  ],
  [
    'a write is sent on whatever the server has',
    ENGINE,
    'base: Math.max(this.#cursor, this.#confirmed.get(recordId) ?? 0),',
    'base: Number.MAX_SAFE_INTEGER,',
  ],
  [
    'what conflicts is given up',
    ENGINE,
    '      await this.#pull();\n      conflicts',
    '      await this.#confirm(waiting.slice(0, sequences.length + 1), [...sequences, 0]);\n      await this.#pull();\n      conflicts',
  ],
  [
    'a head keeps its place',
    'packages/client/sync/outbox.ts',
    "isRewrite && kind === 'write' && standing",
    'isRewrite && standing',
  ],
];

for (const [name, file, find, replace] of WRONG) {
  test(`the worlds notice it when ${name}`, async (t) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    const start = text.indexOf(find);
    assert.ok(start >= 0 && text.indexOf(find, start + 1) < 0, 'what is made wrong stands there once');
    const patch = { file: path.join(ROOT, file), start, end: start + find.length, replacement: replace };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        `--import=${path.join(ROOT, 'tools/mutants/loader.ts')}`,
        path.join(import.meta.dirname, 'control-for-testing.ts'),
        '0',
        String(SEEDS),
      ],
      { env: { ...process.env, SOTTO_MUTANT: JSON.stringify(patch) }, timeout: 60_000 },
    );
    const failure = JSON.parse(stdout) as { seed: number; why: string } | null;
    assert.ok(failure !== null, 'no world noticed');
    t.diagnostic(`seed ${failure.seed}: ${failure.why.split('\n')[0]}`);
  });
}
