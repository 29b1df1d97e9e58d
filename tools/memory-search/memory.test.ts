/**
 * What an answer whose line was lost leaves in the enclave's memory: a heap snapshot and the process's own pages are
 * searched for the words of prompt and answer, for the recovery key and for every key that opens a kept chunk. The control
 * run holds the words on purpose and must find them.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createNodeConnectSocket } from '@sotto/adapters-node/socket';
import { encodeUtf8, parseHex } from '@sotto/bytes';
import { connectChannel } from '@sotto/channel/initiator';
import { deriveClaim, deriveRoots, openClaimBody, readKeptHead } from '@sotto/channel/recovery';
import { hmacSha256 } from '@sotto/crypto/hash';
import { createRealClock, createSeededRandom } from '@sotto/testkit';
import { devPolicy, verifyNode } from '@sotto/verify';
import { encodeClaimRequest, encodeRequestHead, WIRE_VERSION } from '@sotto/wire';
import { startProcess } from '../harness/process.ts';
import { Needles, type Secret } from './needles.ts';
import { readMemory } from './process-memory.ts';

interface Ready {
  readonly url: string;
  readonly nodeId: string;
  readonly devFingerprint: string;
}
type Probe = Awaited<ReturnType<typeof startProbe>>;

async function startProbe(t: TestContext, folder: string, args: readonly string[] = []) {
  const started = await startProcess<Ready>(path.join(import.meta.dirname, 'probe-enclave.ts'), {
    args: ['--data', path.join(folder, 'enclave'), ...args],
  });
  t.after(() => started.stop('SIGKILL'));
  return started;
}

async function connect({ ready }: Probe) {
  const socket = await createNodeConnectSocket()(`${ready.url.replace('http', 'ws')}/channel`);
  const [clock, nodeId] = [createRealClock(), parseHex(ready.nodeId, 16)];
  const channel = await connectChannel({ socket, clock, random: createSeededRandom(`${Math.random()}`), nodeId });
  const { node } = await verifyNode({
    bundle: await channel.fetchEvidence(400_000),
    policy: devPolicy(ready.devFingerprint),
    nowMs: clock.nowMs(),
    expectedEvidenceDigest: channel.evidenceDigest,
    expectedNodeId: nodeId,
    expectedStaticKey: channel.staticKey,
    expectedEpochId: channel.epochId,
    expectedSuite: 'sotto-1',
    distrust: { isDistrusted: () => false, subscribe: () => () => undefined },
  });
  return { socket, channel: channel.promote(node) };
}

const post = (address: string) => ({ version: WIRE_VERSION, method: 'POST', path: address, headers: [] }) as const;

/** Asks, reads the first words, and lets the line break. */
async function loseAnswer(probe: Probe, prompt: string, recoveryKey: Uint8Array): Promise<void> {
  const { socket, channel } = await connect(probe);
  const stream = channel.request(encodeRequestHead({ ...post('/v1/chat/completions'), recoveryKey }));
  const messages = [{ role: 'user', content: `${prompt} ${'and so on '.repeat(300)}${prompt}` }];
  await stream.write(encodeUtf8(JSON.stringify({ model: '', stream: true, messages })));
  await stream.end();
  await stream.head;
  await stream.body[Symbol.asyncIterator]().next(); // leaving the loop would cancel
  socket.close();
  await delay(3000);
}

/** The answer, claimed as its client would: it was kept, and the node could not have read it. */
async function claimAnswer(probe: Probe, recoveryKey: Uint8Array): Promise<string> {
  const { channel } = await connect(probe);
  const { claimKey, chainKey } = deriveRoots(recoveryKey);
  const { id, token } = deriveClaim(claimKey);
  const stream = channel.request(encodeRequestHead(post('/v1/answers/claim')));
  await stream.write(encodeClaimRequest({ id, token, haveBytes: 0 }));
  await stream.end();
  await stream.head;
  const { body } = await readKeptHead(openClaimBody(stream.body, chainKey, 0));
  let text = '';
  for await (const part of body) text += new TextDecoder().decode(part);
  channel.close();
  return text;
}

/** Every key with which a chunk of the answer could be opened. */
function chunkKeys(recoveryKey: Uint8Array, count: number): Secret[] {
  const secrets: Secret[] = [];
  let chain = deriveRoots(recoveryKey).chainKey;
  for (let index = 0; index < count; index++) {
    secrets.push({ name: `chain key ${index}`, kind: 'key', bytes: Buffer.from(chain) });
    const key = hmacSha256(chain, encodeUtf8('sotto/recovery/chunk/v1'));
    secrets.push({ name: `chunk key ${index}`, kind: 'key', bytes: Buffer.from(key) });
    chain = hmacSha256(chain, encodeUtf8('sotto/recovery/next/v1'));
  }
  return secrets;
}

async function search(t: TestContext, probe: Probe, folder: string, secrets: readonly Secret[]) {
  const file = path.join(folder, 'probe.heapsnapshot');
  const answered = once(probe.child, 'message');
  probe.child.send({ snapshot: file });
  await answered;
  const heap = new Needles(secrets);
  heap.search(readFileSync(file));
  const memory = new Needles(secrets);
  for (const bytes of readMemory(probe.child.pid ?? 0)) memory.search(bytes);
  const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  t.diagnostic(`${secrets.length} secrets; heap snapshot: ${mebibytes(heap.searchedBytes)} searched`);
  t.diagnostic(`process memory that is not zero: ${mebibytes(memory.searchedBytes)} searched`);
  return { inHeap: heap.found, inMemory: memory.found, searchedMemoryBytes: memory.searchedBytes };
}

const name = (kind: string) => `${kind}-${randomBytes(20).toString('hex')}`;
async function answerSecret(prompt: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  return `answer-${createHash('sha256').update(prompt).digest('hex').slice(0, 40)}`;
}

async function run(t: TestContext, args: readonly string[] = []) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-memory-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const probe = await startProbe(t, folder, args);
  const [prompt, recoveryKey] = [name('prompt'), new Uint8Array(randomBytes(32))];
  const answer = await answerSecret(prompt);
  await loseAnswer(probe, prompt, recoveryKey);
  const words: Secret[] = [
    { name: 'prompt', kind: 'text', bytes: Buffer.from(prompt) },
    { name: 'answer', kind: 'text', bytes: Buffer.from(answer) },
  ];
  const keys: Secret[] = [
    { name: 'recovery key', kind: 'key', bytes: Buffer.from(recoveryKey) },
    ...chunkKeys(recoveryKey, 45),
  ];
  const found = await search(t, probe, folder, [...words, ...keys]);
  const claimed = await claimAnswer(probe, recoveryKey);
  assert.equal(claimed.split(answer).length - 1, 10, 'the answer was computed to its end and kept');
  assert.match(claimed, /\[DONE\]\n\n$/);
  return { ...found, words, keys };
}

test('CH-106 after a lost answer the heap holds neither its words nor any key that opens it', async (t) => {
  const { inHeap, inMemory, searchedMemoryBytes, keys } = await run(t);
  assert.deepEqual(inHeap, []);
  t.diagnostic(`found in pages: ${inMemory.join(', ') || 'nothing'}`);
  if (searchedMemoryBytes === 0) t.diagnostic('the system does not let this test read the pages of its own child');
  const isOfKey = (find: string) => keys.some((key) => find.startsWith(`${key.name} as `));
  assert.deepEqual(inMemory.filter(isOfKey), []);
});

test('CH-106 control: words and keys that are held on purpose are found, in each form', async (t) => {
  const { inHeap, inMemory, searchedMemoryBytes } = await run(t, ['--plant']);
  for (const secret of ['prompt', 'answer']) {
    for (const form of ['raw', 'hex', 'base64+0'])
      assert.ok(inHeap.includes(`${secret} as ${form}`), `${secret}, ${form}`);
    if (searchedMemoryBytes === 0) continue;
    for (const form of ['raw', 'utf-16le', 'hex', 'base64+0'])
      assert.ok(inMemory.includes(`${secret} as ${form}`), `${secret}, ${form}`);
  }
  if (searchedMemoryBytes === 0) return;
  for (const key of ['recovery key', 'chain key 0', 'chunk key 0']) assert.ok(inMemory.includes(`${key} as raw`), key);
});
