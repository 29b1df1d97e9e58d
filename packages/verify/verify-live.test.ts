/** vectors/evidence/live.json through `verifyLive`: one failure each, by rule; and what evidence of one purpose is worth for the other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { type Policy, type VerifyLiveInput, verifyLive, verifyNode } from './index.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly bundle_hex: string;
  readonly now_ms: number;
  readonly elapsed_ms: number;
  readonly expected_client_nonce_hex: string;
  readonly expected_handshake_hash_hex: string;
  readonly expected_suite: string;
  readonly distrusted: readonly 'key'[];
  readonly expect: 'accept' | { readonly class: string; readonly code: string };
}

interface File {
  readonly policy: Policy;
  readonly session: Readonly<Record<'bundle_hex' | 'evidence_digest_hex' | 'node_id_hex', string>> &
    Readonly<Record<'static_key_hex' | 'epoch_id_hex', string>> & { readonly now_ms: number };
  readonly vectors: readonly Vector[];
}

const { policy, session, vectors } = JSON.parse(
  readFileSync(new URL('../../vectors/evidence/live.json', import.meta.url), 'utf8'),
) as File;
const nobody = { isDistrusted: () => false, subscribe: () => () => {} };
const opening = {
  bundle: parseHex(session.bundle_hex),
  policy,
  nowMs: session.now_ms,
  expectedEvidenceDigest: parseHex(session.evidence_digest_hex),
  expectedNodeId: parseHex(session.node_id_hex),
  expectedStaticKey: parseHex(session.static_key_hex),
  expectedEpochId: parseHex(session.epoch_id_hex),
  expectedSuite: 'sotto-1',
  distrust: nobody,
};
const { node } = await verifyNode(opening);

function inputOf(vector: Vector): VerifyLiveInput {
  const isWithdrawn = (key: Uint8Array) =>
    vector.distrusted.includes('key') && encodeHex(key) === session.static_key_hex;
  return {
    bundle: parseHex(vector.bundle_hex),
    policy,
    nowMs: vector.now_ms,
    elapsedMs: vector.elapsed_ms,
    expectedNode: node,
    expectedClientNonce: parseHex(vector.expected_client_nonce_hex),
    expectedHandshakeHash: parseHex(vector.expected_handshake_hash_hex),
    expectedSuite: vector.expected_suite,
    distrust: { ...nobody, isDistrusted: ({ staticKey }) => isWithdrawn(staticKey) },
  };
}

const vectorOf = (id: string) => vectors.find((vector) => vector.id === id) as Vector;
const genuine = inputOf(vectorOf('genuine'));

async function judge(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if (vector.expect === 'accept') {
      assert.equal((await verifyLive(inputOf(vector))).trust, 'development', vector.id);
      continue;
    }
    const { class: failureClass, code } = vector.expect;
    await assert.rejects(verifyLive(inputOf(vector)), { name: 'VerifyError', failureClass, code, rule }, vector.id);
  }
}

test('EV-13 a live answer that cannot be read is refused', () => judge('EV-13'));
test('EV-33 a live answer of a platform without a root is refused', () => judge('EV-33'));
test('EV-34 a live answer of a machine that is not the pinned one is refused', () => judge('EV-34'));
test('EV-35 a live answer of a withdrawn key is refused', () => judge('EV-35'));
test('EV-36 a live answer with a bad signature is refused', () => judge('EV-36'));
test('EV-46 with a clock that is years off, a live answer says so', () => judge('EV-46'));
test('EV-62 a live answer with a checkpoint that cannot be checked is refused', () => judge('EV-62'));
test('EV-64 a statement about other claims is no live answer', () => judge('EV-64'));
test('EV-65 evidence of another purpose is no live answer', () => judge('EV-65'));
test('EV-66 a live answer names the nonce of its question', () => judge('EV-66'));
test('EV-67 a live answer names the handshake of its session', () => judge('EV-67'));
test('EV-68 a live answer names the static key of its session', () => judge('EV-68'));
test('EV-69 a live answer names the node of its session', () => judge('EV-69'));
test('EV-70 a live answer names the epoch of its session', () => judge('EV-70'));
test('EV-71 a live answer names the suite in use', () => judge('EV-71'));
test('EV-72 a live answer of a development machine shows no devices', () => judge('EV-72'));
test('EV-73 a live answer comes within 30 seconds', () => judge('EV-73'));
test('EV-74 a live answer is dated now, within 5 minutes', () => judge('EV-74'));

test('EV-65 evidence of an epoch is no live answer, and a live answer opens no session [EV-39]', async () => {
  await assert.rejects(verifyLive({ ...genuine, bundle: opening.bundle }), { code: 'purpose-mismatch', rule: 'EV-65' });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(genuine.bundle)));
  const input = { ...opening, bundle: genuine.bundle, nowMs: genuine.nowMs, expectedEvidenceDigest: digest };
  await assert.rejects(verifyNode(input), { code: 'purpose-mismatch', rule: 'EV-39' });
});

test('EV-75 only a node that was verified can be checked again', async () => {
  const { staticKey, nodeId, epochId, evidenceDigest, notAfterMs, trust } = node;
  const literal = { staticKey, nodeId, epochId, evidenceDigest, notAfterMs, trust };
  for (const forged of [literal, Object.create(node), undefined]) {
    await assert.rejects(verifyLive({ ...genuine, expectedNode: forged as never }), TypeError);
  }
});

test('EV-66 every flipped byte of a live answer is refused', async () => {
  for (let at = 0; at < genuine.bundle.length; at++) {
    const flipped = genuine.bundle.slice();
    flipped[at] = (flipped[at] as number) ^ 0x01;
    await assert.rejects(verifyLive({ ...genuine, bundle: flipped }), { name: 'VerifyError', action: 'stop' });
  }
});

test('EV-54 a live report has a line in plain words for every check, the failed one first', async () => {
  const { checks, checkedAtMs } = await verifyLive(genuine);
  assert.equal(checkedAtMs, genuine.nowMs);
  assert.equal(new Set(checks.map(({ rule }) => rule)).size, checks.length);
  for (const { title, why, observed, expected, rule } of checks) {
    assert.ok(title.length > 10 && why.length > 20 && observed !== '' && expected !== '', rule);
  }
  await assert.rejects(
    verifyLive({ ...genuine, elapsedMs: 60_000 }),
    (error: Error & { report: { checks: object[] } }) => {
      assert.deepEqual(
        { ...error.report.checks[0] },
        { ...error.report.checks[0], rule: 'EV-73', status: 'failed', observed: '60.0 seconds' },
      );
      return true;
    },
  );
});
