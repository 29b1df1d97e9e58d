/** Peers that open, grant, send or read what they like on streams: memory stays bounded, the other streams go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8 } from '@sotto/bytes';
import { createManualClock, readBody, settle } from '@sotto/testkit';
import { encodeFrame, type Frame } from '../raw-peer-for-testing.ts';
import type { IncomingRequest } from '../responder.ts';
import {
  assertEnded,
  attackInitiator,
  attackVerifiedResponder,
  CANARY,
  createBystander,
  fill,
  heldBy,
  MIB,
} from './victims-for-testing.ts';

const record = (...frames: Frame[]) => concatBytes(...frames.map(encodeFrame));
const open = (stream: number, head = CANARY): Frame => ({ kind: 'open', stream, head });
const data = (stream: number, bytes: Uint8Array): Frame => ({ kind: 'data', stream, bytes });

/** One stream after the attack still carries a request and its answer. */
async function assertServed(peer: Awaited<ReturnType<typeof attackVerifiedResponder>>['peer'], stream: number) {
  await peer.send(open(stream, encodeUtf8('echo')), data(stream, encodeUtf8('well?')), { kind: 'end', stream });
  const answered = await peer.frame((frame) => frame.kind === 'end' && frame.stream === stream);
  assert.ok(answered, 'the other streams went on');
}

test('CH-43 bodies that never end hold a window each, and other streams are served', async () => {
  const { peer, requests, closed, sockets } = await attackVerifiedResponder();
  const held = await heldBy(async () => {
    for (let stream = 1; stream <= 127; stream++) {
      await peer.send(open(stream));
      for (const bytes of [fill(60_000, 7), fill(5536, 7)]) await peer.send(data(stream, bytes));
      if (stream % 16 === 0) {
        await settle();
        (sockets.sent as unknown[]).length = 0;
      }
    }
    await settle();
    (sockets.sent as unknown[]).length = 0;
    return requests;
  });
  assert.equal(held.value.length, 127);
  assert.ok(held.bytes < 127 * 65_536 * 1.5 + 4 * MIB, `${held.bytes} bytes held`);
  await assertServed(peer, 128);
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
  for (const { signal } of requests.slice(0, 127)) assert.ok(signal.aborted);
});

test('CH-43 answers that nobody reads wait in the one who writes them, not in the channel', async () => {
  let offered = 0;
  const onRequest = (request: IncomingRequest) => {
    if (request.head.length === 4) {
      void request.respond(encodeUtf8('ok')).end();
      return;
    }
    const writer = request.respond(encodeUtf8('ok'));
    void (async () => {
      for (;;) {
        await writer.write(fill(4096, 9));
        offered += 4096;
      }
    })().catch(() => undefined);
  };
  const { peer, sockets, closed } = await attackVerifiedResponder({ onRequest });
  const held = await heldBy(async () => {
    for (let stream = 1; stream <= 100; stream++) await peer.send(open(stream));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await settle();
    peer.frames.length = 0;
    (sockets.sent as unknown[]).length = 0;
  });
  assert.ok(offered <= 100 * (65_536 + 4096) && offered >= 100 * 61_440, `${offered} bytes were offered`);
  assert.ok(held.bytes < 4 * MIB, `${held.bytes} bytes held`);
  await peer.send(open(101, encodeUtf8('echo')));
  assert.ok(await peer.frame((frame) => frame.kind === 'end' && frame.stream === 101));
  await peer.send({ kind: 'close', reason: 0 });
  assert.deepEqual(await closed, { kind: 'closed', by: 'peer' });
});

test('CH-49 credit that overflows, at once or added up, ends the session at both roles', async () => {
  const bystander = await createBystander();
  const sums: number[][] = [
    [0x7fff_ffff],
    [0xffff_ffff],
    [0x7fff_0000, 0xffff],
    [1, 0x7fff_fffe],
    [...Array.from({ length: 8 }, () => 0x1000_0000)],
  ];
  for (const sum of sums) {
    const grants = sum.map((bytes): Frame => ({ kind: 'credit', stream: 1, bytes }));
    const node = await attackVerifiedResponder();
    await node.peer.send(open(1), ...grants);
    await assertEnded(node, 'flow-control');
    const client = await attackInitiator();
    client.channel.request(encodeUtf8('a')).head.catch(() => undefined);
    await client.peer.send(...grants);
    await assertEnded(client, 'flow-control');
  }
  await bystander.assertUnharmed();
});

test('CH-43 a byte beyond the window ends the session, however the window was filled', async () => {
  const whole = [60_000, 5536];
  const small = Array.from({ length: 64 }, () => 1024);
  for (const sizes of [whole, small]) {
    for (const beyond of [0, 1]) {
      const node = await attackVerifiedResponder();
      await node.peer.send(open(1));
      for (const size of sizes) await node.peer.send(data(1, fill(size, 1)));
      if (beyond === 1) {
        await node.peer.send(data(1, CANARY));
        await assertEnded(node, 'flow-control');
      } else {
        await assertServed(node.peer, 2);
        await node.peer.send({ kind: 'close', reason: 0 });
        await node.closed;
      }
    }
  }
});

test('CH-31 absurd lengths end the session before anything is kept for them', async () => {
  const lengths: Record<string, Uint8Array> = {
    'a head of 65,535 bytes in a record of 256': Uint8Array.of(0x02, 0, 0, 0, 1, 0xff, 0xff, ...CANARY),
    'data of 65,535 bytes in a record of 256': Uint8Array.of(0x04, 0, 0, 0, 1, 0xff, 0xff, ...CANARY),
    'data that ends with the record': concatBytes(Uint8Array.of(0x04, 0, 0, 0, 1, 0, 250), fill(248, 1)),
  };
  for (const [name, bytes] of Object.entries(lengths)) {
    const node = await attackVerifiedResponder();
    const { value } = await heldBy(async () => {
      await node.peer.sendPlaintext(record(open(1)));
      await node.peer.sendPlaintext(bytes);
      return node.closed;
    });
    assert.deepEqual(value, { kind: 'failed', code: 'frame-malformed', by: 'us' }, name);
  }
});

test('CH-42 128 requests that never end leave no place, and one place is there when one is given up', async () => {
  const clock = createManualClock();
  const { peer, requests, closed } = await attackVerifiedResponder({ clock });
  for (let stream = 1; stream <= 200; stream++) await peer.send(open(stream));
  await clock.advance(5);
  assert.equal(requests.length, 128);
  assert.equal(peer.frames.filter((frame) => frame.kind === 'error' && frame.reset === 2).length, 72);
  await peer.send({ kind: 'cancel', stream: 5 }, open(201, encodeUtf8('echo')), { kind: 'end', stream: 201 });
  await clock.advance(5);
  assert.ok(peer.frames.some((frame) => frame.kind === 'end' && frame.stream === 201));
  await peer.send({ kind: 'close', reason: 0 });
  await closed;
});

test('CH-46 a node that answers to everything at once, in wrong order or for ever, harms no other stream', async () => {
  const { peer, channel } = await attackInitiator();
  const [first, second] = [channel.request(encodeUtf8('a')), channel.request(encodeUtf8('b'))];
  await peer.send({ kind: 'error', stream: 1, reset: 65_535 }, { kind: 'rekey' });
  // Frames for what is over were under way, and are dropped.
  await peer.send(
    { kind: 'head', stream: 1, head: CANARY },
    data(1, CANARY),
    { kind: 'end', stream: 1 },
    { kind: 'rekey' },
  );
  const whole: Frame[] = [{ kind: 'head', stream: 2, head: encodeUtf8('ok') }, data(2, encodeUtf8('yes'))];
  await peer.send(...whole, { kind: 'end', stream: 2 }, { kind: 'rekey' });
  await assert.rejects(first.head, { code: 'stream-reset', reset: 'internal' });
  assert.deepEqual(await readBody(second.body), encodeUtf8('yes'));
  channel.close();
});
