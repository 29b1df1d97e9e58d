/**
 * Why a platform's evidence was refused: one type for every platform, so that a report needs to know one (spec/evidence.md
 * §codes). Each platform closes the union with its own codes.
 */
import { SottoError } from '@sotto/bytes';
import type { FailureClass } from './error.ts';

/** A check of a platform's evidence that did not hold. Action `stop`: nothing that was shown may be used. */
export class JudgementError<Code extends string = string> extends SottoError<Code> {
  readonly failureClass: FailureClass;
  override readonly rule: string;

  /** @param message constant, in plain words; nothing of the evidence in it */
  constructor(code: Code, failureClass: FailureClass, rule: string, message: string, cause?: unknown) {
    super(code, message, { action: 'stop', rule, cause });
    this.failureClass = failureClass;
    this.rule = rule;
  }
}
