/** What lies beside the chats in the files that are imported, which may be several: pictures and files, by what chats call them. */
import type { FindFile } from './foreign.ts';
import type { TransferLimits } from './limits.ts';
import { type ImportFile, openZip, type ZipItem } from './zip-reader.ts';

/** Of our own exports, and of others: the id of a file, then its name. */
const BESIDE = /^files\/|(?:^|\/)file[-_][A-Za-z0-9]/;
const FILE_ID = /(?:^|\/)(file[-_][A-Za-z0-9]+)(?=[-_.]|$)[^/]*$/;

export async function lookBeside(files: readonly ImportFile[], limits: TransferLimits): Promise<FindFile> {
  const found = new Map<string, ZipItem>();
  for (const file of files) {
    // What is wrong with it is said when its chats are read.
    const items = await openZip(file, (name) => BESIDE.test(name), limits).catch(() => []);
    for (const item of items) {
      const id = FILE_ID.exec(item.name)?.[1];
      for (const name of id === undefined ? [item.name] : [item.name, id]) if (!found.has(name)) found.set(name, item);
    }
  }
  return (nameOrId) => {
    const item = found.get(nameOrId);
    if (item === undefined) return undefined;
    const { name: entryName, bytes, pieces } = item;
    return { entryName, bytes, pieces };
  };
}
