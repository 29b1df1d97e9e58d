/**
 * The list of locks that a server shows, against the newest epoch (spec/vault.md, "Rotation"): a lock that was removed, or an
 * old wrap of one that remains, would let its holder back in at the next rotation, or give a person an old key.
 */
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { type Finding, finding } from '../heads/findings.ts';
import type { EpochStatement } from './epoch-statement.ts';

/** One lock as the server shows it. */
export interface ShownLock {
  readonly lockId: string;
  readonly lock: Uint8Array;
}

/** SHA-256 of a lock, as a statement names it. */
export function lockDigest(lock: Uint8Array): string {
  return encodeHex(sha256(lock));
}

/**
 * @param added ids of the locks that a device of this epoch has made since it began
 * @returns nothing where the list is the statement's, and what was added since
 */
export function judgeLockList(
  epoch: Pick<EpochStatement, 'locks'>,
  shown: readonly ShownLock[],
  added: ReadonlySet<string>,
): Finding[] {
  const findings: Finding[] = [];
  for (const { lockId, lock } of shown) {
    const digest = epoch.locks.get(lockId);
    const isOld = digest !== undefined && digest !== lockDigest(lock);
    // VA-138: an old wrap holds an old account key, which whoever was removed has too
    if (isOld) findings.push(finding('lock-list-old', { recordId: lockId }));
    const isUnknown = digest === undefined && !added.has(lockId);
    // VA-139: a lock that was removed, shown again, would be believed to be one of the person's own
    if (isUnknown) findings.push(finding('lock-unknown', { recordId: lockId }));
  }
  const there = new Set(shown.map(({ lockId }) => lockId));
  for (const lockId of epoch.locks.keys()) {
    // VA-140: a way in that is not handed out any more fails on the day on which it is needed
    if (!there.has(lockId)) findings.push(finding('lock-withheld', { recordId: lockId }));
  }
  return findings;
}
