/**
 * Where a conversation stands (spec/vault.md, "Order"): its folder, its pin, whether it is put away, its tags, and when it may
 * go. All are registers of the conversation; another device, or a later version, wrote them: what is odd counts as not said.
 */
import { isId } from '../fields.ts';
import { compareText, type Registers } from '../registers.ts';
import { isOrderKey } from './order-key.ts';

export interface Arrangement {
  /** 16 bytes as hex; the folder may not be here. */
  readonly folderId?: string;
  /** The order key among the pinned ones; absent where it is not pinned. */
  readonly pin?: string;
  readonly archived: boolean;
  /** In their order. */
  readonly tags: readonly string[];
  /** Days after its last use until it is removed, 0 for never; absent where the account's setting holds. */
  readonly retentionDays?: number;
}

/** A register for each tag, so that two devices that tag one chat at once lose neither: the value says whether it is there. */
export const TAG_PREFIX = 'tag:';
const TAG_LIMIT = 40;
/** Of one chat, those that were taken away again among them: a record holds 64 registers. */
export const TAGS_LIMIT = 40;
/** A hundred years: what is longer is a mistake. */
const RETENTION_LIMIT_DAYS = 36_500;

export function arrangementOf(registers: Registers): Arrangement {
  const folderId = registers.folder?.value;
  const pin = registers.pin?.value;
  const retentionDays = registers.retention?.value;
  return {
    ...(isId(folderId) ? { folderId } : {}),
    ...(isOrderKey(pin) ? { pin } : {}),
    archived: registers.archived?.value === true,
    tags: tagsOf(registers),
    ...(isRetentionDays(retentionDays) ? { retentionDays } : {}),
  };
}

/** A tag as it is kept and compared: one spelling a word, whoever types it. @returns undefined where nothing is left of it */
export function normalTag(text: string): string | undefined {
  const plain = text
    .toWellFormed()
    .normalize('NFC')
    .toLowerCase()
    .trim()
    .replace(/^#+/, '')
    .replace(/\s+/g, ' ')
    .trim();
  const tag = [...plain].slice(0, TAG_LIMIT).join('').trim();
  return tag === '' ? undefined : tag;
}

/** Whole days, 0 for never. */
export function isRetentionDays(value: unknown): value is number {
  // CL-301: a number that is none would remove everything, or nothing
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > RETENTION_LIMIT_DAYS) return false;
  return true;
}

function tagsOf(registers: Registers): string[] {
  return Object.entries(registers)
    .filter(([name, { value }]) => value === true && name.startsWith(TAG_PREFIX))
    .map(([name]) => name.slice(TAG_PREFIX.length))
    .filter((tag) => normalTag(tag) === tag)
    .sort(compareText);
}
