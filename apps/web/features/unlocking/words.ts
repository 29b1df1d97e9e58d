/** The words of unlocking, loaded with it: a table of the same kind as the app's own. */

const en = {
  'settings.title': 'Unlocking in this browser',
  'settings.lead':
    'Your recovery code and your passkeys open your chats anywhere. What is set here holds in this browser alone, and nothing of it is sent to the server.',

  'passphrase.title': 'Passphrase or PIN',
  'passphrase.lead':
    'Opens your chats in this browser, also without a connection. It is one more way in: when this browser’s data is cleared it is gone, and your recovery code or passkey still opens them.',
  'passphrase.strength':
    'Whoever copies this browser’s files can try passphrases on machines of their own, a few a second on each processor. Six digits hold for hours or days; four words that have nothing to do with each other hold for good.',
  'passphrase.label': 'New passphrase or PIN, six characters or more',
  'passphrase.again': 'The same once more',
  'passphrase.set': 'Set passphrase',
  'passphrase.isSet': 'A passphrase is set.',
  'passphrase.change': 'Change passphrase',
  'passphrase.remove': 'Remove passphrase',
  'passphrase.working': 'This takes a moment',
  'passphrase.done': 'Set. It opens your chats in this browser from now on.',
  'passphrase.removed': 'Removed. It opens nothing any more.',
  'passphrase.differs': 'The two are not the same.',

  'stay.title': 'Stay unlocked in this browser',
  'stay.cost':
    'Your chats open without asking. What opens them then lies among this browser’s files: whoever takes those, or sits down here, reads your chats. Locking erases it.',

  'idle.title': 'Lock when nobody is here',
  'idle.minutes': 'After {minutes} minutes',
  'idle.minute': 'After one minute',
  'idle.hour': 'After one hour',
  'idle.never': 'Never',
  'idle.note': 'All tabs lock together. An answer that is on its way is not cut.',
  'idle.stays': 'Not while it stays unlocked.',

  'forget.title': 'Leave this browser',
  'forget.lead':
    'Erases everything of your account that this browser keeps. Your chats stay where they are and open with your recovery code or passkey. What was not sent to the server yet is lost.',
  'forget.button': 'Erase it from this browser',
  'forget.sure': 'Yes, erase it',

  'guard.near': 'Nobody seems to be here: your chats are about to lock.',
  'guard.draft': 'What you typed and did not send is not kept.',
  'guard.seconds': '{seconds} s',
  'guard.stay': 'I am here',

  'unlock.passphrase': 'Passphrase or PIN of this browser',
  'unlock.withPassphrase': 'Unlock this browser',
  'unlock.wait': 'Too many wrong tries. The next one can be made in {seconds} seconds; the other ways open at once.',
  'unlock.more': 'Other ways',
  'error.recovery-phrase-length': 'A recovery phrase has fourteen words. Your text stays here.',
  'error.recovery-phrase-word':
    'A word of this phrase is none that a phrase is made of. Compare it with what you wrote down.',
  'error.recovery-phrase-typo':
    'A word of this phrase is wrong, or two have changed places. Compare it with what you wrote down.',
  'error.lock-epoch-stale':
    'Your keys were changed on another device, and this browser has not heard the new ones. Connect, and unlock again.',
} as const;

export type UnlockingWordKey = keyof typeof en;

/** The words for an error of unlocking; undefined where the app's own table has them. */
export function unlockErrorWords(code: string): string | undefined {
  const key = `error.${code}`;
  return key in en ? u(key as UnlockingWordKey) : undefined;
}

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function u(key: UnlockingWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}
