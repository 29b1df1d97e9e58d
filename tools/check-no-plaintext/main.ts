/**
 * Looks for everything that only the person and the enclave's memory may know, in everything that others could come by.
 *
 *   npm run check-no-plaintext               runs the whole system with real browsers, then searches
 *   npm run check-no-plaintext:control      plants a leak per place and per encoding: each must be found
 *
 * What the app says that it leaves in a browser must be found there, in the clear and nowhere else (EXPECTED).
 */
import { fileURLToPath } from 'node:url';
import { buildWebIfStale } from '../../apps/cli/up/web-build.ts';
import { runControl } from './control.ts';
import { searchPlace } from './places.ts';
import { PROFILE_MEDIA } from './profile.ts';
import { runScenario } from './scenario.ts';
import { type Find, Searcher } from './search.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Expectation {
  readonly why: string;
  isIt(find: Find): boolean;
}

const inPrivateFile = (state: RegExp, needle: RegExp) => (find: Find) =>
  state.test(find.place) &&
  find.place.endsWith(': private files') &&
  needle.test(find.needle) &&
  find.encoding === 'raw';

/** Each must be found, or the search does not see what it says it sees. */
const EXPECTED: readonly Expectation[] = [
  { why: "a guest's own key", isIt: inPrivateFile(/^browser, guest:/, /^guest key$/) },
  // The guest of a browser that was linked is still there, for who goes on without the account.
  { why: 'the key of the guest beside an account', isIt: inPrivateFile(/^linked browser, /, /^other guest key$/) },
  { why: 'the key of an account that stays unlocked', isIt: inPrivateFile(/stays unlocked/, /^account key$/) },
  // It opens nothing without the passphrase.
  { why: 'the device secret of a passphrase', isIt: inPrivateFile(/^browser, /, /^drawn by .*setPassphrase$/) },
];

async function main(): Promise<void> {
  await buildWebIfStale(ROOT, new AbortController().signal, () => {});
  if (process.argv.includes('--control')) {
    process.exitCode = (await runControl()) ? 0 : 1;
    return;
  }
  const began = Date.now();
  const { places, needles, told, untold } = await runScenario();
  const gatheredMs = Date.now() - began;
  const searcher = new Searcher(needles);
  const results = places.names().map((place) => searchPlace(places, place, searcher));
  const faults = untold.map((name) => `the page told no ${name}, so none was looked for`);
  const texts = needles.filter(({ kind }) => kind === 'text');
  console.log(`${needles.length} secrets, ${texts.length} of them texts: ${texts.map(({ name }) => name).join(', ')}`);
  console.log(`told by the page: ${[...told].map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
  for (const { place, bytes, finds } of results) {
    console.log(`${place.padEnd(46)} ${bytes.toLocaleString('en').padStart(12)} bytes  ${finds.length} finds`);
    if (bytes === 0) faults.push(`${place}: nothing was searched`);
    for (const find of finds) {
      const line = `${place}: ${find.needle} as ${find.encoding} at ${find.offset}`;
      const expected = EXPECTED.find(({ isIt }) => isIt(find));
      if (expected === undefined) faults.push(line);
      else console.log(`  expected: ${expected.why}`);
    }
  }
  const finds = results.flatMap((result) => result.finds);
  for (const { why, isIt } of EXPECTED) {
    if (!finds.some(isIt)) faults.push(`${why} was not found, so the search does not see where it lies`);
  }
  const seen = new Set(places.names().map((place) => place.split(': ')[1]));
  console.log(`\nkept in no profile: ${PROFILE_MEDIA.filter((medium) => !seen.has(medium)).join(', ') || 'nothing'}`);
  for (const fault of faults) console.error(fault);
  const bytes = results.reduce((sum, result) => sum + result.bytes, 0);
  const seconds = [gatheredMs, Date.now() - began - gatheredMs].map((ms) => `${(ms / 1000).toFixed(0)} s`);
  console.log(
    `${results.length} places, ${bytes.toLocaleString('en')} bytes, ${faults.length} faults; ` +
      `gathered in ${seconds[0]}, searched in ${seconds[1]}`,
  );
  if (faults.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
