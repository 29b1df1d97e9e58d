/** The way out by itself: what one record leaves behind for the next, grants, and windows that grow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { primitives } from '@sotto/crypto/primitives';
import { createManualClock, createSocketPair, openChannelPair, readBody, settle } from '@sotto/testkit';
import { BodyReader, type BodySource } from './body.ts';
import { DEFAULT_LIMITS, LARGEST_WINDOW_BYTES, STREAM_WINDOW_BYTES } from './limits.ts';
import { Outgoing } from './outgoing.ts';
import { RecordCipher } from './records.ts';
import { createCompactPacer } from './shaping/pacer.ts';

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const key = () => fill(32, 7);

async function wayOut() {
  const clock = createManualClock();
  const sockets = createSocketPair();
  const outgoing = new Outgoing({
    role: 'initiator',
    cipher: await RecordCipher.create(primitives, key(), 1000),
    socket: sockets.a,
    clock,
    limits: DEFAULT_LIMITS,
    pacer: createCompactPacer(4),
    stopped: new AbortController().signal,
    onFault: () => undefined,
    onDeparture: () => undefined,
    onBroken: () => undefined,
  });
  const receiving = await RecordCipher.create(primitives, key(), 1000);
  const plaintexts = async () => {
    const opened: Uint8Array[] = [];
    for (const { bytes } of sockets.sent) opened.push(await receiving.open(bytes));
    return opened;
  };
  return { outgoing, clock, plaintexts };
}

test('CH-22 a record that could not be finished leaves no byte for the next one', async () => {
  const { outgoing, clock, plaintexts } = await wayOut();
  const broken: BodySource = {
    readyBytes: 20_000,
    hasEnded: false,
    take(room) {
      room.fill(0x55, 0, 200);
      throw new Error('broken');
    },
  };
  assert.throws(() => outgoing.offer(broken), /broken/);
  outgoing.send({ kind: 'ping', token: fill(8, 1) });
  await clock.advance(10);
  const [record, ...others] = await plaintexts();
  assert.equal(others.length, 0);
  assert.deepEqual(record?.subarray(0, 9), Uint8Array.of(9, ...fill(8, 1)));
  assert.deepEqual(record?.subarray(9), fill(256 - 9, 0));
});

test('CH-22 a short record after a long one has nothing of it', async () => {
  const { outgoing, clock, plaintexts } = await wayOut();
  outgoing.send({ kind: 'open', stream: 1, head: fill(15_000, 0x55) });
  await clock.advance(10);
  outgoing.send({ kind: 'end', stream: 1 });
  await clock.advance(10);
  const [long, short] = await plaintexts();
  assert.equal(long?.length, 16_384);
  assert.equal(short?.length, 256);
  assert.deepEqual(short?.subarray(5), fill(251, 0));
});

test('a grant does not wait for other frames', async () => {
  const { outgoing, clock, plaintexts } = await wayOut();
  outgoing.send({ kind: 'end', stream: 1 });
  await clock.advance(1);
  outgoing.send({ kind: 'credit', stream: 1, bytes: 40_000 });
  await settle();
  assert.equal((await plaintexts()).length, 2);
});

test('CH-43 a window grows with its reader, up to its limit, and gives back what it took', async () => {
  let grown = 0;
  const granted: number[] = [];
  const sink = {
    isAhead: false,
    aheadBytes: 0,
    offer: () => undefined,
    gathering: () => undefined,
    sendCredit: (_: number, bytes: number) => void granted.push(bytes),
    growWindow(bytes: number) {
      grown += bytes;
      return true;
    },
  };
  const reader = new BodyReader(sink, 1, () => undefined);
  const reading = (async () => {
    for await (const _ of reader);
  })();
  let credit = STREAM_WINDOW_BYTES;
  for (let sent = 0; sent < 8 * LARGEST_WINDOW_BYTES; ) {
    const bytes = Math.min(60_000, credit);
    reader.push(fill(bytes, 1));
    sent += bytes;
    credit -= bytes;
    await settle();
    credit += granted.splice(0).reduce((sum, one) => sum + one, 0);
    assert.ok(credit <= LARGEST_WINDOW_BYTES);
  }
  assert.equal(grown, LARGEST_WINDOW_BYTES - STREAM_WINDOW_BYTES);
  assert.throws(() => reader.push(fill(credit + 1, 1)), { code: 'flow-control', rule: 'CH-43' });
  reader.finish();
  await reading;
  assert.equal(grown, 0);
});

test('CH-110 large grants are no idle work: a body of 26 megabytes arrives', { timeout: 30_000 }, async () => {
  const chunk = fill(262_144, 1);
  const pair = await openChannelPair({
    limits: { idleWorkAtOnce: 40, idleWorkPerSecond: 1 },
    onRequest: (request) => {
      const writer = request.respond(fill(1, 1));
      void (async () => {
        for (let i = 0; i < 100; i++) await writer.write(chunk);
        await writer.end();
      })().catch(() => undefined);
    },
  });
  const body = await readBody(pair.channel.request(fill(1, 1)).body);
  assert.equal(body.length, 100 * chunk.length);
  pair.channel.close();
});
