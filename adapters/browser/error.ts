import { SottoError } from '@sotto/bytes';

export type BrowserErrorCode =
  | 'network-unreachable'
  | 'store-full'
  | 'store-unavailable'
  | 'passkey-unavailable'
  | 'passkey-cancelled'
  | 'passkey-failed'
  | 'passphrase-failed';

const ACTIONS = {
  'network-unreachable': 'retry',
  'store-full': 'fix-input',
  'store-unavailable': 'retry',
  'passkey-unavailable': 'fix-input',
  'passkey-cancelled': 'retry',
  'passkey-failed': 'retry',
  'passphrase-failed': 'retry',
} as const;

const MESSAGES: Readonly<Record<BrowserErrorCode, string>> = {
  'network-unreachable': 'the server cannot be reached',
  'store-full': 'this browser has no room left for the site',
  'store-unavailable': 'this browser does not let the site keep data',
  'passkey-unavailable': 'this browser has no passkeys',
  'passkey-cancelled': 'the passkey was cancelled or timed out',
  'passkey-failed': 'the passkey did not work',
  'passphrase-failed': 'this device has no room to try the passphrase just now',
};

/** What a browser refused, turned into one of ours; messages are constant. */
export class BrowserError extends SottoError<BrowserErrorCode> {
  constructor(code: BrowserErrorCode, cause?: unknown) {
    super(code, MESSAGES[code], cause === undefined ? { action: ACTIONS[code] } : { action: ACTIONS[code], cause });
  }
}
