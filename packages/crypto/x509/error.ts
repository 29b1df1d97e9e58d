/** The error of this folder: a closed list of codes, each of one class (spec/evidence-certificates.md §codes). */
import { SottoError } from '@sotto/bytes';

/** Which class of failure each code belongs to; every caller refuses in the order of the classes. */
const CLASSES = {
  'der-malformed': 'format',
  'pem-malformed': 'format',
  'certificate-malformed': 'format',
  'crl-malformed': 'format',
  'certificate-chain-invalid': 'chain',
  'certificate-root-unknown': 'chain',
  'crl-invalid': 'revocation',
  'crl-older-than-seen': 'revocation',
  'certificate-revoked': 'revocation',
  'certificate-not-yet-valid': 'freshness',
  'certificate-expired': 'freshness',
  'crl-not-yet-valid': 'freshness',
  'crl-expired': 'freshness',
} as const;

export type CertificateErrorCode = keyof typeof CLASSES;
export type CertificateFailureClass = (typeof CLASSES)[CertificateErrorCode];

/** A certificate, a list or a chain that does not hold. Action `stop`; `message` is constant. */
export class CertificateError extends SottoError<CertificateErrorCode> {
  readonly failureClass: CertificateFailureClass;
  override readonly rule: string;

  constructor(code: CertificateErrorCode, rule: string, message: string, cause?: unknown) {
    super(code, message, { action: 'stop', rule, cause });
    this.failureClass = CLASSES[code];
    this.rule = rule;
  }
}

/** Bytes that are not DER. */
export function notDer(rule: string, message: string): CertificateError {
  return new CertificateError('der-malformed', rule, message);
}
