/**
 * A ticket as it is kept between visits: a field of the sealed record of the message that grows (spec/client.md "Lost
 * answers"). It goes when the answer is whole or given up. The store sees neither; other devices of the account can read
 * it and leave it alone.
 */
import { BytesError, encodeBase64, encodeHex, parseBase64, parseHex } from '@sotto/bytes';
import { RECOVERY_KEY_BYTES } from '@sotto/channel/recovery';
import type { AnswerTicket } from './recovery.ts';

export interface StoredTicket {
  readonly ticket: AnswerTicket;
  /** Where the recovered answer begins in the message's text, in UTF-16 units: 0, unless an older answer is continued. */
  readonly startsAt: number;
}

export interface TicketFields {
  readonly nodeId: string;
  readonly key: string;
  readonly claims: number;
  readonly startsAt: number;
}

export function encodeTicket({ ticket, startsAt }: StoredTicket): TicketFields {
  return { nodeId: ticket.nodeId, key: encodeBase64(ticket.recoveryKey), claims: ticket.claims, startsAt };
}

/** @returns undefined for what is no ticket: another version of Sotto may have written it */
export function parseTicket(value: unknown): StoredTicket | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { nodeId, key, claims, startsAt } = value as Partial<Record<keyof TicketFields, unknown>>;
  const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0;
  if (typeof nodeId !== 'string' || typeof key !== 'string' || !isCount(claims) || !isCount(startsAt)) return undefined;
  try {
    const recoveryKey = parseBase64(key);
    if (recoveryKey.length !== RECOVERY_KEY_BYTES) return undefined;
    return { ticket: { nodeId: encodeHex(parseHex(nodeId, 16)), recoveryKey, claims }, startsAt };
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}
