/** The independent peer against ours, both ways, over real WebSockets. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test as nodeTest } from 'node:test';
import { createNodeClock } from '@sotto/adapters-node/clock';
import { createNodeRandom } from '@sotto/adapters-node/random';
import { createNodeConnectSocket } from '@sotto/adapters-node/socket';
import { type ConferOptions, connectThirdPartyAttestedConferUnpaddedNotPostQuantum } from '@sotto/client/confer';
import { scriptedEngine } from '@sotto/testkit';
import { startConfer } from '../../apps/enclave/confer/start-confer.ts';
import type { Engine } from '../../apps/enclave/engine.ts';
import { PeerClient } from './client.ts';
import { bytes, encodeRequest, framesOf, integer } from './messages.ts';
import { keyPair } from './noise-xx.ts';
import { evidenceFor, type PeerServerOptions, startPeerServer } from './server.ts';
import { mintToken } from './token.ts';

/** With a limit of its own, so that a check that is missing is noticed at once and not by silence. */
const test = (title: string, body: () => void | Promise<void>) => nodeTest(title, { timeout: 5000 }, body);

const secret = randomBytes(32).toString('base64url');
const soon = () => Math.floor(Date.now() / 1000) + 900;
const token = (claims: Record<string, unknown> = {}) => mintToken(secret, { iss: 'kerf', exp: soon(), ...claims });
const ports = { clock: createNodeClock(), random: createNodeRandom(), connect: createNodeConnectSocket() };
const chat = { messages: [{ role: 'user', content: 'Grüße' }], model: 'any' } as const;
const closing: (() => Promise<unknown>)[] = [];
after(() => Promise.all(closing.map((close) => close())));

/** Reads the example's "statement"; it has no signature that could be checked. */
const judge: ConferOptions['judge'] = {
  name: 'the example',
  judge: async ({ attestation }) => {
    const claims = JSON.parse(Buffer.from(attestation.split('.')[1] ?? '', 'base64url').toString());
    return {
      reportData: new Uint8Array(Buffer.from(claims.tdx_report_data, 'hex')),
      notAfterMs: Date.now() + 600_000,
    };
  },
};

async function peer(options: Partial<PeerServerOptions> = {}) {
  const server = await startPeerServer({ secret, ...options });
  closing.push(server.close);
  return server;
}

const connect = (baseUrl: string, more: Partial<ConferOptions> = {}) =>
  connectThirdPartyAttestedConferUnpaddedNotPostQuantum(ports, {
    baseUrl,
    token: token(),
    judge,
    onWarning: () => undefined,
    ...more,
  });

async function textOf(session: Awaited<ReturnType<typeof connect>>): Promise<string> {
  let text = '';
  for await (const event of session.chat(chat)) if (event.kind === 'text-delta') text += event.text;
  return text;
}

test('CO-01 our client and the peer’s machine: ping, a streamed chat, a whole one, headers', async () => {
  const server = await peer({ headers: { 'content-type': 'text/event-stream', 'x-more': 'yes' } });
  const session = await connect(server.baseUrl);
  assert.deepEqual([session.attested.platform, session.attested.attestedBy], ['TDX', 'the example']);
  await session.ping();
  assert.equal(await textOf(session), 'Hello, world');
  assert.equal(await session.complete(chat), 'Hello, world');
  const [streamed, whole] = server.requests.slice(1).map(({ body }) => JSON.parse(body));
  assert.deepEqual(streamed, { ...chat, stream: true, webSearch: false });
  assert.equal(whole.stream, false);
  assert.deepEqual(server.received[0]?.slice(0, 2), [32, 64]);
  session.close();
});

test('CO-27 long questions arrive whole, and answers in the smallest pieces are put together', async () => {
  const server = await peer({ pieceBytes: 7, words: ['ä', '中文', '🙂'] });
  const session = await connect(server.baseUrl);
  assert.equal(await textOf(session), 'ä中文🙂');
  const content = 'x'.repeat(300_000);
  const long = { ...chat, messages: [{ role: 'user', content }] } as const;
  await Promise.all([session.complete(long), session.complete(long), session.ping()]);
  const ids = server.frameIds[0] ?? [];
  const changes = ids.filter((id, index) => id !== ids[index - 1]).length;
  assert.equal(changes, new Set(ids).size, 'the frames of a message stand together');
  assert.equal(JSON.parse(server.requests[1]?.body ?? '').messages[0].content, content);
  assert.ok((server.received[0] ?? []).every((size) => size <= 65_535));
  session.close();
});

test('CO-08 two connections of one client show two keys', async () => {
  const server = await peer();
  for (let count = 0; count < 2; count++) {
    const session = await connect(server.baseUrl);
    await session.ping();
    session.close();
  }
  assert.equal(new Set(server.clientKeys).size, 2);
  assert.equal(server.clientKeys.length, 2);
});

for (const [ending, code] of [
  ['cut', 'confer-answer-cut'],
  ['error', 'confer-refused'],
  ['pending', 'confer-tools-unsupported'],
  ['mute', 'confer-silent'],
] as const) {
  test(`CO-60 CO-61 CO-62 CO-63 a peer's answer that ends in "${ending}" is not taken for whole`, async () => {
    const server = await peer({ ending });
    await assert.rejects(textOf(await connect(server.baseUrl, { silenceTimeoutMs: 200 })), { code });
  });
}

for (const [name, evidence, code] of [
  ['no evidence', () => '', 'confer-evidence-missing'],
  ['an attestation that is null', () => '{"platform":"TDX","attestation":null}', 'confer-evidence-malformed'],
  ['another machine’s evidence', () => evidenceFor(keyPair()), 'confer-binding-mismatch'],
] as const) {
  test(`CO-03 CO-50 CO-52 a peer that shows ${name} gets message 1 and nothing more`, async () => {
    const server = await peer({ evidence });
    await assert.rejects(connect(server.baseUrl), { code });
    assert.deepEqual(server.received, [[32]]);
  });
}

async function ours(engine: Engine | null = scriptedEngine()) {
  const warnings: string[] = [];
  const server = await startConfer({
    engine,
    tokenSecret: Buffer.from(secret),
    evidenceFor: async (publicKey) =>
      new TextEncoder().encode(evidenceFor({ ...keyPair(), point: Buffer.from(publicKey) })),
    onWarning: (warning) => warnings.push(warning),
  });
  assert.deepEqual(warnings, ['confer-1: unpadded, no post-quantum, no nonce']);
  closing.push(server.close);
  return server;
}

test('CO-01 CO-55 CO-70 CO-71 the peer’s client and our machine: ping, chat, errors as plain text', async () => {
  const client = await PeerClient.connect((await ours()).baseUrl, token());
  const claims = JSON.parse(Buffer.from(JSON.parse(client.evidence).attestation.split('.')[1], 'base64url').toString());
  assert.equal(claims.tdx_report_data.slice(0, 64), client.serverKey.toString('hex'));
  client.send({ id: 0n, verb: 'GET', path: '/ping', body: '' });
  assert.deepEqual(await client.next(), { id: 0n, status: 200, body: 'PONG' });
  const { text, last } = await client.chat('Grüße', -7n);
  assert.ok(text.length > 0);
  assert.equal(last.type, 'completion');
  assert.ok(Number(last.context_tokens) > 0 && Number(last.max_context_tokens) > 0);
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: 'Grüße' },
  ];
  const whole = {
    id: 3n,
    verb: 'POST',
    path: '/v1/vllm/chat/completions',
    body: JSON.stringify({ messages, stream: false }),
  };
  client.send(whole);
  assert.deepEqual(await client.next(), { id: 3n, status: 200, body: text });
  client.send({ ...whole, path: '/v1/embeddings' });
  assert.deepEqual(await client.next(), { id: 3n, status: 404, body: 'Route not found' });
  for (const body of [
    '',
    '{',
    '{"messages":[],"stream":null}',
    '{"messages":[{"role":"tool","content":""}],"stream":true}',
  ]) {
    client.send({ ...whole, body });
    assert.deepEqual(await client.next(), { id: 3n, status: 400, body: 'Invalid request body' });
  }
  client.close();
});

test('CO-25 our machine takes pieces of one byte, in any order, of interleaved messages', async () => {
  const client = await PeerClient.connect((await ours()).baseUrl, token());
  client.send({ id: 1n, verb: 'GET', path: '/ping', body: '' }, 1, (frames) => frames.reverse());
  assert.equal((await client.next()).body, 'PONG');
  const ping = (id: bigint) => framesOf(encodeRequest({ id, verb: 'GET', path: '/ping', body: '' }), 4);
  const [first, second] = [ping(5n), ping(6n)];
  for (const [index, frame] of first.entries()) {
    for (const one of [frame, second[index]]) if (one !== undefined) client.webSocket.send(client.pipe.seal(one));
  }
  assert.deepEqual([(await client.next()).id, (await client.next()).id], [5n, 6n]);
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(200_000) }], stream: false });
  client.send({ id: 7n, verb: 'POST', path: '/v1/vllm/chat/completions', body });
  assert.equal((await client.next()).id, 7n);
  client.close();
});

const hostile: [string, (client: PeerClient) => void, { code: number; reason: string }][] = [
  [
    'a forged message',
    ({ webSocket }) => webSocket.send(Buffer.alloc(40)),
    { code: 1011, reason: 'Decryption failed' },
  ],
  [
    '65,536 bytes',
    ({ webSocket }) => webSocket.send(Buffer.alloc(65_536)),
    { code: 1003, reason: 'Message too large' },
  ],
  [
    'a frame that cannot be read',
    ({ pipe, webSocket }) => webSocket.send(pipe.seal(Buffer.of(0x08))),
    { code: 1011, reason: 'Frame decode failed' },
  ],
  [
    'a verb without a path',
    ({ pipe, webSocket }) => {
      for (const frame of framesOf(Buffer.concat([integer(1, 1), bytes(2, 'GET')]))) webSocket.send(pipe.seal(frame));
    },
    { code: 1003, reason: 'Invalid request' },
  ],
];
for (const [name, attack, expected] of hostile) {
  test(`CO-10 CO-11 CO-20 CO-30 ${name} closes that connection as the proxy would, and no other`, async () => {
    const { baseUrl } = await ours();
    const [client, other] = [await PeerClient.connect(baseUrl, token()), await PeerClient.connect(baseUrl, token())];
    attack(client);
    assert.deepEqual(await client.closed, expected);
    other.send({ id: 1n, verb: 'GET', path: '/ping', body: '' });
    assert.equal((await other.next()).body, 'PONG');
    other.close();
  });
}

test('CO-40 CO-41 CO-42 an upgrade without a good token is refused', async () => {
  const { baseUrl } = await ours();
  const bad = ['', 'x', mintToken('another', { iss: 'kerf', exp: soon() }), token({ iss: 'x' }), token({ exp: 1 })];
  for (const one of bad) await assert.rejects(PeerClient.connect(baseUrl, one), /401/);
  await assert.rejects(PeerClient.connect(`${baseUrl}/other`, token()), /401/);
});

test('CO-43 after the token’s end a request must be paid for, unless subscribed', async () => {
  const { baseUrl } = await ours();
  const exp = Date.now() / 1000 + 0.4;
  const [free, subscribed] = [
    await PeerClient.connect(baseUrl, token({ exp })),
    await PeerClient.connect(baseUrl, token({ exp, subscribed: true })),
  ];
  const statuses = async () => {
    for (const client of [free, subscribed]) client.send({ id: 1n, verb: 'GET', path: '/ping', body: '' });
    return [(await free.next()).status, (await subscribed.next()).status];
  };
  assert.deepEqual(await statuses(), [200, 200]);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, exp * 1000 - Date.now()) + 20));
  assert.deepEqual(await statuses(), [402, 200]);
  free.close();
  subscribed.close();
});

test('CO-72 an engine that breaks off, or is not there, is an error and never a completion', async () => {
  const engine: Engine = {
    model: { id: 'm', label: 'M', parameters: 0, contextTokens: 10, starter: false },
    async *generate() {
      yield { text: 'Hel' };
      throw new Error('what was asked');
    },
    close: async () => undefined,
  };
  const client = await PeerClient.connect((await ours(engine)).baseUrl, token());
  assert.deepEqual(await client.chat('Hello'), { text: 'Streaming error', last: {}, status: 500 });
  client.close();
  const empty = await PeerClient.connect((await ours(null)).baseUrl, token());
  const { status, text } = await empty.chat('Hello');
  assert.ok(status >= 500 && !text.includes('{'), text);
  empty.close();
});

test('CO-65 our client and our machine: leaving a chat stops the engine', async () => {
  let isStopped = false;
  const engine: Engine = {
    model: { id: 'm', label: 'M', parameters: 0, contextTokens: 10, starter: false },
    async *generate({ signal }) {
      yield { text: 'Hel' };
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      isStopped = true;
    },
    close: async () => undefined,
  };
  const session = await connect((await ours(engine)).baseUrl);
  for await (const event of session.chat(chat)) {
    assert.equal(event.kind, 'text-delta');
    break;
  }
  await session.closed;
  for (let turn = 0; turn < 200 && !isStopped; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(isStopped);
});

test('CO-01 the peer shares no code with packages, adapters or apps', () => {
  const folder = new URL('.', import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  assert.ok(sources.length >= 5);
  for (const name of sources) {
    const imported = [...readFileSync(new URL(name, folder), 'utf8').matchAll(/from '([^']+)'/g)].map(
      ([, what]) => what,
    );
    for (const what of imported) assert.match(what ?? '', /^(node:[a-z]+|ws|\.\/[a-z-]+\.ts)$/);
  }
});
