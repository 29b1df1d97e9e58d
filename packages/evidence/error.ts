/** The error of this package and the classes that every verification failure belongs to (spec/evidence.md §codes). */
import { SottoError } from '@sotto/bytes';

/** Failures are judged in this order: of two faults, the one of the earlier class is reported. */
export const FAILURE_CLASSES = [
  'format',
  'chain',
  'revocation',
  'signature',
  'binding',
  'freshness',
  'tcb',
  'policy',
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export type EvidenceErrorCode =
  | 'binding-malformed'
  | 'bundle-malformed'
  | 'bundle-too-large'
  | 'dev-statement-malformed';

/** Bytes that are not what the format says; always of class `format`. Nothing in them was believed. */
export class EvidenceError extends SottoError<EvidenceErrorCode> {
  readonly failureClass = 'format' satisfies FailureClass;
  override readonly rule: string;

  constructor(code: EvidenceErrorCode, message: string, rule: string, cause?: unknown) {
    super(code, message, { action: 'stop', rule, cause });
    this.rule = rule;
  }
}
