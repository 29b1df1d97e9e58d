/** How old evidence may be, whatever the kind of policy (spec/evidence.md §policy). */

/** Oldest evidence that a policy without `maxAgeSeconds` accepts. */
export const DEFAULT_MAX_AGE_SECONDS = 3600;
const MAX_AGE_FLOOR_SECONDS = 60;
const MAX_AGE_CEILING_SECONDS = 24 * 3600;

/** Whole seconds, 60 to 86,400. */
export function isMaxAge(value: unknown): value is number {
  const whole = typeof value === 'number' && Number.isInteger(value);
  return whole && value >= MAX_AGE_FLOOR_SECONDS && value <= MAX_AGE_CEILING_SECONDS;
}
