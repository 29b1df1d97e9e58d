/** @sotto/evidence/event-log: boot logs in four formats, and the registers that they give. spec/evidence-tpm.md §event logs. */
import { parseCanonicalJsonLog } from './canonical-json.ts';
import { parseDstackJsonLog } from './dstack-json.ts';
import type { EventLog, EventLogFormat } from './event-log.ts';
import { parseBinaryLog } from './tcg-binary.ts';

export {
  type Bank,
  EVENT_LOG_FORMATS,
  type EventLog,
  type EventLogCode,
  type EventLogError,
  type EventLogFormat,
  type LoggedEvent,
} from './event-log.ts';
export { checkRegisters, replayEventLog } from './replay.ts';

/**
 * Reads a log and believes nothing of it.
 *
 * @throws JudgementError `event-log-too-large`, `event-log-malformed`, `event-digest-mismatch`
 * @example replayEventLog(parseEventLog(bytes, 'ccel')).get('rtmr1') // 48 bytes, to compare with the quote's
 */
export function parseEventLog(bytes: Uint8Array, format: EventLogFormat): EventLog {
  if (format === 'canonical-json') return parseCanonicalJsonLog(bytes);
  return format === 'dstack-json' ? parseDstackJsonLog(bytes) : parseBinaryLog(bytes, format);
}
