/** The words of exporting and importing chats, loaded with it: a table of the same kind as the app's own. */

const en = {
  'export.title': 'Export my chats',
  'export.lead':
    'One ZIP file with every chat and every branch: an open form that can be imported again, and Markdown to read. The file is not encrypted: whoever has it can read it, so keep it where only you can.',
  'export.start': 'Save the file',
  'export.empty': 'There is no chat to export yet.',
  'export.done': '{chats} chats with {messages} messages are in the file.',
  'export.files': '{count} files that go with them are in it.',
  'export.filesLeftOut':
    '{count} files could not be fetched and are not in it. Export again when the server can be reached.',
  'export.damaged': '{count} stored items did not open and are not in it.',

  'import.title': 'Import chats',
  'import.lead':
    'Choose the ZIP file of a Sotto export, or of ChatGPT’s or Claude’s data export, or the JSON files in it; several at once are fine. They are read in this browser and sealed like every other chat; importing a file twice makes no doubles.',
  'import.choose': 'Files',
  'import.running': 'File {file} of {files}: {chats} chats read, {messages} messages taken.',
  'import.stop': 'Stop',
  'import.again': 'Import more',
  'import.close': 'Done',
  'import.taken': 'Taken: {chats} chats, {messages} messages.',
  'import.files': 'Pictures and files that go with them: {count}.',
  'import.known': 'Here already: {chats} chats, {messages} messages.',
  'import.folders': '{count} folders and projects, with their instructions where the file has them.',
  'import.memories':
    '{count} texts of what was remembered of you: they stand under “Manage chats”, and no model is told them.',
  'import.divided': '{count} messages were longer than what can be stored as one; each became several.',
  'import.empty': '{count} chats held nothing that can be shown.',
  'import.left': 'Not taken:',
  'import.stopped': 'Stopped. What was taken stays; choose the same files again to go on.',
  'import.failed':
    'Saving failed, so the rest was not taken: {reason} What was taken stays; choose the same files again to go on.',

  'left.images': '{count} images',
  'left.files': '{count} files',
  'left.tools': '{count} steps of tools, such as searches and programs',
  'left.reasoning': '{count} notes of the model to itself',
  'left.hidden': '{count} hidden instructions',
  'left.unreadable': '{count} items that could not be read',

  'refused.import-unreadable': '{name}: could not be read.',
  'refused.import-unknown': '{name}: holds no chats in a form that is known here.',
  'refused.import-too-large': '{name}: larger than what can be read at once.',
  'refused.zip-malformed': '{name}: a damaged ZIP file.',
  'refused.zip-unsupported':
    '{name}: a kind of ZIP file that cannot be read here. Unpack it and choose conversations.json.',

  'claude.title': 'Your chats are still at Claude, too',
  'claude.look': 'Open a few of the imported chats and projects here and see that they are whole.',
  'claude.file': 'Keep the export file if files of messages or projects matter: they were not taken.',
  'claude.delete': 'At Claude: open Chats, select all, delete; then delete each project, with its files.',
  'claude.memory': 'At Claude: Settings, Capabilities, Memory, delete what it remembers of you.',
  'claude.later': 'Deleted there does not mean gone at once: read how long they keep what was deleted.',
  'claude.local': 'Then delete the export file here, and the e-mail that linked to it.',

  'chatgpt.title': 'Your chats are still at ChatGPT, too',
  'chatgpt.look': 'Open a few of the imported chats here and see that they are whole.',
  'chatgpt.file': 'Keep the export file if images or files matter that were left out above.',
  'chatgpt.delete':
    'At ChatGPT: Settings, Data controls, Delete all chats. Shared links and archived chats are listed there, too.',
  'chatgpt.memory': 'At ChatGPT: Settings, Personalisation, Manage memories, delete what it remembers of you.',
  'chatgpt.later': 'Deleted there does not mean gone at once: read how long they keep what was deleted.',
  'chatgpt.local': 'Then delete the export file here, and the e-mail that linked to it.',
} as const;

export type TransferWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: TransferWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}
