/**
 * Judgements of class `freshness`. spec/evidence.md §time. Until the log exists, the evidence's time is its own not-before and
 * now is this device's clock, give or take five minutes. Pure; both clocks may be wrong.
 */
import type { Binding } from '@sotto/evidence/binding';

type Window = Pick<Binding, 'notBeforeSeconds' | 'notAfterSeconds'>;

export const CLOCK_TOLERANCE_SECONDS = 300;
/** When this format was written: no correct clock shows an earlier time. */
const EARLIEST_NOW_SECONDS = Date.UTC(2026, 10, 1) / 1000;
const IMPLAUSIBLE_DISTANCE_SECONDS = 30 * 24 * 3600;

/** False when the clock is earlier than this format, or a month or more away from the evidence (EV-46). */
export function isClockPlausible(nowSeconds: number, { notBeforeSeconds, notAfterSeconds }: Window): boolean {
  const early = notBeforeSeconds - nowSeconds;
  const late = nowSeconds - notAfterSeconds;
  return nowSeconds >= EARLIEST_NOW_SECONDS && Math.max(early, late) < IMPLAUSIBLE_DISTANCE_SECONDS;
}

export function hasBegun(nowSeconds: number, { notBeforeSeconds }: Window): boolean {
  return nowSeconds + CLOCK_TOLERANCE_SECONDS >= notBeforeSeconds;
}

export function hasNotEnded(nowSeconds: number, { notAfterSeconds }: Window): boolean {
  return nowSeconds - CLOCK_TOLERANCE_SECONDS <= notAfterSeconds;
}

export function isRecent(nowSeconds: number, { notBeforeSeconds }: Window, maxAgeSeconds: number): boolean {
  return nowSeconds - CLOCK_TOLERANCE_SECONDS <= notBeforeSeconds + maxAgeSeconds;
}
