/** Every word the app shows, by feature, so that a translation is one more table of this shape. */

const en = {
  'app.tagline': 'A quiet place to think.',
  'app.name': 'Sotto',
  'app.close': 'Close',
  'app.cancel': 'Cancel',
  'app.again': 'Try again',
  'app.places': 'Chats',
  'app.skip': 'Skip to the message box',
  'app.unavailable.title': 'This browser keeps nothing for the site',
  'app.unavailable.body':
    'Sotto needs this browser’s own storage to keep your chats, and the browser refused it. A private window may be the reason. Open the page in an ordinary window and try again.',

  'composer.placeholder': 'Ask anything',
  'composer.label': 'Your message',
  'composer.send': 'Send',
  'composer.stop': 'Stop the answer',
  'composer.attach': 'Attach files',
  'places.more': 'Settings',
  'places.room': 'Room for files',
  'composer.editing': 'Editing your message',
  'composer.tooLong':
    'This is too long to send: {model} reads about {limit} words at once, and this has about {words}. Your text stays here; shorten it, or split it into several messages.',
  'composer.thisModel': 'this model',

  'private.development': 'Development machine: whoever runs it could read this.',
  'private.verified': 'Encrypted to a machine that proved what it runs.',
  'private.guest': 'Kept in this browser only.',
  'private.account': 'History is end-to-end encrypted.',
  'private.temporary': 'This chat is kept nowhere.',

  'start.title': 'Say it quietly.',
  'start.starter':
    'The starter model is small: it checks that everything works, and is often wrong. Three things it can do:',
  'start.noModel':
    'No language model is running on this machine. Stop Sotto and start it with --model FILE, or let it fetch the starter.',
  'start.prompt1': 'Write three short sentences about a quiet morning by the sea.',
  'start.prompt2': 'What is the capital of France?',
  'start.prompt3': 'Give me a list of five fruits.',

  'chat.new': 'New chat',
  'chat.newTemporary': 'Temporary chat',
  'chat.checking': 'Checking the machine',
  'chat.sending': 'Sending',
  'chat.thinking': 'Thinking',
  'chat.recovering': 'Connection lost. Getting the rest of the answer',
  'chat.unsaved': 'Not saved yet',
  'chat.seconds': '{seconds} s',
  'chat.you': 'You',
  'chat.answer': 'Answer',
  'chat.interrupted': 'Interrupted',
  'chat.continue': 'Continue',
  'chat.regenerate': 'Try again',
  'chat.copy': 'Copy',
  'chat.copied': 'Copied',
  'chat.edit': 'Edit',
  'chat.branch': 'Version {at} of {count}',
  'chat.branchBefore': 'Earlier version',
  'chat.branchAfter': 'Later version',
  'chat.leftOut': 'The {count} oldest messages no longer fit what the model reads at once and were left out.',
  'chat.toBottom': 'To the newest words',
  'chat.said.started': 'The answer begins.',
  'chat.said.complete': 'The answer is finished: {text}',
  'chat.said.interrupted': 'The answer was interrupted. What arrived is kept.',
  'chat.copyCode': 'Copy code',
  'chat.image': 'Image: {name}',

  'list.today': 'Today',
  'list.yesterday': 'Yesterday',
  'list.last-week': 'Last seven days',
  'list.earlier': 'Earlier',
  'list.empty': 'Your chats will be listed here.',
  'list.menu': 'Rename, order or delete “{title}”',
  'list.order': 'Folder, pin, tags…',
  'list.manage': 'Manage chats',
  'list.rename': 'Rename',
  'list.delete': 'Delete',
  'list.renameLabel': 'New name of the chat',
  'list.damaged': '{count} stored items did not open and were left out.',

  'keep.offer': 'Keep my chats',
  'keep.title': 'Keep your chats',
  'keep.lead':
    'Your chats move from this browser into storage that only you can open. There is no name, no e-mail and no password: this code is the key. Nobody can replace it, us included.',
  'keep.codeLabel': 'Your recovery code',
  'keep.copy': 'Copy',
  'keep.download': 'Download',
  'keep.print': 'Print',
  'keep.written': 'I have written it down',
  'keep.file':
    'Sotto recovery code\n\n{code}\n\nWith this code anyone can open your chats. Without it and without a passkey, nobody can.\nOpen {origin} and choose “Unlock” to use it.\n',
  'keep.confirmTitle': 'Type the last group of your code',
  'keep.confirmBody': 'Only to be sure that you have it somewhere outside this browser.',
  'keep.confirmLabel': 'Last group',
  'keep.confirm': 'Keep my chats',
  'keep.back': 'Show the code again',
  'keep.moving': 'Moving your chats',
  'keep.movingBody': 'Each one is sealed anew under your own key and read back before the copy here is erased.',
  'keep.passkeyTitle': 'Add a passkey?',
  'keep.passkeyBody':
    'Your chats are kept. A passkey opens them with a touch on this device; the recovery code keeps working.',
  'keep.passkeyAdd': 'Add a passkey',
  'keep.passkeySkip': 'Not now',
  'keep.passkeyRunning':
    'Follow your browser. It may ask up to three times: once to make the passkey, twice to test it.',
  'keep.doneTitle': 'Your chats are kept',
  'keep.doneCode': 'Your recovery code opens them in any browser. The copy that lay in this browser is erased.',
  'keep.done.opens-chats':
    'Your passkey and your recovery code open them. The copy that lay in this browser is erased.',
  'keep.done.signs-in-only':
    'This passkey cannot hold a key, so it only signs you in: your recovery code is what opens your chats. Keep it safe. The copy that lay in this browser is erased.',
  'keep.done': 'Done',
  'keep.lock': 'Lock',

  'link.open': 'Link a device',
  'locks.open': 'Locks and devices',
  'link.new': 'Link with another device',

  'transfer.export': 'Export my chats',
  'transfer.import': 'Import chats',

  'search.open': 'Search chats',

  'unlock.title': 'Your chats are locked',
  'unlock.body': 'Nothing of them lies readable in this browser. Open them with what only you have.',
  'unlock.passkey': 'Unlock with a passkey',
  'unlock.codeLabel': 'Recovery code or phrase',
  'unlock.code': 'Unlock',
  'unlock.or': 'or',
  'unlock.busy': 'Opening',
  'unlock.guest': 'I have kept chats: unlock',
  'unlock.asGuest': 'Use Sotto without them',
  'unlock.settings': 'Unlocking',

  'proof.badge.development': 'Development machine',
  'proof.badge.verified': 'Verified machine',
  'proof.badge.failed': 'Cannot verify: nothing sent',
  'proof.badge.checking': 'Checking',
  'proof.badge.offline': 'Not connected',
  'proof.title.development': 'This is a development machine',
  'proof.title.verified': 'This machine proved what it runs',
  'proof.title.failed': 'This machine could not be verified',
  'proof.title.checking': 'Checking the machine',
  'proof.title.offline': 'No machine answers',
  'proof.lead.development':
    'Your words are encrypted on the way to it, but it has no special hardware: whoever runs it could read them. Nothing was sent before the checks below.',
  'proof.lead.verified': 'Your device checked it at {ago}. Nothing was sent before that.',
  'proof.lead.failed':
    'Your device refused it, so nothing of yours was sent. What you typed is still in the message box.',
  'proof.lead.failedLive':
    'It failed when it was asked again, so the connection was closed and nothing more is sent. What you sent before went to a machine that had passed its checks.',
  'proof.lead.checking': 'Nothing is sent until every check has passed.',
  'proof.lead.offline': 'Nothing was sent.',
  'proof.checkedAt': 'Checked on this device at {time}.',
  'proof.passed': 'Passed',
  'proof.failed': 'Failed',
  'proof.notApplicable': 'Does not apply here',
  'proof.expected': 'Expected',
  'proof.seen': 'Seen',
  'proof.whatToDo':
    'Do not go on with this machine. If you run it yourself and installed it anew, open the link that its terminal prints now; if not, tell whoever runs it what is said here.',
  'proof.live.ask': 'Check again, live',
  'proof.live.asking': 'Asking the machine',
  'proof.live.why':
    'The checks above hold for this connection and its keys. Your device can also make a random number now and have the machine sign it.',
  'proof.live.proven':
    'At {time} this machine signed a random number that your device had just made, together with this very connection.',
  'proof.live.unknown':
    'The machine gave no answer that could be judged, so nothing more is known than before. {reason}',
  'proof.raw': 'Raw evidence',
  'proof.rawSize': '{bytes} bytes, as hexadecimal',
  'proof.copy': 'Copy',
  'proof.download': 'Download',
  'proof.operator': 'See this as the operator',
  'proof.break': 'Try to break it',
  'proof.open': 'Show what was checked',

  'pin.changedTitle': 'This is not the machine you trusted',
  'pin.changedBody':
    'This browser trusts one development machine by its fingerprint. The link you opened names another one. That happens when Sotto was installed anew or its data folder changed; it also happens when someone puts another machine in its place. Nothing was sent.',
  'pin.expected': 'Trusted until now',
  'pin.seen': 'In this link',
  'pin.doTitle': 'What to do',
  'pin.do':
    'Look at the terminal where Sotto runs. Trust the new machine only if the link printed there ends with the same fingerprint and you know why it changed.',
  'pin.trustLabel': 'To go on, type the first four characters of the new fingerprint',
  'pin.trust': 'Trust the new machine',
  'pin.missingTitle': 'Open the link from the terminal',
  'pin.missingBody':
    'Sotto sends nothing to a machine this browser has no reason to trust. The terminal where you started it printed a link that ends with the machine’s fingerprint. Open that link once in this browser.',
  'pin.missingExample': 'It looks like this:',

  'operator.title': 'What the operator holds',
  'operator.lead':
    'Read live from the operator’s own database, logs and relay capture. Your rows only; every table, every column.',
  'operator.reveals':
    'What this still reveals: how many messages there are, their padded sizes, when they were written and sent, and the IP address you come from. Not a word of what they say.',
  'operator.guest': 'Your chats are kept in this browser only: no record of them is here.',
  'operator.development': 'Only the development machine itself sees your words, while it answers them.',
  'operator.readAt': 'Read at {time}.',
  'operator.reading': 'Reading',
  'operator.rows': '{count}',
  'operator.noRows': 'nothing',
  'operator.close': 'Back to the chat alone',
  'operator.hint': 'Point at a message to mark its rows.',

  'settings.theme': 'Theme',
  'settings.theme.system': 'As the system',
  'settings.theme.light': 'Light',
  'settings.theme.dark': 'Dark',
  'settings.profile': 'What the line hides',
  'settings.profile.compact': 'Only what is said',
  'settings.profile.balanced': 'How answers flow, too',
  'settings.profile.strict': 'Even that you ask',

  'help.title': 'Keyboard',
  'help.open': 'Keyboard help',
  'help.send': 'Send',
  'help.newline': 'New line',
  'help.editLast': 'Edit your last message, when the box is empty',
  'help.stop': 'Stop the answer, or close what opened last',
  'help.newChat': 'New chat',
  'help.search': 'Search your chats',
  'help.lock': 'Lock',
  'help.help': 'This list',

  'error.unverified': 'This machine could not be verified, so nothing was sent. Your text is still in the message box.',
  'error.unexpected': 'Something went wrong that should not have. What was saved is still there.',
  'error.store-full': 'There is no room left to save. What you see is not lost yet: free some space, then try again.',
  'error.store-unavailable': 'Saving did not work. What you see stays here until it does.',
  'error.store-signed-out': 'You were signed out, so nothing could be saved. Unlock your chats again.',
  'error.signed-out': 'You were signed out. Unlock your chats again.',
  'error.network-unreachable': 'The server cannot be reached.',
  'error.prompt-too-long':
    'This is more than the model can read at once. Your message is kept: shorten it and send it again.',
  'error.message-too-long': 'This message is longer than what can be stored as one. It stays in the message box.',
  'error.engine-missing': 'No language model is running on this machine. Stop Sotto and start it with --model FILE.',
  'error.engine-crashed': 'The model stopped in mid-answer. What arrived is kept.',
  'error.busy': 'The machine is answering others right now. Try again in a moment.',
  'error.record-forged':
    'Something was altered on its way from the machine, so it was stopped. What arrived before is kept.',
  'error.answer-incomplete': 'The answer broke off before its end. What arrived is kept.',
  'error.answer-lost':
    'The connection was lost, and the rest of the answer could not be fetched. What arrived is kept.',
  'error.recovery-forged': 'Somebody altered what the machine had kept of this answer. What arrived before is kept.',
  'error.recovery-malformed':
    'The rest of the answer came in a form this page does not understand. What arrived is kept.',
  'error.node-lost': 'The connection to the machine was lost. What arrived is kept.',
  'error.session-closed': 'The connection to the machine was closed. What arrived is kept.',
  'error.session-truncated': 'The connection to the machine was lost. What arrived is kept.',
  'error.session-idle': 'The machine fell silent. What arrived is kept.',
  'error.session-expired':
    'The connection to the machine had to be renewed and was not. What arrived is kept; ask again.',
  'error.node-leaving': 'The machine is being stopped and takes no new question. Ask again in a moment.',
  'error.stream-truncated': 'The connection to the machine was lost. What arrived is kept.',
  'error.stream-reset': 'The machine gave up this answer. What arrived is kept.',
  'error.handshake-timeout': 'The machine did not answer in time.',
  'error.server-malformed': 'The server gave an answer that this page does not understand. Reload the page.',
  'error.server-refused': 'The server refused the request.',
  'error.node-refused': 'The machine refused the request.',
  'error.node-distrusted': 'This machine is no longer trusted. The connection was closed.',
  'error.no-node': 'No machine is running that could answer.',
  'error.proof-no-link': 'This browser trusts no machine yet, so nothing was sent.',
  'error.proof-machine-changed': 'This is not the machine you trusted, so nothing was sent.',
  'error.passkey-cancelled': 'The passkey was cancelled. Nothing changed; you can try again.',
  'error.passkey-unavailable': 'This browser has no passkeys. Use your recovery code.',
  'error.passkey-failed': 'The passkey did not work here. Your recovery code does.',
  'error.passkey-unknown': 'This passkey opens no account here. Use another one, or your recovery code.',
  'error.passkey-no-lock': 'This passkey signs you in but cannot open your chats. Type your recovery code.',
  'error.passkey-prf-unstable':
    'This passkey cannot protect your chats: it signs you in, and the recovery code opens them.',
  'error.recovery-refused':
    'No account opens with this code. Compare it with what you wrote down; your text stays here.',
  'error.recovery-code-typo':
    'One character of this code is mistyped. Compare it with what you wrote down; your text stays here.',
  'error.recovery-code-length': 'A recovery code has seven groups of four characters. Your text stays here.',
  'error.recovery-code-character': 'A recovery code holds only letters and digits. Your text stays here.',
  'error.recovery-code-unsupported': 'This code was made by a newer version of Sotto. Reload the page.',
  'error.account-exists': 'This account exists already. Unlock it with its recovery code.',
  'error.account-full': 'This account has no room left. What you see is not saved; delete old chats, then try again.',
  'error.lock-foreign': 'The server returned a lock of another account. Nothing was opened with it.',
  'error.lock-missing': 'The server has no lock for this code any more. Nothing was opened.',
  'error.lock-commitment-mismatch': 'This key does not fit the lock that the server returned. Nothing was opened.',
  'error.guest-damaged': 'What this browser kept of its chats cannot be opened any more.',
  'error.node-unavailable': 'The machine that answers cannot be reached just now.',
  'error.record-too-large': 'This message is longer than what can be stored as one. It stays in the message box.',
  'error.passkey-taken': 'This passkey is in use already.',
  'error.passkey-refused': 'This passkey could not be checked. Try again.',
  'error.challenge-expired': 'That took too long. Start again.',
  'error.device-refused': 'This device no longer signs in by itself. Unlock again with a passkey or the recovery code.',
  'error.passphrase-wrong': 'This is not the passphrase of this browser. It stays in the field; try again.',
  'error.passphrase-missing': 'This browser has no passphrase. Use your recovery code or a passkey.',
  'error.passphrase-too-short': 'A passphrase has at least six characters.',
  'error.passphrase-only-lock':
    'A passphrase opens this browser alone, so it cannot be the only way in. Your recovery code must be known here first: unlock with it once.',
  'error.passphrase-failed':
    'This device has no room to work on the passphrase just now. Close something and try again.',
  'error.rate-limited': 'Too many tries. Wait a minute and try again.',
  'error.group-differs': 'That is not the last group of your code.',
  'error.keep-incomplete': 'Not every chat could be moved. Nothing was erased; try again.',
  'error.clock-implausible':
    'This device’s clock is wrong by too much to judge the evidence. Set it right and try again.',
} as const;

export type WordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function t(key: WordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** The words for an error's code; codes are ours, and an unknown one has general words. */
export function errorWords(code: string): string {
  const key = `error.${code}`;
  return key in en ? t(key as WordKey) : t('error.unexpected');
}

/** An error's constant message as a sentence of its own. */
export function asSentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1) + (message.endsWith('.') ? '' : '.');
}
