/**
 * How long a shape lasts and how large an upload is made: always the smallest power of two that fits, so that of a true
 * length only its order of magnitude is seen (spec/shaping.md).
 */

/**
 * @param records how many records have left since the request was accepted
 * @param shortest the shortest window, in records
 * @returns the window that the answer is given: `shortest` doubled as often as it takes
 */
export function windowOf(records: number, shortest: number): number {
  let window = shortest;
  while (window < records) window *= 2;
  return window;
}

/**
 * @param bytes frames of the whole upload, at most `largestBytes`
 * @returns the size of the one record that carries it
 */
export function uploadSizeOf(bytes: number, smallestBytes: number, largestBytes: number): number {
  return Math.min(largestBytes, windowOf(bytes, smallestBytes));
}

/** @returns the number of full records that an upload is filled up to */
export function uploadRecordsOf(records: number): number {
  return windowOf(records, 1);
}
