/** The extra lane: genuine evidence that is not part of the repository. Absent in a clone; SOTTO_REQUIRE_VECTORS=1 then fails. */
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const given = process.env.SOTTO_VECTORS;
const folder = given ? pathToFileURL(`${given}/`) : new URL('../../../../shared/vectors/', import.meta.url);

/** For `test`'s option `skip`: false, or why. */
export const skipWithoutSharedVectors =
  !existsSync(new URL('INDEX.md', folder)) && process.env.SOTTO_REQUIRE_VECTORS !== '1' && 'shared vectors absent';

/** @param path below the folder of shared vectors */
export function readShared(path: string): Buffer {
  return readFileSync(new URL(path, folder));
}
