/**
 * The one error base class. Errors are an API (spec/wire.md §errors): a closed kebab-case code, the action a person or a
 * program should take, and a constant message that holds nothing secret.
 */

/** What whoever meets the error should do: correct the input, try again, update the software, or stop at once. */
export type ErrorAction = 'fix-input' | 'retry' | 'update' | 'stop';

export interface ErrorDetails {
  readonly action: ErrorAction;
  /** The spec rule that refused, such as `CH-07`, when there is one. */
  readonly rule?: string;
  readonly cause?: unknown;
}

/**
 * Base of every error that Sotto throws on purpose.
 *
 * @param code closed kebab-case code of the area's spec, stable for ever
 * @param message constant text; never a key, token, plaintext or peer-chosen byte
 */
export class SottoError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly action: ErrorAction;
  readonly rule: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.action = details.action;
    this.rule = details.rule;
  }
}

export type BytesErrorCode =
  | 'bytes-truncated'
  | 'bytes-trailing'
  | 'bytes-too-long'
  | 'bytes-bad-encoding'
  | 'bytes-out-of-range';

/** Malformed bytes or text, found before anything was done with them. */
export class BytesError extends SottoError<BytesErrorCode> {
  constructor(code: BytesErrorCode, message: string) {
    super(code, message, { action: 'fix-input' });
  }
}
