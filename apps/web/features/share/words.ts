/** The words of sharing a chat by a link, and of the page that shows one. */

const en = {
  'share.open': 'Share by a link',
  'share.audience':
    'Anyone with this link can read these {count} messages, until {date} or until you take the link back: nobody is asked who they are. What you write later is not in it; nor are files, other versions of an answer, or a project’s instructions.',
  'share.days': 'The link ends after',
  'share.day': '{days} days',
  'share.first': 'It begins: “{text}”',
  'share.make': 'Make the link',
  'share.copy': 'Copy',
  'share.made': 'Made. The server keeps a sealed copy; the key is in the link alone.',
  'share.account': 'Sharing needs an account: keep your chats first.',
  'share.empty': 'There is nothing in this chat to share yet.',
  'links.title': 'Shared by a link ({count})',
  'links.line': '{count} messages, until {date}',
  'links.takeBack': 'Take back “{title}”',
  'links.note': 'Taken back, a link opens nothing. Who has opened it may have kept what it showed.',
  'view.title': 'A shared chat',
  'view.lead':
    'Somebody shared this with you: it was opened in this browser with the key in the link, and nothing of it is kept here. Whoever has the link can read it.',
  'view.at': 'As it was on {date}',
  'view.you': 'Asked',
  'view.answer': 'Answer',
  'view.failed': 'This link shows nothing',
  'view.start': 'Begin a chat of your own',
} as const;

export type ShareWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: ShareWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

export const dateWords = (ms: number): string => new Date(ms).toLocaleDateString('en', { dateStyle: 'long' });
