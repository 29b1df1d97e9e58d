/** The judge's stages (`sotto conformance`): a verdict on every input, never the exit code of a judge that failed itself. */
import { encodeUtf8 } from '@sotto/bytes';
import { judgeLines, linesOf } from '../../../apps/cli/conformance/batch.ts';
import { parseJson } from '../../../apps/cli/conformance/input.ts';
import { VERDICT } from '../../../apps/cli/conformance/outcome.ts';
import { judge } from '../../../apps/cli/conformance/stages.ts';
import { areSharedVectorsAbsent, loadSharedNoiseCases } from '../../../apps/cli/testing/shared-noise.ts';
import { jsonBytes, loadVectors } from '../corpus.ts';
import { type Input, insist, type Target } from '../target.ts';

interface HandshakeFile {
  readonly [name: string]: string;
}
const hs = loadVectors<HandshakeFile>('channel/handshake.json');
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

const STAGES: Readonly<Record<string, () => unknown[]>> = {
  noise: () => [
    ...loadVectors<{ vectors: { input: unknown }[] }>('noise/vectors.json').vectors.map(({ input }) => input),
    ...(areSharedVectorsAbsent ? [] : loadSharedNoiseCases().filter((_, index) => index % 29 === 0)).map(
      ({ input }) => input,
    ),
  ],
  'channel-handshake': () => [
    {
      suite: 'sotto-1',
      role_seeds: {
        initiator_ephemeral_hex: hs.initiator_ephemeral_hex,
        initiator_kem_seed_hex: hs.initiator_kem_seed_hex,
        responder_ephemeral_hex: hs.responder_ephemeral_hex,
        responder_static_hex: hs.responder_static_hex,
        encapsulation_seed_hex: hs.encapsulation_seed_hex,
      },
      prologue: base64(hs.prologue_hex ?? ''),
      evidence_digest_hex: hs.evidence_digest_hex,
      epoch_id: hs.epoch_id_hex,
    },
  ],
  'channel-frame': () => {
    const { key_hex, cases } = loadVectors<{ key_hex: string; cases: { counter: number; record_hex: string }[] }>(
      'channel/records.json',
    );
    return cases.map(({ counter, record_hex }) => ({
      suite: 'sotto-1',
      keys_hex: { from_initiator: key_hex, from_responder: key_hex },
      role: 'responder',
      profile: 'compact',
      start_nonce: counter,
      frames: [base64(record_hex)],
    }));
  },
  binding: () => [
    {
      purpose: 'epoch',
      suites: ['sotto-1'],
      keys: [{ use: 'channel', algorithm: 'x25519', public_key_hex: '11'.repeat(32) }],
      node_id: '11'.repeat(16),
      epoch_id: '22'.repeat(16),
      not_before: 1_795_262_400,
      not_after: 1_795_266_000,
      checkpoint: { origin: 'log.example', size: 7, root_hex: '44'.repeat(32) },
      release_digest_hex: '00'.repeat(32),
      config_digest_hex: '33'.repeat(32),
      client_nonce_hex: '',
      handshake_hash_hex: '55'.repeat(32),
    },
  ],
  'vault-open': () =>
    loadVectors<Record<string, unknown>[]>('vault/envelopes.json').map((vector) => ({
      envelope: vector.envelope,
      account_id_hex: vector.expectedAccountId,
      account_key_hex: vector.accountKey,
      epoch: vector.epoch,
      expected_id: vector.expectedRecordId,
      expected_type: vector.expectedType ?? 'message',
    })),
};

const NAMES = ['accept', 'internal', 'reject', 'unsupported', 'malformed'] as const;

const stageTargets = Object.entries(STAGES).map(
  ([stage, inputs]): Target => ({
    name: `judge/${stage}`,
    errors: [],
    corpus: () => inputs().map((input) => [jsonBytes(input)]),
    async run([part = new Uint8Array(0)]) {
      const { exit, output } = await judge(stage, () => parseJson(part));
      insist(exit !== VERDICT.internal, 'the judge itself failed');
      return exit === VERDICT.accept ? undefined : `${NAMES.find((name) => VERDICT[name] === exit)} ${output.code}`;
    },
  }),
);

export const judgeTargets: readonly Target[] = [
  ...stageTargets,
  {
    name: 'judge/batch',
    errors: [],
    corpus: (): Input[] => [
      Object.keys(STAGES).map((stage, id) =>
        encodeUtf8(`${JSON.stringify({ id, stage, input: STAGES[stage]?.()[0] })}\n`),
      ),
      [encodeUtf8('{"id":"a","stage":"nothing","input":{}}\n\n{"id":')],
    ],
    async run(parts) {
      // Each line costs a verdict, so thousands of short ones are slow without a fault.
      const chunks = (async function* () {
        for (const part of parts) yield part.subarray(0, 4096);
      })();
      for await (const answer of judgeLines(linesOf(chunks, 4096))) {
        insist(!answer.includes('\n'), 'an answer of more than one line');
        insist((JSON.parse(answer) as { exit: number }).exit !== VERDICT.internal, 'the judge itself failed');
      }
    },
  },
];
