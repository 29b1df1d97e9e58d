/**
 * Where a conversation stands (spec/vault.md, "Order"): its folder, its pin, whether it is put away, its tags, and when it may
 * go. All are registers of the conversation; another device, or a later version, wrote them: what is odd counts as not said.
 */
import { isId } from '../fields.ts';
import { compareText, type Register, type Registers } from '../registers.ts';
import { isOrderKey } from './order-key.ts';

export interface Arrangement {
  /** 16 bytes as hex; the folder may not be here. */
  readonly folderId?: string;
  /** The order key among the pinned ones; absent where it is not pinned. */
  readonly pin?: string;
  readonly archived: boolean;
  /** In their order. */
  readonly tags: readonly string[];
  /** Absent where the account's setting holds. */
  readonly retention?: Retention;
  /** The person deleted it then, and may still undo it: it is shown to nobody. Milliseconds since 1970. */
  readonly removingSinceMs?: number;
  /** It was imported then; its messages may be older. */
  readonly importedAtMs?: number;
}

/** When a chat goes by itself. */
export interface Retention {
  /** After its last use; 0 for never. */
  readonly days: number;
  /** The clock of the write that said so. */
  readonly setAtMs: number;
}

/** A register for each tag, so that two devices that tag one chat at once lose neither: the value says whether it is there. */
export const TAG_PREFIX = 'tag:';
const TAG_LIMIT = 40;
/** Of a record, which holds 64: the rest is for what else is said of a chat. */
const ROOMY = 48;
/** A hundred years: what is longer is a mistake. */
const RETENTION_LIMIT_DAYS = 36_500;

export function arrangementOf(registers: Registers): Arrangement {
  const folderId = registers.folder?.value;
  const pin = registers.pin?.value;
  const retention = retentionOf(registers.retention);
  const removingSinceMs = registers.removing?.value;
  const importedAtMs = registers.imported?.value;
  return {
    ...(isId(folderId) ? { folderId } : {}),
    ...(isOrderKey(pin) ? { pin } : {}),
    archived: registers.archived?.value === true,
    tags: tagsOf(registers),
    ...(retention === undefined ? {} : { retention }),
    ...(isTime(removingSinceMs) ? { removingSinceMs } : {}),
    ...(isTime(importedAtMs) ? { importedAtMs } : {}),
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

/** Of a chat's register, or of the account's setting `retention`. */
export function retentionOf(register: Register | undefined): Retention | undefined {
  const days = register?.value;
  // CL-301: a number that is none would remove everything, or nothing
  if (!Number.isSafeInteger(days) || (days as number) < 0 || (days as number) > RETENTION_LIMIT_DAYS) return undefined;
  return { days: days as number, setAtMs: register?.clock ?? 0 };
}

/**
 * The registers of one device's record: tags that were taken away long ago make room, where no other device's record speaks
 * of them and would bring them back.
 */
export function withRoom(own: Registers, others: readonly Registers[]): Registers {
  const entries = Object.entries(own);
  const isGone = ([name, { value }]: (typeof entries)[number]) =>
    value === false && name.startsWith(TAG_PREFIX) && !others.some((registers) => Object.hasOwn(registers, name));
  const oldest = entries.filter(isGone).sort(([, a], [, b]) => a.clock - b.clock);
  const dropped = new Set(oldest.slice(0, Math.max(0, entries.length - ROOMY)).map(([name]) => name));
  return Object.fromEntries(entries.filter(([name]) => !dropped.has(name)));
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function tagsOf(registers: Registers): string[] {
  return Object.entries(registers)
    .filter(([name, { value }]) => value === true && name.startsWith(TAG_PREFIX))
    .map(([name]) => name.slice(TAG_PREFIX.length))
    .filter((tag) => normalTag(tag) === tag)
    .sort(compareText);
}
