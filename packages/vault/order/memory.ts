/**
 * What another program remembered of the person, as it was imported (spec/vault.md, "Order"): a setting each, shown to the person
 * and told to no model. Another device wrote them: what is odd is left out.
 */
import { isJsonObject } from '../canonical-json.ts';
import type { OpenedRecord } from '../record.ts';
import { compareText } from '../registers.ts';
import { settingsOf } from '../settings.ts';

/** The setting's name begins so, and ends with an id. */
export const MEMORY_SETTING = 'memory:';

export interface Memory {
  /** Of the setting. */
  readonly name: string;
  /** Which program: a lower-case word. */
  readonly source: string;
  readonly text: string;
  /** When it was imported. */
  readonly atMs: number;
}

/** @param records those of settings */
export function memoriesOf(records: Iterable<OpenedRecord>): Memory[] {
  const memories = [...settingsOf(records)].flatMap(([name, { value }]): Memory[] => {
    if (!name.startsWith(MEMORY_SETTING) || !isJsonObject(value)) return [];
    const { source, text, atMs } = value;
    if (typeof source !== 'string' || typeof text !== 'string' || typeof atMs !== 'number') return [];
    return [{ name, source, text, atMs }];
  });
  return memories.sort((a, b) => b.atMs - a.atMs || compareText(a.name, b.name));
}
