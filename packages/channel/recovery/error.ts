/** What the reader of a recovered answer can refuse (spec/channel.md, recovery of a running answer). */
import { SottoError } from '@sotto/bytes';

const MESSAGES = {
  'recovery-malformed': 'a recovered answer breaks its format',
  'recovery-forged': 'a recovered answer was altered, repeated or reordered',
} as const;

export type RecoveryErrorCode = keyof typeof MESSAGES;

/** The machine, or whoever held the sealed answer, is not to be believed: never a reason to try again. */
export class RecoveryError extends SottoError<RecoveryErrorCode> {
  constructor(code: RecoveryErrorCode, rule: string) {
    super(code, MESSAGES[code], { action: 'stop', rule });
  }
}
