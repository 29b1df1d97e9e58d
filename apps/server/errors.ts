/**
 * The server's errors (spec/server.md, codes). Requests come from anybody: an answer holds a code, a constant sentence
 * and what to do, never what was sent or what is stored.
 */
import { type ErrorAction, SottoError } from '@sotto/bytes';

interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 421 | 429 | 500 | 503 | 507;
  readonly action: ErrorAction;
  readonly message: string;
  readonly rule?: string;
}

const REFUSALS = {
  'bad-request': { status: 400, action: 'fix-input', message: 'The request is not one that this server understands.' },
  'prf-refused': {
    status: 400,
    action: 'stop',
    rule: 'SV-08',
    message: 'The request held a passkey secret. It was thrown away: that secret must never leave the device.',
  },
  'host-refused': {
    status: 421,
    action: 'fix-input',
    rule: 'SV-01',
    message: 'Open Sotto at its localhost address, or give the server a certificate with --cert and --key.',
  },
  'origin-refused': { status: 403, action: 'stop', rule: 'SV-02', message: 'The request came from another site.' },
  'client-header-missing': {
    status: 403,
    action: 'stop',
    rule: 'SV-03',
    message: 'The request does not come from a Sotto client.',
  },
  'signed-out': { status: 401, action: 'fix-input', rule: 'SV-10', message: 'You are signed out. Sign in again.' },
  'account-required': {
    status: 403,
    action: 'fix-input',
    rule: 'SV-11',
    message: 'This needs an account. A guest is kept in the browser only.',
  },
  'account-exists': {
    status: 409,
    action: 'fix-input',
    message: 'This account exists already. Sign in with its passkey or recovery code.',
  },
  'share-taken': { status: 409, action: 'retry', rule: 'SV-123', message: 'This link is in use already. Try again.' },
  'share-unknown': {
    status: 404,
    action: 'fix-input',
    rule: 'SV-124',
    message: 'There is no shared chat at this link: it has ended, or its owner took it back.',
  },
  'shares-full': {
    status: 409,
    action: 'fix-input',
    rule: 'SV-121',
    message: 'This account has as many shared chats as it may have. Take one back first.',
  },
  'account-deleted': {
    status: 410,
    action: 'stop',
    rule: 'SV-132',
    message: 'This account was deleted from another device. Nothing of it is here any more.',
  },
  'passkey-unknown': { status: 401, action: 'fix-input', message: 'This passkey is not known here. Try another one.' },
  'passkey-refused': {
    status: 401,
    action: 'fix-input',
    rule: 'SV-15',
    message: 'The passkey could not be checked. Try again.',
  },
  'passkey-taken': { status: 409, action: 'fix-input', message: 'This passkey is in use already.' },
  'challenge-expired': {
    status: 400,
    action: 'retry',
    rule: 'SV-16',
    message: 'That took too long. Start again.',
  },
  'recovery-refused': {
    status: 401,
    action: 'fix-input',
    rule: 'SV-18',
    message: 'No account opens with this recovery code. Check it and try again.',
  },
  'device-refused': {
    status: 401,
    action: 'fix-input',
    rule: 'SV-111',
    message: 'This device does not sign in to an account here. Unlock with a passkey or the recovery code.',
  },
  'devices-full': {
    status: 409,
    action: 'fix-input',
    rule: 'SV-112',
    message: 'This account has as many devices as it may. Remove one that is no longer used.',
  },
  'rate-limited': {
    status: 429,
    action: 'retry',
    rule: 'SV-20',
    message: 'Too many requests. Wait a little and try again.',
  },
  'too-large': { status: 413, action: 'fix-input', rule: 'SV-07', message: 'This is larger than the server accepts.' },
  'blob-unknown': { status: 404, action: 'stop', message: 'There is no such file here, or not all of it.' },
  'blob-digest-mismatch': {
    status: 400,
    action: 'retry',
    rule: 'SV-71',
    message: 'This part of a file did not arrive as it was sent, so it was not kept. Send it again.',
  },
  'blob-conflict': {
    status: 409,
    action: 'stop',
    rule: 'SV-71',
    message: 'There is another part of a file under this name, and no part replaces another.',
  },
  'blob-incomplete': {
    status: 409,
    action: 'retry',
    rule: 'SV-72',
    message: 'Not every part of this file is here yet. Send those that are missing.',
  },
  'epoch-conflict': {
    status: 409,
    action: 'retry',
    rule: 'SV-102',
    message: 'Another device has changed the key of this account meanwhile. Fetch what is new first.',
  },
  'epoch-stale': {
    status: 409,
    action: 'retry',
    rule: 'SV-107',
    message: 'This is sealed under a key that the account has given up. Fetch what is new first.',
  },
  'locks-full': {
    status: 409,
    action: 'fix-input',
    rule: 'SV-21',
    message: 'This account has as many ways in as it may.',
  },
  'store-full': {
    status: 507,
    action: 'retry',
    rule: 'SV-22',
    message: 'There is no room left, so this was not saved. What was saved before is still there.',
  },
  'record-conflict': {
    status: 409,
    action: 'retry',
    rule: 'SV-60',
    message: 'Another device has written this since. Fetch it, and write again.',
  },
  'store-unavailable': {
    status: 503,
    action: 'retry',
    message: 'The server cannot reach its storage, so this was not saved. Try again.',
  },
  'node-unknown': { status: 404, action: 'retry', message: 'This machine is not in the directory.' },
  'node-unavailable': { status: 503, action: 'retry', message: 'The machine that answers cannot be reached just now.' },
  'collateral-off': {
    status: 404,
    action: 'fix-input',
    rule: 'SV-56',
    message: 'This server does not hand out what vendors publish. It is started with --collateral for that.',
  },
  'collateral-unavailable': {
    status: 503,
    action: 'retry',
    rule: 'SV-52',
    message: 'What the vendor publishes is not at hand here just now. Try again.',
  },
  'link-ended': {
    status: 410,
    action: 'retry',
    rule: 'SV-117',
    message: 'This link has ended. Start again with a new code.',
  },
  'link-taken': {
    status: 409,
    action: 'stop',
    rule: 'SV-116',
    message: 'Somebody else has answered under this code. Start again with a new one.',
  },
  'not-found': { status: 404, action: 'fix-input', message: 'There is nothing at this address.' },
  'web-missing': {
    status: 503,
    action: 'fix-input',
    message: 'The web app has not been built. Run: npm run build:web',
  },
  'server-failed': { status: 500, action: 'retry', message: 'The server failed at this. Try again.' },
} as const satisfies Record<string, Refusal>;

export type ServerErrorCode = keyof typeof REFUSALS;

/** A request was refused or could not be done. */
export class ServerError extends SottoError<ServerErrorCode> {
  readonly status: Refusal['status'];

  constructor(code: ServerErrorCode, cause?: unknown) {
    const { status, action, message, rule }: Refusal = REFUSALS[code];
    super(code, message, {
      action,
      ...(rule === undefined ? {} : { rule }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.status = status;
  }
}

const START_REFUSALS = {
  'port-taken': ['fix-input', 'The port is in use by another program. Stop it, or choose another port with --port.'],
  'port-refused': ['fix-input', 'This port needs rights that you do not have. Choose one above 1023 with --port.'],
  'host-unusable': ['fix-input', 'The server cannot listen on this address. Check --host.'],
  'data-unwritable': ['fix-input', 'The data folder cannot be written. Choose another one with --data.'],
  'data-unreadable': ['fix-input', 'There is no Sotto database to read in this folder. Check --data.'],
  'data-full': ['fix-input', 'The disk that holds the data folder is full. Free some space and start again.'],
  'database-damaged': [
    'fix-input',
    'The database file in the data folder is not a Sotto database. Move it away or restore it.',
  ],
  'database-newer': ['update', 'The data folder was written by a newer version of Sotto. Update this program.'],
  'tls-unreadable': [
    'fix-input',
    'The certificate or its key cannot be read or do not belong together. Check --cert and --key.',
  ],
  'flags-invalid': ['fix-input', 'The flags are not understood.'],
  'backup-exists': [
    'fix-input',
    'There is a file of this name already, and no backup replaces another. Choose a new name.',
  ],
  'backup-unwritable': ['fix-input', 'The backup cannot be written there. Check the folder and its free space.'],
  'backup-unreadable': ['fix-input', 'The backup cannot be read. Check the name of the file.'],
  'backup-damaged': [
    'stop',
    'This is not a whole, unchanged backup of a Sotto server, so nothing was restored. Use another backup.',
  ],
  'server-running': [
    'fix-input',
    'A program has the database of this data folder open, so nothing was restored. Stop the server first.',
  ],
  'restore-over-data': [
    'fix-input',
    'The data folder holds accounts, or what is left of a database, so nothing was restored: it may be newer than the backup. Move every sotto.sqlite file and the folder “blobs” away, or give another folder with --data.',
  ],
  'blobs-foreign': [
    'fix-input',
    'The data folder holds files of accounts that its database does not know. Move the folder “blobs” away, or bring its database back.',
  ],
  'account-unknown': ['fix-input', 'There is no such account or guest in this data folder.'],
} as const satisfies Record<string, readonly [ErrorAction, string]>;

export type StartErrorCode = keyof typeof START_REFUSALS;

/** The server or its tool cannot start; the message is a plain sentence for whoever typed the command. */
export class StartError extends SottoError<StartErrorCode> {
  constructor(code: StartErrorCode, cause?: unknown, detail?: string) {
    const [action, message] = START_REFUSALS[code];
    super(code, detail === undefined ? message : `${message} ${detail}`, {
      action,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
