/** The typed errors of the vault (spec/vault.md, "Refusals"). Messages are constant: nothing of a record, key or code is in them. */
import { type ErrorAction, SottoError } from '@sotto/bytes';
import { CONTENT_LIMIT_BYTES } from './limits.ts';

const TABLE = {
  'record-malformed': ['stop', 'this record is not in the form of a sealed record'],
  'record-version-unsupported': ['update', 'this record was written by a newer version of Sotto'],
  'record-account-mismatch': ['stop', 'this record belongs to another account'],
  'record-id-mismatch': ['stop', 'this record was stored under the name of another record'],
  'record-epoch-mismatch': ['stop', 'this record belongs to another key epoch'],
  'record-commitment-mismatch': ['stop', 'this record was changed, or sealed under another key'],
  'record-open-failed': ['stop', 'this record was changed after it was sealed'],
  'record-too-large': [
    'fix-input',
    `this is too large to be stored as one record: the limit is ${CONTENT_LIMIT_BYTES.toLocaleString('en-US')} bytes`,
  ],
  'record-encoding-unsupported': ['update', 'the inside of this record was written by a newer version of Sotto'],
  'record-content-malformed': ['stop', 'the inside of this record is not well-formed'],
  'record-type-mismatch': ['stop', 'this record is of another type than expected'],
  'lock-malformed': ['stop', 'this lock is not in the form of a lock'],
  'lock-version-unsupported': ['update', 'this lock was made by a newer version of Sotto'],
  'lock-kind-unsupported': ['update', 'this kind of lock needs a newer version of Sotto'],
  'lock-account-mismatch': ['stop', 'this lock belongs to another account'],
  'lock-id-mismatch': ['stop', 'this lock was stored under the name of another lock'],
  'lock-epoch-stale': ['stop', 'this lock is older than one already seen'],
  'lock-credential-mismatch': ['fix-input', 'this lock belongs to another passkey'],
  'lock-commitment-mismatch': ['fix-input', 'this key does not fit this lock'],
  'lock-open-failed': ['stop', 'this lock was changed after it was made'],
  'passphrase-too-cheap': ['stop', 'this passphrase lock asks for less work than is safe'],
  'passphrase-too-costly': ['stop', 'this passphrase lock asks for more work than a device should do'],
  'recovery-code-length': ['fix-input', 'a recovery code has 28 letters and digits'],
  'recovery-code-character': ['fix-input', 'a recovery code holds only letters and digits'],
  'recovery-code-typo': ['fix-input', 'this recovery code holds a typing error'],
  'recovery-code-unsupported': ['update', 'this recovery code was made by a newer version of Sotto'],
  'link-text-malformed': ['fix-input', 'this is not a whole code of a device link'],
  'link-code-typo': ['fix-input', 'this code holds a typing error: it has eight letters and digits'],
  'link-version-unsupported': ['update', 'the other device has a newer version of Sotto'],
  'link-message-malformed': ['stop', 'what the other device sent is not well-formed'],
  'recovery-phrase-length': ['fix-input', 'a recovery phrase has 14 words'],
  'recovery-phrase-word': ['fix-input', 'a word of this recovery phrase is none of the list'],
  'recovery-phrase-typo': ['fix-input', 'a word of this recovery phrase is wrong, or two are swapped'],
  'device-malformed': ['stop', 'this device record is not well-formed'],
  'device-version-unsupported': ['update', 'this device record was made by a newer version of Sotto'],
  'device-account-mismatch': ['stop', 'this device belongs to another account'],
  'device-signer-unknown': ['stop', 'this device was not signed by a device of the account'],
  'device-signature-invalid': ['stop', 'the signature of this device record is not valid'],
  'blob-malformed': ['stop', 'this file is not in the form of a sealed file'],
  'blob-version-unsupported': ['update', 'this file was written by a newer version of Sotto'],
  'blob-id-mismatch': ['stop', 'this file was stored under the name of another file'],
  'blob-commitment-mismatch': ['stop', 'this file was changed, or sealed under another key'],
  'blob-open-failed': ['stop', 'this file was changed after it was sealed'],
  'blob-length-mismatch': ['stop', 'this file is not as long as it should be'],
  'blob-too-large': ['fix-input', 'this file is too large to be kept: the limit is 256 MB'],
  'share-malformed': ['fix-input', 'this is not a whole link to a shared chat, or what is behind it was changed'],
  'share-too-large': ['fix-input', 'this chat is too long to be shared by a link'],
  'local-damaged': ['stop', 'what this device kept for the account does not open'],
  'head-malformed': ['stop', 'the log of a device is not well-formed'],
  'head-device-unknown': ['stop', 'this log is of a device that does not belong to the account'],
  'head-signature-invalid': ['stop', 'the signature under the log of a device is not valid'],
  'epoch-malformed': ['stop', 'the beginning of a key epoch is not well-formed'],
  'epoch-order': ['stop', 'this key epoch does not follow the one before it'],
  'epoch-signer-unknown': ['stop', 'this key epoch was begun by a device that may not do so'],
  'epoch-signature-invalid': ['stop', 'the signature under this key epoch is not valid'],
  'epoch-unrelated': ['stop', 'this key epoch does not continue the one that this device knows'],
  'epoch-replaced': ['stop', 'this key epoch was begun otherwise than this device has seen it begin'],
  'lock-key-malformed': ['stop', 'what is kept of a lock is not well-formed'],
  'lock-key-signer-unknown': ['stop', 'what is kept of a lock was not written by a device of the account'],
  'lock-key-signature-invalid': ['stop', 'the signature under what is kept of a lock is not valid'],
  'key-malformed': ['stop', 'a key does not have the length or form it must have'],
} as const satisfies Record<string, readonly [ErrorAction, string]>;

export type VaultErrorCode = keyof typeof TABLE;

/** @param rule the rule of spec/vault.md that refused, such as `VA-06` */
export class VaultError extends SottoError<VaultErrorCode> {
  /** For `recovery-code-typo` the group (1 to 7) that holds the error, where that can be told; for `recovery-phrase-word` the word's place. */
  readonly group: number | undefined;

  constructor(code: VaultErrorCode, rule: string, details: { readonly cause?: unknown; readonly group?: number } = {}) {
    const [action, message] = TABLE[code];
    super(code, message, { action, rule, cause: details.cause });
    this.group = details.group;
  }
}
