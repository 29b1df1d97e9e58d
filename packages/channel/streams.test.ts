/** Streams and sessions between two real ends, over a network that does its worst. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import {
  createChannelPair,
  createManualClock,
  createSeededRandom,
  echoRequest,
  openChannelPair,
  type PassingMessage,
  readBody,
  settle,
} from '@sotto/testkit';
import { ChannelError } from './errors.ts';
import type { IncomingRequest } from './responder.ts';

const hasCode = (code: string) => (error: unknown) => error instanceof ChannelError && error.code === code;
const hasRule = (rule: string) => (error: unknown) => error instanceof ChannelError && error.rule === rule;
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);

test('CH-12 evidence that the handshake did not name is refused', async () => {
  const pair = await createChannelPair();
  // The responder's evidence changes under the digest it has stated.
  (pair.epoch.evidence as Uint8Array)[0] = 0;
  await assert.rejects(pair.unverified.fetchEvidence(1000), hasCode('evidence-mismatch'));
  assert.equal((await pair.responder.closed).kind, 'failed');
  assert.throws(() => pair.unverified.promote(pair.expected), hasCode('session-closed'));
});

test('CH-13 evidence beyond the limit is refused', async () => {
  const evidence = fill(200_000, 7);
  const pair = await createChannelPair({ evidence });
  await assert.rejects(pair.unverified.fetchEvidence(199_999), hasCode('evidence-too-large'));
  assert.equal((await pair.responder.closed).kind, 'failed');
  const whole = await createChannelPair({ evidence });
  assert.deepEqual(await whole.unverified.fetchEvidence(200_000), evidence);
  whole.unverified.close();
});

async function promoteWith(change: Record<string, Uint8Array>, rule: string): Promise<void> {
  const pair = await createChannelPair();
  assert.throws(
    () => pair.unverified.promote({ ...pair.expected, ...change }),
    (error) => {
      assert.ok(hasRule(rule)(error) && hasCode('peer-mismatch')(error));
      assert.equal((error as ChannelError).action, 'stop');
      return true;
    },
  );
  assert.deepEqual(await pair.responder.closed, { kind: 'failed', code: 'session-closed', by: 'peer' });
  assert.throws(() => pair.unverified.promote(pair.expected), hasCode('session-closed'));
}

test('CH-14 another static key is not promoted', () => promoteWith({ staticKey: fill(32, 9) }, 'CH-14'));
test('CH-15 other evidence is not promoted', () => promoteWith({ evidenceDigest: fill(32, 9) }, 'CH-15'));
test('CH-16 another epoch is not promoted', () => promoteWith({ epochId: fill(16, 9) }, 'CH-16'));

test('CH-17 a channel that was promoted or closed is dead as an unverified one', async () => {
  const promoted = await createChannelPair();
  const channel = promoted.unverified.promote(promoted.expected);
  assert.throws(() => promoted.unverified.promote(promoted.expected), hasRule('CH-17'));
  await assert.rejects(promoted.unverified.fetchEvidence(1), hasRule('CH-17'));
  promoted.unverified.close();
  assert.equal(await Promise.race([channel.closed, settle().then(() => 'open')]), 'open');
  channel.close();
  const closed = await createChannelPair();
  closed.unverified.close();
  assert.throws(() => closed.unverified.promote(closed.expected), hasRule('CH-17'));
});

test('CH-18 a responder gives up a channel that is not verified in time', async () => {
  const clock = createManualClock();
  const pair = await createChannelPair({ clock });
  await clock.advance(59_999);
  assert.equal(await Promise.race([pair.responder.closed, settle().then(() => 'open')]), 'open');
  await clock.advance(1);
  const expected = { kind: 'failed', code: 'verification-timeout', by: 'us' };
  assert.deepEqual(await Promise.race([pair.responder.closed, settle().then(() => 'open')]), expected);
  const verified = await openChannelPair({ clock });
  await clock.advance(100_000);
  assert.equal(await Promise.race([verified.responder.closed, settle().then(() => 'open')]), 'open');
});

test('CH-24 what leaves has one of nine sizes', async () => {
  const pair = await openChannelPair({ onRequest: echoRequest });
  for (const size of [1, 200, 300, 5_000, 40_000]) {
    const stream = pair.channel.request(fill(size % 1000, 1));
    await stream.write(fill(size, 2));
    await stream.end();
    await readBody(stream.body);
  }
  pair.channel.close();
  await pair.responder.closed;
  const sizes = new Set(pair.sockets.sent.slice(2).map(({ bytes }) => bytes.length - 16));
  for (const size of sizes)
    assert.ok([256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_519].includes(size), `${size}`);
  assert.ok(sizes.size >= 3);
});

test('CH-33 a head beyond the limit is the caller’s mistake', async () => {
  const pair = await openChannelPair({
    onRequest: (request) => {
      assert.throws(() => request.respond(fill(15_361, 1)), hasCode('head-too-long'));
      void request.respond(fill(15_360, 1)).end();
    },
  });
  assert.throws(() => pair.channel.request(fill(15_361, 1)), hasCode('head-too-long'));
  const stream = pair.channel.request(fill(15_360, 1));
  assert.equal((await stream.head).length, 15_360);
  pair.channel.close();
});

test('CH-42 a caller cannot open more than 128 streams at once', async () => {
  const { channel } = await openChannelPair();
  for (let i = 0; i < 128; i++) channel.request(fill(1, 1));
  assert.throws(() => channel.request(fill(1, 1)), hasCode('too-many-streams'));
  channel.close();
});

test('CH-43 a writer waits for credit, and goes on when it is granted', async () => {
  let take: IncomingRequest | undefined;
  const { channel } = await openChannelPair({
    onRequest: (request) => {
      take = request;
    },
  });
  const stream = channel.request(fill(1, 1));
  let isDone = false;
  const writing = stream.write(fill(70_000, 1)).then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(isDone, false);
  const reading = readBody((take as IncomingRequest).body);
  await writing;
  await stream.end();
  assert.equal((await reading).length, 70_000);
  channel.close();
});

test('CH-46 an answer that is cut short is an error at both ends, after what had arrived', {
  timeout: 6000,
}, async () => {
  for (const primitives of [undefined, webPrimitives]) {
    let lost: IncomingRequest | undefined;
    const pair = await openChannelPair({
      primitives,
      onRequest: (request) => {
        lost = request;
        void request.respond(fill(1, 1)).write(encodeUtf8('half'));
      },
    });
    const stream = pair.channel.request(fill(1, 1));
    const got: string[] = [];
    const reading = (async () => {
      for await (const part of stream.body) {
        got.push(parseUtf8(part));
        pair.sockets.cut();
      }
    })();
    await assert.rejects(reading, hasCode('stream-truncated'));
    assert.deepEqual(got, ['half']);
    await assert.rejects(readBody((lost as IncomingRequest).body), hasCode('stream-truncated'));
    await assert.rejects(stream.write(fill(1, 1)), hasCode('stream-truncated'));
    assert.throws(() => pair.channel.request(fill(1, 1)), hasCode('session-truncated'));
  }
});

test('CH-46 a head that never comes is an error too', { timeout: 6000 }, async () => {
  const pair = await openChannelPair();
  const stream = pair.channel.request(fill(1, 1));
  setImmediate(() => pair.responder.close());
  await assert.rejects(stream.head, hasCode('stream-truncated'));
  assert.deepEqual(await pair.channel.closed, { kind: 'closed', by: 'peer' });
});

test('CH-47 a line that breaks is not an orderly end', { timeout: 6000 }, async () => {
  for (const primitives of [undefined, webPrimitives]) {
    const pair = await openChannelPair({ primitives });
    pair.sockets.cut();
    const truncated = { kind: 'failed', code: 'session-truncated', by: 'peer' };
    assert.deepEqual(await pair.channel.closed, truncated);
    assert.deepEqual(await pair.responder.closed, truncated);
  }
});

test('CH-48 cancelling stops whoever works on the request', { timeout: 6000 }, async () => {
  const cancels: ((pair: Awaited<ReturnType<typeof openChannelPair>>, cancel: () => void) => void)[] = [
    (_, cancel) => cancel(),
    ({ sockets }) => sockets.cut(),
    ({ channel }) => channel.close(),
  ];
  for (const act of cancels) {
    let arrived: (request: IncomingRequest) => void = () => undefined;
    const request = new Promise<IncomingRequest>((resolve) => {
      arrived = resolve;
    });
    const pair = await openChannelPair({ onRequest: (one) => arrived(one) });
    const stream = pair.channel.request(fill(1, 1));
    const { signal, body, respond } = await request;
    const writer = respond(fill(1, 1));
    assert.equal(signal.aborted, false);
    act(pair, () => stream.cancel());
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await assert.rejects(readBody(body), ChannelError);
    await assert.rejects(writer.write(fill(1, 1)), ChannelError);
    await assert.rejects(readBody(stream.body), ChannelError);
    pair.channel.close();
  }
});

test('leaving a body early, or aborting its signal, cancels the stream', async () => {
  const signals: AbortSignal[] = [];
  const pair = await openChannelPair({
    onRequest: (request) => {
      signals.push(request.signal);
      void request.respond(fill(1, 1)).write(encodeUtf8('more'));
    },
  });
  for await (const _ of pair.channel.request(fill(1, 1)).body) break;
  const stop = new AbortController();
  const stream = pair.channel.request(fill(1, 1), { signal: stop.signal });
  await stream.head;
  stop.abort();
  await assert.rejects(readBody(stream.body), hasCode('stream-cancelled'));
  while (signals.length < 2 || !signals.every((signal) => signal.aborted)) await settle();
  assert.throws(() => pair.channel.request(fill(1, 1), { signal: stop.signal }), { name: 'AbortError' });
  pair.channel.close();
});

test('a request that is refused, fails or throws resets its stream with a code, and the others go on', async () => {
  const pair = await openChannelPair({
    onRequest: (request) => {
      const word = parseUtf8(request.head);
      if (word === 'throw') throw new Error('a bug');
      if (word === 'busy') request.reject('busy');
      else if (word === 'fail') request.respond(fill(1, 1)).fail('engine-failed');
      else echoRequest(request);
    },
  });
  const resets = [];
  for (const word of ['throw', 'busy', 'fail']) {
    const error = await readBody(pair.channel.request(encodeUtf8(word)).body).catch((caught: ChannelError) => caught);
    assert.ok(hasCode('stream-reset')(error));
    resets.push((error as ChannelError).reset);
  }
  assert.deepEqual(resets, ['internal', 'busy', 'engine-failed']);
  const stream = pair.channel.request(encodeUtf8('ok'));
  await stream.end();
  assert.equal(parseUtf8(await stream.head), 're: ok');
  pair.channel.close();
});

test('an answer that is whole before its request drops the rest of the request', async () => {
  const pair = await openChannelPair({
    onRequest: (request) => {
      const writer = request.respond(encodeUtf8('too large'));
      void writer.end();
    },
  });
  const stream = pair.channel.request(fill(1, 1));
  for (let i = 0; i < 10; i++) await stream.write(fill(60_000, 1));
  await stream.end();
  assert.equal(parseUtf8(await stream.head), 'too large');
  assert.equal((await readBody(stream.body)).length, 0);
  pair.channel.close();
});

test('CH-50 silence ends a session; a peer that answers keeps it', { timeout: 6000 }, async () => {
  const clock = createManualClock();
  const alive = await openChannelPair({ clock });
  for (let minutes = 0; minutes < 10; minutes++) await clock.advance(60_000);
  assert.equal(await Promise.race([alive.channel.closed, settle().then(() => 'open')]), 'open');
  const gone = await openChannelPair({ clock });
  await clock.advance(1000);
  gone.sockets.intercept = ({ from }) => (from === 'b' ? [] : undefined);
  await clock.advance(150_000);
  const idle = { kind: 'failed', code: 'session-idle', by: 'us' };
  assert.deepEqual(await Promise.race([gone.channel.closed, settle().then(() => 'open')]), idle);
});

test('CH-51 a peer that does not read ends its session', { timeout: 6000 }, async () => {
  const pair = await openChannelPair({
    limits: { outgoingBacklogBytes: 4096 },
    onRequest: (request) =>
      void request
        .respond(fill(1, 1))
        .write(fill(60_000, 1))
        .catch(() => undefined),
  });
  const stream = pair.channel.request(fill(1, 1));
  const writer = pair.sockets.intercept;
  assert.equal(writer, undefined);
  pair.sockets.intercept = ({ from }) => {
    if (from === 'b') pair.sockets.paused = true;
    return undefined;
  };
  assert.deepEqual(await pair.responder.closed, { kind: 'failed', code: 'backlog', by: 'us' });
  pair.sockets.paused = false;
  await assert.rejects(readBody(stream.body), hasCode('stream-truncated'));
});

test('CH-23 a sender stops in time to say so', async () => {
  const pair = await openChannelPair({ limits: { recordsPerDirection: 20 }, onRequest: echoRequest });
  const stream = pair.channel.request(fill(1, 1));
  const writing = (async () => {
    for (let i = 0; i < 40; i++) await stream.write(fill(20_000, 1));
  })();
  await Promise.all([assert.rejects(writing), assert.rejects(readBody(stream.body))]);
  const ends = [await pair.channel.closed, await pair.responder.closed];
  for (const end of ends) assert.equal(end.kind === 'failed' && end.code, 'session-exhausted');
});

test('CH-21 whatever the network does to a record, the session ends and nothing false is read', async () => {
  const original = createSeededRandom('content').bytes(300_000);
  const faults: Record<string, (message: PassingMessage, held: Uint8Array[]) => readonly Uint8Array[] | undefined> = {
    drop: ({ index }) => (index === 3 ? [] : undefined),
    duplicate: ({ index, bytes }) => (index === 3 ? [bytes, bytes] : undefined),
    reorder: ({ index, bytes }, held) => {
      if (index === 2) held.push(bytes);
      return index === 2 ? [] : index === 3 ? [bytes, held[0] as Uint8Array] : undefined;
    },
    flip: ({ index, bytes }) => {
      if (index === 3) bytes[100] = (bytes[100] as number) ^ 1;
      return [bytes];
    },
    replay: ({ index, bytes }, held) => {
      held.push(bytes);
      return index === 3 ? [held[1] as Uint8Array] : undefined;
    },
    replace: ({ index, bytes }) => (index === 3 ? [fill(bytes.length, 0)] : undefined),
  };
  for (const primitives of [undefined, webPrimitives]) {
    for (const [name, fault] of Object.entries(faults)) {
      const held: Uint8Array[] = [];
      const pair = await openChannelPair({
        primitives,
        intercept: (message) => (message.from === 'b' ? fault(message, held) : undefined),
        onRequest: (request) => {
          const writer = request.respond(fill(1, 1));
          void writer.write(original).then(
            () => void writer.end(),
            () => undefined,
          );
        },
      });
      const got: Uint8Array[] = [];
      const reading = (async () => {
        for await (const part of pair.channel.request(fill(1, 1)).body) got.push(part);
      })();
      await assert.rejects(reading, hasCode('stream-truncated'), name);
      assert.deepEqual(await pair.channel.closed, { kind: 'failed', code: 'record-forged', by: 'us' }, name);
      const read = concatBytes(...got);
      assert.deepEqual(read, original.slice(0, read.length), name);
    }
  }
});

test('CH-20 a record cut or grown on the way ends the session', async () => {
  for (const change of [(bytes: Uint8Array) => bytes.slice(1), (bytes: Uint8Array) => concatBytes(bytes, fill(1, 0))]) {
    const pair = await openChannelPair({
      intercept: ({ from, bytes, index }) => (from === 'a' && index === 1 ? [change(bytes)] : undefined),
    });
    pair.channel.request(fill(1, 1));
    assert.deepEqual(await pair.responder.closed, { kind: 'failed', code: 'record-malformed', by: 'us' });
  }
});

test('small writes of one turn share a record, and fifty streams share them too', async () => {
  const pair = await openChannelPair({
    onRequest: (request) => {
      const writer = request.respond(fill(1, 1));
      void (async () => {
        for (let i = 0; i < 200; i++) await writer.write(fill(40, i));
        await writer.end();
      })();
    },
  });
  const before = pair.sockets.sent.length;
  const bodies = await Promise.all(Array.from({ length: 50 }, () => readBody(pair.channel.request(fill(1, 1)).body)));
  for (const body of bodies) assert.equal(body.length, 8000);
  const answers = pair.sockets.sent.slice(before).filter(({ from }) => from === 'b').length;
  assert.ok(answers < 100, `${answers} records for 10,000 writes`);
  pair.channel.close();
});
