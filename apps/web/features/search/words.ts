/** The words of search, loaded with it: a table of the same kind as the app's own. */

const en = {
  title: 'Search your chats',
  label: 'Search for words, "phrases" or beginnings*',
  hint: 'Everything is read on this device. Nothing of it, and nothing you look for, is sent anywhere.',
  indexing: 'Still reading your chats: {done} of {total}. What was read can be found.',
  nothing: 'Nothing found for these words.',
  nothingYet: 'Nothing found yet.',
  found: '{count} found',
  foundOne: '1 found',
  shown: 'The best {shown} of {count}',
  more: 'Show more',
  results: 'Found',
  untitled: 'Chat without a title',
  you: 'You',
  answer: 'Answer',
  system: 'Instruction',
  chatTitle: 'Title of the chat',
  failed: 'Searching did not work just now. Try again.',

  filters: 'Only',
  who: 'From',
  'who.any': 'anyone',
  'who.mine': 'you',
  'who.answers': 'answers',
  'who.titles': 'titles of chats',
  when: 'When',
  'when.any': 'any time',
  'when.week': 'the last week',
  'when.month': 'the last month',
  'when.year': 'the last year',
  'when.dates': 'between days',
  from: 'From day',
  to: 'To day',
  where: 'Where',
  'where.any': 'in all chats',
  'where.this': 'in this chat',
  'where.folder': 'in {name}',
  'where.tag': 'tagged {name}',
  files: 'with a file',
} as const;

export type SearchWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: SearchWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}
