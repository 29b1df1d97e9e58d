/** The error of the collectors (spec/evidence-collect.md §codes). Nothing of what hardware said is in it. */
import { type ErrorAction, SottoError } from '@sotto/bytes';

const ACTIONS = {
  'evidence-unavailable': 'fix-input',
  'evidence-kind-mismatch': 'stop',
  'evidence-disturbed': 'retry',
  'evidence-malformed': 'stop',
} as const satisfies Record<string, ErrorAction>;

export type TeeErrorCode = keyof typeof ACTIONS;

/** Evidence that could not be collected: the machine may not serve with it. */
export class TeeError extends SottoError<TeeErrorCode> {
  constructor(code: TeeErrorCode, rule: string, message: string, cause?: unknown) {
    super(code, message, { action: ACTIONS[code], rule, cause });
  }
}
