/**
 * Settings of an account (spec/vault.md, "Settings"): records of type `setting`, one a device a name, the last writer wins.
 * Written by the person's own devices, or by one that was removed; what a name's value must be, its reader judges.
 */
import type { JsonValue } from './canonical-json.ts';
import type { UnknownContent } from './content.ts';
import type { OpenedRecord } from './record.ts';
import { compareRegisters, type Register } from './registers.ts';
import { newestVersions } from './tree.ts';

export const SETTING_TYPE = 'setting';
/** Lower-case words with hyphens, then perhaps a colon and an id: `retention`, `lock-name:00ff…`. */
const NAME = /^[a-z][a-z-]{0,31}(?::[0-9a-f]{1,64})?$/;

/** @param value null for what is no longer set */
export function encodeSetting(name: string, value: JsonValue, clock: number): UnknownContent {
  return { type: 'unknown', recordType: SETTING_TYPE, clock, fields: { name, value } };
}

/** The name of a setting's record; undefined for any other record. */
export function settingName({ content }: OpenedRecord): string | undefined {
  if (content.type !== 'unknown' || content.recordType !== SETTING_TYPE) return undefined;
  const { name, value } = content.fields;
  // VA-22: names are looked up, and a setting without a value says nothing
  if (typeof name !== 'string' || !NAME.test(name) || value === undefined) return undefined;
  return name;
}

/** The settings of a set of records, by name; `value` is null for what is no longer set. */
export function settingsOf(records: Iterable<OpenedRecord>): Map<string, Register> {
  const settings = new Map<string, Register>();
  for (const record of newestVersions(records).values()) {
    const name = settingName(record);
    if (name === undefined || record.content.type !== 'unknown') continue;
    const { value = null } = record.content.fields;
    const register = { value, clock: record.content.clock, deviceId: record.deviceId };
    const held = settings.get(name);
    if (held === undefined || compareRegisters(held, register) < 0) settings.set(name, register);
  }
  return settings;
}
