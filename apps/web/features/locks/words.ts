/** The words of locks and devices, loaded with them: a table of the same kind as the app's own. */

import { errorWords } from '../../shell/words.ts';

const en = {
  title: 'Locks and devices',
  loading: 'One moment',
  'locks.title': 'What opens your chats',
  'locks.lead':
    'Each of these opens everything, on any device. Whoever has one of them has your chats, so remove what you no longer have in your hands.',
  'devices.title': 'Devices that write',
  'devices.lead':
    'Browsers and programs in which this account is or was open. A device that you remove learns no new key and is signed out; what it has on itself stays there.',

  'kind.passkey': 'Passkey',
  'kind.recovery-code': 'Recovery code',
  'kind.recovery-phrase': 'Recovery phrase',
  'kind.passkey-without-lock': 'Passkey that only signs in',
  'lock.inUse': 'opened this browser',
  'lock.made': 'since {date}',
  'lock.used': 'last used {date}',
  'lock.vanish':
    'This passkey lies on one device alone and is not backed up. When that device is lost or reset, the passkey is gone. Keep another way in.',
  'lock.cannotBeCarried':
    'Made before keys could be changed. Open your chats with it once; until then it stands in the way of a new key.',
  'lock.withoutLock': 'It signs in and opens nothing: this authenticator could not keep a secret for it.',
  'device.this': 'this browser',
  'device.wrote': 'last wrote {date}',
  'device.never': 'has not written yet',
  'device.unnamed': 'Device {id}',

  rename: 'Rename',
  'rename.label': 'Name',
  'rename.save': 'Save',
  remove: 'Remove',
  cancel: 'Cancel',
  close: 'Done',

  'add.title': 'Add another way in',
  'add.passkey': 'Passkey',
  'add.recovery-code': 'New recovery code',
  'add.recovery-phrase': 'Recovery phrase',
  'add.signsInOnly':
    'This passkey signs you in and cannot open your chats: its authenticator keeps no secret for them. It is listed below.',
  'add.added': 'Added.',
  'write.code': 'Write this code down. It is shown once, and whoever has it has your chats.',
  'write.phrase':
    'Write these fourteen words down, in this order. They are shown once, and whoever has them has your chats.',
  'write.copy': 'Copy',
  'write.next': 'I have written it down',
  'confirm.code': 'Type the last four characters',
  'confirm.phrase': 'Type the last word',
  'confirm.differs': 'That is not what was shown. Look at what you have written.',
  'confirm.add': 'Add it',

  'remove.lock.title': 'Remove this lock?',
  'remove.device.title': 'Remove this device?',
  'remove.lead':
    'Your chats get a new key, wrapped anew for every other lock and device. From then on what is removed opens nothing that you write.',
  'remove.limit':
    'What was written before it could have been copied: whoever once opened it with this, and keeps old copies, can still read the past. A new key protects what comes after.',
  'remove.device.limit':
    'What lies on that device stays on it. If it was stolen, also remove the passkeys and codes that were on it.',
  'remove.inUse': 'This browser was opened with it. It stays open; the next time another lock is needed.',
  'remove.missing':
    'These locks cannot be carried over to a new key, because no other device knows them yet. Open your chats with them once first, or remove them too:',
  'remove.alsoMissing': 'Remove them too',
  'remove.yes': 'Remove',
  'remove.working': 'Making a new key. Leave this page open.',
  'remove.done': 'Done. Everything new is sealed under the new key.',

  'rotate.title': 'Change the key now',
  'rotate.lead':
    'If you fear that somebody else has seen your key. Every lock and device that is listed goes on working.',
  'rotate.yes': 'Change the key',
  epoch: 'Key number {epoch}.',
  older: '{count} older items are still sealed under an earlier key. They are sealed anew little by little.',

  'findings.title': 'The server’s list of locks is not what your devices know.',
  'findings.whatToDo': 'Change the key: the new list is made by this device, and what should not be there is left out.',

  'error.lock-last': 'This is the last way into your chats. Add another one first.',
  'error.history-doubtful':
    'The server shows something else than your devices wrote. Look at the notice in the list of chats first: a new key would take it as it is.',
  'error.epoch-conflict': 'Another device is changing the key at this moment. Try again in a moment.',
  'error.epoch-withheld': 'The server does not show what belongs to your newest key. Try again.',
  'error.locks-full': 'Your account has as many ways in as it may have. Remove one first.',
  'error.network-unreachable':
    'Locks and keys can be changed only while the server can be reached. Nothing was lost; try again.',
} as const;

export type LockWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function l(key: LockWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** Words for an error's code, where this table has some of its own. */
export function lockErrorWords(code: string): string {
  const key = `error.${code}`;
  return key in en ? l(key as LockWordKey) : errorWords(code);
}
