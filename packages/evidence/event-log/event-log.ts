/**
 * What every format of a boot log comes to. spec/evidence-tpm.md §event logs. Made by firmware, boot loader and kernel, handed
 * over by the host: hostile, and proven by nothing but that replaying it gives the registers that hardware signed.
 */
import { encodeUtf8, equalBytes } from '@sotto/bytes';
import { JudgementError } from '../judgement-error.ts';

export const EVENT_LOG_FORMATS = ['ccel', 'tcg2', 'canonical-json', 'dstack-json'] as const;
/** `ccel`: TDX, binary. `tcg2`: TPM, binary. `canonical-json`: TCG CEL-JSON. `dstack-json`: dstack's list of TDX events. */
export type EventLogFormat = (typeof EVENT_LOG_FORMATS)[number];

export const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
/** Banks that can be replayed. */
export type Bank = (typeof BANKS)[number];

/** Digests that a log may hold: TPM_ALG_ID → name and length in bytes. */
export const DIGESTS: ReadonlyMap<number, readonly [name: string, lengthBytes: number]> = new Map([
  [0x0004, ['sha1', 20] as const],
  [0x000b, ['sha256', 32] as const],
  [0x000c, ['sha384', 48] as const],
  [0x000d, ['sha512', 64] as const],
  [0x0012, ['sm3-256', 32] as const],
  [0x0027, ['sha3-256', 32] as const],
  [0x0028, ['sha3-384', 48] as const],
  [0x0029, ['sha3-512', 64] as const],
]);

export interface LoggedEvent {
  /** `pcr0`–`pcr23` or `rtmr0`–`rtmr3`; undefined where the entry belongs to none (it then extends nothing). */
  readonly register: string | undefined;
  /** As the TCG numbers them; undefined where the log has no number. */
  readonly eventType: number | undefined;
  /** By name of the hash. */
  readonly digests: ReadonlyMap<string, Uint8Array>;
  /** What the log says happened. Not proven: only digests enter a register. */
  readonly data: Uint8Array;
  /** False for entries that inform only (`EV_NO_ACTION`). */
  readonly extends: boolean;
}

export interface EventLog {
  readonly format: EventLogFormat;
  /** All entries after the header. */
  readonly events: readonly LoggedEvent[];
  /** Banks of which every entry that extends has a digest. */
  readonly banks: readonly Bank[];
  /** Last byte of PCR 0 at power-on: 0, 3 or 4. */
  readonly startupLocality: number;
}

export const EV_NO_ACTION = 3;
export const LOG_LIMIT_BYTES = 4 * 1024 * 1024;
export const EVENTS_LIMIT_COUNT = 16_384;

export type EventLogCode =
  | 'event-log-too-large'
  | 'event-log-malformed'
  | 'event-digest-mismatch'
  | 'bank-absent'
  | 'register-mismatch';

export type EventLogError = JudgementError<EventLogCode>;

export function malformedLog(rule: string, message: string, cause?: unknown): EventLogError {
  return new JudgementError('event-log-malformed', 'format', rule, message, cause);
}

export function tooLargeLog(message: string): EventLogError {
  return new JudgementError('event-log-too-large', 'format', 'EV-300', message);
}

const STARTUP_LOCALITY = encodeUtf8('StartupLocality\0');

/** From where the machine was started, as the log's own entry on it says: the last byte of PCR 0 before anything extends it. */
export function startupLocalityOf(events: readonly LoggedEvent[]): number {
  const at = events.findIndex(isOnLocality);
  const event = events[at];
  if (event === undefined) return 0;
  const locality = event.data.length === STARTUP_LOCALITY.length + 1 ? (event.data.at(-1) as number) : -1;
  const isLate = events.slice(0, at).some((one) => one.register === 'pcr0' && one.extends);
  const isAlone = !events.slice(at + 1).some(isOnLocality);
  const isInPlace = event.register === 'pcr0' && [0, 3, 4].includes(locality) && !isLate && isAlone;
  // EV-309: it sets where PCR 0 starts; a second one, or one that comes late, could be chosen to make another log fit.
  if (!isInPlace) throw malformedLog('EV-309', 'the entry on the startup locality is out of place');
  return locality;
}

function isOnLocality(event: LoggedEvent): boolean {
  return event.eventType === EV_NO_ACTION && startsWith(event.data, STARTUP_LOCALITY);
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, prefix.length), prefix);
}
