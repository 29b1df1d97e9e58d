/** What a thief of memory holds, and what it opens: the keys of a session as they were imported, tried on its whole recording. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, encodeUtf8 } from '@sotto/bytes';
import { type AeadKey, type Primitives, primitives } from '@sotto/crypto/primitives';
import { echoRequest, openChannelPair, readBody } from '@sotto/testkit';
import { aesGcmNonce } from '../suite.ts';

const NOTHING = new Uint8Array(0);
const LAST_NONCE = new Uint8Array(12).fill(0xff).fill(0, 0, 4);

/** The key that follows `key`: whoever has one has those after it, until new key material comes in. */
async function following(key: Uint8Array): Promise<Uint8Array> {
  const aead = await primitives.importAead(key.slice());
  return (await aead.seal(LAST_NONCE, new Uint8Array(32), NOTHING)).slice(0, 32);
}

async function opens(aead: AeadKey, counter: number, record: Uint8Array): Promise<boolean> {
  try {
    await aead.open(aesGcmNonce(counter), record, NOTHING);
    return true;
  } catch {
    return false;
  }
}

test('CH-69 a key stolen from memory opens nothing from before its rekey, and nothing after a renewal', async () => {
  const stolen = new Map<string, Uint8Array>();
  const spied: Primitives = {
    ...primitives,
    importAead(key) {
      stolen.set(encodeHex(key), key.slice());
      return primitives.importAead(key);
    },
  };
  const pair = await openChannelPair({ onRequest: echoRequest, primitives: spied });
  const ask = async (words: string) => {
    const stream = pair.channel.request(encodeUtf8(words));
    await stream.end();
    await readBody(stream.body);
  };
  await ask('one');
  await ask('two');
  const renewal = await pair.channel.renew();
  await renewal.accept(pair.expected);
  await ask('three');
  pair.channel.close();
  await pair.responder.closed;

  for (const side of ['a', 'b'] as const) {
    const records = pair.sockets.sent.filter(({ from, index }) => from === side && index > 0);
    const spans: { key: Uint8Array; places: number[] }[] = [];
    for (const key of stolen.values()) {
      const aead = await primitives.importAead(key.slice());
      const places: number[] = [];
      for (const [place, { bytes }] of records.entries()) {
        // Counters start again after a renewal: a thief would try every one.
        for (let counter = 0; counter <= place; counter++) if (await opens(aead, counter, bytes)) places.push(place);
      }
      if (places.length > 0) spans.push({ key, places });
    }
    spans.sort((one, other) => (one.places[0] as number) - (other.places[0] as number));
    // Every record is under one key, and every key over one run of records: none opens what was before it.
    assert.deepEqual(
      spans.flatMap(({ places }) => places),
      records.map((_, place) => place),
    );
    // Each key leads to the next, but for one: the first after the renewal, to which no earlier one leads.
    const leads: boolean[] = [];
    for (const [place, { key }] of spans.slice(0, -1).entries()) {
      leads.push(encodeHex(await following(key)) === encodeHex(spans[place + 1]?.key ?? key));
    }
    assert.equal(leads.filter((lead) => !lead).length, 1, `${leads}`);
    const renewedAt = leads.indexOf(false) + 1;
    assert.ok(renewedAt >= 2, 'there was a rekey before the renewal');
    const later = new Set(spans.slice(renewedAt).map(({ key }) => encodeHex(key)));
    let thief = spans[0]?.key as Uint8Array;
    for (let step = 0; step < 32; step++) {
      thief = await following(thief);
      assert.ok(!later.has(encodeHex(thief)));
    }
  }
});
