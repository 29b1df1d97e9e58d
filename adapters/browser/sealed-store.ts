/**
 * What is kept sealed in this browser, by name (packages/ports), in generations: what was removed or replaced is taken out of the
 * browser's files by moving what still counts to the next one (generations.ts). One tab moves; an end in the middle loses nothing,
 * and the next visit goes on.
 */
import {
  ClosedError,
  type Database,
  FIRST_GENERATION,
  GENERATIONS,
  type GenerationsState,
  settled,
} from './database.ts';
import { BrowserError } from './error.ts';
import { discard, type GenerationDatabase, openGeneration, supersede } from './generation-database.ts';
import {
  type BrowserSealedStore,
  eraseIn,
  type Generations,
  getIn,
  listIn,
  moveSome,
  updateIn,
  writeIn,
} from './generations.ts';
import { takingTurns } from './turns.ts';

/** Several removals in a row are purged together, once the page has rest. */
const REST_MS = 5000;

/** After a purge comes a rest of so many times as long: who keeps a gigabyte and deletes chat after chat does not move it each time. */
const REST_TIMES = 20;

/** How often other tabs may change the generations under one read or write. */
const TRIES = 10;

export function createBrowserSealedStore(database: Database, restMs = REST_MS): BrowserSealedStore {
  const store = new GenerationsStore(database, restMs);
  return {
    get: (names) => store.run((generations) => getIn(generations, names)),
    list: (prefix, options) => store.run((generations) => listIn(generations, prefix, options)),
    write: (changes) => {
      // Copied at once: the caller may use its bytes again before the transaction reads them.
      const copies = changes.map(({ name, value }) => ({ name, value: value?.slice() }));
      return store.run((generations) => writeIn(generations, copies));
    },
    update: (names, compute) => store.run((generations) => updateIn(generations, names, compute)),
    erase: (prefix) => store.run((generations) => eraseIn(generations, prefix)),
    purge: () => store.purge(),
  };
}

interface Opened extends Generations {
  readonly older?: GenerationDatabase;
  readonly newer: GenerationDatabase;
}

class GenerationsStore {
  readonly #database: Database;
  readonly #restMs: number;
  #opened: Promise<Opened> | undefined;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #notBeforeMs = 0;

  constructor(database: Database, restMs: number) {
    this.#database = database;
    this.#restMs = restMs;
  }

  /** Runs `work`, again from its beginning where another tab has changed which generations there are. */
  async run<Result>(work: (generations: Generations) => Promise<Result>): Promise<Result> {
    for (let tries = 0; ; tries++) {
      const opening = this.#current();
      const opened = await opening;
      try {
        return await work(opened);
      } catch (error) {
        if (!(error instanceof ClosedError)) throw error;
        if (tries === TRIES) throw new BrowserError('store-unavailable', error);
        await this.#leave(opening);
      }
    }
  }

  /** The generations are other ones now: what is still open of these would keep another tab from going on. */
  async #leave(opening: Promise<Opened>): Promise<void> {
    if (this.#opened === opening) this.#opened = undefined;
    const opened = await opening;
    opened.older?.close();
    opened.newer.close();
  }

  async purge(): Promise<void> {
    // What was removed may have moved already: then the generation that it moved to has to go too.
    await this.#update(({ oldest, wanted, isMoving }) => ({ wanted: Math.max(wanted, oldest + (isMoving ? 2 : 1)) }));
    this.#purgeSoon();
  }

  #purgeSoon(): void {
    clearTimeout(this.#resting);
    const restMs = Math.max(this.#restMs, this.#notBeforeMs - performance.now());
    // What fails stays wanted, and is tried again at the next removal or visit.
    this.#resting = setTimeout(() => void this.#purgeNow().catch(() => undefined), restMs);
  }

  #purgeNow(): Promise<void> {
    const { name } = this.#database;
    return takingTurns(`generations/${name}`, async () => {
      for (;;) {
        const { oldest, wanted } = await this.#state();
        if (oldest >= wanted) return;
        const beganMs = performance.now();
        await this.#update(() => ({ isMoving: true }));
        await supersede(name, oldest);
        await this.#leave(this.#current());
        while (await this.run(moveSome)) await new Promise((resolve) => setTimeout(resolve, 0));
        await discard(name, oldest);
        await this.#update(() => ({ oldest: oldest + 1, isMoving: false }));
        this.#notBeforeMs = performance.now() + REST_TIMES * (performance.now() - beganMs);
      }
    });
  }

  #current(): Promise<Opened> {
    const opening = this.#opened ?? this.#open();
    this.#opened = opening;
    opening.catch(() => {
      if (this.#opened === opening) this.#opened = undefined;
    });
    return opening;
  }

  async #open(): Promise<Opened> {
    for (let before: number | undefined; ; ) {
      const { oldest, wanted } = await this.#state();
      if (wanted > oldest && this.#resting === undefined) this.#purgeSoon();
      // Where another tab has just moved on, making an older one again would hide what it wrote: the state is read once more.
      const opened = await openPair(this.#database.name, oldest, before === oldest);
      if (opened !== undefined) return opened;
      before = oldest;
    }
  }

  #state(): Promise<GenerationsState> {
    return this.#database.transact('readonly', stateIn);
  }

  #update(change: (state: GenerationsState) => Partial<GenerationsState>): Promise<void> {
    return this.#database.transact('readwrite', async (objects) => {
      const state = await stateIn(objects);
      await settled(objects.put({ ...state, ...change(state) }, GENERATIONS));
    });
  }
}

async function stateIn(objects: IDBObjectStore): Promise<GenerationsState> {
  const state = await settled(objects.get(GENERATIONS) as IDBRequest<GenerationsState | undefined>);
  return state ?? FIRST_GENERATION;
}

/** @returns undefined where one that should be there is not, and may not be made */
async function openPair(name: string, oldest: number, mayCreate: boolean): Promise<Opened | undefined> {
  const first =
    (await openGeneration(name, oldest, false)) ??
    // The oldest one was discarded, and the page ended before it could say so.
    (await openGeneration(name, oldest + 1, false)) ??
    (await openGeneration(name, oldest, mayCreate));
  if (first === undefined || !first.isSuperseded) return first && { newer: first };
  const newer = await openGeneration(name, first.number + 1, mayCreate);
  if (newer === undefined) first.close();
  return newer && { older: first, newer };
}
