/** How long the inside of a blob is made (spec/vault.md, "Blobs"): Padmé, so that a store learns a length to within an eighth. */

/** The least inside: what is shorter looks alike. */
export const LEAST_INSIDE_BYTES = 4096;

/**
 * Padmé (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files", 2019): of a length with n significant bits only the
 * first log2(n) + 1 or so may differ from zero; at most 12 % longer.
 *
 * @param length 0 to 2^53−1
 */
export function padme(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const mantissa = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - mantissa);
  return Math.ceil(length / step) * step;
}
