/** What each kind of machine adds to the checks that are the same for all (spec/evidence.md §verification). */
import type { FailureClass } from '@sotto/evidence';
import type { ReportBuilder } from './report-builder.ts';

/** Everything about one statement that depends on who signed it. Verified already; told class by class. */
export interface PlatformJudge {
  /** What the statement answers to, and what it has to answer to. */
  readonly answered: Uint8Array;
  readonly expected: Uint8Array;
  /** Devices, or a digest of some, beside a statement that cannot prove any. */
  readonly showsUnproven: boolean;
  /**
   * Writes the lines of this class.
   *
   * @throws VerifyError when a check of this class does not hold
   */
  judge(report: ReportBuilder, failureClass: FailureClass): void;
}
