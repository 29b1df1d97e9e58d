/**
 * Judgements of class `policy` that depend on the kind of policy and on nothing that it asks. spec/evidence.md §verification.
 * They stand last: a policy for production hardware ends here until the log exists.
 */
import type { Platform } from '@sotto/evidence';
import type { Binding } from '@sotto/evidence/binding';
import { PLATFORM_OF, type PolicyKind } from './policy.ts';
import type { Trust } from './report.ts';
import type { ReportBuilder } from './report-builder.ts';
import { CHECKS } from './rules.ts';

const WITHOUT_LOG: readonly PolicyKind[] = ['dev', 'tpm-test'];

/** The word for a machine that met a policy of this kind. */
export function trustOf(kind: PolicyKind): Trust {
  return kind === 'tpm-test' ? 'tpm-test' : 'development';
}

/** @throws VerifyError `platform-not-allowed`, `checkpoint-unsupported`, `log-required` */
export function judgePolicy(
  report: ReportBuilder,
  kind: PolicyKind,
  platform: Platform,
  checkpoint: Binding['checkpoint'],
): void {
  report.begin(CHECKS.allowed, platform, kind);
  const allowed = platform === PLATFORM_OF[kind];
  // EV-51: a weaker kind of machine must not pass where a stronger one was asked for.
  if (!allowed) throw report.refuse();

  const unloggedIsFine = WITHOUT_LOG.includes(kind);
  report.begin(
    CHECKS.log,
    checkpoint ? 'a checkpoint' : 'no checkpoint',
    unloggedIsFine ? 'none: such a machine is in no public log' : 'a checkpoint of the public log',
  );
  // EV-62: a checkpoint that this version cannot check is a claim, and must not look like more.
  if (checkpoint !== undefined) throw report.refuse({ code: 'checkpoint-unsupported', rule: 'EV-62' });
  // EV-52: hardware that is in no log may be one made for a single victim.
  if (!unloggedIsFine) throw report.refuse();
}
