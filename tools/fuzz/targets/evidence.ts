/** Evidence and its judgement. Whatever is done to a genuine bundle, `verifyNode` must not say yes to the result. */
import { ByteWriter, encodeHex, encodeUtf8, equalBytes, parseHex } from '@sotto/bytes';
import { EvidenceError, encodeEvidenceBundle, evidenceDigest, parseEvidenceBundle } from '@sotto/evidence';
import { encodeBinding, parseBinding } from '@sotto/evidence/binding';
import { isDevSignatureValid, parseDevStatement } from '@sotto/evidence/dev';
import { PolicyError, parseDevFragment, parsePolicy, VerifyError, verifyLive, verifyNode } from '@sotto/verify';
import { jsonBytes, loadVectors, lossyText } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

interface Vector {
  readonly id: string;
  readonly bundle_hex: string;
  readonly policy: unknown;
  readonly now_ms: number;
  readonly expected_node_id_hex: string;
  readonly expected_static_key_hex: string;
  readonly expected_epoch_id_hex: string;
  readonly expected_suite: string;
}
const { vectors } = loadVectors<{ vectors: Vector[] }>('evidence/verify.json');
const genuine = vectors.find(({ id }) => id === 'genuine') as Vector;
const KNOWN = new Set(vectors.map(({ bundle_hex }) => bundle_hex));
const bundles = (): Input[] => [...KNOWN].map((hex) => [parseHex(hex)]);
const distrust = { isDistrusted: () => false, subscribe: () => () => undefined };

/** The attacker also chooses the digest that the handshake names: it is the one of what is judged. */
async function judge(bundle: Uint8Array): Promise<void> {
  await verifyNode({
    bundle,
    policy: genuine.policy as never,
    nowMs: genuine.now_ms,
    expectedEvidenceDigest: evidenceDigest(bundle),
    expectedNodeId: parseHex(genuine.expected_node_id_hex),
    expectedStaticKey: parseHex(genuine.expected_static_key_hex),
    expectedEpochId: parseHex(genuine.expected_epoch_id_hex),
    expectedSuite: genuine.expected_suite,
    distrust,
  });
  insist(KNOWN.has(encodeHex(bundle)), 'a node was verified by evidence that it did not make');
}

const LIVE = loadVectors<{
  policy: unknown;
  session: Record<'bundle_hex' | 'evidence_digest_hex' | 'node_id_hex' | 'static_key_hex' | 'epoch_id_hex', string> & {
    now_ms: number;
  };
  vectors: (Record<
    'id' | 'bundle_hex' | 'expected_client_nonce_hex' | 'expected_handshake_hash_hex' | 'expected_suite',
    string
  > & { now_ms: number; elapsed_ms: number; expect: unknown })[];
}>('evidence/live.json');
const goodLive = LIVE.vectors.find(({ id }) => id === 'genuine');

/** The answer to one live question, in a session whose node was verified. */
async function judgeLive(bundle: Uint8Array): Promise<void> {
  const { session } = LIVE;
  const { node } = await verifyNode({
    bundle: parseHex(session.bundle_hex),
    policy: LIVE.policy as never,
    nowMs: session.now_ms,
    expectedEvidenceDigest: parseHex(session.evidence_digest_hex),
    expectedNodeId: parseHex(session.node_id_hex),
    expectedStaticKey: parseHex(session.static_key_hex),
    expectedEpochId: parseHex(session.epoch_id_hex),
    expectedSuite: 'sotto-1',
    distrust,
  });
  await verifyLive({
    bundle,
    policy: LIVE.policy as never,
    nowMs: goodLive?.now_ms ?? 0,
    elapsedMs: goodLive?.elapsed_ms ?? 0,
    expectedNode: node,
    expectedClientNonce: parseHex(goodLive?.expected_client_nonce_hex ?? ''),
    expectedHandshakeHash: parseHex(goodLive?.expected_handshake_hash_hex ?? ''),
    expectedSuite: 'sotto-1',
    distrust,
  });
  insist(encodeHex(bundle) === goodLive?.bundle_hex, 'a live answer was accepted that the node did not make');
}

function bundlePieces(): Input[] {
  return bundles().flatMap(([bytes]) => {
    try {
      const { binding, statement, devices } = parseEvidenceBundle(bytes as Uint8Array);
      return [[binding, statement, ...devices.map(({ evidence }) => evidence)] as Input];
    } catch {
      return [];
    }
  });
}

/** Without the checks of `encodeEvidenceBundle`. */
function assemble([binding = new Uint8Array(0), statement = new Uint8Array(0), ...devices]: Input): Uint8Array {
  const writer = new ByteWriter().raw(encodeUtf8('sotto/evidence')).u16(1).vector16(encodeUtf8('dev'));
  writer.vector32(binding).vector32(statement).u8(Math.min(devices.length, 255));
  for (const device of devices.slice(0, 255)) writer.vector16(encodeUtf8('nvidia')).vector32(device);
  return writer.finish();
}

export const evidenceTargets: readonly Target[] = [
  {
    name: 'evidence/binding',
    errors: [EvidenceError],
    corpus: () => [
      ...loadVectors<{ vectors: { encoded_hex: string }[] }>('evidence/binding.json').vectors.map((vector) => [
        parseHex(vector.encoded_hex),
      ]),
      ...bundlePieces().map(([binding]) => [binding as Uint8Array<ArrayBuffer>]),
    ],
    run([part = new Uint8Array(0)]) {
      insist(equalBytes(encodeBinding(parseBinding(part)), part), 'two spellings of the same binding');
    },
  },
  {
    name: 'evidence/bundle',
    errors: [EvidenceError],
    corpus: bundles,
    run([part = new Uint8Array(0)]) {
      insist(equalBytes(encodeEvidenceBundle(parseEvidenceBundle(part)), part), 'two spellings of the same bundle');
    },
  },
  {
    name: 'evidence/dev-statement',
    errors: [EvidenceError],
    corpus: () => bundlePieces().map(([, statement]) => [statement as Uint8Array<ArrayBuffer>]),
    async run([part = new Uint8Array(0)]) {
      const isValid = await isDevSignatureValid(parseDevStatement(part));
      const hex = encodeHex(part);
      const isKnown = [...KNOWN].some((bundle) => bundle.includes(hex));
      insist(!isValid || isKnown, 'a signature that nobody made is valid');
      return isValid ? undefined : 'signature-invalid';
    },
  },
  {
    name: 'verify/bundle',
    errors: [VerifyError],
    corpus: bundles,
    run: ([part = new Uint8Array(0)]) => judge(part),
  },
  {
    // Binding, statement and devices changed one by one and put together again without a fault in the lengths.
    name: 'verify/pieces',
    errors: [VerifyError],
    corpus: bundlePieces,
    run: (input) => judge(assemble(input)),
  },
  {
    name: 'verify/live',
    errors: [VerifyError],
    corpus: () => [...new Set(LIVE.vectors.map(({ bundle_hex }) => bundle_hex))].map((hex) => [parseHex(hex)]),
    run: ([part = new Uint8Array(0)]) => judgeLive(part),
  },
  {
    name: 'verify/policy',
    errors: [PolicyError],
    corpus: () =>
      [...new Set(vectors.map(({ policy }) => JSON.stringify(policy ?? null)))].map((text) => [encodeUtf8(text)]),
    run([part]) {
      let value: unknown;
      try {
        value = JSON.parse(lossyText(part));
      } catch {
        return 'not-json';
      }
      parsePolicy(value);
      return undefined;
    },
  },
  {
    name: 'verify/dev-fragment',
    errors: [PolicyError],
    corpus: () => [
      [encodeUtf8(`#dev=${'ab'.repeat(32)}`)],
      [encodeUtf8(`a=b&dev=${'0f'.repeat(32)}`)],
      [jsonBytes({})],
    ],
    run([part]) {
      return parseDevFragment(lossyText(part)) === undefined ? 'none-named' : undefined;
    },
  },
];
