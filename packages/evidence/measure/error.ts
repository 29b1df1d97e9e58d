/** Why a launch cannot be measured. spec/evidence-measure.md. */
import { JudgementError } from '../judgement-error.ts';

export type MeasureCode =
  | 'firmware-malformed'
  | 'firmware-hash-mismatch'
  | 'firmware-needed'
  | 'kernel-not-measured'
  | 'launch-input-invalid';

export type MeasureError = JudgementError<MeasureCode>;

export function malformedFirmware(rule: string, message: string, cause?: unknown): MeasureError {
  return new JudgementError('firmware-malformed', 'format', rule, message, cause);
}

export function invalidInput(rule: string, message: string): MeasureError {
  return new JudgementError('launch-input-invalid', 'format', rule, message);
}
