/**
 * All epochs of an account in their order (spec/vault.md, "Rotation"): each is begun by a device of the one before, and holds
 * the key of the one before. What this device has seen begin once does not begin otherwise.
 */
import { encodeHex, equalBytes, parseHex, SottoError } from '@sotto/bytes';
import { VaultError } from '../error.ts';
import type { DeviceLog, ShownRecord } from '../heads/compare.ts';
import { writeDigest } from '../heads/entry.ts';
import { type Finding, finding } from '../heads/findings.ts';
import { type AccountKey, unsafeRevealSecret } from '../keys.ts';
import type { OpenedRecord } from '../record.ts';
import { type EpochStatement, rememberedEpoch, type VerifiedEpoch, verifyEpoch } from './epoch-statement.ts';
import { cutLogs, judgeOldRecord, type Root, rootOf } from './root.ts';

/** A device's announcement, and the epoch under whose key it is sealed. */
export interface Announced {
  readonly deviceId: string;
  readonly publicKey: Uint8Array;
  readonly epoch: number;
}

export interface Lineage {
  /** The epochs from the second on. */
  readonly epochs: readonly VerifiedEpoch[];
  /** Digests (hex) of their statements, to be remembered. */
  readonly digests: ReadonlyMap<number, string>;
  readonly findings: readonly Finding[];
}

/**
 * Refuses an epoch that does not continue the one this device knows.
 *
 * @param known the account key that this device had in epoch `epoch`
 * @throws VaultError `epoch-unrelated`
 */
export function assertContinues(statement: EpochStatement, epoch: number, known: AccountKey): void {
  const earlier = statement.earlierKeys[epoch - 1];
  const isHeld = earlier !== undefined && equalBytes(parseHex(earlier, 32), unsafeRevealSecret(known));
  // VA-141: who made this epoch without the key of the one before was never, or is no longer, of the account
  if (!isHeld) throw new VaultError('epoch-unrelated', 'VA-141');
}

/**
 * The devices that belong to an account in its newest epoch: those of its statement, and those that announced themselves under
 * its key since.
 */
export function devicesOf(newest: EpochStatement | undefined, announced: Iterable<Announced>): Map<string, Uint8Array> {
  const devices = new Map(newest?.devices);
  for (const { deviceId, publicKey, epoch } of announced) {
    const isOlder = newest !== undefined && epoch < newest.epoch;
    // VA-143: whoever kept an old account key could announce devices under it for ever
    if (isOlder) continue;
    devices.set(deviceId, publicKey);
  }
  return devices;
}

/**
 * Verifies statement after statement. The first that is refused ends the line: what comes after it hangs on it.
 *
 * @param records of type `epoch`, opened; in any order
 * @param remembered digests of the statements that this device has verified before, by epoch
 */
export async function verifyLineage(
  records: readonly OpenedRecord[],
  accountId: Uint8Array,
  announced: readonly Announced[],
  remembered: ReadonlyMap<number, string>,
): Promise<Lineage> {
  const epochs: VerifiedEpoch[] = [];
  const digests = new Map<number, string>();
  const findings: Finding[] = [];
  for (let epoch = 2; ; epoch++) {
    const shown = new Map(
      records.filter((each) => each.epoch === epoch).map((record) => [encodeHex(writeDigest(record)), record]),
    );
    const known = remembered.get(epoch);
    const [first] = [...shown.values()].sort(byClock);
    const record = known === undefined ? first : shown.get(known);
    const isReplaced = shown.size > 1 || (record === undefined && first !== undefined);
    // VA-142: a device that was removed could begin the epoch again, in which it was not
    if (isReplaced) findings.push(finding('epoch-replaced', { recordId: first?.recordId ?? '' }));
    if (record === undefined) break;
    const digest = encodeHex(writeDigest(record));
    try {
      epochs.push(digest === known ? rememberedEpoch(record) : await verifyNext(record, accountId, announced, epochs));
      digests.set(epoch, digest);
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      findings.push(finding('epoch-refused', { recordId: record.recordId, ...(error.rule && { rule: error.rule }) }));
      break;
    }
  }
  return { epochs, digests, findings };
}

function verifyNext(
  record: OpenedRecord,
  accountId: Uint8Array,
  announced: readonly Announced[],
  epochs: readonly VerifiedEpoch[],
): Promise<VerifiedEpoch> {
  const epoch = epochs.length + 1;
  const of = announced.filter((each) => each.epoch === epoch);
  return verifyEpoch(record, accountId, { epoch, devices: devicesOf(epochs.at(-1), of) });
}

/** What the epochs say of logs and records. */
export interface JudgedByEpochs {
  readonly logs: ReadonlyMap<string, DeviceLog>;
  /** Records that are not to be shown. */
  readonly outside: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** @param records as the store shows them, with the epoch under whose key each is sealed */
export function judgeByEpochs(
  epochs: readonly VerifiedEpoch[],
  logs: ReadonlyMap<string, DeviceLog>,
  records: Iterable<ShownRecord>,
): JudgedByEpochs {
  const newest = epochs.at(-1);
  if (newest === undefined) return { logs, outside: new Set(), findings: [] };
  const cut = cutLogs(newest, logs);
  const findings: Finding[] = [...cut.findings];
  const outside = new Set<string>();
  const roots = new Map<number, Root>();
  for (const record of records) {
    const { epoch = newest.epoch } = record;
    if (epoch >= newest.epoch) continue;
    const root = roots.get(epoch) ?? rootOf(epochs[epoch - 1] ?? newest, logs);
    roots.set(epoch, root);
    const found = judgeOldRecord(root, record);
    if (found.length > 0) outside.add(record.recordId);
    findings.push(...found);
  }
  return { logs: cut.logs, outside, findings };
}

/**
 * The same of one record as it arrives, before the logs were compared. What stood in the logs when an epoch began never changes,
 * so whoever knows it knows it for good.
 *
 * @returns whether a record may be shown; undefined where the logs do not go through every statement's places
 */
export function believedByEpochs(
  epochs: readonly VerifiedEpoch[],
  logs: ReadonlyMap<string, DeviceLog>,
): ((record: Pick<ShownRecord, 'digest' | 'epoch'>) => boolean) | undefined {
  const isWhole = epochs.every(({ places }) =>
    [...places].every(([deviceId, { count, hash }]) => logs.get(deviceId)?.hashes[count] === hash),
  );
  if (!isWhole) return undefined;
  /** The first epoch that began with it. */
  const since = new Map<string, number>();
  for (const statement of epochs) {
    for (const digest of rootOf(statement, logs)) if (!since.has(digest)) since.set(digest, statement.epoch);
  }
  const newest = epochs.at(-1)?.epoch ?? 0;
  return ({ digest, epoch = newest }) => epoch >= newest || (since.get(digest) ?? newest + 1) <= epoch + 1;
}

function byClock(a: OpenedRecord, b: OpenedRecord): number {
  return a.content.clock - b.content.clock || (a.recordId < b.recordId ? -1 : 1);
}
