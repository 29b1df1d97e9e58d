/** How a device link can end without success (spec/client.md, "Linking a device"). Constant words: nothing of the link is in them. */
import { type ErrorAction, SottoError } from '@sotto/bytes';

const TABLE = {
  'link-forged': [
    'stop',
    'Something between the two devices was changed. The link was ended; nothing was handed over.',
  ],
  'link-refused': ['stop', 'The link was refused on one of the devices. Nothing was handed over.'],
  'link-ended': ['retry', 'The other device ended the link, or it took too long. Start again with a new code.'],
  'link-taken': [
    'stop',
    'Somebody else has answered under this code. The link was ended; start again with a new code.',
  ],
  'link-used': ['fix-input', 'This code has been used. Start again with a new one.'],
  'link-same-side': [
    'fix-input',
    'This code was made for the other device. Show it there, and read it here, the other way round.',
  ],
  'link-malformed': ['stop', 'What the other device sent is not what this version understands.'],
} as const satisfies Record<string, readonly [ErrorAction, string]>;

export type LinkErrorCode = keyof typeof TABLE;

export class LinkError extends SottoError<LinkErrorCode> {
  constructor(code: LinkErrorCode, rule: string, cause?: unknown) {
    const [action, message] = TABLE[code];
    super(code, message, { action, rule, ...(cause === undefined ? {} : { cause }) });
  }
}
