import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PlainError } from '../plain-error.ts';
import { bestFit, STARTER } from './catalogue.ts';
import { type ChooseOptions, chooseEngine } from './choose-engine.ts';
import type { DetectedEngine } from './detect-engine.ts';

const OLLAMA: DetectedEngine = { name: 'Ollama', url: 'http://127.0.0.1:11434', models: ['m'] };

function options(
  t: TestContext,
  change: Partial<ChooseOptions>,
  pick?: string,
): { options: ChooseOptions; lines: string[]; asked: string[][] } {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-choose-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const lines: string[] = [];
  const asked: string[][] = [];
  return {
    lines,
    asked,
    options: {
      model: undefined,
      env: {},
      folder,
      mayDownload: true,
      detect: async () => [],
      hubReachable: async () => false,
      terminal: {
        interactive: pick !== undefined,
        line: (text = '') => lines.push(text),
        progress: () => ({ update: () => {}, end: () => {} }),
        choose: async (_, choices) => {
          asked.push(choices.map(({ value }) => value));
          return choices.find(({ value }) => value === pick)?.value;
        },
      },
      ...change,
    },
  };
}

test('without anything: the starter, and nothing at all where downloads are not allowed', async (t) => {
  assert.deepEqual(await chooseEngine(options(t, {}).options), { kind: 'fetch', model: STARTER });
  assert.deepEqual(await chooseEngine(options(t, { mayDownload: false }).options), { kind: 'none' });
});

test('an engine that runs already is mentioned and never used silently', async (t) => {
  const quiet = options(t, { detect: async () => [OLLAMA] });
  assert.deepEqual(await chooseEngine(quiet.options), { kind: 'fetch', model: STARTER });
  assert.match(quiet.lines.join('\n'), /Ollama is running.*SOTTO_ENGINE_URL=http:\/\/127\.0\.0\.1:11434/);
  const asking = options(t, { detect: async () => [OLLAMA] }, 'Ollama');
  assert.deepEqual(await chooseEngine(asking.options), { kind: 'url', url: OLLAMA.url, label: 'Ollama' });
  assert.deepEqual(asking.asked, [['starter', 'Ollama']]);
});

test('what the person names comes first: the environment, a file, a catalogue name', async (t) => {
  const named = options(t, { env: { SOTTO_ENGINE_URL: 'http://127.0.0.1:8000/v1' }, detect: assert.fail });
  assert.equal((await chooseEngine(named.options))?.kind, 'url');
  const { options: base } = options(t, {});
  const path = join(base.folder, 'mine.gguf');
  writeFileSync(path, 'GGUF....');
  assert.deepEqual(await chooseEngine({ ...base, model: path }), { kind: 'file', path, model: undefined });
  writeFileSync(path, 'nonsense');
  await assert.rejects(chooseEngine({ ...base, model: path }), /not a model in GGUF format/);
  await assert.rejects(chooseEngine({ ...base, model: '/nowhere/x.gguf' }), PlainError);
  await assert.rejects(chooseEngine({ ...base, model: 'gpt-9' }), /no model called/);
  assert.equal((await chooseEngine({ ...base, model: 'qwen3-4b' }))?.kind, 'fetch');
});

test('a damaged model is said, removed and fetched again', async (t) => {
  const { options: base, lines } = options(t, {});
  writeFileSync(join(base.folder, STARTER.file), 'GGUF half');
  assert.deepEqual(await chooseEngine(base), { kind: 'fetch', model: STARTER });
  assert.match(lines.join('\n'), /damaged; it was removed/);
});

test('the best tier is the largest that fits memory and speed', () => {
  assert.equal(bestFit(64e9, 200e9)?.id, 'qwen3-8b');
  assert.equal(bestFit(8e9, 200e9)?.id, 'qwen3-4b');
  assert.equal(bestFit(64e9, 12e9)?.id, 'qwen3-0.6b');
  assert.equal(bestFit(1e9, 200e9), undefined);
});
