/** The error of this package (spec/wire.md, codes). */
import { SottoError } from '@sotto/bytes';

export type WireErrorCode = 'wire-malformed' | 'wire-too-large' | 'wire-version' | 'wire-truncated';

/** What a peer sent is not a message of this version. Thrown before any part of it was used. */
export class WireError extends SottoError<WireErrorCode> {
  constructor(code: WireErrorCode, message: string, rule: string) {
    super(code, message, { action: code === 'wire-version' ? 'update' : 'fix-input', rule });
  }
}
