/**
 * What an older epoch may still say (spec/vault.md, "Rotation"): exactly what stood in the logs when the new epoch began. A
 * removed device keeps the old account key and its own signing key; both together open nothing new and add nothing.
 */
import type { DeviceLog } from '../heads/compare.ts';
import { type Finding, finding } from '../heads/findings.ts';
import type { LogPlace } from '../heads/segment.ts';
import type { VerifiedEpoch } from './epoch-statement.ts';

/** The digests of all writes that stood in the logs when an epoch began. */
export type Root = ReadonlySet<string>;

export function rootOf(epoch: VerifiedEpoch, logs: ReadonlyMap<string, DeviceLog>): Root {
  const root = new Set<string>();
  for (const [deviceId, { count }] of epoch.places) {
    for (const { digest } of logs.get(deviceId)?.entries.slice(0, count) ?? []) if (digest !== null) root.add(digest);
  }
  return root;
}

/**
 * Logs as they count in an epoch: those of removed devices end where the epoch began.
 *
 * @returns the logs, and what was found: lines that a removed device added later, logs that are not the ones of the statement
 */
export function cutLogs(
  epoch: VerifiedEpoch,
  logs: ReadonlyMap<string, DeviceLog>,
): { readonly logs: Map<string, DeviceLog>; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const kept = new Map<string, DeviceLog>();
  for (const [deviceId, log] of logs) {
    const place = epoch.places.get(deviceId);
    const isRemoved = place !== undefined && !epoch.devices.has(deviceId);
    const hasGone = isRemoved && log.entries.length > place.count;
    // VA-136: a removed device still has its signing key
    if (hasGone) findings.push(finding('removed-device-writes', { deviceId }));
    kept.set(deviceId, hasGone ? cut(log, place) : log);
  }
  for (const [deviceId, place] of epoch.places) {
    const hash = logs.get(deviceId)?.hashes[place.count];
    // VA-137: the epoch began over other logs than the ones that are shown
    if (hash !== place.hash) findings.push(finding('history-forked', { deviceId, rule: 'VA-137' }));
  }
  return { logs: kept, findings };
}

/**
 * May a record that is sealed under an older epoch be believed?
 *
 * @param digest `writeDigest` of the record, as hex
 */
export function judgeOldRecord(root: Root, record: { readonly recordId: string; readonly digest: string }): Finding[] {
  const isInside = root.has(record.digest);
  // VA-135: whoever kept the old account key can seal records under it for ever
  if (!isInside) return [finding('record-outside-root', { recordId: record.recordId })];
  return [];
}

function cut(log: DeviceLog, { count }: LogPlace): DeviceLog {
  return { ...log, entries: log.entries.slice(0, count), hashes: log.hashes.slice(0, count + 1) };
}
