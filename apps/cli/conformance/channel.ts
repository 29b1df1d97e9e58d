/** Stages `channel-handshake` and `channel-frame`: suite `sotto-1` from seeds to bytes, and from records to frames. */
import { encodeBase64, encodeHex } from '@sotto/bytes';
import {
  ChannelError,
  type ChannelErrorCode,
  computeHandshake,
  type Frame,
  openRecords,
  SUITE,
} from '@sotto/channel/transcript';
import { primitives } from '@sotto/crypto/primitives';
import { encapsulateFromSeed } from '@sotto/crypto/seeded-kem';
import type { FailureClass } from '@sotto/evidence';
import { base64, count, hex, id, list, type Reader, struct, text } from './input.ts';
import { type JsonObject, Malformed, Rejected, Unsupported } from './outcome.ts';

/** All of them have the same record sizes; how they choose among them no single record shows. */
const PROFILES: readonly string[] = ['compact', 'balanced', 'strict'];

const role: Reader<'initiator' | 'responder'> = (value, field) => {
  const word = text(value, field);
  // CF-03: there are two sides, and frames that one may send the other may not.
  if (word !== 'initiator' && word !== 'responder') {
    throw new Malformed('input-malformed', 'CF-03', 'expected initiator or responder', field);
  }
  return word;
};

const HANDSHAKE = struct({
  suite: text,
  role_seeds: struct({
    initiator_ephemeral_hex: hex(32),
    initiator_kem_seed_hex: hex(64),
    responder_ephemeral_hex: hex(32),
    responder_static_hex: hex(32),
    encapsulation_seed_hex: hex(32),
  }),
  prologue: base64(),
  evidence_digest_hex: hex(32),
  epoch_id: id,
});

const FRAMES = struct({
  suite: text,
  keys_hex: struct({ from_initiator: hex(32), from_responder: hex(32) }),
  role,
  profile: text,
  start_nonce: count,
  frames: list(base64()),
});

export async function judgeHandshake(value: unknown): Promise<JsonObject> {
  assertSuite(value);
  const { role_seeds: seeds, prologue, evidence_digest_hex, epoch_id } = HANDSHAKE(value, '');
  const transcript = await computeHandshake({
    seeds: {
      initiatorEphemeral: seeds.initiator_ephemeral_hex,
      initiatorKem: seeds.initiator_kem_seed_hex,
      responderEphemeral: seeds.responder_ephemeral_hex,
      responderStatic: seeds.responder_static_hex,
    },
    prologue,
    evidenceDigest: evidence_digest_hex,
    epochId: epoch_id,
    primitives: { ...primitives, encapsulate: encapsulateFromSeed(seeds.encapsulation_seed_hex) },
  }).catch(rejected);
  return {
    messages_hex: transcript.messages.map(encodeHex),
    handshake_hash_hex: encodeHex(transcript.handshakeHash),
    keys_hex: {
      from_initiator: encodeHex(transcript.fromInitiator),
      from_responder: encodeHex(transcript.fromResponder),
    },
  };
}

export async function judgeFrames(value: unknown): Promise<JsonObject> {
  assertSuite(value);
  const input = FRAMES(value, '');
  // CF-05: a profile that is not known may have other sizes; judging it by these would refuse what is right.
  if (!PROFILES.includes(input.profile)) throw new Unsupported('unsupported-profile', 'CF-05');
  const from = input.role === 'initiator' ? 'responder' : 'initiator';
  const opened = await openRecords({
    key: from === 'initiator' ? input.keys_hex.from_initiator : input.keys_hex.from_responder,
    from,
    // Beyond the last record of a session in any case: exact or not makes no difference.
    counter: Number(input.start_nonce),
    records: input.frames,
  }).catch(rejected);
  return { messages: opened.flatMap((frames, record) => frames.map((frame) => ({ record, ...asJson(frame) }))) };
}

/** Before the rest is looked at: another suite has other fields. */
function assertSuite(value: unknown): void {
  const suite = (value as { suite?: unknown } | null)?.suite;
  // CF-05: bytes of another suite judged by this one's rules would be refused for the wrong reason.
  if (typeof suite === 'string' && suite !== SUITE) throw new Unsupported('unsupported-suite', 'CF-05');
}

function asJson(frame: Frame): JsonObject {
  return Object.fromEntries(
    Object.entries(frame).map(([name, part]) => [name, part instanceof Uint8Array ? encodeBase64(part) : part]),
  );
}

const CLASSES: Partial<Record<ChannelErrorCode, FailureClass>> = {
  'handshake-failed': 'signature',
  'record-forged': 'signature',
  'session-exhausted': 'policy',
  'rekey-missing': 'policy',
};

function rejected(error: unknown): never {
  if (!(error instanceof ChannelError)) throw error;
  throw new Rejected(error.code, CLASSES[error.code] ?? 'format', error.rule ?? 'CH-31', error.message, error);
}
