/** Peers that send more than anybody needs: of requests, pieces, pings, credit, records. Memory and work stay bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { createManualClock, readBody, settle } from '@sotto/testkit';
import { Allowance } from '../allowance.ts';
import { Pieces } from '../pieces.ts';
import { encodeFrame } from '../raw-peer-for-testing.ts';
import {
  assertNoEcho,
  attackInitiator,
  attackVerifiedResponder,
  CANARY,
  createBystander,
  fill,
  heldBy,
  MIB,
} from './victims-for-testing.ts';

const many = (frame: Uint8Array, count: number) => concatBytes(...Array.from({ length: count }, () => frame));
const open1 = encodeFrame({ kind: 'open', stream: 1, head: CANARY });
const cancel1 = encodeFrame({ kind: 'cancel', stream: 1 });
const end1 = encodeFrame({ kind: 'end', stream: 1 });
const ping = encodeFrame({ kind: 'ping', token: CANARY.slice(0, 8) });
const credit1 = encodeFrame({ kind: 'credit', stream: 1, bytes: 1 });
const byte1 = encodeFrame({ kind: 'data', stream: 1, bytes: CANARY.slice(0, 1) });

/** What comes first, and the record that then comes without end; `records`: how many are taken before the session ends. */
const FLOODS: Record<string, { first: Uint8Array; record: Uint8Array; records: number }> = {
  'records of nothing': { first: open1, record: fill(0, 0), records: 4096 },
  'larger records of nothing': { first: open1, record: fill(2000, 0), records: 4096 },
  'one byte a record': { first: open1, record: byte1, records: 4096 },
  pings: { first: open1, record: many(ping, 1800), records: 2 },
  'a ping a record': { first: open1, record: ping, records: 2048 },
  'a new key for each record': { first: open1, record: encodeFrame({ kind: 'rekey' }), records: 2048 },
  'credit of one byte': { first: open1, record: many(credit1, 1800), records: 2 },
  'cancels of a stream that is over': { first: concatBytes(open1, cancel1), record: many(cancel1, 3000), records: 1 },
  'ends of a stream that is over': { first: concatBytes(open1, cancel1), record: many(end1, 3000), records: 1 },
};

const PROFILES = ['compact', 'balanced', 'strict'];
/** Shaping holds back what is said: every kind under `compact`, those that make us say something under the others too. */
const RUNS = Object.entries(FLOODS).flatMap(([name, flood]) =>
  PROFILES.filter((_, profile) => profile === 0 || name.includes('ping')).map((profile) => ({
    name,
    profile,
    ...flood,
  })),
);

for (const { name, profile, first, record, records } of RUNS) {
  test(`CH-110 a responder that is flooded ends the session: ${name}, ${profile}`, async () => {
    const bystander = await createBystander();
    const clock = createManualClock();
    const attacked = await attackVerifiedResponder({ clock, profile: PROFILES.indexOf(profile) });
    await attacked.peer.sendPlaintext(first);
    let sent = 0;
    let isOver = false;
    void attacked.closed.then(() => {
      isOver = true;
    });
    const { bytes } = await heldBy(async () => {
      for (; !isOver && sent < 5000; sent++) {
        await attacked.peer.sendPlaintext(record);
        if (sent % 100 < 3) await clock.advance(0);
        if (sent % 100 === 3) (attacked.sockets.sent as unknown[]).length = 0;
      }
      (attacked.sockets.sent as unknown[]).length = 0;
    });
    // Where nothing refused the flood, the session ends in order, and that is a failure.
    if (!isOver) await attacked.peer.send({ kind: 'close', reason: 0 });
    await clock.advance(5);
    assert.deepEqual(await attacked.closed, { kind: 'failed', code: 'flood', by: 'us' });
    assert.ok(sent >= records - 5 && sent <= records + 101, `${sent} records were taken`);
    assert.ok(bytes < 4 * MIB, `${bytes} bytes held`);
    // A ping's token comes back, and that is all that ever does.
    assertNoEcho(attacked.peer.frames.filter(({ kind }) => kind !== 'pong'));
    await bystander.assertUnharmed();
  });
}

test('CH-110 a client that its node floods ends the session', async () => {
  const clock = createManualClock();
  const { peer, closed, channel } = await attackInitiator({}, clock);
  const stream = channel.request(encodeUtf8('a'));
  stream.head.catch(() => undefined);
  for (let i = 0; i < 3; i++) await peer.sendPlaintext(many(ping, 1800));
  await peer.send({ kind: 'close', reason: 0 });
  await clock.advance(5);
  assert.deepEqual(await closed, { kind: 'failed', code: 'flood', by: 'us' });
  await assert.rejects(readBody(stream.body), { code: 'stream-truncated' });
});

for (const profile of ['compact', 'balanced', 'strict'] as const) {
  test(`CH-113 a node that asks as much as it may, for hours, of a client that answers as its shape says, ${profile}`, async () => {
    const clock = createManualClock();
    const client = await attackInitiator({}, clock, profile);
    const { bytes } = await heldBy(async () => {
      for (let second = 0; second < 60; second++) {
        await client.peer.sendPlaintext(many(ping, 500));
        await clock.advance(1000);
        (client.sockets.sent as unknown[]).length = 0;
        client.peer.frames.length = 0;
      }
    });
    assert.ok(bytes < 4 * MIB, `${bytes} bytes held`);
    await client.peer.send({ kind: 'close', reason: 0 });
    await clock.advance(1000);
    // Where every answer can leave the session goes on; where it cannot it ends.
    const code = profile === 'compact' ? undefined : 'backlog';
    const closed = await client.closed;
    assert.equal(closed.kind === 'failed' ? closed.code : undefined, code);
  });
}

test('CH-110 a session that is merely busy is no flood', async () => {
  const clock = createManualClock();
  const { peer, closed } = await attackVerifiedResponder({ clock });
  for (let i = 0; i < 200; i++) {
    await peer.sendPlaintext(many(ping, 100));
    await clock.advance(250);
  }
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
});

test('CH-111 opening and cancelling without end begins no more requests than the allowance', async () => {
  const bystander = await createBystander();
  const clock = createManualClock();
  const { peer, requests, closed } = await attackVerifiedResponder({ clock });
  for (let stream = 1; stream <= 1000; stream += 100) {
    const pairs = Array.from({ length: 100 }, (_, i) => [
      encodeFrame({ kind: 'open', stream: stream + i, head: CANARY }),
      encodeFrame({ kind: 'cancel', stream: stream + i }),
    ]);
    await peer.sendPlaintext(concatBytes(...pairs.flat()));
    await clock.advance(5);
  }
  assert.equal(requests.length, 256 + Math.floor(0.045 * 64));
  assert.ok(requests.every(({ signal }) => signal.aborted));
  const refused = peer.frames.filter((frame) => frame.kind === 'error');
  assert.ok(refused.length === 1000 - requests.length && refused.every(({ reset }) => reset === 4));
  assertNoEcho(peer.frames);
  // A second later the same session is served again.
  await clock.advance(1000);
  await peer.send({ kind: 'open', stream: 1001, head: encodeUtf8('echo') }, { kind: 'end', stream: 1001 });
  await clock.advance(5);
  assert.ok(peer.frames.some((frame) => frame.kind === 'end' && frame.stream === 1001));
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
  await bystander.assertUnharmed();
});

test('CH-111 under shaping too, refused requests neither pile up nor stop the session', async () => {
  const clock = createManualClock();
  const { peer, requests, closed, sockets } = await attackVerifiedResponder({ clock, profile: 1 });
  const held = await heldBy(async () => {
    for (let stream = 1; stream <= 1600; stream += 100) {
      const opens = Array.from({ length: 100 }, (_, i) =>
        encodeFrame({ kind: 'open', stream: stream + i, head: CANARY }),
      );
      await peer.sendPlaintext(concatBytes(...opens));
      await clock.advance(0);
    }
    (sockets.sent as unknown[]).length = 0;
  });
  assert.ok(held.bytes < 4 * MIB, `${held.bytes} bytes held`);
  assert.equal(requests.length, 128);
  // Each refusal waits for its tick; all of them leave in time.
  for (let tick = 0; tick < 80; tick++) await clock.advance(50);
  assert.equal(peer.frames.filter((frame) => frame.kind === 'error').length, 1600 - 128);
  await peer.send({ kind: 'close', reason: 0 });
  await clock.advance(50);
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
});

test('CH-112 windows filled with single bytes hold about their own size', async () => {
  const { peer, requests, closed, sockets } = await attackVerifiedResponder();
  const streams = 16;
  const opens = Array.from({ length: streams }, (_, i) => encodeFrame({ kind: 'open', stream: i + 1, head: CANARY }));
  await peer.sendPlaintext(concatBytes(...opens));
  const held = await heldBy(async () => {
    for (let stream = 1; stream <= streams; stream++) {
      const one = encodeFrame({ kind: 'data', stream, bytes: fill(1, 7) });
      const many = concatBytes(...Array.from({ length: 2000 }, () => one));
      for (let record = 0; record < 32; record++) await peer.sendPlaintext(many);
      await settle();
    }
    // What the network of this test remembers is not the victim's.
    (sockets.sent as unknown[]).length = 0;
    return requests;
  });
  // 1 MB of content; one object for each byte would be beyond 100 MiB.
  assert.ok(held.bytes < 6 * MIB, `${held.bytes} bytes held`);
  await peer.send({ kind: 'end', stream: 1 });
  assert.deepEqual(await readBody((held.value[0] as (typeof requests)[0]).body), fill(64_000, 7));
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
});

test('pieces come out in order, whatever their sizes', () => {
  const pieces = new Pieces();
  const all: Uint8Array[] = [];
  for (let i = 0; i < 3000; i++) {
    const piece = fill(i % 7 === 0 ? 1500 : (i % 50) + 1, i & 255);
    pieces.push(piece);
    all.push(piece);
  }
  const out: Uint8Array[] = [];
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) out.push(piece);
  assert.deepEqual(concatBytes(...out), concatBytes(...all));
  assert.equal(pieces.shift(), undefined);
});

test('an allowance comes back with time, and not with a clock that jumps back', () => {
  let nowMs = 1_000_000;
  const allowance = new Allowance({ nowMs: () => nowMs }, 10, 2);
  assert.ok(allowance.take(10));
  assert.equal(allowance.take(1), false);
  nowMs -= 500_000;
  assert.equal(allowance.take(1), false);
  nowMs += 1000;
  assert.ok(allowance.take(2));
  assert.equal(allowance.take(1), false);
  nowMs += 1_000_000;
  assert.equal(allowance.take(11), false);
  assert.ok(allowance.take(10));
});
