/**
 * The beginning of an epoch of the vault: which devices remain, how far every log is believed, which locks were wrapped anew
 * (spec/vault.md, "Rotation"). The content of a record of type `epoch`, sealed under the new epoch's key and signed by a
 * device that remains. Whoever held the old account key cannot seal it; whoever holds the new one cannot sign it.
 */
import { ByteWriter, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { verifyEd25519 } from '@sotto/crypto/sign';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical-json.ts';
import type { UnknownContent } from '../content.ts';
import { type DeviceKeys, deriveDeviceId } from '../device.ts';
import { VaultError } from '../error.ts';
import { isHash, isId } from '../fields.ts';
import type { LogPlace } from '../heads/segment.ts';
import type { OpenedRecord } from '../record.ts';

export const EPOCH_TYPE = 'epoch';
const LABEL = encodeUtf8('sotto/vault/epoch/v1');
const LIST_LIMIT = 64;
/** Of logs, those of removed devices among them. */
const PLACES_LIMIT = 256;

export interface EpochStatement {
  /** The epoch that begins: 2 or more. */
  readonly epoch: number;
  /** Devices that remain, the signing one among them: Ed25519 public key (32 bytes) by device id. */
  readonly devices: ReadonlyMap<string, Uint8Array>;
  /** How far the log of every device is believed, also of those that were removed. */
  readonly places: ReadonlyMap<string, LogPlace>;
  /** SHA-256 (hex) of each lock that was wrapped anew, by lock id. */
  readonly locks: ReadonlyMap<string, string>;
  /** Account keys (32 bytes as hex) of the epochs before, the first epoch first. Secret. */
  readonly earlierKeys: readonly string[];
  readonly atMs: number;
}

/** A statement whose signer was known before and remains. */
export interface VerifiedEpoch extends EpochStatement {
  readonly signerId: string;
}

/** @param clock of the write (registers.ts) */
export async function signEpoch(
  keys: DeviceKeys,
  accountId: Uint8Array,
  statement: EpochStatement,
  clock: number,
): Promise<UnknownContent> {
  const signerId = encodeHex(keys.deviceId);
  const signature = await keys.sign(signedBytes(accountId, { ...statement, signerId }));
  const fields: JsonObject = {
    epoch: statement.epoch,
    devices: Object.fromEntries([...statement.devices].map(([id, key]) => [id, encodeHex(key)])),
    places: Object.fromEntries([...statement.places].map(([id, { count, hash }]) => [id, { count, hash }])),
    locks: Object.fromEntries(statement.locks),
    earlierKeys: statement.earlierKeys,
    atMs: statement.atMs,
    signerId,
    signature: encodeHex(signature),
  };
  return { type: 'unknown', recordType: EPOCH_TYPE, clock, fields };
}

/**
 * Checks the beginning of an epoch against the epoch before it.
 *
 * @param record opened under the key of the new epoch
 * @param devices public keys of the devices before, by device id
 * @throws VaultError `epoch-malformed`, `epoch-order`, `epoch-signer-unknown`, `epoch-signature-invalid`
 */
export async function verifyEpoch(
  record: OpenedRecord,
  accountId: Uint8Array,
  before: { readonly epoch: number; readonly devices: ReadonlyMap<string, Uint8Array> },
): Promise<VerifiedEpoch> {
  const { statement, signature } = parseStatement(record.content);
  const isNext = statement.epoch === before.epoch + 1 && record.epoch === statement.epoch;
  // VA-131: an epoch that is begun again, skipped, or sealed under another key than its own
  if (!isNext) throw new VaultError('epoch-order', 'VA-131');
  const signer = before.devices.get(statement.signerId);
  const isRemaining = statement.devices.has(statement.signerId);
  // VA-132: a device that was never there, or that this very statement removes, decides nothing
  if (signer === undefined || !isRemaining) throw new VaultError('epoch-signer-unknown', 'VA-132');
  const areOld = [...statement.devices].every(([id, key]) => isSameKey(before.devices.get(id), key));
  // VA-133: a rotation removes devices; one that it added would have been added by nobody
  if (!areOld) throw new VaultError('epoch-signer-unknown', 'VA-133');
  const isSigned = await verifyEd25519(signer, signedBytes(accountId, statement), signature);
  // VA-134: every holder of the new account key could write such a record
  if (!isSigned) throw new VaultError('epoch-signature-invalid', 'VA-134');
  return statement;
}

/**
 * Reads a statement whose signature nobody has checked yet: what a device that opened a lock of a new epoch needs at once, the
 * keys of the epochs before. Whoever wrote it knows the key of the epoch (VA-131).
 *
 * @throws VaultError `epoch-malformed`, `epoch-order`
 */
export function parseEpoch(record: OpenedRecord): EpochStatement {
  const { statement } = parseStatement(record.content);
  // VA-131: the same
  if (record.epoch !== statement.epoch) throw new VaultError('epoch-order', 'VA-131');
  return statement;
}

/** A statement whose signature this device has checked before, and has kept under its own seal since. @throws VaultError as `parseEpoch` */
export function rememberedEpoch(record: OpenedRecord): VerifiedEpoch {
  parseEpoch(record);
  return parseStatement(record.content).statement;
}

function isSameKey(held: Uint8Array | undefined, key: Uint8Array): boolean {
  return held !== undefined && encodeHex(held) === encodeHex(key);
}

function signedBytes(accountId: Uint8Array, statement: VerifiedEpoch): Uint8Array {
  const writer = new ByteWriter()
    .vector16(LABEL)
    .raw(accountId)
    .u32(statement.epoch)
    .raw(parseHex(statement.signerId, 16))
    .u64(statement.atMs)
    .u16(statement.devices.size);
  for (const [id, key] of sorted(statement.devices)) writer.raw(parseHex(id, 16)).raw(key);
  writer.u16(statement.places.size);
  for (const [id, { count, hash }] of sorted(statement.places)) {
    writer.raw(parseHex(id, 16)).u64(count).raw(parseHex(hash, 32));
  }
  writer.u16(statement.locks.size);
  for (const [id, digest] of sorted(statement.locks)) writer.raw(parseHex(id, 16)).raw(parseHex(digest, 32));
  writer.u16(statement.earlierKeys.length);
  // Signatures may be shown; keys may not.
  for (const key of statement.earlierKeys) writer.raw(sha256(LABEL, parseHex(key, 32)));
  return writer.finish();
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function parseStatement(content: OpenedRecord['content']): { statement: VerifiedEpoch; signature: Uint8Array } {
  const fields = content.type === 'unknown' && content.recordType === EPOCH_TYPE ? content.fields : {};
  const { epoch, earlierKeys, atMs, signerId, signature } = fields;
  const isWhole =
    typeof epoch === 'number' &&
    epoch >= 2 &&
    epoch <= 0xffff_ffff &&
    Array.isArray(earlierKeys) &&
    earlierKeys.length === epoch - 1 &&
    earlierKeys.every(isHash) &&
    typeof atMs === 'number' &&
    atMs >= 0 &&
    isId(signerId) &&
    typeof signature === 'string' &&
    /^[0-9a-f]{128}$/.test(signature);
  // VA-130: a statement with a field of another form could be read in two ways
  if (!isWhole) throw malformed();
  const statement = {
    epoch,
    devices: readMap(fields.devices, readKey),
    places: readMap(fields.places, (_id, value) => readPlace(value), PLACES_LIMIT),
    locks: readMap(fields.locks, (_id, value) => readHash(value)),
    earlierKeys: earlierKeys as string[],
    atMs,
    signerId,
  };
  return { statement, signature: parseHex(signature, 64) };
}

function readMap<T>(
  value: JsonValue | undefined,
  read: (id: string, value: JsonValue) => T,
  limit = LIST_LIMIT,
): Map<string, T> {
  const entries = isJsonObject(value) ? Object.entries(value) : undefined;
  const isMap = entries !== undefined && entries.length <= limit && entries.every(([id]) => isId(id));
  // VA-130: the same
  if (!isMap) throw malformed();
  return new Map(entries.map(([id, each]) => [id, read(id, each)]));
}

function readKey(id: string, value: JsonValue): Uint8Array {
  const key = parseHex(readHash(value), 32);
  const isOwn = encodeHex(deriveDeviceId(key)) === id;
  // VA-130: a device id is derived from its key; another one would give a device somebody else's writes
  if (!isOwn) throw malformed();
  return key;
}

function readPlace(value: JsonValue): LogPlace {
  const { count, hash } = isJsonObject(value) ? value : {};
  const isPlace = typeof count === 'number' && count >= 0;
  // VA-130: the same
  if (!isPlace) throw malformed();
  return { count, hash: readHash(hash) };
}

function readHash(value: JsonValue | undefined): string {
  // VA-130: the same
  if (!isHash(value)) throw malformed();
  return value;
}

function malformed(): VaultError {
  return new VaultError('epoch-malformed', 'VA-130');
}
