/** Shapes on the wire: real ends, real records, virtual time. What is compared is what an eavesdropper sees. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, type ManualClock, openChannelPair, readBody } from '@sotto/testkit';
import type { ChannelStream } from '../initiator.ts';
import type { IncomingRequest, ResponseWriter } from '../responder.ts';
import type { Profile } from './profiles.ts';

const fill = (length: number, value = 1) => new Uint8Array(length).fill(value);

interface Seen {
  readonly atMs: number;
  readonly bytes: number;
}

/** A pair whose wire is written down, from when it was verified. */
async function open(profile: Profile, onRequest: (request: IncomingRequest, clock: ManualClock) => void) {
  const clock = createManualClock();
  const pair = await openChannelPair({ profile, clock, onRequest: (request) => onRequest(request, clock) });
  await clock.advance(1000);
  const startMs = clock.nowMs();
  const seen: Record<'up' | 'down', Seen[]> = { up: [], down: [] };
  pair.sockets.intercept = ({ from, bytes }) => {
    seen[from === 'a' ? 'up' : 'down'].push({ atMs: clock.nowMs() - startMs, bytes: bytes.length - 16 });
    return undefined;
  };
  return { ...pair, clock, seen };
}

function ask(channel: { request(head: Uint8Array): ChannelStream }, bodyBytes = 300): ChannelStream {
  const stream = channel.request(fill(100));
  stream.write(fill(bodyBytes)).catch(() => undefined);
  stream.end().catch(() => undefined);
  return stream;
}

type Answer = (writer: ResponseWriter, clock: ManualClock, request: IncomingRequest) => Promise<void>;

const answering = (answer: Answer) => (request: IncomingRequest, clock: ManualClock) => {
  void (async () => {
    for await (const _ of request.body);
    const writer = request.respond(fill(40));
    await answer(writer, clock, request);
    await writer.end();
  })().catch(() => undefined);
};

const tick = (count: number) => Array.from({ length: count }, (_, i) => ({ atMs: (i + 1) * 50, bytes: 256 }));
const upTick = (count: number) => Array.from({ length: count }, (_, i) => ({ atMs: (i + 1) * 500, bytes: 256 }));

const ANSWERS: Record<string, Answer> = {
  'nothing at all': async () => undefined,
  'words at a steady pace': async (writer, clock) => {
    for (let word = 0; word < 100; word++) {
      await clock.sleep(20);
      await writer.write(fill(9));
    }
  },
  'a tool, then words': async (writer, clock) => {
    await clock.sleep(6000);
    for (let word = 0; word < 50; word++) {
      await clock.sleep(30);
      await writer.write(fill(5));
    }
  },
  'a burst that fits': async (writer, clock) => {
    await clock.sleep(777);
    await writer.write(fill(1900));
  },
  'a reader who leaves': async (writer, clock, request) => {
    while (!request.signal.aborted) {
      await clock.sleep(20);
      await writer.write(fill(9));
    }
  },
};

test('SH-10 SH-11 SH-22 whatever an answer does, its window looks the same both ways', async () => {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    const { channel, clock, seen } = await open('balanced', answering(answer));
    const stream = ask(channel);
    const read = readBody(stream.body).catch(() => undefined);
    if (name === 'a reader who leaves') {
      await clock.advance(2345);
      stream.cancel();
    }
    await clock.advance(20_000);
    await read;
    assert.deepEqual(seen.down, tick(320), name);
    assert.deepEqual(seen.up, [{ atMs: 0, bytes: 4096 }, ...upTick(32)], name);
    channel.close();
  }
});

test('SH-12 SH-23 a long answer: pings, pongs, credit and new keys ride in its ticks', async () => {
  const words: Answer = async (writer, clock) => {
    // A record each: a write waits for it.
    for (let word = 0; word < 1250; word++) {
      await clock.sleep(20);
      await writer.write(fill(30));
    }
  };
  const { channel, clock, seen } = await open('balanced', answering(words));
  const read = readBody(ask(channel).body);
  await clock.advance(63_990);
  assert.equal((await read).length, 37_500);
  assert.deepEqual(seen.down, tick(1279));
  assert.deepEqual(seen.up, [{ atMs: 0, bytes: 4096 }, ...upTick(127)]);
  await clock.advance(1000);
  assert.deepEqual(seen.down, tick(1280));
  channel.close();
});

test('SH-13 a refused request keeps its window', async () => {
  const { channel, clock, seen } = await open('balanced', (request) => request.reject('busy'));
  const stream = ask(channel);
  await Promise.all([assert.rejects(stream.head), clock.advance(20_000)]);
  assert.deepEqual(seen.down, tick(320));
  channel.close();
});

test('SH-14 two answers at once share the ticks', async () => {
  const { channel, clock, seen } = await open('balanced', answering(ANSWERS['words at a steady pace'] as Answer));
  const first = readBody(ask(channel).body);
  await clock.advance(1010);
  const second = readBody(ask(channel).body);
  await clock.advance(20_000);
  assert.equal((await first).length, 900);
  assert.equal((await second).length, 900);
  assert.deepEqual(seen.down, tick(20 + 320));
  channel.close();
});

test('SH-15 an answer that is too fast for its records is seen to be', async () => {
  const { channel, clock, seen } = await open(
    'balanced',
    answering(async (writer) => writer.write(fill(60_000))),
  );
  const read = readBody(ask(channel).body);
  await clock.advance(20_000);
  assert.equal((await read).length, 60_000);
  assert.equal(seen.down.length, 320);
  const sizes = seen.down.map(({ bytes }) => bytes);
  assert.deepEqual(sizes, [...new Array(8).fill(8192), ...new Array(312).fill(256)]);
  channel.close();
});

test('SH-20 SH-21 uploads are seen by their doubling alone', async () => {
  for (const [bodyBytes, expected] of [
    [1, [4096]],
    [3900, [4096]],
    [4096, [8192]],
    [12_000, [16_384]],
    [40_000, [16_384, 16_384, 16_384, 16_384]],
    [150_000, Array.from({ length: 16 }, () => 16_384)],
  ] as const) {
    const { channel, clock, seen } = await open('balanced', answering(ANSWERS['nothing at all'] as Answer));
    const stream = channel.request(fill(100));
    const read = readBody(stream.body);
    void (async () => {
      for (let at = 0; at < bodyBytes; at += 30_000) await stream.write(fill(Math.min(30_000, bodyBytes - at)));
      await stream.end();
    })();
    await clock.advance(20_000);
    await read;
    const uploads = seen.up.map(({ bytes }) => bytes).filter((bytes) => bytes !== 256);
    assert.deepEqual(uploads, expected, `${bodyBytes} bytes`);
    channel.close();
  }
});

test('SH-24 between answers a session pings, and says nothing else', async () => {
  const { channel, clock, seen } = await open('balanced', answering(ANSWERS['nothing at all'] as Answer));
  await clock.advance(100_000);
  assert.deepEqual(
    [...seen.up, ...seen.down].map(({ bytes }) => bytes),
    [256, 256, 256, 256, 256, 256],
  );
  channel.close();
});

test('SH-30 SH-31 strict: a session with an answer looks like one without', async () => {
  const watched = await Promise.all(
    [false, true].map(async (isAsked) => {
      const { channel, clock, seen } = await open('strict', answering(ANSWERS['a tool, then words'] as Answer));
      await clock.advance(510);
      const read = isAsked ? readBody(ask(channel, 5000).body) : undefined;
      await clock.advance(60_000);
      if (isAsked) assert.equal((await read)?.length, 250);
      channel.close();
      return seen;
    }),
  );
  assert.deepEqual(watched[1], watched[0]);
  const [idle] = watched;
  assert.equal(idle?.down.length, 1210);
  assert.deepEqual(new Set(idle?.down.map(({ bytes }) => bytes)), new Set([256]));
  assert.equal(idle?.up.length, 606);
  assert.deepEqual(new Set(idle?.up.map(({ bytes }) => bytes)), new Set([1024]));
});

test('SH-40 what is written just before a tick leaves with it', async () => {
  const waits: number[] = [];
  const { channel, clock } = await open(
    'balanced',
    answering(async (writer, clock) => {
      for (let round = 0; round < 20; round++) {
        await writer.gathering();
        await writer.write(Uint8Array.of((clock.nowMs() / 5) % 256));
      }
    }),
  );
  const { body } = ask(channel);
  void (async () => {
    for await (const [said] of body) waits.push((((clock.nowMs() / 5) % 256) - (said as number) + 256) % 256);
  })();
  await clock.advance(20_000);
  // In units of 5 ms: the first is written at once, the others 5 ms before their record.
  assert.deepEqual(waits.slice(1), new Array(19).fill(1));
});

test('SH-17 a node that stops ends a session with its window, and an idle one at once', async () => {
  const { channel, responder, clock, seen } = await open('balanced', answering(ANSWERS['nothing at all'] as Answer));
  const read = readBody(ask(channel).body);
  await clock.advance(1010);
  await read;
  responder.leave();
  await clock.advance(14_980);
  assert.deepEqual(seen.down, tick(319));
  assert.equal(await Promise.race([channel.closed, 'open']), 'open');
  await clock.advance(100);
  assert.deepEqual(seen.down.slice(0, 320), tick(320));
  assert.deepEqual(await channel.closed, { kind: 'closed', by: 'peer' });
  const idle = await open('balanced', () => undefined);
  idle.responder.leave();
  await idle.clock.advance(10);
  assert.deepEqual(await idle.channel.closed, { kind: 'closed', by: 'peer' });
});

test('SH-03 without a word of it records leave as they fill', async () => {
  const { channel, clock, seen } = await open('compact', answering(ANSWERS['words at a steady pace'] as Answer));
  const read = readBody(ask(channel).body);
  await clock.advance(5000);
  assert.equal((await read).length, 900);
  assert.equal(seen.up[0]?.bytes, 512);
  assert.ok(seen.up.length <= 2);
  assert.ok(seen.down.length > 50 && (seen.down.at(-1)?.atMs ?? 0) < 4000);
  channel.close();
});
