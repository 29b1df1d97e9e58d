/**
 * Measures how fast this machine reads memory, which is what limits a model's speed on a CPU. Two seconds at most; the
 * result is an estimate and is shown with "about".
 */

const BUFFER_BYTES = 64 * 1024 * 1024;
const SLICE_BYTES = 8 * 1024 * 1024;

/** @returns bytes per second that one thread reads; yields to the event loop between slices */
export async function probeMemoryBandwidth(limitMs = 2_000): Promise<number> {
  const left = Buffer.alloc(BUFFER_BYTES, 1);
  const right = Buffer.alloc(BUFFER_BYTES, 1);
  let best = 0;
  const end = performance.now() + limitMs;
  for (let at = 0; performance.now() < end; at = (at + SLICE_BYTES) % BUFFER_BYTES) {
    const begun = performance.now();
    left.compare(right, at, at + SLICE_BYTES, at, at + SLICE_BYTES);
    best = Math.max(best, (2 * SLICE_BYTES) / ((performance.now() - begun) / 1_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return best;
}
