/**
 * Comparing heads (spec/vault.md, "Heads"): are the logs whole, are they the ones this device knew, do they agree about each
 * other, and is what the store shows what the logs say? Pure. The store is hostile; the logs are signed by the devices.
 * Called when a whole sync has arrived, never in the middle of one: what is under way must not look like a fault.
 */
import { ByteWriter, encodeUtf8, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { FIRST_HASH, type LogEntry } from './entry.ts';
import { type Finding, finding } from './findings.ts';
import type { LogPlace, VerifiedSegment } from './segment.ts';

const CODE_LABEL = encodeUtf8('sotto/vault/compare-code/v1');

/** One device's log, put together. */
export interface DeviceLog {
  readonly deviceId: string;
  readonly entries: readonly LogEntry[];
  /** The chain's hash after so many lines: `hashes[0]` is the hash before the first. */
  readonly hashes: readonly string[];
  readonly covered: number;
  readonly seen: readonly ReadonlyMap<string, LogPlace>[];
  readonly atMs: number;
}

/** What this device keeps, sealed, from one comparison to the next: the newest place in every log it has seen. */
export type KnownPlaces = ReadonlyMap<string, LogPlace>;

export interface Assembled {
  readonly logs: ReadonlyMap<string, DeviceLog>;
  readonly findings: readonly Finding[];
}

/** Puts segments together into logs. Segments may come in any order, each once. */
export function assembleLogs(segments: Iterable<VerifiedSegment>): Assembled {
  const byDevice = Map.groupBy(segments, ({ deviceId }) => deviceId);
  const logs = new Map<string, DeviceLog>();
  const findings: Finding[] = [];
  for (const [deviceId, own] of byDevice) {
    const log = { deviceId, entries: [] as LogEntry[], hashes: [FIRST_HASH], covered: 0, atMs: 0 };
    const seen: ReadonlyMap<string, LogPlace>[] = [];
    for (const segment of own.toSorted((a, b) => a.index - b.index || a.tip.count - b.tip.count)) {
      const isNext = segment.before.count === log.entries.length;
      // VA-103: a line that is left out of the middle of a log would be a write that nobody misses
      if (segment.before.count > log.entries.length) {
        findings.push(finding('history-withheld', { deviceId, rule: 'VA-103' }));
        break;
      }
      // VA-105: two segments for one place are two histories of one device
      if (!isNext || segment.before.hash !== log.hashes.at(-1)) {
        findings.push(finding('history-forked', { deviceId }));
        break;
      }
      log.entries.push(...segment.entries);
      log.hashes.push(...segment.hashes);
      log.covered = Math.max(log.covered, segment.covered);
      log.atMs = Math.max(log.atMs, segment.atMs);
      seen.push(segment.seen);
    }
    logs.set(deviceId, { ...log, seen });
  }
  return { logs, findings };
}

/** Against what this device knew, and against what the devices say of each other. */
export function compareLogs(logs: Assembled['logs'], known: KnownPlaces): Finding[] {
  const findings: Finding[] = [];
  for (const [deviceId, place] of known) {
    // VA-104: a store that shows an older log undoes what was written since
    if (!reaches(logs, deviceId, place)) findings.push(finding('history-rolled-back', { deviceId }));
    // VA-105: a log that is as long and says something else
    if (!agrees(logs, deviceId, place)) findings.push(finding('history-forked', { deviceId }));
  }
  for (const [deviceId, place] of placesSeen(logs)) {
    // VA-106: another device has seen more of that log than is shown here
    if (!reaches(logs, deviceId, place)) findings.push(finding('history-withheld', { deviceId }));
    // VA-105: another device was shown another log than this one
    if (!agrees(logs, deviceId, place)) findings.push(finding('history-forked', { deviceId }));
  }
  return unique(findings);
}

/** What all devices say of each other. */
function placesSeen(logs: Assembled['logs']): [deviceId: string, place: LogPlace][] {
  return [...logs.values()].flatMap(({ seen }) => seen.flatMap((places) => [...places]));
}

function reaches(logs: Assembled['logs'], deviceId: string, { count }: LogPlace): boolean {
  return (logs.get(deviceId)?.entries.length ?? 0) >= count;
}

/** True also for a log that is too short to disagree. */
function agrees(logs: Assembled['logs'], deviceId: string, { count, hash }: LogPlace): boolean {
  const found = logs.get(deviceId)?.hashes[count];
  return found === undefined || found === hash;
}

/** A record of the store, as it was opened. */
export interface ShownRecord {
  readonly recordId: string;
  readonly deviceId: string;
  readonly deviceCounter: number;
  /** `writeDigest` as hex. */
  readonly digest: string;
  /** Under whose key it is sealed; absent counts as the newest. */
  readonly epoch?: number;
}

/** What the logs say of every record: the versions that nobody replaced, and those that somebody did. */
export class Manifest {
  /** The versions of each record: of almost every one there is one, and a history of years has a hundred thousand records. */
  readonly #standing = new Map<string, string | null>();
  /** What stands beside it, where devices wrote at the same time. */
  readonly #beside = new Map<string, Set<string | null>>();
  readonly #replaced = new Set<string>();
  readonly #deleted = new Set<string>();
  readonly #covered: ReadonlyMap<string, number>;

  constructor(logs: Assembled['logs']) {
    for (const { entries } of logs.values()) {
      for (const { replaces } of entries) for (const digest of replaces) this.#replaced.add(digest);
    }
    for (const { entries } of logs.values()) for (const entry of entries) this.#add(entry);
    for (const [recordId, digest] of this.#standing) {
      if (digest === null && !this.#beside.has(recordId)) this.#deleted.add(recordId);
    }
    this.#covered = new Map([...logs.values()].map(({ deviceId, covered }) => [deviceId, covered]));
  }

  #add({ recordId, digest }: LogEntry): void {
    if (digest !== null && this.#replaced.has(digest)) return;
    const first = this.#standing.get(recordId);
    if (first === undefined) this.#standing.set(recordId, digest);
    else if (first !== digest) this.#beside.set(recordId, (this.#beside.get(recordId) ?? new Set()).add(digest));
  }

  #stands(recordId: string, digest: string | null): boolean {
    return this.#standing.get(recordId) === digest || this.#beside.get(recordId)?.has(digest) === true;
  }

  /** The digests of a record that a new write of it replaces (for `LogEntry.replaces`). */
  standing(recordId: string): string[] {
    const standing = [this.#standing.get(recordId), ...(this.#beside.get(recordId) ?? [])];
    return standing.filter((digest) => typeof digest === 'string');
  }

  /** True for a record that a device deleted and no device wrote anew at the same time. */
  isDeleted(recordId: string): boolean {
    return this.#deleted.has(recordId);
  }

  /** True for a version that some device replaced or removed. */
  isReplaced(digest: string): boolean {
    return this.#replaced.has(digest);
  }

  /** Every record that is deleted: shown no more, and removed again where it is still there. */
  deleted(): string[] {
    return [...this.#deleted];
  }

  /**
   * Is what the store shows what the logs say? A write that its device has not listed yet is under way and no fault.
   *
   * @param shown every record that opened, heads apart
   * @param gone records that this device has seen deleted and gone before
   */
  judge(shown: ReadonlyMap<string, ShownRecord>, gone: ReadonlySet<string>): Finding[] {
    const findings: Finding[] = [];
    for (const record of shown.values()) {
      const found = this.#judgeOne(record, gone);
      if (found !== undefined) findings.push(found);
    }
    for (const recordId of this.#standing.keys()) {
      const isWanted = !shown.has(recordId) && !this.#stands(recordId, null);
      // VA-108: nobody deleted it, and it is not there
      if (isWanted) findings.push(finding('record-missing', { recordId }));
    }
    return findings;
  }

  #judgeOne(record: ShownRecord, gone: ReadonlySet<string>): Finding | undefined {
    const { recordId, deviceId, digest } = record;
    if (this.#stands(recordId, digest)) return undefined;
    const isReplaced = this.#replaced.has(digest);
    if (isReplaced && this.#stands(recordId, null)) {
      // VA-110: it was gone, and is back; until it was gone, its removal is under way
      if (gone.has(recordId)) return finding('record-resurrected', { recordId, deviceId });
      return undefined;
    }
    // VA-107: a version that a device has replaced comes back
    if (isReplaced) return finding('record-rolled-back', { recordId, deviceId });
    // VA-109: its device says that it has listed everything up to here, and this is not in its list
    if (!this.#isUnderWay(record)) return finding('record-unlisted', { recordId, deviceId });
    return undefined;
  }

  #isUnderWay({ deviceId, deviceCounter }: ShownRecord): boolean {
    return deviceCounter > (this.#covered.get(deviceId) ?? 0);
  }
}

/** The newest place of every log, to be kept for the next comparison and named in this device's own heads. */
export function placesOf(logs: Assembled['logs']): Map<string, LogPlace> {
  return new Map(
    [...logs.values()].map(({ deviceId, entries, hashes }) => [
      deviceId,
      { count: entries.length, hash: hashes.at(-1) ?? FIRST_HASH },
    ]),
  );
}

/**
 * Twelve digits over everything that the logs say: equal on two devices that were shown the same, for two people, or one
 * with two devices, to compare without the server.
 */
export function compareCode(accountId: Uint8Array, logs: Assembled['logs']): string {
  const writer = new ByteWriter().vector16(CODE_LABEL).raw(accountId);
  for (const [deviceId, { count, hash }] of [...placesOf(logs)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    writer.raw(parseHex(deviceId, 16)).u64(count).raw(parseHex(hash, 32));
  }
  const digest = sha256(writer.finish());
  const number = digest.slice(0, 6).reduce((sum, byte) => sum * 256 + byte, 0) % 1e12;
  return String(number)
    .padStart(12, '0')
    .replace(/(\d{4})(?=\d)/g, '$1 ');
}

function unique(findings: readonly Finding[]): Finding[] {
  const byKey = new Map(findings.map((each) => [`${each.code} ${each.deviceId} ${each.recordId}`, each]));
  return [...byKey.values()];
}
