/**
 * UNSAFE, for the search alone: says aloud every secret that the page makes. It is built only into the telling page
 * (`build.ts`), which is written to a folder of its own and never served to anybody but the search's own browser. Nothing of
 * the product knows it: a test asserts that no source and no built page names it.
 */

type Tell = (name: string, bytes: number[]) => unknown;

/** Given by the search to its browser; absent in workers, which make no keys. */
function listener(): Tell | undefined {
  return (globalThis as { unsafeTellForTesting?: Tell }).unsafeTellForTesting;
}

/** @param name what kind of secret */
export function unsafeTell(name: string, bytes: Uint8Array): void {
  void listener()?.(name, [...bytes]);
}

/** For the random source: named by the function that asked for it. */
export function unsafeTellDraw<Bytes extends Uint8Array>(drawn: Bytes): Bytes {
  const frames = new Error().stack?.split('\n').slice(3) ?? [];
  const names = frames.map((frame) => /at (?:async )?(?:new )?([\w$.#<>]+) \(/.exec(frame)?.[1]);
  unsafeTell(`drawn by ${names.find((name) => name !== undefined) ?? 'nobody'}`, drawn);
  return drawn;
}
