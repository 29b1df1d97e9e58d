/** The formats of a device link (spec/vault.md, "Device link"); the procedure is `@sotto/client/link`. */
export { createLinkSecret, LinkSecret, parseLinkText, type ShownBy } from './link-text.ts';
export {
  encodeLinkRequest,
  encodeLinkWelcome,
  type LinkWelcome,
  parseLinkRequest,
  parseLinkWelcome,
} from './messages.ts';
export { createShortCode, mailboxOfShortCode, parseShortCode, type ShortCode, spellShortCode } from './short-code.ts';
