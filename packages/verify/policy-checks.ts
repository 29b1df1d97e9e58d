/** Judgements of class `policy` that depend on the kind of policy. spec/evidence.md §verification. Pure. */
import type { Platform } from '@sotto/evidence';
import type { Binding } from '@sotto/evidence/binding';
import type { PolicyKind } from './policy.ts';

/** True when evidence of this platform may satisfy a policy of this kind (EV-51). */
export function isPlatformAllowed(kind: PolicyKind, platform: Platform): boolean {
  return kind === platform || (kind === 'tpm-test' && platform === 'tpm');
}

/** True when a policy of this kind can be satisfied without a checkpoint of the public log (EV-52). */
export function isLogSatisfied(kind: PolicyKind, checkpoint: Binding['checkpoint']): boolean {
  return checkpoint === undefined && (kind === 'dev' || kind === 'tpm-test');
}
