/** The closed codes of TDX evidence, each of one class (spec/evidence-tdx.md §codes). */
import type { FailureClass } from '../error.ts';
import { JudgementError } from '../judgement-error.ts';

const CLASSES = {
  'tdx-quote-malformed': 'format',
  'tdx-quote-unsupported': 'format',
  'tdx-pck-malformed': 'format',
  'tdx-collateral-malformed': 'format',
  'tdx-chain-mismatch': 'chain',
  'tdx-crl-mismatch': 'revocation',
  'tdx-collateral-signature-invalid': 'signature',
  'tdx-qe-signature-invalid': 'signature',
  'tdx-quote-signature-invalid': 'signature',
  'tdx-attestation-key-unbound': 'binding',
  'tdx-platform-mismatch': 'binding',
  'tdx-qe-identity-mismatch': 'binding',
  'tdx-module-mismatch': 'binding',
  'tdx-collateral-not-yet-valid': 'freshness',
  'tdx-collateral-expired': 'freshness',
  'tdx-collateral-too-old': 'freshness',
  'tdx-collateral-older-than-seen': 'freshness',
  'tdx-tcb-unsupported': 'tcb',
  'tdx-tcb-revoked': 'tcb',
  'tdx-tcb-not-accepted': 'tcb',
  'tdx-collateral-required': 'policy',
  'tdx-debug': 'policy',
  'tdx-migratable': 'policy',
  'tdx-service-td': 'policy',
  'tdx-attributes-not-accepted': 'policy',
} as const satisfies Record<string, FailureClass>;

export type TdxErrorCode = keyof typeof CLASSES;

/** @param message constant, in plain words */
export function refusal(
  code: TdxErrorCode,
  rule: string,
  message: string,
  cause?: unknown,
): JudgementError<TdxErrorCode> {
  return new JudgementError(code, CLASSES[code], rule, message, cause);
}
