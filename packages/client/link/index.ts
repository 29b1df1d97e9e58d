/** Device link: a device that is open lets a new one in (spec/client.md, "Linking a device"). Loaded when somebody links. */
export { joinByLink, letDeviceIn } from './accounts.ts';
export { LinkError, type LinkErrorCode } from './error.ts';
export { LINK_MESSAGE_LIMIT_BYTES, LINK_TIME_MS, type LinkMailboxes } from './mailbox.ts';
export { LinkMeeting, readMeeting, showSecret, showShortCode } from './meeting.ts';
export { joinAccount, type LinkedAccount, type LinkPorts, type NewDeviceOptions } from './new-device.ts';
export { letIn, type OpenDeviceOptions } from './open-device.ts';
export { serverMailboxes } from './server-mailboxes.ts';
