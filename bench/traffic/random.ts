/** Seeded draws, so that a run can be repeated. */

export interface Draw {
  /** 0 ≤ x < 1 */
  next(): number;
  normal(): number;
  /** A log-normal factor around 1. */
  spread(sigma: number): number;
}

/** @param seed any 32-bit number */
export function createDraw(seed: number): Draw {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return { next, normal, spread: (sigma) => Math.exp(sigma * normal()) };
}
