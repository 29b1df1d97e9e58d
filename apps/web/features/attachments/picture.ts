/**
 * Pictures, redrawn on this device: what is shown and kept is what the canvas wrote, so that nothing that a camera put into the file (place,
 * time, its number) goes with it, and no byte of somebody's file is shown as it came.
 */
import type { Thumbnail } from '@sotto/client/attachments';

/** A larger file is not unpacked: it would take more memory than a page should. */
const DECODE_LIMIT_BYTES = 32 * 1024 * 1024;
const KEPT_EDGE = 4096;
const SHOWN_EDGE = 1600;
const THUMBNAIL_EDGES = [160, 120, 80];
const THUMBNAIL_LIMIT_BYTES = 6000;

/** @returns undefined where this browser cannot redraw it */
export async function redraw(file: Blob): Promise<{ readonly blob: Blob; readonly thumbnail: Thumbnail } | undefined> {
  // Of moving pictures only the first would be left.
  if (file.size > DECODE_LIMIT_BYTES || file.type === 'image/gif') return undefined;
  try {
    const bitmap = await createImageBitmap(file);
    try {
      const type = file.type === 'image/jpeg' ? 'image/jpeg' : 'image/png';
      return { blob: await draw(bitmap, KEPT_EDGE, type, 0.92), thumbnail: await thumbnailOf(bitmap) };
    } finally {
      bitmap.close();
    }
  } catch {
    return undefined;
  }
}

/** A picture that was kept, as an address that an element may show: redrawn again, whatever it is. */
export async function shownPicture(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const bitmap = await createImageBitmap(new Blob([bytes]));
  try {
    return await addressOf(await draw(bitmap, SHOWN_EDGE, 'image/jpeg', 0.85));
  } finally {
    bitmap.close();
  }
}

/** The address of a thumbnail: of a type that is drawn and never run. */
export function thumbnailAddress({ data }: Thumbnail): string {
  let text = '';
  for (const byte of data) text += String.fromCharCode(byte);
  return `data:image/jpeg;base64,${btoa(text)}`;
}

async function thumbnailOf(bitmap: ImageBitmap): Promise<Thumbnail> {
  for (const edge of THUMBNAIL_EDGES) {
    const blob = await draw(bitmap, edge, 'image/jpeg', 0.7);
    if (blob.size <= THUMBNAIL_LIMIT_BYTES)
      return { mediaType: 'image/jpeg', data: new Uint8Array(await blob.arrayBuffer()) };
  }
  throw new Error('no thumbnail is small enough');
}

async function draw(bitmap: ImageBitmap, edge: number, type: string, quality: number): Promise<Blob> {
  const scale = Math.min(1, edge / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  );
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  if (type === 'image/jpeg') {
    // What is see-through would become black.
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type, quality });
}

function addressOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
