import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { generateEd25519 } from '@sotto/crypto/sign';
import { evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { parseBinding } from '@sotto/evidence/binding';
import { createDevEvidenceSource } from '@sotto/evidence/dev';
import { createManualClock, createSeededRandom } from '@sotto/testkit';
import { DEFAULT_TIMES, Epochs } from './epochs.ts';

const MINUTE = 60_000;

async function createEpochs(clock = createManualClock()) {
  const { privateKey } = await generateEd25519();
  const epochs = await Epochs.create({
    source: createDevEvidenceSource({ privateKey, measurement: new Uint8Array(32) }),
    nodeId: new Uint8Array(16).fill(7),
    releaseDigest: new Uint8Array(32),
    configDigest: new Uint8Array(32),
    clock,
    random: createSeededRandom('epochs'),
    times: DEFAULT_TIMES,
  });
  return { epochs, clock };
}

test('an epoch binds its key, its node and its hour', async () => {
  const { epochs, clock } = await createEpochs();
  const { evidence, evidenceDigest: digest, epochId } = epochs.current();
  assert.deepEqual(evidenceDigest(evidence), digest);
  const binding = parseBinding(parseEvidenceBundle(evidence).binding);
  assert.deepEqual(binding.epochId, epochId);
  assert.equal(binding.notBeforeSeconds, Math.floor(clock.nowMs() / 1000));
  assert.equal(binding.notAfterSeconds - binding.notBeforeSeconds, 3600);
  assert.deepEqual(epochs.evidence(encodeHex(digest)), evidence);
});

test('EN-20 after 20 minutes a new key answers, and the old one is erased a minute later', async () => {
  const { epochs, clock } = await createEpochs();
  const old = epochs.current();
  await clock.advance(20 * MINUTE - 1);
  await epochs.refresh();
  assert.equal(epochs.current(), old);
  await clock.advance(1);
  await Promise.all([epochs.refresh(), epochs.refresh()]);
  const next = epochs.current();
  assert.notDeepEqual(next.epochId, old.epochId);
  assert.ok(
    old.staticPrivateKey.some((byte) => byte !== 0),
    'a handshake that began may still end',
  );
  await clock.advance(MINUTE);
  await epochs.refresh();
  assert.ok(old.staticPrivateKey.every((byte) => byte === 0));
  assert.ok(next.staticPrivateKey.some((byte) => byte !== 0));
});

test('EN-21 evidence can be asked for until its hour is over, and no longer', async () => {
  const { epochs, clock } = await createEpochs();
  const digest = encodeHex(epochs.current().evidenceDigest);
  await clock.advance(59 * MINUTE);
  await epochs.refresh();
  assert.ok(epochs.evidence(digest) !== undefined);
  await clock.advance(MINUTE);
  await epochs.refresh();
  assert.equal(epochs.evidence(digest), undefined);
});

test('EN-28 a live answer names the nonce, the handshake and the epoch of the session, also of one that was replaced', async () => {
  const { epochs, clock } = await createEpochs();
  const old = epochs.current();
  await clock.advance(30 * MINUTE);
  await epochs.refresh();
  const [clientNonce, handshakeHash] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const parse = (bundle: Uint8Array) => parseBinding(parseEvidenceBundle(bundle).binding);
  for (const { epochId, evidence } of [old, epochs.current()]) {
    const live = parse(await epochs.live({ epochId, clientNonce, handshakeHash }));
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    assert.deepEqual(live, {
      ...parse(evidence),
      purpose: 'live',
      notBeforeSeconds: nowSeconds,
      notAfterSeconds: nowSeconds + 60,
      clientNonce,
      handshakeHash,
    });
  }
  const unknown = new Uint8Array(16);
  await assert.rejects(epochs.live({ epochId: unknown, clientNonce, handshakeHash }), { code: 'not-found' });
});

test('a clock that was set back starts a new epoch', async () => {
  const clock = createManualClock();
  let backMs = 0;
  const { epochs } = await createEpochs({ ...clock, nowMs: () => clock.nowMs() - backMs });
  const old = epochs.current();
  backMs = 24 * 60 * MINUTE;
  await epochs.refresh();
  assert.notEqual(epochs.current(), old);
});

test('epochs turn by themselves, and every key is erased at the end', async () => {
  const { epochs, clock } = await createEpochs();
  const stop = new AbortController();
  const old = epochs.current();
  const running = epochs.run(stop.signal);
  await clock.advance(22 * MINUTE);
  assert.notEqual(epochs.current(), old);
  assert.ok(old.staticPrivateKey.every((byte) => byte === 0));
  stop.abort();
  await running;
  assert.ok(epochs.current().staticPrivateKey.every((byte) => byte === 0));
});
