/** Suite `confer-1` against vectors/confer, which an implementation that shares no code with this one computed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test as nodeTest } from 'node:test';
import { encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import type { Random } from '@sotto/ports';
import { createManualClock, createSocketPair, settle } from '@sotto/testkit';
import { ConferError } from './errors.ts';
import { Assembler, parseFrame } from './frames.ts';
import { connectConfer } from './initiator.ts';
import { encodeConferRequest, encodeConferResponse, parseConferRequest, parseConferResponse } from './messages.ts';
import { acceptConfer } from './responder.ts';
import { CONFER_LIMITS } from './suite.ts';
import { isPaymentRequired, verifyConferToken } from './token.ts';

/** With a limit of its own, so that a check that is missing is noticed at once and not by silence. */
const test = (title: string, body: () => void | Promise<void>) => nodeTest(title, { timeout: 5000 }, body);

interface Case {
  id: string;
  rule: string;
  note: string;
  expect: unknown;
}
const load = <File>(name: string): File =>
  JSON.parse(readFileSync(new URL(`../../../vectors/confer/${name}`, import.meta.url), 'utf8')) as File;
const parseShortHex = (text: string) =>
  parseHex(text.replace(/\((..)x(\d+)\)/g, (_, byte: string, count: string) => byte.repeat(Number(count))));

/** Gives the values in order; each must be asked for in its length. */
function scripted(...values: Uint8Array[]): Random {
  return {
    bytes(length) {
      const value = values.shift();
      assert.equal(value?.length, length);
      return Uint8Array.from(value as Uint8Array);
    },
  };
}

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConferError, String(error));
    return error.code;
  }
  return undefined;
}

interface HandshakeFile extends Record<string, unknown> {
  keys: Record<'client_ephemeral_hex' | 'client_static_hex' | 'machine_ephemeral_hex' | 'machine_static_hex', string>;
  chunk_id_hex: string;
  evidence: string;
  message1_hex: string;
  message2_hex: string;
  message3_hex: string;
  ping_sealed_hex: string;
  pong_sealed_hex: string;
  cases: (Case & { to: 'initiator' | 'responder'; messages_hex: string[]; expect: { code: string } })[];
}
const handshake = load<HandshakeFile>('handshake.json');
const key = (name: keyof HandshakeFile['keys']) => parseHex(handshake.keys[name]);
const clientRandom = () =>
  scripted(key('client_static_hex'), key('client_ephemeral_hex'), parseHex(handshake.chunk_id_hex));
const machineRandom = () => scripted(key('machine_ephemeral_hex'), parseHex(handshake.chunk_id_hex));

for (const [name, options] of [
  ['in Node', {}],
  ['in a browser', { primitives: webPrimitives }],
] as const) {
  test(`CO-01 CO-27 our client sends the vector's bytes and opens the machine's, ${name}`, async () => {
    const pair = createSocketPair();
    pair.b.onMessage = () => undefined;
    const clock = createManualClock();
    const connecting = connectConfer({ socket: pair.a, random: clientRandom(), clock, ...options });
    pair.inject('a', parseHex(handshake.message2_hex));
    const unjudged = await connecting;
    assert.equal(new TextDecoder().decode(unjudged.evidence), handshake.evidence);
    const channel = await unjudged.proceed(unjudged.staticKey);
    const exchange = channel.request({ verb: 'GET', path: '/ping', body: new Uint8Array(0) });
    pair.inject('a', parseHex(handshake.pong_sealed_hex));
    assert.equal(new TextDecoder().decode((await exchange.next()).body), 'PONG');
    const { message1_hex, message3_hex, ping_sealed_hex } = handshake;
    assert.deepEqual(
      pair.sent.map(({ bytes }) => encodeHex(bytes)),
      [message1_hex, message3_hex, ping_sealed_hex],
    );
    channel.close();
  });

  test(`CO-01 CO-27 our machine sends the vector's bytes and opens the client's, ${name}`, async () => {
    const pair = createSocketPair();
    const paths: string[] = [];
    const machine = acceptConfer({
      socket: pair.b,
      random: machineRandom(),
      clock: createManualClock(),
      staticPrivateKey: key('machine_static_hex'),
      evidence: encodeUtf8(handshake.evidence),
      onRequest: async (request) => {
        paths.push(`${request.id} ${request.verb} ${request.path}`);
        await request.respond(200, encodeUtf8('PONG'));
      },
      ...options,
    });
    // Message 3 and the first request may come back to back.
    for (const name of ['message1_hex', 'message3_hex', 'ping_sealed_hex'] as const) {
      pair.inject('b', parseHex(handshake[name]));
    }
    while (pair.sent.length < 2) await settle();
    assert.deepEqual(paths, ['1 GET /ping']);
    const { message2_hex, pong_sealed_hex } = handshake;
    assert.deepEqual(
      pair.sent.map(({ bytes }) => encodeHex(bytes)),
      [message2_hex, pong_sealed_hex],
    );
    machine.close();
    assert.equal(await machine.closed, undefined);
  });
}

for (const one of handshake.cases) {
  test(`${one.rule} ${one.id}: ${one.note}`, async () => {
    const pair = createSocketPair();
    const clock = createManualClock();
    const messages = one.messages_hex.map(parseShortHex);
    if (one.to === 'initiator') {
      const connecting = connectConfer({ socket: pair.a, random: clientRandom(), clock });
      for (const message of messages) pair.inject('a', message);
      await assert.rejects(connecting, { code: one.expect.code });
      return;
    }
    const closing = new Promise<number>((resolve) => {
      pair.a.onClose = resolve;
    });
    const machine = acceptConfer({
      socket: pair.b,
      random: machineRandom(),
      clock,
      staticPrivateKey: key('machine_static_hex'),
      evidence: encodeUtf8(handshake.evidence),
      onRequest: async () => undefined,
    });
    for (const message of messages) pair.inject('b', message);
    assert.equal((await machine.closed)?.code, one.expect.code);
    assert.equal(await closing, one.expect.code === 'confer-handshake-too-large' ? 1003 : 1011);
  });
}

type FrameCase = Case & { frames_hex: string[]; expect: { messages?: string[]; code?: string } };
for (const one of load<{ cases: FrameCase[] }>('frames.json').cases) {
  test(`${one.rule} ${one.id}: ${one.note}`, () => {
    const messages: string[] = [];
    const assembler = new Assembler(CONFER_LIMITS, createManualClock(), () => assert.fail('no time passes'));
    const code = codeOf(() => {
      for (const frame of one.frames_hex) {
        const message = assembler.take(parseFrame(parseHex(frame)));
        if (message !== undefined) messages.push(encodeHex(message));
      }
    });
    assert.equal(code, one.expect.code);
    if (code === undefined) assert.deepEqual(messages, one.expect.messages);
  });
}

for (const one of load<{ cases: (Case & { kind: string; message_hex: string })[] }>('messages.json').cases) {
  test(`${one.rule} ${one.id}: ${one.note}`, () => {
    const bytes = parseHex(one.message_hex);
    const isRequest = one.kind === 'request';
    const code = codeOf(() => (isRequest ? parseConferRequest(bytes) : parseConferResponse(bytes)));
    assert.equal(code, one.expect === 'accept' ? undefined : (one.expect as { code: string }).code);
    if (code !== undefined) return;
    if (!isRequest) {
      assert.deepEqual(encodeConferResponse(parseConferResponse(bytes)), bytes);
      return;
    }
    const parsed = parseConferRequest(bytes);
    if (parsed.kind === 'request' && !parsed.isUpload) assert.deepEqual(encodeConferRequest(parsed.request), bytes);
  });
}

type TokenFile = { secret: string; now_ms: number; cases: (Case & { token: string })[] };
const tokens = load<TokenFile>('tokens.json');
for (const one of tokens.cases) {
  test(`${one.rule} token ${one.id}: ${one.note}`, () => {
    const { code, isSubscribed } = one.expect as { code?: string; isSubscribed?: boolean };
    const verify = () => verifyConferToken(one.token, encodeUtf8(tokens.secret), tokens.now_ms);
    assert.equal(codeOf(verify), code);
    if (code === undefined) assert.equal(verify().isSubscribed, isSubscribed);
  });
}

test('CO-43 what must be paid for: nothing before the end, nothing of a subscriber', () => {
  const claims = { expiresAtMs: 1000, isSubscribed: false };
  assert.equal(isPaymentRequired(claims, 1000), false);
  assert.equal(isPaymentRequired(claims, 1001), true);
  assert.equal(isPaymentRequired({ ...claims, isSubscribed: true }, 1001), false);
});

test('CO-02 CO-03 CO-05 CO-10 CO-20 CO-21 CO-22 CO-24 CO-25 CO-30 CO-31 CO-40 CO-41 CO-42 each has a vector', () => {
  const files = ['handshake.json', 'frames.json', 'messages.json', 'tokens.json'];
  const cases = files.flatMap((name) => load<{ cases: Case[] }>(name).cases);
  const rules = 'CO-02 CO-03 CO-05 CO-10 CO-20 CO-21 CO-22 CO-24 CO-25 CO-30 CO-31 CO-40 CO-41 CO-42 CO-43';
  assert.deepEqual([...new Set(cases.map(({ rule }) => rule))].sort(), rules.split(' '));
  assert.equal(new Set(cases.map(({ id }) => id)).size, cases.length);
});
