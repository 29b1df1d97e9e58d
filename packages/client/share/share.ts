/**
 * Sharing a chat by a link (spec/client.md "Sharing"): a sealed copy of what is shown lies on the server, its key in the link's
 * fragment. Every link stands in the vault before its copy is anywhere, so that every device of the person lists it.
 */
import { encodeHex } from '@sotto/bytes';
import type { Clock, Random } from '@sotto/ports';
import { isJsonObject, type JsonValue, SETTING_TYPE, settingsOf, VaultError } from '@sotto/vault';
import { encodeShareLink, openShare, parseShareLink, type SharedChat, sealShare } from '@sotto/vault/share';
import type { History } from '../history.ts';
import type { Order } from '../order/index.ts';
import type { ServerApi } from '../server-api.ts';

/** The setting's name begins so, and ends with the id of the copy. */
const SHARE_SETTING = 'share:';
/** Of the page's address; what follows is for the browser alone. */
export const SHARE_FRAGMENT = 'share=';
const DAY_MS = 86_400_000;

export interface SharePorts {
  readonly api: Pick<ServerApi, 'putShare' | 'removeShare' | 'origin'>;
  readonly history: Pick<History, 'conversations' | 'load' | 'thread' | 'recordsOfType'>;
  readonly order: Pick<Order, 'setSetting'>;
  readonly clock: Clock;
  readonly random: Random;
}

/** A link as the person's devices list it. */
export interface SharedLink {
  /** 16 bytes as hex. */
  readonly shareId: string;
  readonly conversationId: string;
  readonly title: string;
  /** The whole link: whoever has it can read the copy. */
  readonly url: string;
  readonly messages: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** What a link to a chat would show: for a preview before it is made. @throws SottoError `store-unavailable` */
export async function copyOf(
  { history, clock }: Pick<SharePorts, 'history' | 'clock'>,
  conversationId: string,
): Promise<SharedChat> {
  await history.load(conversationId);
  const title = history.conversations().find((chat) => chat.conversationId === conversationId)?.title ?? '';
  const messages = history.thread(conversationId).flatMap(({ role, text, model, createdAtMs }) =>
    // CL-370: what the model was told in secret, and empty tries, were never shown
    role === 'system' || text === '' ? [] : [{ role, text, ...(model === undefined ? {} : { model }), createdAtMs }],
  );
  return { title, sharedAtMs: clock.nowMs(), messages };
}

/**
 * @param days 1 to 365
 * @throws VaultError `share-too-large`; ClientError `account-required`, `shares-full`, `network-unreachable`: then there is no link
 */
export async function shareChat(ports: SharePorts, conversationId: string, days: number): Promise<SharedLink> {
  const { api, order, clock, random } = ports;
  const chat = await copyOf(ports, conversationId);
  const { link, sealed } = await sealShare(chat, random);
  const [shareId, nowMs] = [encodeHex(link.shareId), clock.nowMs()];
  const { title, messages } = chat;
  const said = {
    conversationId,
    title,
    link: encodeShareLink(link),
    messages: messages.length,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + days * DAY_MS,
  };
  // CL-371: a copy that no device lists could not be taken back
  await order.setSetting(SHARE_SETTING + shareId, said);
  try {
    await api.putShare(shareId, days, sealed);
  } catch (error) {
    // An answer that was lost: the copy may be there. Nobody has the link, and its time ends.
    await order.setSetting(SHARE_SETTING + shareId, null).catch(() => undefined);
    throw error;
  }
  const { link: text, ...shown } = said;
  return { shareId, ...shown, url: urlOf(api.origin, text) };
}

/** Those whose time is not over, newest first. */
export function sharedLinks({ history, clock, api }: Pick<SharePorts, 'history' | 'clock' | 'api'>): SharedLink[] {
  return [...settingsOf(history.recordsOfType(SETTING_TYPE))]
    .flatMap(([name, { value }]) => (name.startsWith(SHARE_SETTING) ? (linkOf(name, value, api.origin) ?? []) : []))
    .filter(({ expiresAtMs }) => expiresAtMs > clock.nowMs())
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
}

/** Takes a link back: the copy is removed first, so that a link that is no longer listed opens nothing. */
export async function takeBack({ api, order }: Pick<SharePorts, 'api' | 'order'>, shareId: string): Promise<void> {
  await api.removeShare(shareId);
  await order.setSetting(SHARE_SETTING + shareId, null);
}

/**
 * Opens what a link shows, as whoever has it does.
 *
 * @param text what follows `share=` in the fragment
 * @throws VaultError `share-malformed`, `blob-…`; ClientError `share-unknown`, `network-unreachable`
 */
export async function openShared(api: Pick<ServerApi, 'share'>, text: string): Promise<SharedChat> {
  const link = parseShareLink(text);
  // CL-372: the server is asked for an id; the key stays in the link
  return openShare(link, await api.share(encodeHex(link.shareId)));
}

function linkOf(name: string, value: JsonValue, origin: string): SharedLink | undefined {
  if (!isJsonObject(value)) return undefined;
  const { conversationId, title, link, messages, createdAtMs, expiresAtMs } = value;
  if (typeof conversationId !== 'string' || typeof title !== 'string' || typeof link !== 'string') return undefined;
  if (typeof messages !== 'number' || typeof createdAtMs !== 'number' || typeof expiresAtMs !== 'number')
    return undefined;
  try {
    parseShareLink(link);
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
  const shareId = name.slice(SHARE_SETTING.length);
  return { shareId, conversationId, title, url: urlOf(origin, link), messages, createdAtMs, expiresAtMs };
}

const urlOf = (origin: string, link: string) => `${origin}/#${SHARE_FRAGMENT}${link}`;
