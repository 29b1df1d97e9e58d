/**
 * The control of the search: a build that leaks a secret of its own per medium and per form, through the media that the
 * product really has, all in one run. What was planted and is not found is a form of leak that nobody would notice.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type Browser, openBrowser } from '../../e2e/browser.ts';
import { startSystem } from '../harness/system.ts';
import { controlKey, controlText, type Form, formsOf, isText } from './forms.ts';
import type { Leaks } from './leak.ts';
import { leakInHistory, leakInPage } from './leaks-in-page.ts';
import { Places, searchPlace, watchPage } from './places.ts';
import { addProfile } from './profile.ts';
import { type Needle, Searcher } from './search.ts';
import { type Tap, tapEnclave } from './tap.ts';

/** What an address can hold as it is. */
const IN_ADDRESS = /^[\w%,?=.+-]+$/;

export interface Plant {
  readonly medium: string;
  /** Where it must be found. */
  readonly place: string;
  readonly needle: Needle;
  readonly form: Form;
}

export interface Verdict extends Plant {
  readonly isFound: boolean;
}

/** A text and a key, in every form that the medium can hold. One secret a plant: no find can stand for another. */
export function plantsFor(medium: string, place: string, options: { whole?: boolean; only?: (form: Form) => boolean }) {
  const plants: Plant[] = [];
  for (const make of [controlText, controlKey]) {
    for (const { name } of formsOf(make(''))) {
      const kind = make === controlText ? 'text' : 'key';
      const needle = make(`${medium}: ${kind} as ${name}`);
      const form = formsOf(needle).find((one) => one.name === name);
      if (form === undefined || (form.whole && !options.whole) || options.only?.(form) === false) continue;
      plants.push({ medium, place, needle, form });
    }
  }
  return plants;
}

/** Searches each place once, for what was planted there. */
export function judge(places: Places, plants: readonly Plant[]): Verdict[] {
  return [...new Set(plants.map(({ place }) => place))].flatMap((place) => {
    const here = plants.filter((plant) => plant.place === place);
    const { finds } = searchPlace(places, place, new Searcher([...new Set(here.map(({ needle }) => needle))]));
    const found = new Set(finds.map(({ needle, encoding }) => `${needle}\0${encoding}`));
    // A browser may keep any string with 16 bits a character.
    const isFound = ({ needle, form }: Plant) =>
      found.has(`${needle.name}\0${form.expect}`) || found.has(`${needle.name}\0wide:${form.expect}`);
    return here.map((plant) => ({ ...plant, isFound: isFound(plant) }));
  });
}

const base64 = (plants: readonly Plant[]): string[] => plants.map(({ form }) => form.bytes.toString('base64'));
const joined = (plants: readonly Plant[]): string =>
  Buffer.concat(plants.flatMap(({ form }) => [form.bytes, Buffer.from('\n')])).toString('base64');

async function leakEverywhere(places: Places): Promise<Plant[]> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'sotto-control-'));
  try {
    return await leakFrom(scratch, places);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function leakFrom(scratch: string, places: Places): Promise<Plant[]> {
  const profile = path.join(scratch, 'profile');
  const all: Plant[] = [];
  const plant = (medium: string, place: string, options: Parameters<typeof plantsFor>[2] = {}): Plant[] => {
    const made = plantsFor(medium, place, options);
    all.push(...made);
    return made;
  };
  const plantIn = (medium: string, options: Parameters<typeof plantsFor>[2] = {}) =>
    plant(`profile: ${medium}`, `profile: ${medium}`, options);
  const whole = { whole: true };
  const output = (name: string) => {
    const printed = plant(`${name} output`, `${name} output`);
    const crashed = plant(`${name} crash`, `${name} output`);
    return {
      output: base64(printed),
      thrown: base64(crashed.filter(({ form }) => isText(form.bytes))),
      dumped: base64(crashed.filter(({ form }) => !isText(form.bytes))),
    };
  };
  const answers = plant('http answer', 'browser http', whole);
  const httpCache = plantIn('http cache');
  const cache = plantIn('Cache storage');
  // A script's bytes stand between its comment marks, and are read as UTF-8.
  const workers = plantIn('service worker', { only: ({ bytes }) => !bytes.includes('*/') });
  const numbers = (first: number, plants: readonly Plant[]) => plants.map((_, at) => first + at);
  const fromEnclave = plant('frame from the enclave', 'relay from enclave');
  const preload = (name: string, leaks: Leaks) => {
    const file = path.join(scratch, `${name}.json`);
    writeFileSync(file, JSON.stringify(leaks));
    return { preload: [pathToFileURL(path.join(import.meta.dirname, 'leak.ts')).href], env: { SOTTO_LEAK: file } };
  };
  const server = preload('server', {
    ...output('server'),
    answers: base64([...answers, ...httpCache, ...cache]),
    worker: joined(workers),
  });
  const left = plant('enclave: file left behind', 'enclave data', whole);
  const enclave = preload('enclave', {
    ...output('enclave'),
    frame: joined(fromEnclave),
    files: { folder: path.join(scratch, 'enclave'), contents: base64(left) },
  });

  let tap: Tap | undefined;
  let browser: Browser | undefined;
  const system = await startSystem({
    dataDir: scratch,
    serverPreload: server.preload,
    serverEnv: server.env,
    enclavePreload: enclave.preload,
    enclaveEnv: enclave.env,
    nodeThrough: async (url) => {
      tap = await tapEnclave(url);
      return tap.url;
    },
  });
  try {
    browser = await openBrowser({ folder: profile });
    const { settled } = watchPage(browser.page, places);
    // The app's own first connection draws the frame out of the enclave.
    const answered = browser.page.waitForEvent('websocket').then((socket) => socket.waitForEvent('framereceived'));
    await browser.page.goto(system.link);
    await answered;
    const frame = [
      ...plant('web socket frame', 'browser websocket'),
      ...plant('frame to the enclave', 'relay to enclave'),
    ];
    await leakInPage(browser.page, {
      bodies: base64(plant('http body', 'browser http', whole)),
      addresses: base64(
        plant('http address', 'browser http', { only: ({ bytes }) => IN_ADDRESS.test(bytes.toString()) }),
      ),
      frame: joined(frame),
      relay: `${system.url.replace('http', 'ws')}/relay/${system.nodeId}`,
      answers: {
        plain: numbers(0, answers),
        cached: numbers(answers.length, httpCache),
        cache: numbers(answers.length + httpCache.length, cache),
      },
      localStorage: base64(plantIn('localStorage')),
      sessionStorage: base64(plantIn('sessionStorage')),
      indexedDb: base64(plantIn('IndexedDB')),
      files: base64(plantIn('private files', whole)),
    });
    await settled();
    await leakInHistory(browser.page, {
      state: base64(plantIn('session restore')),
      address: base64(plantIn('history', { only: ({ bytes }) => IN_ADDRESS.test(bytes.toString()) })),
    });
    await browser.close();
    browser = undefined;
    addProfile(places, 'profile', profile);

    leakInDatabase(places, path.join(system.serverDataDir, 'sotto.sqlite'), plant);
    for (const [at, { form }] of plant('server: file left behind', 'server data, at rest', whole).entries()) {
      writeFileSync(path.join(system.serverDataDir, `left-behind-${at}`), form.bytes);
    }
    const ends = [system.server, system.enclave].map(
      ({ child }) => new Promise((resolve) => child.once('close', resolve).send('crash')),
    );
    await Promise.all(ends);
  } finally {
    await browser?.close();
    await system.stop();
    tap?.close();
  }
  places.add('server output', system.server.outputBytes());
  places.add('enclave output', system.enclave.outputBytes());
  places.add('relay to enclave', Buffer.concat(tap?.toEnclave ?? []));
  places.add('relay from enclave', Buffer.concat(tap?.fromEnclave ?? []));
  places.addFolder('enclave data', system.enclaveDataDir);
  places.addFolder('server data, at rest', system.serverDataDir);
  return all;
}

type MakePlants = (medium: string, place: string) => Plant[];

/** Beside the running server, as its own code would: a row that stays, rows that were deleted, a row only in the log of writes. */
function leakInDatabase(places: Places, file: string, plant: MakePlants): void {
  const database = new DatabaseSync(file);
  const insert = (table: string, medium: string, place: string): void => {
    database.exec(`create table ${table} (value blob)`);
    const statement = database.prepare(`insert into ${table} values (?)`);
    const plants = plant(medium, place);
    for (const { form } of plants) statement.run(isText(form.bytes) ? form.bytes.toString('utf8') : form.bytes);
  };
  const moveIntoFile = (): void => {
    const [moved] = database.prepare('pragma wal_checkpoint(truncate)').all();
    if (moved?.busy !== 0) throw new Error('the database is in use, so nothing could be planted in it');
  };
  database.exec('pragma busy_timeout = 5000; pragma wal_autocheckpoint = 0; pragma secure_delete = off');
  insert('leak_row', 'database row', 'database file');
  insert('leak_deleted', 'database free pages', 'database file');
  moveIntoFile();
  database.exec('drop table leak_deleted');
  moveIntoFile();
  if (Number(database.prepare('pragma freelist_count').get()?.freelist_count) === 0) throw new Error('no page is free');
  const main = readFileSync(file);
  insert('leak_written', 'write-ahead log', 'write-ahead log');
  if (!readFileSync(file).equals(main)) throw new Error('what was written is not in the log of writes alone');
  places.add('database file', main);
  places.add('write-ahead log', readFileSync(`${file}-wal`));
  database.close();
}

/** @returns whether all that was planted was found */
export async function runControl(): Promise<boolean> {
  const began = Date.now();
  const places = new Places();
  const plants = await leakEverywhere(places);
  const verdicts = judge(places, plants);
  const lines = tableOf(verdicts);
  for (const line of lines) console.log(line);
  const missed = verdicts.filter(({ isFound }) => !isFound);
  for (const { place, needle } of missed) console.error(`missed in ${place}: ${needle.name}`);
  const sizes = places.names().map((place) => ({ place, bytes: places.bytes(place) }));
  console.log(`\nsearched: ${sizes.map(({ place, bytes }) => `${place} ${bytes.toLocaleString('en')}`).join(', ')}`);
  const empty = sizes.filter(({ bytes }) => bytes === 0);
  for (const { place } of empty) console.error(`${place}: nothing was searched`);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(
    `${verdicts.length} planted, ${verdicts.length - missed.length} found, ${missed.length} missed ` +
      `in ${total.toLocaleString('en')} bytes, ${((Date.now() - began) / 1000).toFixed(0)} s`,
  );
  return missed.length === 0 && empty.length === 0;
}

/** Media down, forms across: how many of a text and a key were found of those planted. */
export function tableOf(verdicts: readonly Verdict[]): string[] {
  const media = [...new Set(verdicts.map(({ medium }) => medium))];
  const forms = [...new Set(verdicts.map(({ form }) => form.name))];
  const width = Math.max(...media.map((medium) => medium.length));
  const rows = media.map((medium) => {
    const cells = forms.map((name) => {
      const here = verdicts.filter((one) => one.medium === medium && one.form.name === name);
      const found = here.filter(({ isFound }) => isFound).length;
      return (here.length === 0 ? '-' : found === here.length ? String(found) : `!${found}`).padStart(3);
    });
    return `${medium.padEnd(width)}${cells.join('')}`;
  });
  const numbers = forms.map((_, at) => String(at + 1).padStart(3)).join('');
  return [
    'A secret text and a secret key per medium and form; each cell counts those found, ! marks a miss, - a form that the',
    'medium cannot hold: an address holds no binary; deflate and brotli bear no mark and count only as a whole file or body.',
    ...forms.map((name, at) => `  ${String(at + 1).padStart(2)} ${name}`),
    '',
    `${''.padEnd(width)}${numbers}`,
    ...rows,
  ];
}
