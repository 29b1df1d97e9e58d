/** What a session may ask of evidence, without a channel around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import type { Epochs } from './epochs.ts';
import { EvidenceApi } from './evidence-api.ts';

const channel = { handshakeHash: new Uint8Array(32).fill(1), epochId: new Uint8Array(16).fill(2) };
const digest = 'ab'.repeat(32);

function createApi(quote: () => Promise<void> = async () => undefined) {
  const asked: { clientNonce: Uint8Array; handshakeHash: Uint8Array; epochId: Uint8Array }[] = [];
  const epochs = {
    evidence: (hex: string) => (hex === digest ? Uint8Array.of(1, 2, 3) : undefined),
    live: async (options: (typeof asked)[number]) => {
      asked.push(options);
      await quote();
      return Uint8Array.of(9);
    },
  };
  return { api: new EvidenceApi(epochs as unknown as Epochs), asked };
}

const get = (name: string) => new Request(`http://enclave/v1/evidence/${name}`);
const live = (body: Uint8Array<ArrayBuffer>) => new Request(get('live'), { method: 'POST', body });
const nonce = new Uint8Array(32).fill(7);

test('the bundle of an epoch is handed out by its digest, and nothing else is', async () => {
  const { api } = createApi();
  assert.deepEqual(
    new Uint8Array(await (await api.answer(get(digest), channel, {})).arrayBuffer()),
    Uint8Array.of(1, 2, 3),
  );
  for (const name of ['', 'ab', digest.toUpperCase(), encodeHex(new Uint8Array(32)), `${digest}/x`]) {
    await assert.rejects(api.answer(get(name), channel, {}), { code: 'not-found' });
  }
  const post = new Request(get(digest), { method: 'POST', body: '' });
  await assert.rejects(api.answer(post, channel, {}), { code: 'method-not-allowed' });
  await assert.rejects(api.answer(get('live'), channel, {}), { code: 'method-not-allowed' });
});

test('EN-28 a live answer is made of the session, whatever the request says', async () => {
  const { api, asked } = createApi();
  await api.answer(live(nonce), channel, {});
  assert.deepEqual(asked, [{ ...channel, clientNonce: nonce }]);
});

test('EN-27 a nonce has exactly 32 bytes', async () => {
  const { api, asked } = createApi();
  for (const bytes of [0, 1, 31, 33, 64]) {
    await assert.rejects(api.answer(live(new Uint8Array(bytes)), channel, {}), { code: 'bad-request', rule: 'EN-27' });
  }
  assert.equal(asked.length, 0);
});

test('EN-29 a session waits for its answer before it asks again, and the chip quotes one thing at a time', async () => {
  const gate = Promise.withResolvers<void>();
  const { api, asked } = createApi(() => gate.promise);
  const [mine, other] = [{}, {}];
  const first = api.answer(live(nonce), channel, mine);
  const again = api.answer(live(nonce), channel, mine).catch((error: { code: string }) => error.code);
  const second = api.answer(live(nonce), channel, other);
  await new Promise(setImmediate);
  assert.equal(asked.length, 1);
  gate.resolve();
  await Promise.all([first, second]);
  assert.equal(await again, 'busy');
  assert.equal(asked.length, 2);
  await api.answer(live(nonce), channel, mine);
});
