/**
 * Which development machine this browser trusts (DESIGN §6). Its fingerprint comes only from the address that the
 * person's own terminal printed, never from the server; the first one is kept, another one stops everything.
 */
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import type { DeviceStore } from '@sotto/ports';
import { parseDevFragment, pinDecision } from '@sotto/verify';

const PIN = 'pinned-fingerprint';

export type Pin =
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'changed'; readonly expected: string; readonly seen: string };

/** The fingerprint in a fragment such as `dev=<64 hex>`, or undefined when it names none or anything else. */
export function fingerprintOf(fragment: string): string | undefined {
  try {
    return parseDevFragment(fragment);
  } catch {
    return undefined;
  }
}

/** Compares the address with what is kept; keeps the first fingerprint this browser ever sees. */
export async function loadPin(device: DeviceStore, fragment: string): Promise<Pin> {
  const seen = fingerprintOf(fragment);
  const kept = await device.get(PIN);
  const expected = kept && fingerprintOf(`dev=${parseUtf8(kept)}`);
  if (seen === undefined)
    return expected === undefined ? { kind: 'missing' } : { kind: 'pinned', fingerprint: expected };
  // EV-56: a machine that was swapped behind the same address must not be trusted because a link says so.
  if (expected !== undefined && pinDecision(expected, seen) === 'changed') return { kind: 'changed', expected, seen };
  if (expected === undefined) await savePin(device, seen);
  return { kind: 'pinned', fingerprint: seen };
}

export async function savePin(device: DeviceStore, fingerprint: string): Promise<void> {
  await device.set(PIN, encodeUtf8(fingerprint));
}
