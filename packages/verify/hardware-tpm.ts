/**
 * A TPM's quote, judged for people (spec/evidence.md §hardware). Apart from the other platforms: a page that judges files has no use
 * for quotes of TPMs, and need not load what reads boot logs.
 */
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

/** @param evidence its certificates, where it has some, say themselves for which time they are judged */
export function reportTpm(
  evidence: TpmInput,
  policy: TpmTestPolicy | undefined,
  timeSeconds: number,
): Promise<HardwareReport> {
  return reportOf<TpmVerdict, TpmTestPolicy>({
    platform: 'tpm',
    steps: stepsOf(TPM_STEPS, evidence.attestationKey.kind === 'key' ? ['chain', 'freshness'] : []),
    verify: () => verifyTpmQuote(evidence),
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
