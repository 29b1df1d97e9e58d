/** What a case can come to (spec/conformance.md): accepted with an output, refused, not ours to judge, or not readable. */
import { CertificateError } from '@sotto/crypto/x509';
import type { FailureClass } from '@sotto/evidence';
import { JudgementError } from '@sotto/evidence/judgement';

/** Exit codes, and the `exit` of a batch line. */
export const VERDICT = { accept: 0, internal: 1, reject: 10, unsupported: 20, malformed: 30 } as const;

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };
export type JsonObject = { readonly [name: string]: Json | undefined };

export interface Outcome {
  readonly exit: (typeof VERDICT)[keyof typeof VERDICT];
  readonly output: JsonObject;
}

/** Judges one input of its stage: the output on accept, or one of the errors below, or an error of the product's own. */
export type Judge = (input: unknown) => Promise<JsonObject>;

/** The case was understood and is refused: exit 10. Whatever a stage throws of the product's own errors becomes one. */
export class Rejected extends Error {
  readonly code: string;
  readonly failureClass: FailureClass;
  readonly rule: string;

  constructor(code: string, failureClass: FailureClass, rule: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.failureClass = failureClass;
    this.rule = rule;
  }
}

/** Well-formed input for something that this version does not have: exit 20. */
export class Unsupported extends Error {
  readonly code: 'unsupported-stage' | 'unsupported-protocol' | 'unsupported-suite' | 'unsupported-profile';
  readonly rule: string;

  constructor(code: Unsupported['code'], rule: string) {
    super('this version of Sotto does not judge it');
    this.code = code;
    this.rule = rule;
  }
}

/** The input is not what the stage's table says: exit 30. */
export class Malformed extends Error {
  readonly code: 'input-unreadable' | 'input-unknown-field' | 'input-malformed';
  readonly rule: string;
  /** Where, such as `messages[0].payload`; undefined for the whole. */
  readonly field: string | undefined;

  constructor(code: Malformed['code'], rule: string, message: string, field?: string) {
    super(message);
    this.code = code;
    this.rule = rule;
    this.field = field;
  }
}

/** The outcome of an error; an error that nobody foresaw says nothing of itself (it may quote the input). */
export function outcomeOf(error: unknown): Outcome {
  // What a platform's verifier refuses is a verdict on the case, with its own code, class and rule.
  if (error instanceof Rejected || error instanceof JudgementError || error instanceof CertificateError) {
    const { code, failureClass, rule, message } = error;
    return { exit: VERDICT.reject, output: { code, class: failureClass, rule, message } };
  }
  if (error instanceof Unsupported) {
    const { code, rule, message } = error;
    return { exit: VERDICT.unsupported, output: { code, rule, message } };
  }
  if (error instanceof Malformed) {
    const { code, rule, message, field } = error;
    return { exit: VERDICT.malformed, output: { code, rule, message, field } };
  }
  return { exit: VERDICT.internal, output: { code: 'internal-error', message: 'the judge itself failed' } };
}
