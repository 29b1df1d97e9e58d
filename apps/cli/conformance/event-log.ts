/** Stage `event-log`: a boot log, and the registers that it gives (spec/evidence-tpm.md §event logs). */
import { encodeHex } from '@sotto/bytes';
import { checkRegisters, EVENT_LOG_FORMATS, parseEventLog, replayEventLog } from '@sotto/evidence/event-log';
import { base64, digest, oneOf, optional, record, struct } from './input.ts';
import type { JsonObject } from './outcome.ts';

const INPUT = struct({ log: base64(), format: oneOf(EVENT_LOG_FORMATS), expected_hex: optional(record(digest)) });

export async function judgeEventLog(value: unknown): Promise<JsonObject> {
  const input = INPUT(value, '');
  const log = parseEventLog(input.log, input.format);
  const expected = new Map(Object.entries(input.expected_hex ?? {}));
  checkRegisters(log, expected);
  const registers = Object.fromEntries([...replayEventLog(log)].map(([name, bytes]) => [name, encodeHex(bytes)]));
  for (const [name, bytes] of expected) registers[name] = encodeHex(bytes);
  return { registers_hex: registers, events_count: log.events.length };
}
