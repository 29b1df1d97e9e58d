/** The client's door to suite `confer-1`: nobody is believed, nothing is sent too early, half an answer is no answer. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test as nodeTest } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import type { ExpectedPeer } from '@sotto/channel';
import { acceptConfer, CONFER_WARNING, type ConferIncomingRequest } from '@sotto/channel/confer';
import { x25519PublicKey } from '@sotto/crypto/dh';
import { createManualClock, createSeededRandom, createSocketPair } from '@sotto/testkit';
import { isVerifiedNode, type VerifiedNode } from '@sotto/verify';
import { WireError } from '@sotto/wire';
import { encodeConferEvidence, parseConferEvent, parseConferEvidence } from '@sotto/wire/confer';
import type { NodeSession } from '../index.ts';
import { ThirdPartyAttested } from './attested.ts';
import {
  type ConferChatEvent,
  connectThirdPartyAttestedConferUnpaddedNotPostQuantum,
  type ThirdPartyAttestedSession,
  type ThirdPartyJudge,
} from './index.ts';

/** With a limit of its own, so that a check that is missing is noticed at once and not by silence. */
const test = (title: string, body: () => void | Promise<void>) => nodeTest(title, { timeout: 5000 }, body);

const statement = { platform: 'TDX', manifest: '{}', manifestBundle: '{}' } as const;
const chat = { messages: [{ role: 'user', content: 'Hello' }], model: 'any' } as const;
let seeds = 0;

/** The example's third party: what it "signs" is the report data in base64. */
const trusting: ThirdPartyJudge = {
  name: 'a third party',
  judge: async ({ attestation }) => ({
    reportData: Uint8Array.from(atob(attestation), (character) => character.charCodeAt(0)),
    notAfterMs: 1_800_000_000_000 + 60_000,
  }),
};

interface Setup {
  judge?: ThirdPartyJudge;
  evidence?: (reportData: Uint8Array) => Uint8Array;
  onRequest?: (request: ConferIncomingRequest) => Promise<void>;
}

const event = (value: object) => encodeUtf8(JSON.stringify(value));
const token = (content: string) => event({ type: 'token', content });
const completion = (more: object = {}) =>
  event({ type: 'completion', context_tokens: 3, max_context_tokens: 9, ...more });

async function open(setup: Setup = {}) {
  const clock = createManualClock();
  const pair = createSocketPair();
  const random = createSeededRandom(`client ${seeds++}`);
  const staticPrivateKey = random.bytes(32);
  const reportData = new Uint8Array(64);
  reportData.set(await x25519PublicKey(staticPrivateKey));
  const sound = (data: Uint8Array) =>
    encodeConferEvidence({ ...statement, attestation: btoa(String.fromCharCode(...data)) });
  const machine = acceptConfer({
    socket: pair.b,
    random,
    clock,
    staticPrivateKey,
    evidence: (setup.evidence ?? sound)(reportData),
    onRequest: setup.onRequest ?? ((request) => request.respond(200, encodeUtf8('PONG'))),
  });
  const warnings: string[] = [];
  const urls: string[] = [];
  const connecting = connectThirdPartyAttestedConferUnpaddedNotPostQuantum(
    {
      clock,
      random,
      connect: async (url) => {
        urls.push(`${url} after ${warnings.length}`);
        return pair.a;
      },
    },
    {
      baseUrl: 'wss://host',
      token: 'a.b+c',
      judge: setup.judge ?? trusting,
      onWarning: (warning) => warnings.push(warning),
    },
  );
  return { clock, pair, machine, warnings, urls, connecting };
}

const sentByClient = ({ sent }: { sent: readonly { from: string }[] }) =>
  sent.filter(({ from }) => from === 'a').length;

async function read(session: ThirdPartyAttestedSession): Promise<{ text: string; events: ConferChatEvent[] }> {
  const events: ConferChatEvent[] = [];
  let text = '';
  for await (const one of session.chat(chat)) {
    events.push(one);
    if (one.kind === 'text-delta') text += one.text;
  }
  return { text, events };
}

test('CO-55 the warning comes before the connection, and stays with the session', async () => {
  const { connecting, warnings, urls } = await open();
  const session = await connecting;
  assert.deepEqual(warnings, ['confer-1: unpadded, no post-quantum, no nonce']);
  assert.deepEqual(urls, ['wss://host/websocket?token=a.b%2Bc after 1']);
  assert.equal(session.warning, CONFER_WARNING);
  session.close();
});

interface JsonCase {
  id: string;
  rule: string;
  kind: string;
  note: string;
  text: string;
  expect: string | { kind: string };
}
const { cases } = JSON.parse(readFileSync(new URL('../../../vectors/confer/json.json', import.meta.url), 'utf8')) as {
  cases: JsonCase[];
};

test('CO-50 CO-64 each has a vector', () => {
  assert.deepEqual([...new Set(cases.map(({ rule }) => rule))], ['CO-50', 'CO-64']);
});

for (const one of cases) {
  test(`${one.rule} ${one.id}: ${one.note}`, async () => {
    const parse = one.kind === 'evidence' ? parseConferEvidence : parseConferEvent;
    if (one.expect === 'refuse') assert.throws(() => parse(encodeUtf8(one.text)), WireError);
    else if (one.kind === 'evidence') assert.equal(parseConferEvidence(encodeUtf8(one.text)).manifest, 'm');
    else assert.equal(parseConferEvent(encodeUtf8(one.text)).kind, (one.expect as { kind: string }).kind);
    if (one.kind !== 'evidence' || one.expect !== 'refuse') return;
    const { connecting, pair } = await open({ evidence: () => encodeUtf8(one.text) });
    await assert.rejects(connecting, { code: 'confer-evidence-malformed', action: 'stop' });
    assert.equal(sentByClient(pair), 1);
  });
}

test('CO-51 until the judge has accepted, nothing but message 1 leaves; a judge who refuses ends it', async () => {
  const { connecting, machine, pair } = await open({
    judge: {
      name: 'strict',
      judge: async () => {
        assert.equal(sentByClient(pair), 1);
        throw new Error('the signature is wrong');
      },
    },
  });
  await assert.rejects(connecting, { code: 'confer-not-attested', action: 'stop' });
  assert.equal(sentByClient(pair), 1);
  assert.equal((await machine.closed)?.code, 'confer-lost');
});

for (const [name, change] of [
  ['another key', (data: Uint8Array) => data.map((byte, at) => (at === 31 ? byte ^ 1 : byte))],
  ['more than the key', (data: Uint8Array) => data.map((byte, at) => (at === 63 ? 1 : byte))],
  ['32 bytes', (data: Uint8Array) => data.slice(0, 32)],
] as const) {
  test(`CO-52 report data of ${name} is refused before message 3`, async () => {
    const changed: ThirdPartyJudge = {
      name: 'a third party',
      judge: async (evidence) => {
        const judgement = await trusting.judge(evidence);
        return { ...judgement, reportData: change(judgement.reportData) };
      },
    };
    const { connecting, pair } = await open({ judge: changed });
    await assert.rejects(connecting, { code: 'confer-binding-mismatch' });
    assert.equal(sentByClient(pair), 1);
  });
}

test('CO-53 a ThirdPartyAttested is no VerifiedNode, no expected peer, and nobody else can make one', async () => {
  const session = await (await open()).connecting;
  const { attested } = session;
  assert.equal(attested.trust, 'third-party');
  assert.equal(attested.attestedBy, 'a third party');
  assert.equal(isVerifiedNode(attested), false);
  assert.equal(isVerifiedNode(Object.create(attested, { trust: { value: 'development' } })), false);
  const fields = { attestedBy: '', platform: 'TDX', peerKey: new Uint8Array(32), notAfterMs: 0 } as const;
  assert.throws(() => new ThirdPartyAttested(Symbol('third-party-attested') as never, fields), TypeError);
  attested.peerKey.fill(0);
  assert.notDeepEqual(attested.peerKey, new Uint8Array(32));
  // @ts-expect-error neither is the other
  const node: VerifiedNode = attested;
  // @ts-expect-error and the other way round
  const back: ThirdPartyAttested = {} as VerifiedNode;
  // @ts-expect-error a channel of ours cannot be promoted with it
  const peer: ExpectedPeer = attested;
  // @ts-expect-error nor does its session pass for a node's
  const nodeSession: NodeSession = session;
  assert.ok([node, back, peer, nodeSession].length === 4);
  session.close();
});

test('CO-54 a statement that has ended connects nothing, and asks nothing more', async () => {
  const ended: ThirdPartyJudge = {
    name: 'a third party',
    judge: async (evidence) => ({ ...(await trusting.judge(evidence)), notAfterMs: 1_799_999_999_999 }),
  };
  const refused = await open({ judge: ended });
  await assert.rejects(refused.connecting, { code: 'confer-attestation-expired' });
  assert.equal(sentByClient(refused.pair), 1);

  const { clock, connecting, pair } = await open();
  const session = await connecting;
  await session.ping();
  await clock.advance(60_001);
  const before = sentByClient(pair);
  await assert.rejects(session.ping(), { code: 'confer-attestation-expired' });
  await assert.rejects(read(session), { code: 'confer-attestation-expired' });
  assert.equal(sentByClient(pair), before);
});

test('CO-60 an answer is whole with its completion, and cut without it', async () => {
  const bodies: unknown[] = [];
  const whole = await open({
    onRequest: async (request) => {
      bodies.push(JSON.parse(new TextDecoder().decode(request.body)));
      for (const body of [token('Hel'), token('lo'), completion()]) await request.respond(200, body);
    },
  });
  const session = await whole.connecting;
  const { text, events } = await read(session);
  assert.equal(text, 'Hello');
  assert.deepEqual(events.at(-1), { kind: 'finish', contextTokens: 3, maxContextTokens: 9 });
  assert.deepEqual(bodies, [{ ...chat, stream: true, webSearch: false }]);
  assert.equal((await read(session)).text, 'Hello'); // the session goes on
  session.close();

  const cut = await open({
    onRequest: async (request) => {
      await request.respond(200, token('Hel'));
      cut.pair.cut();
    },
  });
  await assert.rejects(read(await cut.connecting), { code: 'confer-answer-cut' });
});

test('CO-61 an error in mid-answer is an error, and its text no word of the answer', async () => {
  const { connecting } = await open({
    onRequest: async (request) => {
      await request.respond(200, token('Hel'));
      await request.respond(500, token('lo'));
    },
  });
  const session = await connecting;
  let text = '';
  const reading = async () => {
    for await (const one of session.chat(chat)) if (one.kind === 'text-delta') text += one.text;
  };
  await assert.rejects(reading(), { code: 'confer-refused', status: 500 });
  assert.equal(text, 'Hel');
  session.close();
});

test('CO-62 an answer that waits for tools is not whole', async () => {
  const { connecting } = await open({
    onRequest: (request) => request.respond(200, completion({ pending_tool_calls: true })),
  });
  await assert.rejects(read(await connecting), { code: 'confer-tools-unsupported' });
});

test('CO-63 a machine that says nothing more is given up after the limit, counted from its last word', async () => {
  const { clock, connecting } = await open({ onRequest: (request) => request.respond(200, token('Hel')) });
  const chatting = (await connecting).chat(chat)[Symbol.asyncIterator]();
  assert.deepEqual(await chatting.next(), { done: false, value: { kind: 'text-delta', text: 'Hel' } });
  const next = assert.rejects(chatting.next(), { code: 'confer-silent' });
  await Promise.all([next, clock.advance(120_000)]);
});

test('CO-64 an event that cannot be read ends the answer', async () => {
  for (const body of [encodeUtf8('{'), Uint8Array.of(0xff), event({ content: 'x' })]) {
    const { connecting } = await open({ onRequest: (request) => request.respond(200, body) });
    await assert.rejects(read(await connecting), { code: 'confer-answer-malformed' });
  }
  const { connecting } = await open({
    onRequest: async (request) => {
      const other = event({ type: 'thinking', content: 'not the answer' });
      for (const body of [other, token('Hello'), other, completion()]) await request.respond(200, body);
    },
  });
  const session = await connecting;
  assert.equal((await read(session)).text, 'Hello');
  session.close();
});

test('CO-64 a ping that is answered with something else is no ping', async () => {
  const { connecting } = await open({ onRequest: (request) => request.respond(200, encodeUtf8('PANG')) });
  const session = await connecting;
  await assert.rejects(session.ping(), { code: 'confer-answer-malformed' });
  session.close();
});

test('CO-65 a chat that is left, or aborted, closes the connection and stops the machine', async () => {
  for (const how of ['left', 'aborted'] as const) {
    let machineSignal: AbortSignal | undefined;
    const { connecting, machine } = await open({
      onRequest: async (request) => {
        machineSignal = request.signal;
        await request.respond(200, token('Hel'));
        await new Promise(() => undefined);
      },
    });
    const session = await connecting;
    const abort = new AbortController();
    const reading = (async () => {
      for await (const one of session.chat(chat, { signal: abort.signal })) {
        assert.equal(one.kind, 'text-delta');
        if (how === 'left') break;
        abort.abort(new Error('stopped'));
      }
    })();
    if (how === 'left') await reading;
    else await assert.rejects(reading, /stopped/);
    assert.equal(await session.closed, undefined);
    assert.equal((await machine.closed)?.code, 'confer-lost');
    assert.equal(machineSignal?.aborted, true);
  }
});
