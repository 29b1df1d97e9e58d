/**
 * Which development machine this browser trusts (DESIGN §6). Its fingerprint comes only from the address that the
 * person's own terminal printed, never from the server; the first one is kept, another one stops everything.
 */
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import type { DeviceStore } from '@sotto/ports';

const PIN = 'pinned-fingerprint';
const FINGERPRINT = /^[0-9a-f]{64}$/;

export type Pin =
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'changed'; readonly expected: string; readonly seen: string };

/** The fingerprint in a fragment such as `dev=<64 hex>`, or undefined. */
export function fingerprintOf(fragment: string): string | undefined {
  const found = new URLSearchParams(fragment).get('dev')?.toLowerCase();
  return found !== undefined && FINGERPRINT.test(found) ? found : undefined;
}

/** Compares the address with what is kept; keeps the first fingerprint this browser ever sees. */
export async function loadPin(device: DeviceStore, fragment: string): Promise<Pin> {
  const seen = fingerprintOf(fragment);
  const kept = await device.get(PIN);
  const expected = kept && parseUtf8(kept);
  if (expected === undefined || !FINGERPRINT.test(expected)) {
    if (seen === undefined) return { kind: 'missing' };
    await savePin(device, seen);
    return { kind: 'pinned', fingerprint: seen };
  }
  // A machine that was swapped behind the same address must not be trusted because a link says so.
  if (seen !== undefined && seen !== expected) return { kind: 'changed', expected, seen };
  return { kind: 'pinned', fingerprint: expected };
}

export async function savePin(device: DeviceStore, fingerprint: string): Promise<void> {
  await device.set(PIN, encodeUtf8(fingerprint));
}
