/** vectors/evidence/verify.json through `verifyNode`: one failure each, by rule. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { isVerifiedNode, type VerifyInput, verifyNode } from './index.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly bundle_hex: string;
  readonly policy: unknown;
  readonly now_ms: number;
  readonly expected_evidence_digest_hex: string;
  readonly expected_node_id_hex: string;
  readonly expected_static_key_hex: string;
  readonly expected_epoch_id_hex: string;
  readonly expected_suite: string;
  readonly distrusted: readonly ('evidence' | 'key')[];
  readonly expect: 'accept' | { readonly class: string; readonly code: string };
}

const file = new URL('../../vectors/evidence/verify.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

function inputOf(vector: Vector): VerifyInput {
  const digest = vector.expected_evidence_digest_hex;
  const key = vector.expected_static_key_hex;
  return {
    bundle: parseHex(vector.bundle_hex),
    policy: vector.policy as VerifyInput['policy'],
    nowMs: vector.now_ms,
    expectedEvidenceDigest: parseHex(digest),
    expectedNodeId: parseHex(vector.expected_node_id_hex),
    expectedStaticKey: parseHex(key),
    expectedEpochId: parseHex(vector.expected_epoch_id_hex),
    expectedSuite: vector.expected_suite,
    distrust: {
      isDistrusted: ({ evidenceDigest, staticKey }) =>
        (vector.distrusted.includes('evidence') && encodeHex(evidenceDigest) === digest) ||
        (vector.distrusted.includes('key') && encodeHex(staticKey) === key),
      subscribe: () => () => {},
    },
  };
}

async function judge(rule: string): Promise<void> {
  const ofRule = vectors.filter((vector) => vector.rule === rule);
  assert.notEqual(ofRule.length, 0, `no vector for ${rule}`);
  for (const vector of ofRule) {
    if (vector.expect === 'accept') {
      assert.equal(isVerifiedNode((await verifyNode(inputOf(vector))).node), true, vector.id);
      continue;
    }
    const { class: failureClass, code } = vector.expect;
    // EV-55 vectors carry two faults; the rule that refuses is then the one of the earlier fault.
    const refusing = rule === 'EV-55' ? {} : { rule };
    await assert.rejects(
      verifyNode(inputOf(vector)),
      { name: 'VerifyError', failureClass, code, ...refusing },
      vector.id,
    );
  }
}

test('EV-01 an unknown purpose is refused', () => judge('EV-01'));
test('EV-02 a suite that stands twice is refused', () => judge('EV-02'));
test('EV-03 two keys of one use are refused', () => judge('EV-03'));
test('EV-04 a window that ends before it begins is refused', () => judge('EV-04'));
test('EV-05 a malformed checkpoint is refused', () => judge('EV-05'));
test('EV-06 a nonce or hash of another length is refused', () => judge('EV-06'));
test('EV-07 a binding of another length is refused', () => judge('EV-07'));
test('EV-10 an empty or long list is refused', () => judge('EV-10'));
test('EV-11 a name in another spelling is refused', () => judge('EV-11'));
test('EV-13 a bundle of another length is refused', () => judge('EV-13'));
test('EV-14 another magic or version is refused', () => judge('EV-14'));
test('EV-15 an unknown platform is refused', () => judge('EV-15'));
test('EV-16 too many devices are refused', () => judge('EV-16'));
test('EV-17 a statement of another length is refused', () => judge('EV-17'));
test('EV-18 a statement under another label is refused', () => judge('EV-18'));
test('EV-30 a missing policy is refused', () => judge('EV-30'));
test('EV-31 a policy with an unknown field is refused', () => judge('EV-31'));
test('EV-33 a platform without a root is refused', () => judge('EV-33'));
test('EV-34 a good machine that is not the pinned one is refused', () => judge('EV-34'));
test('EV-35 what was withdrawn is refused', () => judge('EV-35'));
test('EV-36 a bad signature is refused, a good one accepted', () => judge('EV-36'));
test('EV-37 a bundle that the channel did not name is refused', () => judge('EV-37'));
test('EV-38 a statement about other claims is refused', () => judge('EV-38'));
test('EV-39 another purpose is refused', () => judge('EV-39'));
test('EV-40 a suite that is not listed is refused', () => judge('EV-40'));
test('EV-41 another static key, use or algorithm is refused', () => judge('EV-41'));
test('EV-42 another node is refused', () => judge('EV-42'));
test('EV-43 evidence of another epoch is refused', () => judge('EV-43'));
test('EV-44 evidence made for a session is refused', () => judge('EV-44'));
test('EV-45 devices in development evidence are refused', () => judge('EV-45'));
test('EV-46 a clock that is years off is named', () => judge('EV-46'));
test('EV-47 evidence dated ahead is refused, beyond 5 minutes', () => judge('EV-47'));
test('EV-48 expired evidence is refused, beyond 5 minutes', () => judge('EV-48'));
test('EV-49 stale evidence is refused, beyond 5 minutes', () => judge('EV-49'));
test('EV-55 of two faults the one of the earlier class is reported', () => judge('EV-55'));
test('EV-58 a maximum age out of range is refused', () => judge('EV-58'));
test('EV-59 a policy of an unknown kind or version is refused', () => judge('EV-59'));
test('EV-60 a malformed fingerprint is refused', () => judge('EV-60'));
test('EV-62 a checkpoint that cannot be checked is refused', () => judge('EV-62'));
