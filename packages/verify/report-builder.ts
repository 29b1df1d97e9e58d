/** Writes a verification report while a node is judged. spec/evidence.md §report. */
import { EvidenceError } from '@sotto/evidence';
import { PolicyError, VerifyError } from './error.ts';
import type { ReportLine, VerificationReport } from './report.ts';
import type { CheckRule, VerifyErrorCode } from './rules.ts';

/** Collects lines while a node is judged. Owned by one call of `verifyNode`. */
export class ReportBuilder {
  readonly #checkedAtMs: number;
  readonly #lines: ReportLine[] = [];
  #latest: CheckRule | undefined;

  constructor(checkedAtMs: number) {
    this.#checkedAtMs = checkedAtMs;
  }

  /** Writes the line of the next check; it stands as passed unless `refuse` follows. */
  begin(check: CheckRule, observed: string, expected: string): void {
    this.#latest = check;
    this.#lines.push(lineOf(check, 'passed', observed, expected));
  }

  /** A line that is shown and not judged. */
  note(check: CheckRule, observed: string, expected: string): void {
    this.#lines.push(lineOf(check, 'not-applicable', observed, expected));
  }

  /** The error for the latest check; every line so far is in its report, the failed one first (EV-54). */
  refuse(cause: { readonly code?: VerifyErrorCode; readonly rule?: string } = {}): VerifyError {
    const check = this.#latest as CheckRule;
    const latest = this.#lines.at(-1) as ReportLine;
    const rule = cause.rule ?? check.rule;
    const checks = [{ ...latest, rule, status: 'failed' } as const, ...this.#lines.slice(0, -1)];
    const report = { trust: 'none', checks, checkedAtMs: this.#checkedAtMs } as const;
    return new VerifyError(cause.code ?? check.code, check.refusal, { failureClass: check.failureClass, rule, report });
  }

  /** Begins a check and runs its parser, whose refusal becomes the refusal of the check. */
  parse<T>(check: CheckRule, observed: string, expected: string, parse: () => T): T {
    this.begin(check, observed, expected);
    try {
      return parse();
    } catch (error) {
      if (error instanceof EvidenceError) throw this.refuse(error);
      if (error instanceof PolicyError && error.code !== 'policy-pin-changed') {
        throw this.refuse({ code: error.code, rule: error.rule });
      }
      throw error;
    }
  }

  finish(trust: VerificationReport['trust']): VerificationReport {
    return { trust, checks: this.#lines, checkedAtMs: this.#checkedAtMs };
  }
}

function lineOf(check: CheckRule, status: ReportLine['status'], observed: string, expected: string): ReportLine {
  const { rule, title, why } = check;
  return { rule, title, status, observed, expected, why };
}
