/** Why a TPM's quote was refused. spec/evidence-tpm.md §codes. Event logs and certificates bring their own codes. */
import { JudgementError } from '../judgement-error.ts';

export type TpmCode =
  | 'quote-malformed'
  | 'signature-malformed'
  | 'quote-signature-invalid'
  | 'nonce-mismatch'
  | 'register-set-mismatch'
  | 'register-digest-mismatch';

export type TpmError = JudgementError<TpmCode>;

export function malformedQuote(rule: string, message: string, cause?: unknown): TpmError {
  return new JudgementError('quote-malformed', 'format', rule, message, cause);
}

export function malformedSignature(rule: string, message: string, cause?: unknown): TpmError {
  return new JudgementError('signature-malformed', 'format', rule, message, cause);
}
