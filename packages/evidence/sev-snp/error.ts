/** Why a SEV-SNP report was refused. spec/evidence-sev-snp.md §codes. What certificates are refused for is a `CertificateError`. */
import { JudgementError } from '../judgement-error.ts';

export type SevSnpCode =
  | 'report-malformed'
  | 'endorsement-malformed'
  | 'endorsement-not-of-product'
  | 'report-signature-invalid'
  | 'signer-mismatch'
  | 'product-mismatch'
  | 'chip-id-mismatch'
  | 'tcb-mismatch';

export type SevSnpError = JudgementError<SevSnpCode>;

export function malformedReport(rule: string, message: string, cause?: unknown): SevSnpError {
  return new JudgementError('report-malformed', 'format', rule, message, cause);
}

export function malformedEndorsement(rule: string, message: string, cause?: unknown): SevSnpError {
  return new JudgementError('endorsement-malformed', 'format', rule, message, cause);
}
