/**
 * What a device remembers of its looks at what is due (spec/client.md "Order"). A chat's times are its writer's, whose clock may be
 * years off: what was old already when this device first saw it has no age that anybody knows, and gets one by this device's clock.
 */
import { isJsonObject, type JsonValue } from '@sotto/vault';
import type { Retention } from '@sotto/vault/order';
import { goesAtMs, isOldAtMs } from './retention.ts';
import type { ArrangedChat } from './target.ts';

const DAY_MS = 86_400_000;
/** A look is written down once a day; after a longer time than this nobody knows what came meanwhile. */
const LOOK_MS = DAY_MS;
const AWAY_MS = 30 * DAY_MS;
/** What fits into one record; the others wait for room. */
const LATE_LIMIT = 500;
const NOTICED_LIMIT = 4000;
const NOTICED_DIGITS = 8;

export interface Looks {
  readonly atMs: number;
  /** When this device first saw chats that were old already, by id. */
  readonly late: Readonly<Record<string, number>>;
  /** Those that were here and old when the time was set, and of which a day's notice is given: the first digits of their ids. */
  readonly noticed: string;
}

export interface Judged {
  /** They became old while this device looked on, or it has had them for long enough. */
  readonly ready: readonly ArrangedChat[];
  /** To be remembered; undefined where nothing changed. */
  readonly next: Looks | undefined;
}

export function judgeLook(
  chats: readonly ArrangedChat[],
  account: Retention | undefined,
  looks: Looks | undefined,
  nowMs: number,
): Judged {
  const isRecent = looks !== undefined && looks.atMs <= nowMs && nowMs - looks.atMs <= AWAY_MS;
  const wasNoticed = new Set(looks?.noticed.match(/.{8}/g));
  const ready: ArrangedChat[] = [];
  const late: (readonly [string, number])[] = [];
  const noticed: string[] = [];
  for (const chat of chats) {
    const { conversationId, retention = account } = chat;
    const [oldMs, goesMs] = [isOldAtMs(chat, account), goesAtMs(chat, account)];
    if (oldMs === undefined || goesMs === undefined || oldMs > nowMs) continue;
    const start = conversationId.slice(0, NOTICED_DIGITS);
    if (goesMs > nowMs) noticed.push(start);
    const seenMs = looks?.late[conversationId];
    const isKnown = seenMs === undefined && isRecent && (oldMs > looks.atMs || wasNoticed.has(start));
    const waitsUntilMs = (seenMs ?? nowMs) + (retention?.days ?? 0) * DAY_MS;
    // CL-383: a chat that was written a minute ago, by a device whose clock is years behind, would be gone
    if (!isKnown && goesMs <= nowMs && nowMs < waitsUntilMs) late.push([conversationId, seenMs ?? nowMs]);
    else if (goesMs <= nowMs) ready.push(chat);
  }
  const next = {
    atMs: nowMs,
    late: Object.fromEntries(late.slice(0, LATE_LIMIT)),
    noticed: noticed.slice(0, NOTICED_LIMIT).sort().join(''),
  };
  const isSame =
    isRecent &&
    nowMs - looks.atMs < LOOK_MS &&
    next.noticed === looks.noticed &&
    String(Object.keys(next.late).sort()) === String(Object.keys(looks.late).sort());
  return { ready, next: isSame ? undefined : next };
}

/** What the account's records hold of it; undefined for another form. */
export function parseLooks(value: JsonValue | undefined): Looks | undefined {
  const { atMs, late, noticed } = isJsonObject(value) ? value : {};
  if (typeof atMs !== 'number' || !isJsonObject(late) || typeof noticed !== 'string') return undefined;
  const times = Object.entries(late).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return { atMs, late: Object.fromEntries(times), noticed };
}
