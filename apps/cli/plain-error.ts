/** Errors as a person at a terminal should meet them: what happened, and what to do, in plain words. */

/** Exit codes of `sotto`, after sysexits.h where one fits; documented in README.md and `sotto --help`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 64,
  noInput: 66,
  unavailable: 69,
  fullDisk: 74,
  refused: 76,
  configuration: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** @param advice what to do about it; printed on the next line */
export class PlainError extends Error {
  readonly advice: string;
  readonly exitCode: ExitCode;

  constructor(message: string, advice: string, exitCode: ExitCode = EXIT.failed, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PlainError';
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

/** The `code` of a Node system error (`ENOSPC`…), also where it hides in a chain of causes. */
export function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/** Turns what the system says when it cannot write under `folder` into a sentence; other errors come back as they are. */
export function explainWriteError(error: unknown, folder: string): unknown {
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PlainError(
        `The disk that holds ${folder} is full.`,
        'Free some space and start again, or choose another place with --data DIR. What was saved before is kept.',
        EXIT.fullDisk,
        error,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PlainError(
        `Sotto may not write in ${folder}.`,
        'Choose a folder of your own with --data DIR.',
        EXIT.configuration,
        error,
      );
    default:
      return error;
  }
}
