/** The words of linking a device, loaded with it: a table of the same kind as the app's own. */

const en = {
  'new.title': 'Link with another device',
  'new.lead':
    'Open Sotto on a device where your chats are open, and choose “Link a device” there. Then one of the two shows a code, and the other reads it.',
  'new.note': 'The code is for this one link. The server never sees it, and learns nothing of what is handed over.',
  'open.title': 'Link a device',
  'open.lead':
    'Let a device of yours read and write these chats. Open Sotto there and choose “Link with another device”. Then one of the two shows a code, and the other reads it.',
  'open.note':
    'Whoever is let in can read everything. Link devices of your own that are in front of you, and nobody else’s.',

  'choose.show': 'Show a code here',
  'choose.read': 'Read the other device’s code',
  'choose.digits': 'Neither has a camera',

  'shown.secret': 'Read this with the other device’s camera, or copy the text below it and paste it there.',
  'shown.image': 'QR code of the link text below',
  'shown.text': 'Link text',
  'shown.copy': 'Copy',
  'shown.copied': 'Copied',
  'shown.digits': 'On the other device choose “Read the other device’s code” and type this:',
  'shown.waiting': 'Waiting for the other device. The code is good for ten minutes and for one device.',

  'reading.camera': 'Use the camera',
  'reading.looking': 'Hold the other device’s code in front of the camera.',
  'reading.noCamera': 'The camera cannot be used here. Paste or type the code instead.',
  'reading.label': 'Link text, or the eight letters and digits',
  'reading.go': 'Continue',
  waiting: 'Waiting for the other device.',

  'asked.open': 'A device has used this code. Is it yours, and in front of you?',
  'asked.openBody':
    'It will be able to read and write all your chats. If you did not just do this yourself, refuse: nothing has been handed over.',
  'asked.digits': 'Does the other device show the same six digits?',
  'asked.digitsBody':
    'Compare them on both screens. If one digit differs, or the other device shows none, somebody stands between the two: refuse on both.',
  'asked.digitsLabel': 'Six digits: {digits}',
  'asked.yes': 'Yes, let it in',
  'asked.same': 'They are the same',
  'asked.no': 'No, end the link',

  'joined.lead': 'This device is in: your chats are open here.',
  'joined.lock':
    'It has no lock of its own yet. With a passkey, a passphrase or a PIN you open your chats here after locking; without one you use your recovery code, or link it again.',
  'joined.add': 'Add a passkey',
  'joined.passphrase': 'Set a passphrase or PIN',
  'joined.skip': 'Not now',
  'joined.adding':
    'Your browser asks for the passkey, three times in all: to make it, and to see twice that it gives the same key.',

  'done.open': 'The device is in. What is written on either is on both from now on.',
  'done.none':
    'Your chats are open on this device. After locking it, open them with your recovery code, or link it again.',
  'done.opens-chats': 'The passkey opens your chats on this device from now on.',
  'done.signs-in-only':
    'This passkey signs you in, but it cannot open chats. After locking, use your recovery code, or link this device again.',
  'done.close': 'Done',
  again: 'Start again',
  cancel: 'End the link',

  'error.link-forged':
    'Something between the two devices was changed, or the code belongs to another link. The link was ended, and nothing was handed over.',
  'error.link-refused': 'The link was refused. Nothing was handed over.',
  'error.link-ended':
    'The link has ended: the other device ended it, or it took longer than ten minutes. Start again with a new code.',
  'error.link-taken': 'Somebody else has used this code. The link was ended; start again with a new one.',
  'error.link-used': 'This code has been used. Start again with a new one.',
  'error.link-same-side': 'This code was made for the other device. Show it here, and read it there.',
  'error.link-malformed':
    'The other device sent something that this version does not understand. Nothing was handed over.',
  'error.link-message-malformed':
    'The other device sent something that this version does not understand. Nothing was handed over.',
  'error.link-text-malformed': 'This is not a whole link code. Copy all of it, from SOTTO-LINK on.',
  'error.link-code-typo':
    'This code holds a typing error. It has eight letters and digits, as the other device shows them.',
  'error.link-version-unsupported': 'The other device has a newer version of Sotto. Reload this page and start again.',
} as const;

export type LinkWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: LinkWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** Undefined for a code that the app's own table knows. */
export function linkErrorWords(code: string): string | undefined {
  const key = `error.${code}`;
  return key in en ? w(key as LinkWordKey) : undefined;
}
