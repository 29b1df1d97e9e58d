/**
 * What one maker's verifier said of evidence, kept until its class is due: a verifier judges all of its classes at once, and
 * `verifyNode` tells them in its own order among its own (spec/evidence.md §verification).
 */
import { CertificateError } from '@sotto/crypto/x509';
import { type FailureClass, JudgementError } from '@sotto/evidence';
import type { Step } from './hardware-report.ts';
import type { ReportBuilder } from './report-builder.ts';
import { type CheckRule, check, type VerifyErrorCode } from './rules.ts';

export class VendorTrial<V> {
  readonly #steps: readonly Step[];
  readonly #verdict: V | undefined;
  readonly #failure: JudgementError | CertificateError | undefined;

  private constructor(steps: readonly Step[], verdict: V | undefined, failure?: JudgementError | CertificateError) {
    this.#steps = steps;
    this.#verdict = verdict;
    this.#failure = failure;
  }

  /** Runs a verifier; what it refuses is told later. @throws what is no refusal */
  static async run<V>(steps: readonly Step[], verify: () => V | Promise<V>): Promise<VendorTrial<V>> {
    try {
      return new VendorTrial(steps, await verify());
    } catch (error) {
      if (!(error instanceof JudgementError) && !(error instanceof CertificateError)) throw error;
      return new VendorTrial<V>(steps, undefined, error);
    }
  }

  /** What was proven; undefined where it was refused. */
  get verdict(): V | undefined {
    return this.#verdict;
  }

  /**
   * Writes the lines of this class.
   *
   * @throws VerifyError under the vendor's own rule and code, when this is the class that failed
   */
  tell(report: ReportBuilder, failureClass: FailureClass): void {
    const failure = this.#failure?.failureClass === failureClass ? this.#failure : undefined;
    const steps = this.#steps.filter((step) => step.failureClass === failureClass);
    for (const step of steps) {
      const line = lineOf(step, failure?.message ?? 'It does not hold.');
      if (step.isChecked) report.begin(line, failure === undefined ? 'holds' : failure.message, 'holds');
      else report.note(line, 'nothing was shown', 'holds');
      const refused = failure && { code: failure.code as VerifyErrorCode, rule: failure.rule };
      // EV-447: what the maker's own checks refuse is not evidence, whatever the rest of it says.
      if (refused !== undefined) throw report.refuse(refused);
    }
  }
}

function lineOf({ rules, failureClass, title, why }: Step, refusal: string): CheckRule {
  return check(rules, failureClass, 'platform-unsupported', title, why, refusal);
}
