/** Both ends over a socket pair: the handshake, evidence, requests, and how things end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, parseUtf8 } from '@sotto/bytes';
import { primitives as webPrimitives } from '@sotto/crypto/primitives/web';
import { createChannelPair, echoRequest, openChannelPair, readBody } from '@sotto/testkit';

test('a request and its answer pass, in Node and with the primitives of a browser', async () => {
  for (const primitives of [undefined, webPrimitives]) {
    const pair = await createChannelPair({ onRequest: echoRequest, primitives });
    assert.deepEqual(await pair.unverified.fetchEvidence(1000), pair.epoch.evidence);
    const channel = pair.unverified.promote(pair.expected);
    const stream = channel.request(encodeUtf8('head'));
    await stream.write(encodeUtf8('hello '));
    await stream.write(encodeUtf8('world'));
    await stream.end();
    assert.equal(parseUtf8(await stream.head), 're: head');
    assert.equal(parseUtf8(await readBody(stream.body)), 'hello world');
    channel.close();
    assert.deepEqual(await channel.closed, { kind: 'closed', by: 'us' });
    assert.deepEqual(await pair.responder.closed, { kind: 'closed', by: 'peer' });
  }
});

test('a megabyte passes both ways at once on four streams', async () => {
  const { channel } = await openChannelPair({ onRequest: echoRequest });
  const block = new Uint8Array(100_000).map((_, i) => i * 7);
  const runs = [0, 1, 2, 3].map(async (n) => {
    const stream = channel.request(Uint8Array.of(n));
    const sent = (async () => {
      for (let i = 0; i < 10; i++) await stream.write(block);
      await stream.end();
    })();
    const [body] = await Promise.all([readBody(stream.body), sent]);
    assert.deepEqual(body, concatBytes(...Array.from({ length: 10 }, () => block)));
  });
  await Promise.all(runs);
});
