/**
 * Looks for everything that only the person and the enclave's memory may know, in everything that others could come by.
 *
 *   npm run check-no-plaintext               runs the whole system with a real browser, then searches
 *   npm run check-no-plaintext:control      plants a leak per place and per encoding: each must be found
 *
 * One find is expected and must be there: a guest's own key in that guest's browser, in the clear, as the app says.
 */
import { fileURLToPath } from 'node:url';
import { buildWebIfStale } from '../../apps/cli/up/web-build.ts';
import { runControl } from './control.ts';
import { searchPlace } from './places.ts';
import { runScenario } from './scenario.ts';
import type { Find } from './search.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const isGuestsOwn = (find: Find): boolean =>
  find.place === 'profile (guest)' && find.needle === 'guest key' && find.encoding === 'raw';

async function main(): Promise<void> {
  await buildWebIfStale(ROOT, new AbortController().signal, () => {});
  if (process.argv.includes('--control')) {
    process.exitCode = (await runControl()) ? 0 : 1;
    return;
  }
  const { places, needles } = await runScenario();
  const results = places.names().map((place) => searchPlace(places, place, needles));
  const faults: string[] = [];
  console.log(`${needles.length} secrets: ${needles.map(({ name }) => name).join(', ')}\n`);
  for (const { place, bytes, finds } of results) {
    console.log(`${place.padEnd(24)} ${bytes.toLocaleString('en').padStart(14)} bytes  ${finds.length} finds`);
    if (bytes === 0) faults.push(`${place}: nothing was searched`);
    for (const find of finds) {
      const line = `${place}: ${find.needle} as ${find.encoding} at ${find.offset}`;
      if (isGuestsOwn(find)) console.log(`  expected: ${line}`);
      else faults.push(line);
    }
  }
  if (!results.some(({ finds }) => finds.some(isGuestsOwn))) {
    faults.push("profile (guest): the guest's own key was not found, so the search does not see this profile");
  }
  for (const fault of faults) console.error(fault);
  const bytes = results.reduce((sum, result) => sum + result.bytes, 0);
  console.log(`${results.length} places, ${bytes.toLocaleString('en')} bytes, ${faults.length} faults`);
  if (faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
