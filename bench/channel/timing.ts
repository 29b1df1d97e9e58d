/** Comparing what takes microseconds on a machine that others use: batches in turn, and each one's quickest. */

/**
 * Microseconds of one call in the quickest batch of each.
 *
 * @param runs what is compared; awaited where it returns a promise
 */
export async function quickest<Name extends string>(
  runs: Readonly<Record<Name, () => unknown>>,
  { rounds = 150, batch = 10 } = {},
): Promise<Record<Name, number>> {
  const least: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries<() => unknown>(runs)) {
      const startMs = performance.now();
      for (let call = 0; call < batch; call++) {
        const result = run();
        if (result instanceof Promise) await result;
      }
      const us = ((performance.now() - startMs) / batch) * 1000;
      least[name] = Math.min(least[name] ?? Number.POSITIVE_INFINITY, us);
    }
  }
  return least as Record<Name, number>;
}
