/**
 * A TPM's quote, judged for people (spec/evidence.md §hardware). Apart from the other platforms: a page that judges files has no use
 * for quotes of TPMs, and need not load what reads boot logs.
 */
import { parsePublicKey } from '@sotto/crypto/x509';
import { parseTpmStatement } from '@sotto/evidence/collect';
import { type TpmInput, type TpmVerdict, verifyTpmQuote } from '@sotto/evidence/tpm';
import { judgeTpm } from './hardware-checks.ts';
import { stepsOf, type Words } from './hardware-platforms.ts';
import type { TpmTestPolicy } from './hardware-policy.ts';
import { type HardwareReport, hexClaim, reportOf } from './hardware-report.ts';

export const TPM_STEPS: readonly Words[] = [
  ['format', 'EV-300–334', 'Quote, signature and log are in their form'],
  ['chain', 'EV-335', 'The certificates of the attestation key end in a root that was given'],
  ['signature', 'EV-336', 'The attestation key signed'],
  ['binding', 'EV-340–343', 'The quote answers the nonce, and registers and log are those that were quoted'],
  ['freshness', 'EV-337', 'Everything was in date at the time it is judged for'],
];

/**
 * Verifies the statement of a bundle. Its certificates are not looked at: a policy pins the key itself.
 *
 * @throws JudgementError, CertificateError
 */
export async function verifyTpmStatement(statement: Uint8Array, expectedNonce: Uint8Array): Promise<TpmVerdict> {
  const { quote, signature, publicKey, registers, eventLog } = parseTpmStatement(statement);
  return verifyTpmQuote({
    ...{ quote, signature, registers, expectedNonce },
    attestationKey: { kind: 'key', publicKey: parsePublicKey(publicKey) },
    eventLog: eventLog.length === 0 ? undefined : eventLog,
  });
}

/** @param nonce what the TPM had to answer to, 32 bytes */
export function reportTpmStatement(
  statement: Uint8Array,
  nonce: Uint8Array,
  policy: TpmTestPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  return report(() => verifyTpmStatement(statement, nonce), ['chain', 'freshness'], policy, timeSeconds);
}

/** @param evidence its certificates, where it has some, say themselves for which time they are judged */
export function reportTpm(
  evidence: TpmInput,
  policy: TpmTestPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  const unshown = evidence.attestationKey.kind === 'key' ? (['chain', 'freshness'] as const) : [];
  return report(() => verifyTpmQuote(evidence), unshown, policy, timeSeconds);
}

function report(
  verify: () => Promise<TpmVerdict>,
  unshown: readonly ('chain' | 'freshness')[],
  policy: TpmTestPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  return reportOf<TpmVerdict, TpmTestPolicy>({
    platform: 'tpm',
    steps: stepsOf(TPM_STEPS, unshown),
    verify,
    claimsOf: ({ attestationKey, bank, registers, events }) => [
      hexClaim('attestation key', attestationKey),
      { name: 'bank', value: bank },
      ...[...registers].map(([index, value]) => hexClaim(`PCR ${index}`, value)),
      { name: 'events', value: String(events.length) },
    ],
    policy,
    judge: (report, demanded, verdict) => judgeTpm(report, demanded, verdict),
    timeSeconds,
  });
}
