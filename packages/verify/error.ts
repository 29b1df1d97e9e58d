/** The errors of this package (spec/evidence.md §codes). */
import { type ErrorAction, SottoError } from '@sotto/bytes';
import type { FailureClass } from '@sotto/evidence';
import type { VerificationReport } from './report.ts';
import type { VerifyErrorCode } from './rules.ts';

/**
 * A node did not prove what the policy asks for. The action is `stop`: nothing is sent, nothing is tried again in silence.
 * Only a clock that cannot be right (`clock-implausible`) and a policy that cannot be used can be put right by the person.
 */
export class VerifyError extends SottoError<VerifyErrorCode> {
  readonly failureClass: FailureClass;
  /** Everything judged so far; the line that failed comes first. */
  readonly report: VerificationReport;
  override readonly rule: string;

  constructor(
    code: VerifyErrorCode,
    message: string,
    details: { readonly failureClass: FailureClass; readonly rule: string; readonly report: VerificationReport },
  ) {
    super(code, message, { action: actionOf(code), rule: details.rule });
    this.failureClass = details.failureClass;
    this.report = details.report;
    this.rule = details.rule;
  }
}

/** EV-57: only what the person can put right is anything but `stop`. */
function actionOf(code: VerifyErrorCode): ErrorAction {
  if (code === 'clock-implausible' || code === 'policy-missing' || code === 'policy-malformed') return 'fix-input';
  return code === 'policy-unsupported' ? 'update' : 'stop';
}

export type PolicyErrorCode = 'policy-missing' | 'policy-malformed' | 'policy-unsupported' | 'policy-pin-changed';

/** A policy, or a place where one comes from, that cannot be used. Its class is always `policy`. */
export class PolicyError extends SottoError<PolicyErrorCode> {
  readonly failureClass = 'policy' satisfies FailureClass;
  override readonly rule: string;

  constructor(code: PolicyErrorCode, message: string, rule: string) {
    const actions = { 'policy-pin-changed': 'stop', 'policy-unsupported': 'update' } as const;
    super(code, message, { action: code in actions ? actions[code as keyof typeof actions] : 'fix-input', rule });
    this.rule = rule;
  }
}
