import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { EngineEvent, EngineMessage } from '../engine.ts';
import { createLlamaEngine, STARTER_FILE_NAME } from './llama.ts';
import { createOpenAiEngine, parseEngineUrl } from './openai.ts';
import { RepetitionWatch } from './repetition.ts';
import { SequencePool } from './sequence-pool.ts';
import { chooseThreads } from './threads.ts';

const never = new AbortController().signal;
const DATA = process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share');
const STARTER = process.env.SOTTO_MODEL_FILE ?? join(DATA, 'sotto/models', STARTER_FILE_NAME);

async function readAll<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of source) all.push(each);
  return all;
}

function ask(content: string, signal = never, maxTokens = 24) {
  const messages: EngineMessage[] = [{ role: 'user', content }];
  return { messages, maxTokens, temperature: undefined, signal };
}

function textOf(events: readonly EngineEvent[]): string {
  return events.map((event) => ('text' in event ? event.text : '')).join('');
}

function withoutModel(): string | false {
  return existsSync(STARTER) ? false : 'the starter model is not in the data folder (2026-11-21)';
}

/** An engine process that does what the test says, in place of llama.cpp. */
async function createFakeEngine(t: TestContext, onGenerate: string, onLoad = '') {
  const dir = await mkdtemp(join(tmpdir(), 'sotto-engine-'));
  const processPath = join(dir, 'fake.mjs');
  const source = `
    process.on('disconnect', () => process.exit(0));
    process.on('message', (message) => {
      const { id } = message;
      if (message.kind === 'load') { ${onLoad}; process.send({ kind: 'loaded', name: 'fake', parameters: 1, contextTokens: 64 }); }
      if (message.kind === 'generate') { ${onGenerate} }
    });`;
  await writeFile(processPath, source);
  let crashes = 0;
  const engine = await createLlamaEngine({ modelPath: '/none/fake.gguf', processPath, onCrash: () => crashes++ });
  t.after(async () => {
    await engine.close();
    await rm(dir, { recursive: true });
  });
  return { engine, crashes: () => crashes };
}

test('threads never exceed the free cores, and leave one', () => {
  assert.equal(chooseThreads({ logical: 2, physical: 1, load: 0 }), 1);
  assert.equal(chooseThreads({ logical: 2, physical: 2, load: 0 }), 1);
  assert.equal(chooseThreads({ logical: 8, physical: 4, load: 0 }), 3);
  assert.equal(chooseThreads({ logical: 8, physical: 8, load: 3.9 }), 5);
  assert.equal(chooseThreads({ logical: 8, physical: 8, load: 90 }), 1);
  assert.equal(chooseThreads({ logical: 128, physical: 64, load: 0 }), 16);
});

test('an answer that says the same for ever is noticed', () => {
  const watch = new RepetitionWatch();
  const said = Array.from({ length: 12 }, () => watch.add('a gentle rain, '));
  assert.ok(said.at(-1));
  assert.ok(!said[2]);
  const prose = new RepetitionWatch();
  const text =
    'The sky appears blue because of a process called Rayleigh scattering, which is caused by the interaction.';
  assert.ok(!text.split(' ').some((word) => prose.add(` ${word}`)));
  const table = new RepetitionWatch();
  assert.ok(!['| --- | --- | --- |\n', '| a | b | c |\n', '---\n', '========\n'].some((line) => table.add(line)));
});

test('a crash of the engine process ends its answers with a typed error, and the next answer works', async (t) => {
  const { engine, crashes } = await createFakeEngine(
    t,
    `process.send({ kind: 'text', id, text: 'half' }, () => { if (message.messages[0].content === 'crash') process.kill(process.pid, 'SIGSEGV'); });
     if (message.messages[0].content !== 'crash') process.send({ kind: 'finish', id, finish: 'stop', promptTokens: 1, completionTokens: 1 });`,
  );
  const events: EngineEvent[] = [];
  const broken = (async () => {
    for await (const event of engine.generate(ask('crash'))) events.push(event);
  })();
  await assert.rejects(broken, { code: 'engine-crashed' });
  assert.equal(textOf(events), 'half');
  assert.equal(crashes(), 1);
  assert.equal(textOf(await readAll(engine.generate(ask('again')))), 'half');
});

test('EN-16 nothing of one answer is there for the next', async () => {
  const sequence = {
    held: '',
    async clearHistory() {
      sequence.held = '';
    },
  };
  const pool = new SequencePool([sequence]);
  const order: string[] = [];
  const use = (name: string) => async (own: typeof sequence) => {
    order.push(`${name} finds ${JSON.stringify(own.held)}`);
    own.held = name;
    await new Promise(setImmediate);
    if (name === 'b') throw new Error('failed');
  };
  await Promise.allSettled([pool.lend(use('a')), pool.lend(use('b')), pool.lend(use('c'))]);
  assert.deepEqual(order, ['a finds ""', 'b finds ""', 'c finds ""']);
});

test('EN-17 an engine that breaks at every start is not started without end', async (t) => {
  const { engine, crashes } = await createFakeEngine(t, `process.exit(7);`);
  for (let round = 0; round < 6; round++) {
    await assert.rejects(readAll(engine.generate(ask('a'))), { code: 'engine-crashed' });
  }
  assert.equal(crashes(), 4);
});

test('EN-18 the engine process inherits no environment and writes no core file', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sotto-engine-'));
  t.after(() => rm(dir, { recursive: true }));
  const inner = `
    import { readFileSync } from 'node:fs';
    const core = /Max core file size +(\\S+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1];
    process.on('message', ({ kind, id }) => {
      if (kind === 'load') process.send({ kind: 'loaded', name: JSON.stringify([Object.keys(process.env), core]), parameters: 1, contextTokens: 64 });
    });`;
  // An outer process that would write core files and has a secret in its environment.
  const outer = `
    import { createLlamaEngine } from ${JSON.stringify(new URL('./llama.ts', import.meta.url).href)};
    const engine = await createLlamaEngine({ modelPath: '/none/a.gguf', processPath: ${JSON.stringify(join(dir, 'inner.mjs'))} });
    console.log(engine.model.label);
    await engine.close();`;
  await writeFile(join(dir, 'inner.mjs'), inner);
  await writeFile(join(dir, 'outer.mjs'), outer);
  const command = ['-c', 'ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@"', process.execPath, join(dir, 'outer.mjs')];
  const env = { ...process.env, SOTTO_SECRET_FOR_TESTING: 'inherited' };
  const { stdout } = await promisify(execFile)('/bin/sh', command, { env });
  const [names, core] = JSON.parse(stdout);
  assert.ok(!names.includes('SOTTO_SECRET_FOR_TESTING'));
  assert.ok(!names.includes('NODE_OPTIONS'));
  assert.equal(core, '0');
});

test('a stopped answer tells the engine process to stop', async (t) => {
  const { engine } = await createFakeEngine(
    t,
    `const timer = setInterval(() => process.send({ kind: 'text', id, text: 'a' }), 5);
     process.on('message', (other) => { if (other.kind === 'cancel' && other.id === id) { clearInterval(timer); globalThis.stopped = true; } });
     if (message.messages[0].content === 'ask') { clearInterval(timer); process.send({ kind: 'finish', id, finish: globalThis.stopped ? 'stop' : 'length', promptTokens: 1, completionTokens: 1 }); }`,
  );
  const stop = new AbortController();
  for await (const _ of engine.generate(ask('go', stop.signal))) break;
  const last = (await readAll(engine.generate(ask('ask')))).at(-1);
  assert.deepEqual(last, { finish: 'stop', promptTokens: 1, completionTokens: 1 });
});

test('EN-19 an engine address must be on this machine', () => {
  assert.equal(parseEngineUrl('http://localhost:11434'), 'http://localhost:11434');
  assert.equal(parseEngineUrl('http://127.0.0.1:8080/v1/'), 'http://127.0.0.1:8080');
  assert.equal(parseEngineUrl('http://[::1]:8080/v1'), 'http://[::1]:8080');
  const refused = [
    'http://example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://127.example.com',
    'http://10.0.0.1:11434',
    'http://0.0.0.0:11434',
    'https://localhost',
    'file:///etc/passwd',
    'http://user@localhost',
    'http://localhost@example.com',
    'localhost:11434',
    '',
  ];
  for (const url of refused) assert.throws(() => parseEngineUrl(url), { code: 'engine-not-local' }, url);
});

test('an engine on this machine answers through its own address', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/v1/models')
      return response.end(JSON.stringify({ data: [{ id: 'local', max_model_len: 99 }] }));
    if (request.headers['content-length'] === undefined) response.statusCode = 400;
    const chunk = (delta: object, finish: string | null) =>
      `data: ${JSON.stringify({ choices: [{ delta, finish_reason: finish }] })}\n\n`;
    const usage = { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 };
    return response.end(
      `${chunk({ content: 'hel' }, null)}${chunk({ content: 'lo' }, 'stop')}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const engine = await createOpenAiEngine({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
  assert.equal(engine.model.id, 'local');
  assert.equal(engine.model.contextTokens, 99);
  const events = await readAll(engine.generate(ask('hi')));
  assert.equal(textOf(events), 'hello');
  assert.deepEqual(events.at(-1), { finish: 'stop', promptTokens: 4, completionTokens: 2 });
});

test('an engine that is not there is named as such', async () => {
  await assert.rejects(createOpenAiEngine({ url: 'http://127.0.0.1:1' }), { code: 'engine-unreachable' });
});

test('a file that is no model is named as such', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sotto-model-'));
  t.after(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'broken.gguf'), 'GGUF but not really');
  await assert.rejects(createLlamaEngine({ modelPath: join(dir, 'broken.gguf') }), { code: 'model-unreadable' });
});

test('a model that was cut off is named as such', { skip: withoutModel() }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sotto-model-'));
  t.after(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'cut.gguf'), (await readFile(STARTER)).subarray(0, 5_000_000));
  await assert.rejects(createLlamaEngine({ modelPath: join(dir, 'cut.gguf') }), { code: 'model-unreadable' });
});

test('the starter answers, says when a prompt is too long, and stops when told', {
  skip: withoutModel(),
}, async (t) => {
  const engine = await createLlamaEngine({ modelPath: STARTER, contextTokens: 1024, threads: 1 });
  t.after(() => engine.close());
  assert.deepEqual(
    [engine.model.starter, engine.model.label, engine.model.contextTokens],
    [true, 'Starter (135M)', 1024],
  );
  assert.match(textOf(await readAll(engine.generate(ask('What is the capital of France?')))), /Paris/);
  const long = readAll(engine.generate(ask('word '.repeat(20_000))));
  await assert.rejects(long, ({ code, figures }) => {
    assert.equal(code, 'prompt-too-long');
    assert.equal(figures.limitTokens, 1024 - 64);
    assert.ok(Math.abs(figures.usedTokens - 20_000) < 1_000);
    return true;
  });
  const stop = new AbortController();
  await assert.rejects(
    (async () => {
      for await (const event of engine.generate(ask('Write a long story.', stop.signal, 500)))
        if ('text' in event) stop.abort();
    })(),
  );
  const both = await Promise.all([1, 2].map(() => readAll(engine.generate(ask('What is the capital of France?')))));
  for (const events of both) assert.match(textOf(events), /Paris/);
});
