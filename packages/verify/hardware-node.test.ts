/** vectors/evidence/hardware.json through `verifyNode`, under test roots: one failure each, by rule; and live answers of hardware. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseBase64, parseHex } from '@sotto/bytes';
import { createEvidence } from '@sotto/evidence/collect';
import {
  gpuSource,
  snpSource,
  TEST_COLLATERAL,
  TEST_POLICIES,
  TEST_ROOTS,
  tpmSource,
} from '@sotto/testkit/evidence-node';
import {
  isVerifiedNode,
  parsePolicy,
  type VerifyError,
  type VerifyInput,
  type VerifyLiveInput,
  verifyLive,
  verifyNode,
} from './index.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly refused_by?: string;
  readonly bundle_b64: string;
  readonly policy: VerifyInput['policy'];
  readonly collateral: 'test' | 'none' | 'no-crl';
  readonly evidence_digest_hex: string;
  readonly expect: 'accept' | { readonly class: string; readonly code: string };
}

const file = JSON.parse(readFileSync(new URL('../../vectors/evidence/hardware.json', import.meta.url), 'utf8'));
const vectors = file.vectors as readonly Vector[];

const { sevSnp } = TEST_COLLATERAL;
const COLLATERAL = {
  test: TEST_COLLATERAL,
  none: undefined,
  'no-crl': { sevSnp: sevSnp && { ...sevSnp, crl: undefined } },
} as const;

function inputOf(vector: Vector): VerifyInput {
  return {
    bundle: parseBase64(vector.bundle_b64),
    policy: vector.policy,
    nowMs: file.now_ms,
    expectedEvidenceDigest: parseHex(vector.evidence_digest_hex),
    expectedNodeId: parseHex(file.node_id_hex),
    expectedStaticKey: parseHex(file.static_key_hex),
    expectedEpochId: parseHex(file.epoch_id_hex),
    expectedSuite: 'sotto-1',
    distrust: { isDistrusted: () => false, subscribe: () => () => {} },
    collateral: COLLATERAL[vector.collateral],
    roots: TEST_ROOTS,
  };
}

const vectorOf = (id: string) => vectors.find((vector) => vector.id === id) as Vector;
const failureOf = (input: VerifyInput) =>
  verifyNode(input).then(
    () => assert.fail('accepted'),
    (error) => error as VerifyError,
  );

async function judge(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if (vector.expect === 'accept') {
      assert.equal(isVerifiedNode((await verifyNode(inputOf(vector))).node), true, vector.id);
      continue;
    }
    const { class: failureClass, code } = vector.expect;
    const expected = { name: 'VerifyError', failureClass, code, rule: vector.refused_by ?? rule };
    await assert.rejects(verifyNode(inputOf(vector)), expected, vector.id);
  }
}

test('EV-32 hardware without what a policy needs to be judged with is refused', () => judge('EV-32'));
test('EV-33 hardware of another kind than the policy’s is refused', () => judge('EV-33'));
test('EV-38 a quote over other claims is refused', () => judge('EV-38'));
test('EV-41 a quote for another channel key is refused', () => judge('EV-41'));
test('EV-45 a device beside a TPM is refused', () => judge('EV-45'));
test('EV-49 stale hardware evidence is refused', () => judge('EV-49'));
test('EV-52 hardware that is whole is refused while there is no log', () => judge('EV-52'));
test('EV-55 of two faults of hardware the one of the earlier class is reported', () => judge('EV-55'));
test('EV-62 a checkpoint of hardware that cannot be checked is refused', () => judge('EV-62'));
test('EV-63 a pinned TPM makes a VerifiedNode', () => judge('EV-63'));
test('EV-419 a machine whose revocation was not looked up is refused where the policy says so', () => judge('EV-419'));
test('EV-420 a machine with old firmware is refused', () => judge('EV-420'));
test('EV-423 a machine that its host debugs is refused', () => judge('EV-423'));
test('EV-432 a machine with another program is refused', () => judge('EV-432'));
test('EV-435 a TPM that is not pinned is refused', () => judge('EV-435'));
test('EV-436 a machine without its graphics processor is refused', () => judge('EV-436'));
test('EV-440 one maker where two must vouch is refused', () => judge('EV-440'));
test('EV-444 devices that the machine did not vouch for are refused', () => judge('EV-444'));
test('EV-445 a device of no known kind is refused', () => judge('EV-445'));
test('EV-447 what the maker’s own checks refuse is refused under their rule', () => judge('EV-447'));

test('EV-446 more than 4 MiB beside the bundle is refused before it is read', async () => {
  const rims = ['x'.repeat(4 * 1024 * 1024)];
  const input = { ...inputOf(vectorOf('tdx-whole')), collateral: { ...TEST_COLLATERAL, nvidia: { rims, ocsp: [] } } };
  const { code, rule, failureClass } = await failureOf(input);
  assert.deepEqual([code, rule, failureClass], ['collateral-too-large', 'EV-446', 'format']);
});

test('EV-54 hardware has a line for every class of its maker’s checks and for every demand', async () => {
  const { report } = await failureOf(inputOf(vectorOf('tdx-whole')));
  const rules = report.checks.map(({ rule }) => rule);
  assert.equal(new Set(rules).size, rules.length);
  const marks = new Map(report.checks.map(({ rule, status }) => [rule, status]));
  for (const rule of ['EV-130–133', 'EV-161–165', 'EV-273–280', 'EV-420', 'EV-432', 'EV-436', 'EV-440', 'EV-444']) {
    assert.equal(marks.get(rule), 'passed', rule);
  }
  assert.equal(marks.get('EV-286–297'), 'not-applicable', 'no answer about revocation of the device was shown');
  for (const { title, why, observed, expected, rule } of report.checks) {
    assert.ok(title.length > 10 && why.length > 20 && observed !== '' && expected !== '', rule);
  }
});

test('EV-32 parsePolicy reads what it returned, and verifies a pinned TPM under a word of its own', async () => {
  for (const policy of Object.values(TEST_POLICIES)) {
    assert.deepEqual(parsePolicy(parsePolicy(policy)), parsePolicy(policy));
  }
  const { node, report } = await verifyNode(inputOf(vectorOf('tpm-whole')));
  assert.deepEqual([node.trust, report.trust], ['tpm-test', 'tpm-test']);
});

test('EV-52 under the production roots nothing of the test’s is even read as a chain', async () => {
  for (const id of ['tdx-whole', 'sev-snp-whole']) {
    const { failureClass, code } = await failureOf({ ...inputOf(vectorOf(id)), roots: undefined });
    assert.deepEqual([failureClass, code], ['chain', 'certificate-root-unknown'], id);
  }
});

test('EV-447 every flipped byte of hardware evidence that is signed is refused as evidence', async () => {
  for (const id of ['tpm-whole', 'sev-snp-whole']) {
    const input = inputOf(vectorOf(id));
    for (let at = 0; at < input.bundle.length; at += id === 'tpm-whole' ? 1 : 7) {
      const bundle = input.bundle.slice();
      bundle[at] = (bundle[at] as number) ^ 1;
      const expectedEvidenceDigest = new Uint8Array(await crypto.subtle.digest('SHA-256', bundle));
      const { action, code } = await failureOf({ ...input, bundle, expectedEvidenceDigest });
      assert.deepEqual([action, code === 'log-required'], ['stop', false], `${id}, byte ${at}`);
    }
  }
});

const nonce = new Uint8Array(32).fill(0x51);
const handshakeHash = new Uint8Array(32).fill(0x52);

async function liveInput(kind: 'tpm-test' | 'sev-snp', clientNonce: Uint8Array): Promise<VerifyLiveInput> {
  const { node } = await verifyNode(inputOf(vectorOf('tpm-whole')));
  const nowSeconds = file.now_ms / 1000;
  const { bundle } = await createEvidence({
    ...(kind === 'tpm-test' ? { source: tpmSource() } : { source: snpSource(), devices: gpuSource() }),
    binding: {
      purpose: 'live',
      suites: ['sotto-1'],
      keys: [{ use: 'channel', algorithm: 'x25519', publicKey: node.staticKey }],
      nodeId: node.nodeId,
      epochId: node.epochId,
      notBeforeSeconds: nowSeconds,
      notAfterSeconds: nowSeconds + 60,
      checkpoint: undefined,
      releaseDigest: new Uint8Array(32),
      configDigest: new Uint8Array(32),
      clientNonce,
      handshakeHash,
    },
  });
  return {
    ...{ bundle, policy: TEST_POLICIES[kind], nowMs: file.now_ms, elapsedMs: 900, expectedNode: node },
    ...{ expectedClientNonce: nonce, expectedHandshakeHash: handshakeHash, expectedSuite: 'sotto-1' },
    distrust: { isDistrusted: () => false, subscribe: () => () => {} },
    ...{ collateral: TEST_COLLATERAL, roots: TEST_ROOTS },
  };
}

test('EV-66 a TPM answers a live question for its nonce alone', async () => {
  assert.equal((await verifyLive(await liveInput('tpm-test', nonce))).trust, 'tpm-test');
  await assert.rejects(verifyLive(await liveInput('tpm-test', handshakeHash)), { rule: 'EV-66' });
});

test('EV-52 a live answer of production hardware is judged whole, and needs the log too', async () => {
  await assert.rejects(verifyLive(await liveInput('sev-snp', nonce)), (error: VerifyError) => {
    assert.deepEqual([error.rule, error.report.checks.some(({ rule }) => rule === 'EV-440')], ['EV-52', true]);
    return true;
  });
});

test('EV-64 a live answer of hardware over other claims is refused', async () => {
  const [good, other] = [await liveInput('tpm-test', nonce), await liveInput('tpm-test', handshakeHash)];
  const { parseEvidenceBundle, encodeEvidenceBundle } = await import('@sotto/evidence');
  const spliced = { ...parseEvidenceBundle(good.bundle), statement: parseEvidenceBundle(other.bundle).statement };
  await assert.rejects(verifyLive({ ...good, bundle: encodeEvidenceBundle(spliced) }), { rule: 'EV-64' });
});
