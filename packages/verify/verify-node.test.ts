import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { ed25519PublicKey } from '@sotto/crypto/sign';
import { encodeEvidenceBundle, evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { createDevEvidence, createDevEvidenceSource, devFingerprint } from '@sotto/evidence/dev';
import { devPolicy, isVerifiedNode, type VerifyError, type VerifyInput, verifyNode } from './index.ts';
import { judgePolicy } from './policy-checks.ts';
import { ReportBuilder } from './report-builder.ts';
import { VerifiedNode } from './verified-node.ts';

const nowMs = Date.UTC(2026, 10, 21, 12);
const privateKey = new Uint8Array(32).fill(1);
const staticKey = new Uint8Array(32).fill(2);
const nodeId = new Uint8Array(16).fill(3);
const epochId = new Uint8Array(16).fill(4);

const { bundle, digest } = await createDevEvidence({
  source: createDevEvidenceSource({ privateKey, measurement: new Uint8Array(32).fill(5) }),
  binding: {
    purpose: 'epoch',
    suites: ['sotto-1'],
    keys: [{ use: 'channel', algorithm: 'x25519', publicKey: staticKey }],
    nodeId,
    epochId,
    notBeforeSeconds: nowMs / 1000,
    notAfterSeconds: nowMs / 1000 + 1800,
    checkpoint: undefined,
    releaseDigest: new Uint8Array(32),
    configDigest: new Uint8Array(32).fill(6),
    deviceEvidenceDigest: new Uint8Array(32),
    clientNonce: new Uint8Array(),
    handshakeHash: new Uint8Array(),
  },
});
const genuine: VerifyInput = {
  bundle,
  policy: devPolicy(encodeHex(devFingerprint(await ed25519PublicKey(privateKey)))),
  nowMs,
  expectedEvidenceDigest: digest,
  expectedNodeId: nodeId,
  expectedStaticKey: staticKey,
  expectedEpochId: epochId,
  expectedSuite: 'sotto-1',
  distrust: { isDistrusted: () => false, subscribe: () => () => {} },
};

async function failureOf(input: VerifyInput): Promise<VerifyError> {
  return await verifyNode(input).then(
    () => assert.fail('accepted'),
    (error) => error as VerifyError,
  );
}

/** The refusal of bundle bytes that someone changed together with the digest that the channel names. */
const refusalOf = (bytes: Uint8Array) =>
  failureOf({ ...genuine, bundle: bytes, expectedEvidenceDigest: evidenceDigest(bytes) });

test('EV-38 every flipped byte of a genuine bundle is refused in the class of the part it stands in', async () => {
  const parts = parseEvidenceBundle(bundle);
  const bindingAt = bundle.length - 1 - parts.statement.length - 4 - parts.binding.length;
  const statementAt = bundle.length - 1 - parts.statement.length;
  const fixedAt = statementAt + 2 + 'sotto/dev-statement/v1'.length + 2;
  const classesAt = (at: number): readonly string[] => {
    if (at === bundle.length - 1) return ['format'];
    if (at < bindingAt) return ['format'];
    if (at < bindingAt + parts.binding.length) return ['format', 'binding'];
    if (at < fixedAt) return ['format'];
    return at < fixedAt + 32 ? ['chain'] : ['signature'];
  };
  for (let at = 0; at < bundle.length; at++) {
    for (const mask of [0x01, 0x80]) {
      const flipped = bundle.slice();
      flipped[at] = (flipped[at] as number) ^ mask;
      const { failureClass, action } = await refusalOf(flipped);
      assert.ok(classesAt(at).includes(failureClass), `byte ${at}: ${failureClass}`);
      assert.equal(action, 'stop');
    }
  }
});

test('EV-13 a genuine bundle with any length one more or one less is refused', async () => {
  for (let at = 0; at + 1 < bundle.length; at++) {
    for (const step of [-1, 1]) {
      const changed = bundle.slice();
      const view = new DataView(changed.buffer);
      const length = view.getUint16(at);
      // A place that can be a length: what follows it is at least as long as it says.
      if (length === 0 || at + 2 + length > bundle.length) continue;
      view.setUint16(at, length + step);
      await refusalOf(changed);
    }
  }
  for (let length = 0; length < bundle.length; length++) {
    assert.equal((await refusalOf(bundle.slice(0, length))).failureClass, 'format');
  }
  const parts = parseEvidenceBundle(bundle);
  for (const name of ['binding', 'statement'] as const) {
    for (const part of [parts[name].slice(1), parts[name].slice(0, -1), Uint8Array.of(...parts[name], 0)]) {
      const { failureClass } = await refusalOf(encodeEvidenceBundle({ ...parts, [name]: part }));
      assert.equal(failureClass, 'format', name);
    }
  }
});

test('EV-37 a flipped byte anywhere is refused against the digest that the channel named', async () => {
  for (const at of [0, 100, 250, bundle.length - 1]) {
    const flipped = bundle.slice();
    flipped[at] = (flipped[at] as number) ^ 1;
    assert.notEqual((await failureOf({ ...genuine, bundle: flipped })).failureClass, 'policy');
  }
});

test('EV-50 the measurement of a development machine is shown and not judged', async () => {
  const { report } = await verifyNode(genuine);
  const line = report.checks.find(({ rule }) => rule === 'EV-50');
  assert.deepEqual([line?.status, line?.observed], ['not-applicable', '05'.repeat(32)]);
  assert.equal(report.trust, 'development');
});

test('EV-54 every check has a line in plain words, and a failed one comes first', async () => {
  const { report } = await verifyNode(genuine);
  const rules = report.checks.map(({ rule }) => rule);
  assert.equal(new Set(rules).size, rules.length);
  for (const rule of [
    'EV-30',
    'EV-33',
    'EV-34',
    'EV-35',
    'EV-36',
    'EV-37',
    'EV-38',
    'EV-39',
    'EV-40',
    'EV-41',
    'EV-42',
  ]) {
    assert.ok(rules.includes(rule), rule);
  }
  for (const rule of ['EV-43', 'EV-44', 'EV-45', 'EV-46', 'EV-47', 'EV-48', 'EV-49', 'EV-50', 'EV-51', 'EV-52']) {
    assert.ok(rules.includes(rule), rule);
  }
  for (const line of report.checks) {
    assert.ok(
      line.title.length > 10 && line.why.length > 20 && line.observed !== '' && line.expected !== '',
      line.rule,
    );
    assert.notEqual(line.status, 'failed');
  }
  const failed = (await failureOf({ ...genuine, expectedNodeId: epochId })).report;
  assert.deepEqual(failed.checks.map(({ rule, status }) => [rule, status]).slice(0, 2), [
    ['EV-42', 'failed'],
    ['EV-30', 'passed'],
  ]);
  assert.equal(failed.checks[0]?.observed, encodeHex(nodeId));
  assert.equal(failed.checks.filter(({ status }) => status === 'failed').length, 1);
  assert.equal(failed.trust, 'none');
});

test('EV-57 a failure says stop, and a clock that is years off says so in plain words', async () => {
  assert.equal((await failureOf({ ...genuine, expectedStaticKey: nodeId })).action, 'stop');
  const clock = await failureOf({ ...genuine, nowMs: Date.UTC(2012, 0, 1) });
  assert.equal(clock.action, 'fix-input');
  assert.match(clock.message, /This device's clock may be wrong/);
  assert.match(clock.report.checks[0]?.observed ?? '', /2012-01-01/);
  for (const nowMs of [0, -1, Number.NaN, Number.MAX_SAFE_INTEGER]) {
    assert.equal((await failureOf({ ...genuine, nowMs })).code, 'clock-implausible');
  }
});

test('EV-51 evidence of another platform than the policy asks for is refused', () => {
  const judge = (kind: 'dev' | 'tdx' | 'tpm-test', platform: 'dev' | 'tdx' | 'tpm') => () =>
    judgePolicy(new ReportBuilder(nowMs), kind, platform, undefined);
  assert.throws(judge('tdx', 'dev'), { code: 'platform-not-allowed', failureClass: 'policy', rule: 'EV-51' });
  assert.throws(judge('dev', 'tdx'), { code: 'platform-not-allowed' });
  assert.throws(judge('tpm-test', 'dev'), { code: 'platform-not-allowed' });
  judge('tpm-test', 'tpm')();
  judge('dev', 'dev')();
});

test('EV-52 a policy for hardware demands the log', () => {
  const judge = (kind: 'tdx' | 'sev-snp') => () => judgePolicy(new ReportBuilder(nowMs), kind, kind, undefined);
  assert.throws(judge('tdx'), { code: 'log-required', failureClass: 'policy', rule: 'EV-52', action: 'stop' });
  assert.throws(judge('sev-snp'), { code: 'log-required' });
});

test('EV-53 nothing but verifyNode makes a VerifiedNode', async () => {
  const { node } = await verifyNode(genuine);
  assert.equal(isVerifiedNode(node), true);
  const { evidenceDigest: copied, notAfterMs, trust } = node;
  const literal = {
    nodeId: node.nodeId,
    epochId: node.epochId,
    staticKey: node.staticKey,
    evidenceDigest: copied,
    notAfterMs,
    trust,
  };
  const lookAlikes = [
    literal,
    Object.create(node),
    Object.create(VerifiedNode.prototype),
    structuredClone(node),
    { ...node },
  ];
  for (const value of [...lookAlikes, undefined, null, 0, 'x']) assert.equal(isVerifiedNode(value), false);
  // @ts-expect-error an object literal is not a VerifiedNode, whatever it holds
  const refusedByType: VerifiedNode = literal;
  assert.equal(isVerifiedNode(refusedByType), false);
  for (const key of [undefined, Symbol('verify'), 'verify']) {
    assert.throws(() => new VerifiedNode(key as never, literal), TypeError);
    assert.throws(() => new (node.constructor as typeof VerifiedNode)(key as never, literal), TypeError);
    assert.throws(() => Reflect.construct(VerifiedNode, [key, literal]), TypeError);
  }
});

test('EV-63 a VerifiedNode ends with the evidence or the policy and cannot be changed', async () => {
  const { node } = await verifyNode(genuine);
  assert.equal(node.notAfterMs, nowMs + 1_800_000);
  const strict = await verifyNode({ ...genuine, policy: { ...genuine.policy, maxAgeSeconds: 600 } });
  assert.equal(strict.node.notAfterMs, nowMs + 600_000);
  node.staticKey.fill(0);
  node.nodeId.fill(0);
  assert.deepEqual([node.staticKey, node.nodeId, node.epochId], [staticKey, nodeId, epochId]);
  assert.throws(() => Object.assign(node, { extra: 1 }), TypeError);
});
