/**
 * Last-writer registers and the clock that orders their writers (spec/vault.md, "Merge"). Devices write offline and
 * their clocks may be wrong by years; still every device that has seen the same records must show the same values.
 */
import { encodeCanonicalJson, type JsonObject, type JsonValue } from './canonical-json.ts';
import { VaultError } from './error.ts';
import { Fields } from './fields.ts';

/** One value with the moment and the device of its writing. */
export interface Register {
  readonly value: JsonValue;
  /** Hybrid clock of the write. */
  readonly clock: number;
  /** Hex of the 16-byte id of the device that wrote it. */
  readonly deviceId: string;
}

/** Registers by name: known ones (`title`) and those of later versions, merged alike. */
export type Registers = Readonly<Record<string, Register>>;

const REGISTER_LIMIT = 64;

/**
 * The clock of a new write: the device's own time, or one more than the greatest clock it has seen, whichever is later.
 * A later write therefore always beats what its writer had seen, however wrong the device's time is.
 *
 * @param greatestSeen greatest clock in all records seen, 0 at first
 */
export function nextClock(nowMs: number, greatestSeen: number): number {
  return Math.min(Math.max(Math.trunc(nowMs), greatestSeen + 1, 1), Number.MAX_SAFE_INTEGER);
}

/** Negative where `a` loses to `b`: by clock, then device id, then the spelling of the value. */
export function compareRegisters(a: Register, b: Register): number {
  return a.clock - b.clock || compareText(a.deviceId, b.deviceId) || compareText(spelling(a.value), spelling(b.value));
}

/** For each name the winning register of both. Associative, commutative and idempotent. */
export function mergeRegisters(a: Registers, b: Registers): Registers {
  const merged = new Map(Object.entries(a));
  for (const [name, register] of Object.entries(b)) {
    const held = merged.get(name);
    if (held === undefined || compareRegisters(held, register) < 0) merged.set(name, register);
  }
  return Object.fromEntries(merged);
}

/** @throws VaultError `record-content-malformed` */
export function parseRegisters(fields: Fields, name: string): Registers {
  const object = fields.object(name, REGISTER_LIMIT);
  const members = new Fields(object);
  return Object.fromEntries(Object.keys(object).map((key) => [key, parseRegister(members, key)]));
}

export function encodeRegisters(registers: Registers): JsonObject {
  return Object.fromEntries(
    Object.entries(registers).map(([name, { value, clock, deviceId }]) => [name, { clock, deviceId, value }]),
  );
}

/** By UTF-16 code units: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function parseRegister(parent: Fields, name: string): Register {
  const fields = new Fields(parent.object(name, 3));
  const value = fields.value('value');
  // VA-22: a register without a value would win over one with a value and show nothing
  if (value === undefined) throw new VaultError('record-content-malformed', 'VA-22');
  return { value, clock: fields.integer('clock'), deviceId: fields.id('deviceId') };
}

function spelling(value: JsonValue): string {
  return new TextDecoder().decode(encodeCanonicalJson(value));
}
