/** The words of syncing, and of a server that shows something else than the devices wrote: loaded when there is something to say. */

const en = {
  'sync.to-send': '{count} to send',
  'sync.sent': 'All sent',
  'sync.offline': 'No connection. Your chats are on this device, and you can go on writing.',
  'sync.offline-waiting': 'No connection. {count} kept on this device, to send.',
  'sync.signed-out': 'The server has signed this browser out. Lock and unlock your chats to go on syncing.',
  'sync.signed-out-waiting':
    'The server has signed this browser out. {count} kept on this device: lock and unlock your chats to send them.',
  'sync.rate-limited': 'The server asks to wait a little. {count} to send.',
  'sync.account-full':
    'Your account has no room left. {count} kept on this device only: remove some chats to send them.',
  'sync.account-deleted':
    'The server says that this account was deleted from another device. What this browser keeps is still here: export it if you want it, then lock.',
  'sync.server-failed': 'The server has a problem. It is tried again by itself.',
  'sync.server-failed-waiting': 'The server has a problem. {count} kept on this device, to send.',
  'sync.device-full': 'This device has no room left, so nothing new can be kept on it. Free some space.',
  'sync.device-unavailable': 'This browser does not keep anything just now. Close other tabs, or start it again.',
  'sync.now': 'Try now',

  'watch.title': 'The server shows something else than your devices wrote.',
  'watch.count': '({count} times)',
  'watch.what-to-do':
    'Nothing that this device has was changed. Look at another of your devices before you write on: what is missing here may be there. Whoever runs the server may have restored an old copy, or may be lying.',
  'watch.put-back': 'Put back what this device still has ({count})',
  'watch.put-back-now': 'Putting back …',
  'watch.accept': 'Go on with what the server shows',
  'watch.accept-yes': 'Yes, take this as the new beginning',
  'watch.cancel': 'Cancel',
} as const;

export type SyncWordKey = keyof typeof en;

/** The words for `key`, with `{name}` replaced by the parameter of that name. */
export function w(key: SyncWordKey, parameters: Readonly<Record<string, string | number>> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}
