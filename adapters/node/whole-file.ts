/** Writes that are whole or absent after a power cut: written aside, flushed, renamed, and the folder flushed. */
import { open, rename, rm } from 'node:fs/promises';

let writes = 0;

/** Replaces `file`, for this user alone (0600). Durable once its folder is flushed as well. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const aside = `${file}.${process.pid}-${writes++}.new`;
  try {
    const handle = await open(aside, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** A rename or a removal is durable only once the folder itself is. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
