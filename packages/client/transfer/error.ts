/** What can go wrong with a file of chats (spec/client.md "Taking chats along"). Constant words: nothing of the file is in them. */
import { type ErrorAction, SottoError } from '@sotto/bytes';

export type TransferErrorCode =
  | 'import-unreadable'
  | 'import-unknown'
  | 'import-too-large'
  | 'zip-malformed'
  | 'zip-unsupported';

const WORDS: Readonly<Record<TransferErrorCode, readonly [ErrorAction, string]>> = {
  'import-unreadable': ['fix-input', 'This file could not be read. Nothing was taken from it.'],
  'import-unknown': ['fix-input', 'This file holds no chats in a form that is known here. Nothing was taken from it.'],
  'import-too-large': ['fix-input', 'This file is larger than what can be read at once. Nothing was taken from it.'],
  'zip-malformed': ['fix-input', 'This ZIP file is damaged. Nothing was taken from it.'],
  'zip-unsupported': [
    'fix-input',
    'This kind of ZIP file cannot be read here: unpack it and choose conversations.json.',
  ],
};

export class TransferError extends SottoError<TransferErrorCode> {
  constructor(code: TransferErrorCode, rule: string, cause?: unknown) {
    super(code, WORDS[code][1], { action: WORDS[code][0], rule, ...(cause === undefined ? {} : { cause }) });
  }
}
