/**
 * Which chats go by themselves, and whether this device may say so (spec/client.md "Order"). Pure: a device whose clock is ahead
 * would remove what was used yesterday, so its clock is judged first, and where it cannot be, the person is asked.
 */
import type { Retention } from '@sotto/vault/order';
import type { ArrangedChat } from './target.ts';

const DAY_MS = 86_400_000;
/** From the moment it was set until the first chat goes: time for a notice on every device. */
export const RETENTION_GRACE_MS = DAY_MS;
const CLOCK_TOLERANCE_MS = DAY_MS;
/** Long enough before, that a notice is seen. */
const SOON_MS = 2 * DAY_MS;
/** A device that was away longer than this may as well have a clock that is ahead. */
const AWAY_LIMIT_MS = 30 * DAY_MS;

/** `sound`: chats may go. `ask`: the person decides. `off`: this device's clock is wrong, or the server's. */
export type ClockVerdict = 'sound' | 'ask' | 'off';

export interface ClockHints {
  readonly nowMs: number;
  /** The newest time in any chat, by whichever device; 0 where there is none. */
  readonly newestMs: number;
  /** What the server says of the time, where it was asked. It can stop a removal, and cause none. */
  readonly serverMs: number | undefined;
}

export function judgeClock({ nowMs, newestMs, serverMs }: ClockHints): ClockVerdict {
  // CL-306: a device whose clock is a year ahead would remove every chat of that year
  if (serverMs !== undefined && Math.abs(serverMs - nowMs) > CLOCK_TOLERANCE_MS) return 'off';
  const isPlausible = nowMs > newestMs - CLOCK_TOLERANCE_MS && nowMs < newestMs + AWAY_LIMIT_MS;
  return serverMs !== undefined && isPlausible ? 'sound' : 'ask';
}

/** When a chat goes; undefined for one that stays. */
export function goesAtMs(chat: ArrangedChat, account: Retention | undefined): number | undefined {
  const oldAtMs = isOldAtMs(chat, account);
  // CL-307: what is old already would be gone before the person sees what was set
  return oldAtMs && Math.max(oldAtMs, ((chat.retention ?? account)?.setAtMs ?? 0) + RETENTION_GRACE_MS);
}

/** When its time is over, by the clocks of its writers; undefined for one that stays. */
export function isOldAtMs(chat: ArrangedChat, account: Retention | undefined): number | undefined {
  const retention = chat.retention ?? account;
  if (retention === undefined || retention.days === 0) return undefined;
  // CL-305: whoever pins a chat wants it kept
  if (chat.pin !== undefined) return undefined;
  const lastUsedMs = Math.max(chat.createdAtMs, chat.updatedAtMs, chat.importedAtMs ?? 0);
  return lastUsedMs + retention.days * DAY_MS;
}

/** Those whose time has come, and those whose time comes soon. */
export function dueChats(chats: Iterable<ArrangedChat>, account: Retention | undefined, nowMs: number) {
  const due: ArrangedChat[] = [];
  const soon: ArrangedChat[] = [];
  for (const chat of chats) {
    const atMs = goesAtMs(chat, account);
    if (atMs === undefined) continue;
    if (atMs <= nowMs) due.push(chat);
    else if (atMs <= nowMs + SOON_MS) soon.push(chat);
  }
  return { due, soon };
}
