/**
 * A head as it is stored: the newest lines of one device's log, signed by that device, as the content of a record of type
 * `head` (spec/vault.md, "Heads"). A segment is rewritten while it grows; when it is full the next one begins. Whoever
 * holds the account's key can seal such a record, so nothing in it counts before its signature was checked.
 */
import { ByteWriter, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { verifyEd25519 } from '@sotto/crypto/sign';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical-json.ts';
import type { UnknownContent } from '../content.ts';
import type { DeviceKeys } from '../device.ts';
import { VaultError } from '../error.ts';
import { isHash, isId } from '../fields.ts';
import { chain, type LogEntry } from './entry.ts';

export const HEAD_TYPE = 'head';
/** Lines of one segment: a full one fills a record of 16 KiB. */
export const SEGMENT_LIMIT = 80;
/** Of the other devices' logs in one head. */
export const SEEN_LIMIT = 64;
const REPLACES_LIMIT = 8;
const HEAD_LABEL = encodeUtf8('sotto/vault/head/v1');

/** A place in a device's log: so many lines, and the chain's hash there (32 bytes as hex). */
export interface LogPlace {
  readonly count: number;
  readonly hash: string;
}

export interface Segment {
  /** 16 bytes as hex. */
  readonly deviceId: string;
  /** 0, 1, 2, … */
  readonly index: number;
  /** Where the segment begins. */
  readonly before: LogPlace;
  readonly entries: readonly LogEntry[];
  /** Every write of the device up to this device counter stands in the log. */
  readonly covered: number;
  /** What the device had seen of the other devices' logs. */
  readonly seen: ReadonlyMap<string, LogPlace>;
  /** By the device's own clock; shown, never judged. */
  readonly atMs: number;
}

/** A segment whose signature was checked, with the chain's hash after each of its lines. */
export interface VerifiedSegment extends Segment {
  readonly hashes: readonly string[];
  readonly tip: LogPlace;
}

/** Signs a segment. @param clock of the write (registers.ts) */
export async function signSegment(
  keys: DeviceKeys,
  accountId: Uint8Array,
  segment: Segment,
  clock: number,
): Promise<UnknownContent> {
  const signature = await keys.sign(signedBytes(accountId, segment, tipOf(segment, hashesOf(segment))));
  const fields: JsonObject = {
    deviceId: segment.deviceId,
    index: segment.index,
    before: placeJson(segment.before),
    entries: segment.entries.map(({ recordId, digest, replaces }) => [recordId, digest, replaces]),
    covered: segment.covered,
    seen: Object.fromEntries([...segment.seen].map(([deviceId, place]) => [deviceId, placeJson(place)])),
    atMs: segment.atMs,
    signature: encodeHex(signature),
  };
  return { type: 'unknown', recordType: HEAD_TYPE, clock, fields };
}

/**
 * Checks a segment against the devices that belong to the account.
 *
 * @param devices public key (32 bytes) by device id
 * @throws VaultError `head-malformed`, `head-device-unknown`, `head-signature-invalid`
 */
export async function verifySegment(
  content: UnknownContent,
  accountId: Uint8Array,
  devices: ReadonlyMap<string, Uint8Array>,
): Promise<VerifiedSegment> {
  const { segment, signature } = parseSegment(content.fields);
  const publicKey = devices.get(segment.deviceId);
  // VA-101: a log of a device that nobody added could vouch for anything
  if (publicKey === undefined) throw new VaultError('head-device-unknown', 'VA-101');
  const hashes = hashesOf(segment);
  const tip = tipOf(segment, hashes);
  const isSigned = await verifyEd25519(publicKey, signedBytes(accountId, segment, tip), signature);
  // VA-102: every device of the account can write such a record; only one of them can sign it
  if (!isSigned) throw new VaultError('head-signature-invalid', 'VA-102');
  return { ...segment, hashes, tip };
}

function hashesOf(segment: Segment): string[] {
  let hash: Uint8Array = parseHex(segment.before.hash, 32);
  return segment.entries.map((entry) => {
    hash = chain(hash, entry);
    return encodeHex(hash);
  });
}

function tipOf({ before, entries }: Segment, hashes: readonly string[]): LogPlace {
  return { count: before.count + entries.length, hash: hashes.at(-1) ?? before.hash };
}

function signedBytes(accountId: Uint8Array, segment: Segment, tip: LogPlace): Uint8Array {
  const writer = new ByteWriter()
    .vector16(HEAD_LABEL)
    .raw(accountId)
    .raw(parseHex(segment.deviceId, 16))
    .u32(segment.index)
    .u64(segment.before.count)
    .raw(parseHex(segment.before.hash, 32))
    .u64(tip.count)
    .raw(parseHex(tip.hash, 32))
    .u64(segment.covered)
    .u64(segment.atMs)
    .u16(segment.seen.size);
  for (const [deviceId, place] of [...segment.seen].sort(([a], [b]) => (a < b ? -1 : 1))) {
    writer.raw(parseHex(deviceId, 16)).u64(place.count).raw(parseHex(place.hash, 32));
  }
  return writer.finish();
}

function placeJson(place: LogPlace): JsonObject {
  return { count: place.count, hash: place.hash };
}

// Reading. Every field is checked: a writer with the account's key is not yet a friend.

function parseSegment(fields: JsonObject): { segment: Segment; signature: Uint8Array } {
  const { deviceId, index, entries, covered, seen, atMs, signature } = fields;
  const lines = Array.isArray(entries) ? (entries as readonly JsonValue[]) : [];
  const isWhole =
    isId(deviceId) &&
    isCount(index) &&
    index <= 0xffff_ffff &&
    isCount(covered) &&
    isCount(atMs) &&
    Array.isArray(entries) &&
    lines.length >= 1 &&
    lines.length <= SEGMENT_LIMIT &&
    isJsonObject(seen) &&
    Object.keys(seen).length <= SEEN_LIMIT &&
    typeof signature === 'string' &&
    /^[0-9a-f]{128}$/.test(signature);
  // VA-100: a log with a field of another form could be read as two logs
  if (!isWhole) throw malformed();
  return {
    segment: {
      deviceId,
      index,
      before: parsePlace(fields.before),
      entries: lines.map(parseEntry),
      covered,
      seen: new Map(Object.entries(seen).map(([id, place]) => [parseDeviceId(id), parsePlace(place)])),
      atMs,
    },
    signature: parseHex(signature, 64),
  };
}

function parseEntry(value: JsonValue): LogEntry {
  const [recordId, digest, replaces] = Array.isArray(value) && value.length === 3 ? value : [];
  const isEntry =
    isId(recordId) &&
    (digest === null || isHash(digest)) &&
    Array.isArray(replaces) &&
    replaces.length <= REPLACES_LIMIT &&
    replaces.every(isHash);
  // VA-100: the same
  if (!isEntry) throw malformed();
  return { recordId, digest, replaces: replaces as string[] };
}

function parsePlace(value: JsonValue | undefined): LogPlace {
  const { count, hash } = isJsonObject(value) ? value : {};
  // VA-100: the same
  if (!isCount(count) || !isHash(hash)) throw malformed();
  return { count, hash };
}

function parseDeviceId(value: string): string {
  // VA-100: the same
  if (!isId(value)) throw malformed();
  return value;
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

function malformed(): VaultError {
  return new VaultError('head-malformed', 'VA-100');
}
