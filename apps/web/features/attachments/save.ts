/** A file as the browser keeps it outside the page's memory, so that one of any size can be saved. */

/** @throws what `pieces` throws: then nothing is given, because half a file must not pass for the file */
export async function fetchWhole(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  bytes: number,
  onProgress: (percent: number) => void,
): Promise<Blob> {
  const parts: Blob[] = [];
  let length = 0;
  for await (const piece of pieces) {
    // Of no type: the browser saves it and never opens it as a page.
    parts.push(new Blob([piece], { type: 'application/octet-stream' }));
    length += piece.length;
    onProgress(Math.round((100 * length) / Math.max(1, bytes)));
  }
  return new Blob(parts, { type: 'application/octet-stream' });
}
