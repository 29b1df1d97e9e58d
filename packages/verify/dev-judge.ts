/** Judges the statement of a development machine: one pinned key signed it, and nothing more is known. The bundle is hostile. */
import { encodeHex } from '@sotto/bytes';
import type { EvidenceBundle, FailureClass } from '@sotto/evidence';
import { type Binding, reportDataOf } from '@sotto/evidence/binding';
import { type DevStatement, devFingerprint, isDevSignatureValid, parseDevStatement } from '@sotto/evidence/dev';
import type { PlatformJudge } from './platform-judge.ts';
import type { DevPolicy } from './policy.ts';
import type { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';

/** @throws VerifyError when the statement cannot be read */
export async function judgeDev(
  report: ReportBuilder,
  policy: DevPolicy,
  bundle: EvidenceBundle,
  binding: Binding,
): Promise<PlatformJudge> {
  const size = `${bundle.statement.length} bytes`;
  const statement = report.parse(CHECKS.statement, size, 'a statement of version 1', () =>
    parseDevStatement(bundle.statement),
  );
  return new DevJudge(policy, bundle, binding, statement, await isDevSignatureValid(statement));
}

class DevJudge implements PlatformJudge {
  readonly answered: Uint8Array;
  readonly expected: Uint8Array;
  readonly showsUnproven: boolean;
  readonly #policy: DevPolicy;
  readonly #statement: DevStatement;
  readonly #isSigned: boolean;

  constructor(policy: DevPolicy, bundle: EvidenceBundle, binding: Binding, statement: DevStatement, isSigned: boolean) {
    this.#policy = policy;
    this.#statement = statement;
    this.#isSigned = isSigned;
    this.answered = statement.reportData;
    this.expected = reportDataOf(bundle.binding);
    this.showsUnproven = showsDevices(bundle, binding);
  }

  judge(report: ReportBuilder, failureClass: FailureClass): void {
    if (failureClass === 'chain') this.#judgeKey(report);
    if (failureClass === 'signature') this.#judgeSignature(report);
    if (failureClass === 'tcb') {
      const measured = encodeHex(this.#statement.measurement);
      report.note(CHECKS.measurement, measured, 'anything: a development machine proves nothing here');
    }
  }

  #judgeKey(report: ReportBuilder): void {
    const fingerprint = encodeHex(devFingerprint(this.#statement.publicKey));
    report.begin(CHECKS.devKey, fingerprint, this.#policy.fingerprint);
    // EV-34: anyone can make development evidence with a key of their own.
    if (fingerprint !== this.#policy.fingerprint) throw report.refuse();
  }

  #judgeSignature(report: ReportBuilder): void {
    report.begin(CHECKS.signature, this.#isSigned ? 'a good signature' : 'no good signature', 'a good signature');
    // EV-36: without it, anyone between could have written the statement.
    if (!this.#isSigned) throw report.refuse();
  }
}

/** Devices in the bundle, or a digest of some in the binding. */
export function showsDevices(bundle: EvidenceBundle, binding: Binding): boolean {
  return bundle.devices.length > 0 || binding.deviceEvidenceDigest.some((byte) => byte !== 0);
}
