/** The words of folders, pins, tags, and of what goes: loaded with them, a table of the same kind as the app's own. */

const en = {
  'list.pinned': 'Pinned',
  'list.folders': 'Folders',
  'list.tags': 'Tags',
  'list.tagged': 'Tagged “{tag}”',
  'list.allTags': 'All chats',
  'list.archive': 'Put away ({count})',
  'list.archiveBack': 'Back to the chats',
  'list.archiveTitle': 'Put away',
  'list.archiveEmpty': 'Nothing is put away.',
  'list.chats': 'Chats without a folder',
  'list.chatsEmpty': 'Chats without a folder stand here.',
  'folder.new': 'New folder',
  'folder.edit': 'Change folder “{name}”',
  'folder.empty': 'No chat in it yet.',
  'folder.unnamed': 'Folder',
  'folder.title': 'Folder',
  'folder.name': 'Name',
  'folder.instructions': 'Instructions for the model',
  'folder.instructionsNote':
    'What stands here goes before every question in this folder’s chats, and makes it a project. Leave it empty for a plain folder.',
  'folder.parent': 'Stands in',
  'folder.top': 'No other folder',
  'folder.up': 'Move up',
  'folder.down': 'Move down',
  'folder.newChat': 'New chat in it',
  'folder.save': 'Save',
  'folder.delete': 'Delete folder…',
  'folder.deleteKeep': 'Delete the folder, keep its chats ({count})',
  'folder.deleteAll': 'Delete the folder and its chats',
  'folder.deleteNote':
    'Its chats go back to the list, and folders in it stand where it stood. Or delete all of it: that cannot be undone.',
  'folder.moved': '“{name}” moved to place {place} of {count}.',
  'chat.title': 'Order: “{title}”',
  'chat.folder': 'Folder',
  'chat.noFolder': 'No folder',
  'chat.newFolder': 'New folder…',
  'chat.pin': 'Pin to the top',
  'chat.pinUp': 'Move up among the pinned',
  'chat.pinDown': 'Move down among the pinned',
  'chat.archive': 'Put away',
  'chat.tags': 'Tags',
  'chat.addTag': 'Add a tag',
  'chat.add': 'Add',
  'chat.removeTag': 'Take away the tag “{tag}”',
  'chat.goes': 'Goes by itself',
  'chat.goesAccount': 'As for all chats ({days})',
  'chat.pinnedStays': 'A pinned chat stays, however old it is.',
  'chat.done': 'Done',
  'days.0': 'Never',
  'days.n': '{days} days after its last use',
  'removed.one': 'The chat is deleted.',
  'removed.some': '{count} chats are deleted.',
  'removed.undo': 'Undo',
  'removed.account':
    'On all your devices. A server that secretly keeps copies keeps sealed ones: they open only for someone who gets hold of a key of yours.',
  'removed.undone': 'The chats are back.',
  'notice.soon': '{count} chats go within two days, because of their age.',
  'notice.ask':
    'By this device’s clock, {count} chats are old enough to go. It could not be checked against another clock: is it {date} today?',
  'notice.off': 'This device’s clock and the server’s differ by more than a day, so nothing goes by itself here.',
  'notice.done': '{count} chats went, because of their age.',
  'notice.look': 'Which, and when',
  'notice.remove': 'Yes, let them go',
  'notice.dismiss': 'Not now',
  'manage.title': 'Your chats',
  'manage.goes': 'Chats go by themselves',
  'manage.goesNote':
    'Counted from the last message. Nothing goes earlier than a day after you set this; pinned chats stay; a chat may say otherwise.',
  'manage.soon': 'These go soon:',
  'manage.select': 'Delete several',
  'manage.selected': 'Delete {count} chats',
  'manage.filter': 'Show chats whose title has',
  'manage.selectAll': 'All that are shown',
  'manage.everything': 'Delete everything',
  'manage.everythingNote':
    'Every chat, folder, file and the search index goes from this browser and from the server; your other devices drop them when they next connect. What stays: your account and its keys, files you exported, and sealed copies in backups of the server until they expire. A server that secretly keeps copies keeps sealed ones.',
  'manage.everythingGuest':
    'Every chat and folder goes from this browser. Files you exported stay where they are. This cannot be undone.',
  'manage.type': 'Type “{word}” to go on',
  'manage.word': 'delete everything',
  'manage.progress': '{done} of {count} deleted.',
  'manage.gone': 'Everything is deleted.',
  'account.delete': 'Delete my account',
  'account.note':
    'The account, its keys, every chat and every file go from the server and from this browser. Your other devices are told when they next connect; what they keep opens there until it is deleted there, too. Backups of the server hold sealed copies until they expire. Nobody can undo this.',
  'account.code': 'Your recovery code',
  'account.withCode': 'Delete with this code',
  'account.withPasskey': 'Delete with a passkey',
  'account.working': 'Deleting…',
  'project.note': 'Project “{name}”: its instructions go with every question.',
  'temporary.note': 'Temporary chat: it is kept nowhere, and gone when you leave it.',
  'temporary.leaveTitle': 'Leave the temporary chat?',
  'temporary.leaveBody': 'It is kept nowhere: nobody can bring it back, you included.',
  'temporary.stay': 'Stay',
  'temporary.leave': 'Leave it',
} as const;

export type OrderWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: OrderWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

export const daysWords = (days: number): string => (days === 0 ? w('days.0') : w('days.n', { days }));
