/** What can go wrong between a client and the server or node it talks to (spec/client.md). */
import { type ErrorAction, SottoError } from '@sotto/bytes';

export type ClientErrorCode =
  | 'network-unreachable'
  | 'server-malformed'
  | 'server-refused'
  | 'signed-out'
  | 'no-node'
  | 'node-distrusted'
  | 'node-unverified'
  | 'node-lost'
  | 'node-malformed'
  | 'node-refused'
  | 'answer-incomplete'
  | 'answer-lost'
  | 'engine-missing'
  | 'engine-crashed'
  | 'prompt-too-long'
  | 'busy'
  | 'prf-refused'
  | 'lock-missing'
  | 'lock-foreign'
  | 'lock-last'
  | 'lock-key-missing'
  | 'epoch-withheld'
  | 'epoch-stale'
  | 'epoch-conflict'
  | 'history-doubtful'
  | 'recovery-refused'
  | 'passkey-unknown'
  | 'passkey-prf-unstable'
  | 'passkey-no-lock'
  | 'tags-full'
  | 'shares-full'
  | 'share-unknown'
  | 'share-taken'
  | 'rate-limited'
  | 'store-full'
  | 'record-conflict'
  | 'store-unavailable'
  | 'message-too-long'
  | 'keep-incomplete'
  | 'account-deleted'
  | 'account-exists'
  | 'account-required'
  | 'account-full'
  | 'locks-full'
  | 'passkey-refused'
  | 'passkey-taken'
  | 'challenge-expired'
  | 'node-unavailable'
  | 'blob-unknown'
  | 'blob-conflict'
  | 'blob-incomplete'
  | 'blob-digest-mismatch'
  | 'files-full'
  | 'guest-damaged'
  | 'device-refused'
  | 'devices-full'
  | 'passphrase-wrong'
  | 'passphrase-wait'
  | 'passphrase-missing'
  | 'passphrase-too-short'
  | 'passphrase-only-lock';

/** Words for people and what to do, one per code. Constant: nothing a peer or a person typed ever enters. */
const WORDS: Readonly<Record<ClientErrorCode, readonly [ErrorAction, string]>> = {
  'network-unreachable': ['retry', 'The server could not be reached. Check the connection and try again.'],
  'server-malformed': ['update', 'The server gave an answer this client does not understand. Nothing was used of it.'],
  'server-refused': ['retry', 'The server refused the request.'],
  'signed-out': ['fix-input', 'This browser is signed out. Unlock your chats again.'],
  'no-node': ['retry', 'No machine that can answer is available right now.'],
  'node-distrusted': ['stop', 'This machine is no longer trusted. The connection was closed.'],
  'node-unverified': ['stop', 'This machine was not verified. Nothing was sent.'],
  'node-lost': ['retry', 'The connection to the machine was lost.'],
  'node-malformed': ['stop', 'The machine gave an answer this client does not understand.'],
  'node-refused': ['retry', 'The machine could not answer this request.'],
  'answer-incomplete': ['retry', 'The answer ended before it was complete. What arrived is kept.'],
  'answer-lost': [
    'retry',
    'The connection was lost, and the rest of this answer with it. What arrived is kept; it can be continued.',
  ],
  'engine-missing': [
    'fix-input',
    'No language model is running on this machine. Stop Sotto and start it with --model FILE.',
  ],
  'engine-crashed': ['retry', 'The language model stopped in mid-answer. What arrived is kept; try again.'],
  'prompt-too-long': [
    'fix-input',
    'This is more text than the model can read at once. Shorten it, or start a new chat.',
  ],
  busy: ['retry', 'The machine is answering others. Try again in a moment.'],
  'prf-refused': ['stop', 'A request that held a passkey secret was stopped before it left this device.'],
  'lock-missing': ['fix-input', 'This account has no lock of that kind.'],
  'lock-foreign': ['stop', 'The server returned a lock that belongs to another account. Nothing was opened with it.'],
  'lock-last': ['fix-input', 'This is the last way into your chats. Add another one first.'],
  'lock-key-missing': [
    'fix-input',
    'One of your locks cannot be carried over to a new key from here: it was made before this was possible, or by the device that you remove. Open your chats with it once on this device, or remove it too.',
  ],
  'epoch-withheld': ['retry', 'The server does not show what belongs to your newest key. Try again.'],
  'epoch-stale': ['retry', 'Another device has changed the key of your chats. Fetching it, then trying again.'],
  'epoch-conflict': ['retry', 'Another device is changing the key of your chats at this moment. Try again.'],
  'history-doubtful': [
    'fix-input',
    'The server shows something else than your devices wrote. Look at that first: a new key would take it as it is.',
  ],
  'recovery-refused': ['fix-input', 'No account answers to this recovery code. Check it and try again.'],
  'passkey-unknown': [
    'fix-input',
    'This passkey does not belong to an account here. Use another one, or your recovery code.',
  ],
  'passkey-prf-unstable': [
    'fix-input',
    'This passkey cannot protect your chats: it signs you in, and the recovery code opens them.',
  ],
  'account-deleted': [
    'stop',
    'The server says that this account was deleted from another device. What this browser keeps of it is still here: export it if you want to keep it.',
  ],
  'account-exists': ['fix-input', 'This account exists already. Unlock it with its recovery code or passkey.'],
  'account-required': ['fix-input', 'This needs an account. Keep your chats first.'],
  'account-full': [
    'fix-input',
    'This account has no room left. Remove some chats and save again; your text is still here.',
  ],
  'locks-full': ['fix-input', 'This account has as many ways in as it may have.'],
  'passkey-refused': ['fix-input', 'This passkey could not be checked. Try again.'],
  'passkey-taken': ['fix-input', 'This passkey is in use already.'],
  'challenge-expired': ['retry', 'That took too long. Start again.'],
  'node-unavailable': ['retry', 'The machine that answers cannot be reached just now.'],
  'blob-unknown': ['retry', 'This file is not on the server, or not yet.'],
  'blob-conflict': ['stop', 'The server keeps another file under this name. Attach it again.'],
  'blob-incomplete': ['retry', 'The server does not have all of this file yet.'],
  'blob-digest-mismatch': ['retry', 'A part of this file did not arrive as it was sent.'],
  'files-full': ['fix-input', 'Too many files wait on this device to be sent. Remove some, or send them first.'],
  'guest-damaged': ['stop', 'What this browser kept of its chats cannot be opened any more.'],
  'device-refused': [
    'fix-input',
    'This device no longer signs in by itself. Unlock with a passkey or the recovery code.',
  ],
  'devices-full': ['fix-input', 'This account has as many devices as it may have. Remove one that is no longer used.'],
  'passphrase-wrong': ['fix-input', 'This is not the passphrase of this browser.'],
  'passphrase-wait': ['retry', 'Too many tries. Wait a little before the next one.'],
  'passphrase-missing': ['fix-input', 'This browser has no passphrase. Use your recovery code or a passkey.'],
  'passphrase-too-short': ['fix-input', 'A passphrase has at least six characters.'],
  'passphrase-only-lock': [
    'fix-input',
    'A passphrase opens this browser alone, so it cannot be the only way in. Make a recovery code or a passkey first.',
  ],
  'passkey-no-lock': ['fix-input', 'This passkey signs you in but cannot open your chats. Enter your recovery code.'],
  'shares-full': ['fix-input', 'You have as many shared chats as you may have. Take one back first.'],
  'share-unknown': ['fix-input', 'There is no shared chat at this link: it has ended, or its owner took it back.'],
  'share-taken': ['retry', 'This link is in use already. Try again.'],
  'tags-full': ['fix-input', 'A chat has at most 16 tags. Take one away first.'],
  'rate-limited': ['retry', 'Too many tries. Wait a minute and try again.'],
  'store-full': ['fix-input', 'There is no room left to save. Your text is still here; free some room and save again.'],
  'store-unavailable': ['retry', 'Saving did not work. Your text is still here and will be tried again.'],
  'record-conflict': ['retry', 'Another device has written this since. It is fetched, and sent again.'],
  'message-too-long': ['fix-input', 'This message is longer than can be saved in one piece. Shorten it.'],
  'keep-incomplete': ['retry', 'Not every chat could be moved. Nothing was erased; try again.'],
};

/** Something a client could not do; the code says what, the message says it to a person. */
export class ClientError extends SottoError<ClientErrorCode> {
  constructor(code: ClientErrorCode, details: { readonly cause?: unknown; readonly rule?: string } = {}) {
    super(code, WORDS[code][1], { action: WORDS[code][0], ...details });
  }
}

/** A message could not be saved. Its text is still in memory; save it again under `messageId` and it stays one message. */
export class SaveError extends ClientError {
  readonly messageId: string;

  constructor(code: ClientErrorCode, messageId: string, cause: unknown) {
    super(code, { cause, rule: 'CL-15' });
    this.messageId = messageId;
  }
}

/** What a store refused, as the save of a record that it was. */
export function saveErrorOf(error: unknown, recordId: string): SaveError {
  const isKnown = error instanceof SottoError && isClientErrorCode(error.code);
  return new SaveError(isKnown ? (error.code as ClientErrorCode) : 'store-unavailable', recordId, error);
}

export function isClientErrorCode(code: string): code is ClientErrorCode {
  return Object.hasOwn(WORDS, code);
}
