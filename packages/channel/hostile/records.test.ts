/** Relays that touch records: cut, joined, mirrored, spliced from another session, from another time, from nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import { createSeededRandom, echoRequest, openChannelPair, type PassingMessage, readBody } from '@sotto/testkit';
import { createBystander, fill } from './victims-for-testing.ts';

type Relay = (record: PassingMessage, seen: Seen) => readonly Uint8Array[] | undefined;

/** What the relay has recorded when the attack begins. */
interface Seen {
  /** Records of this session that the other side sent. */
  readonly mirrored: Uint8Array[];
  /** Records of this side, of this session. */
  readonly earlier: Uint8Array[];
  /** Records of this side, of another session with the same node, by counter. */
  readonly foreign: readonly Uint8Array[];
  /** How many the relay was given to touch, this one included: large ones, when records have passed both ways. */
  touched: number;
}

const random = createSeededRandom('noise');
/** Only the first record that the relay may touch. */
const once =
  (act: Relay): Relay =>
  (record, seen) =>
    seen.touched === 1 ? act(record, seen) : undefined;

/** What the relay does to the records of one side; message 0 is the handshake's. */
const TAMPERING: Record<string, { readonly relay: Relay; readonly code: string }> = {
  'cut short': { relay: once(({ bytes }) => [bytes.subarray(0, -1)]), code: 'record-malformed' },
  'cut to a smaller bucket': { relay: once(({ bytes }) => [bytes.subarray(0, 272)]), code: 'record-forged' },
  'one byte longer': { relay: once(({ bytes }) => [concatBytes(bytes, fill(1, 0))]), code: 'record-malformed' },
  'cut in two': {
    relay: once(({ bytes }) => [bytes.subarray(0, 528), bytes.subarray(528)]),
    code: 'record-forged',
  },
  'byte by byte': {
    relay: once(({ bytes }) => Array.from(bytes, (byte) => Uint8Array.of(byte))),
    code: 'record-malformed',
  },
  'empty ones before it': { relay: once(({ bytes }) => [fill(0, 0), bytes]), code: 'record-malformed' },
  'a message of the largest size': { relay: once(() => [fill(65_534, 1)]), code: 'record-malformed' },
  'noise of the right size': { relay: once(({ bytes }) => [random.bytes(bytes.length)]), code: 'record-forged' },
  'the other side’s own record': {
    relay: once((_, { mirrored }) => [mirrored[1] as Uint8Array]),
    code: 'record-forged',
  },
  'another session’s record of the same counter': {
    relay: once(({ index }, { foreign }) => [foreign[index] as Uint8Array]),
    code: 'record-forged',
  },
  'another session’s records from here on': {
    relay: ({ index }, { foreign }) => [foreign[index] ?? fill(272, 0)],
    code: 'record-forged',
  },
  'an earlier record again': { relay: once((_, { earlier }) => [earlier[1] as Uint8Array]), code: 'record-forged' },
  'the handshake again': { relay: once((_, { earlier }) => [earlier[0] as Uint8Array]), code: 'record-malformed' },
  twice: { relay: once(({ bytes }) => [bytes, bytes]), code: 'record-forged' },
  'left out': { relay: once(() => []), code: 'record-forged' },
};

const content = createSeededRandom('content').bytes(300_000);

/** A session that moves 300 kB each way past a relay. @returns the records of both sides and what came of it */
async function session(victim: 'a' | 'b', relay: Relay | undefined, foreign: readonly Uint8Array[], isWeb: boolean) {
  const seen: Seen = { mirrored: [], earlier: [], foreign, touched: 0 };
  const { mirrored, earlier } = seen;
  const attacker = victim === 'a' ? 'b' : 'a';
  const pair = await openChannelPair({
    onRequest: echoRequest,
    ...(isWeb ? { primitives: webPrimitives } : {}),
    intercept: (record) => {
      if (record.from === victim) mirrored.push(record.bytes);
      else earlier.push(record.bytes);
      const isRipe = mirrored.length > 1 && earlier.length > 2 && record.bytes.length > 1040;
      if (record.from !== attacker || (!isRipe && seen.touched === 0)) return undefined;
      seen.touched += 1;
      return relay?.(record, seen);
    },
  });
  const stream = pair.channel.request(encodeUtf8('x'));
  const writing = stream.write(content).then(() => stream.end());
  const read: Uint8Array[] = [];
  const reading = (async () => {
    for await (const part of stream.body) read.push(part);
  })();
  const errors = await Promise.allSettled([writing, reading]);
  if (relay === undefined) pair.channel.close();
  const closed = await (victim === 'a' ? pair.channel.closed : pair.responder.closed);
  return { closed, earlier, read: concatBytes(...read), errors };
}

for (const victim of ['a', 'b'] as const) {
  const who = victim === 'a' ? 'client' : 'node';
  test(`CH-21 whatever a relay makes of the records to a ${who}, it ends the session and nothing false is read`, async () => {
    const bystander = await createBystander();
    const honest = await session(victim, undefined, [], false);
    assert.deepEqual(honest.read, content);
    for (const [name, { relay, code }] of Object.entries(TAMPERING)) {
      for (const isWeb of [false, true]) {
        const { closed, read, errors } = await session(victim, relay, honest.earlier, isWeb);
        assert.deepEqual(closed, { kind: 'failed', code, by: 'us' }, name);
        assert.deepEqual(read, content.slice(0, read.length), name);
        assert.ok(errors.some(({ status }) => status === 'rejected') || victim === 'b', name);
      }
    }
    await bystander.assertUnharmed();
  });
}

test('CH-21 one bit turned over anywhere in a record ends the session', async () => {
  for (let place = 0; place < 1041; place += 37) {
    const flip: Relay = once(({ bytes }) => {
      const altered = bytes.slice();
      altered[place] = (altered[place] as number) ^ (1 << (place % 8));
      return [altered];
    });
    const { closed } = await session('b', flip, [], false);
    assert.deepEqual(closed, { kind: 'failed', code: 'record-forged', by: 'us' }, `byte ${place}`);
  }
});

test('CH-47 a relay that ends the line, at any record, is never taken for an end of the answer', async () => {
  for (let record = 1; record < 6; record++) {
    const pair = await openChannelPair({ onRequest: echoRequest });
    pair.sockets.intercept = ({ from, index }) => {
      if (from === 'b' && index === record) setImmediate(() => pair.sockets.cut());
      return undefined;
    };
    const stream = pair.channel.request(encodeUtf8('x'));
    stream.write(content).catch(() => undefined);
    await assert.rejects(readBody(stream.body), { code: 'stream-truncated' });
    assert.deepEqual(await pair.channel.closed, { kind: 'failed', code: 'session-truncated', by: 'peer' });
  }
});
