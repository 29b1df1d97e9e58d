/** Stage `binding`: the struct that binds keys, node, epoch and times, and what hardware signs of it (spec/evidence.md). */
import { BytesError, encodeHex } from '@sotto/bytes';
import { EvidenceError } from '@sotto/evidence';
import { type Binding, deviceNonceOf, encodeBinding, reportDataOf } from '@sotto/evidence/binding';
import { count, hex, id, list, optional, type Reader, struct, text } from './input.ts';
import { type JsonObject, Malformed, Rejected } from './outcome.ts';

const NONE = new Uint8Array(0);

/** 32 bytes, or none. */
const hash: Reader<Uint8Array> = (value, field) => {
  const bytes = hex()(value, field);
  // CF-03: a part of a hash can be guessed.
  if (bytes.length !== 0 && bytes.length !== 32) {
    throw new Malformed('input-malformed', 'CF-03', 'expected 32 bytes in hex, or none', field);
  }
  return bytes;
};

const INPUT = struct({
  purpose: text,
  suites: list(text),
  keys: list(struct({ use: text, algorithm: text, public_key_hex: hex() })),
  node_id: id,
  epoch_id: id,
  not_before: count,
  not_after: count,
  checkpoint: optional(struct({ origin: text, size: count, root_hex: hex(32) })),
  release_digest_hex: hex(32),
  config_digest_hex: hex(32),
  device_evidence_digest_hex: optional(hex(32)),
  client_nonce_hex: optional(hash),
  handshake_hash_hex: optional(hash),
});

export async function judgeBinding(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  const { checkpoint } = input;
  // A number above 2^53 − 1 arrives as a bigint; the encoder takes it, and its own parser then refuses it (EV-07).
  const binding: Binding = {
    purpose: input.purpose as Binding['purpose'],
    suites: input.suites,
    keys: input.keys.map(({ use, algorithm, public_key_hex: publicKey }) => ({ use, algorithm, publicKey })),
    nodeId: input.node_id,
    epochId: input.epoch_id,
    notBeforeSeconds: input.not_before as number,
    notAfterSeconds: input.not_after as number,
    checkpoint: checkpoint && { ...checkpoint, size: checkpoint.size as number, root: checkpoint.root_hex },
    releaseDigest: input.release_digest_hex,
    configDigest: input.config_digest_hex,
    deviceEvidenceDigest: input.device_evidence_digest_hex ?? new Uint8Array(32),
    clientNonce: input.client_nonce_hex ?? NONE,
    handshakeHash: input.handshake_hash_hex ?? NONE,
  };
  try {
    return {
      report_data_hex: encodeHex(reportDataOf(encodeBinding(binding))),
      device_nonce_hex: encodeHex(deviceNonceOf(binding)),
    };
  } catch (error) {
    // CF-21: what the format refuses is a verdict on the case, with the rule that refused it.
    if (error instanceof EvidenceError) throw new Rejected(error.code, 'format', error.rule, error.message, error);
    // CF-21: a number or list that no struct can hold is refused like the struct.
    if (error instanceof BytesError) {
      throw new Rejected('binding-malformed', 'format', 'EV-07', 'a field of the binding is too long', error);
    }
    throw error;
  }
}
