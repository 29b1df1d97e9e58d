/** The closed codes of this platform and the class of each (spec/evidence-nvidia.md §codes). */
import type { FailureClass } from '../error.ts';
import { JudgementError } from '../judgement-error.ts';

const CLASS_OF = {
  'report-malformed': 'format',
  'rim-malformed': 'format',
  'ocsp-malformed': 'format',
  'device-set-malformed': 'format',
  'signer-restricted': 'chain',
  'device-unknown': 'chain',
  'ocsp-unrelated': 'revocation',
  'ocsp-responder-invalid': 'revocation',
  'ocsp-nonce-mismatch': 'revocation',
  'ocsp-not-good': 'revocation',
  'report-signature-invalid': 'signature',
  'rim-digest-mismatch': 'signature',
  'rim-signature-invalid': 'signature',
  'nonce-mismatch': 'binding',
  'fwid-mismatch': 'binding',
  'device-repeated': 'binding',
  'switch-mismatch': 'binding',
  'rim-unrelated': 'binding',
  'rim-conflict': 'binding',
  'ocsp-stale': 'freshness',
  'measurement-mismatch': 'tcb',
} as const satisfies Record<string, FailureClass>;

export type NvidiaErrorCode = keyof typeof CLASS_OF;

/** @param message constant, in plain words */
export function refusal(
  code: NvidiaErrorCode,
  rule: string,
  message: string,
  cause?: unknown,
): JudgementError<NvidiaErrorCode> {
  return new JudgementError(code, CLASS_OF[code], rule, message, cause);
}
