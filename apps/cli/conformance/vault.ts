/** Stage `vault-open`: one envelope of a history, opened with its account key (spec/vault.md). */
import { encodeBase64 } from '@sotto/bytes';
import type { FailureClass } from '@sotto/evidence';
import { AccountKey, deriveEpochKey, openEnvelope, openRecord, VaultError } from '@sotto/vault';
import { base64, count, hex, id, struct, text } from './input.ts';
import { type JsonObject, Rejected } from './outcome.ts';

const INPUT = struct({
  envelope: base64(),
  account_id_hex: hex(16),
  account_key_hex: hex(32),
  epoch: count,
  expected_id: id,
  expected_type: text,
});

/** What the envelope is bound to comes before its content is known, so no later failure can hide an earlier class. */
const CLASSES: Partial<Record<VaultError['code'], FailureClass>> = {
  'record-account-mismatch': 'binding',
  'record-id-mismatch': 'binding',
  'record-epoch-mismatch': 'binding',
  'record-commitment-mismatch': 'binding',
  'record-open-failed': 'binding',
  'record-type-mismatch': 'policy',
};

export async function judgeVaultOpen(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  try {
    // An epoch that no envelope can have is compared as it is, and refused; the key is then never used.
    const epoch = Number(input.epoch);
    const epochKey = deriveEpochKey(new AccountKey(input.account_key_hex), input.account_id_hex, epoch);
    const expected = {
      epochKey,
      envelope: input.envelope,
      expectedAccountId: input.account_id_hex,
      expectedRecordId: input.expected_id,
      expectedEpoch: epoch,
    };
    await openRecord({ ...expected, expectedType: input.expected_type });
    return { plaintext: encodeBase64((await openEnvelope(expected)).content) };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new Rejected(error.code, CLASSES[error.code] ?? 'format', error.rule ?? 'VA-03', error.message, error);
  }
}
