/**
 * The epoch in the header of a sealed record or lock, where it stands in clear (spec/vault.md, "Envelope", "Locks"): all that
 * this server reads of either. Sealed things come from clients, who may be anybody; other bytes are never called old.
 */
import { equalBytes } from '@sotto/bytes';

/** Magic and version, and where the epoch stands. */
const FORMS = [
  [Uint8Array.of(0x53, 0x56, 0x52, 1), 36],
  [Uint8Array.of(0x53, 0x56, 0x4c, 1), 37],
] as const;

/** True for a record or lock of an epoch before this one. */
export function isOlderThan(epoch: number, sealed: Uint8Array): boolean {
  const at = FORMS.find(([magic]) => equalBytes(sealed.subarray(0, magic.length), magic))?.[1];
  if (at === undefined || sealed.length < at + 4) return false;
  return new DataView(sealed.buffer, sealed.byteOffset).getUint32(at) < epoch;
}
