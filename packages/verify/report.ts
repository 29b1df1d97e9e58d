/**
 * The report for people: one line a check, in plain words, whether it passed or not. spec/evidence.md §report.
 * Observed values are digests, ids, dates and words from closed sets; nothing in it is secret.
 */

/** What a machine is, once it met a policy. Neither word is one for production: a machine of either kind can be looked into. */
export type Trust = 'development' | 'tpm-test';

export interface ReportLine {
  /** Of spec/evidence.md, such as `EV-36`. */
  readonly rule: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'not-applicable';
  readonly observed: string;
  readonly expected: string;
  readonly why: string;
}

export interface VerificationReport {
  /**
   * What the machine is, once everything passed: `development` proves nothing about what it runs, `tpm-test` what was started on
   * it and not that nobody looks in. `none` when a check failed.
   */
  readonly trust: Trust | 'none';
  /** In the order of judgement; in the report of an error the failed line comes first. */
  readonly checks: readonly ReportLine[];
  /** Milliseconds since the Unix epoch, by this device's clock. */
  readonly checkedAtMs: number;
}
