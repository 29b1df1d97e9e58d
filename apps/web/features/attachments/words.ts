/** The words of attaching and opening files. */
import { SottoError } from '@sotto/bytes';
import { errorWords } from '../../shell/words.ts';

const en = {
  'files.label': 'Attached files',
  'files.sealing': 'Sealing, {percent} %',
  'files.remove': 'Remove {name}',
  'files.retry': 'Try again',
  'files.dismiss': 'Remove',
  'files.open': 'Show',
  'files.save': 'Save',
  'files.saving': 'Fetching, {percent} %',
  'files.failed': 'Did not work: {reason}',
  'files.sending': 'Sending, {percent} %',

  'note.image': 'Pictures are kept with the chat; the model that answers here cannot see them.',
  'note.location': 'Place, camera and time were taken out of the picture before it was sealed.',
  'note.unchanged':
    'This picture could not be redrawn here: what its camera wrote into it, such as the place, stays in it.',
  'note.text': 'The model reads this file with your question.',
  'note.other': 'This file is kept with the chat; the model reads text files only.',

  'cut.some': 'Of {name} the model read the first {shown} of {all} characters: no more fits at once.',
  'cut.all': '{name} no longer fits what the model reads at once and was left out.',
  'cut.unreadable': '{name} is no text that can be read, so the model did not read it.',
  'cut.absent': '{name} could not be fetched, so the model did not read it: {reason}',

  'error.temporary': 'A temporary chat is stored nowhere, so it takes no files.',
  'error.too-many': 'A message takes {limit} files.',
  'error.empty': 'An empty file holds nothing to keep.',
  'error.unread': 'The file could not be read. It may have been moved or changed.',

  'reason.files-full': 'Too many files wait on this device to be sent. Remove some, or wait until they are sent.',
  'reason.blob-too-large': 'A file may have 256 MB at most.',
  'reason.blob-length-mismatch': 'The file changed while it was read. Attach it again.',
  'reason.blob-unknown':
    'It is not on the server. The device that attached it has not sent it yet, or it was lost: open it on a device that still has it, and it is sent again.',
  'reason.blob-conflict': 'The server keeps something else under its name. Attach it again.',
  'reason.blob-incomplete': 'It has not arrived whole yet. It is sent again.',
  'reason.blob-digest-mismatch': 'A part of it did not arrive as it was sent. It is sent again.',
  'reason.blob-version-unsupported': 'A newer version of Sotto wrote it. Load this page again.',
  'reason.changed': 'What came is not the file that was kept. Nothing of it was opened.',

  'usage.title': 'Room',
  'usage.used': '{used} of {allowed} used on the server, sealed.',
  'usage.guest': 'Files of this browser: {used}. They are kept here only.',
  'usage.waiting': '{count} files wait on this device to be sent.',
  'usage.lost':
    'This browser lost {count} files before they were sent, and nobody else has them. Attach them again where you still have them.',
  'usage.problem': 'Sending stopped: {reason}',
  'usage.again': 'Send now',
  'usage.biggest': 'Chats with the largest files',
  'usage.chat': '{title}: {size} in {count} files',
  'usage.none': 'No chat has files.',
  'usage.looking': 'Looking through your chats',
  'usage.failed': 'This could not be looked up: {reason}',
  'usage.open': 'Open',
} as const;

export type FileWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: FileWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** Why something did not work. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof SottoError)) return w('error.unread');
  const key = `reason.${cause.code}`;
  if (Object.hasOwn(en, key)) return w(key as FileWordKey);
  return cause.code.startsWith('blob-') ? w('reason.changed') : errorWords(cause.code);
}

/** A size as people say it. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
