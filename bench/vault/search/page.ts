/** Runs in the page of `browser.ts`: the steps of `searching.ts` over this browser's own store. */
import { browserClock, browserRandom, createBrowserSealedStore, openDatabase } from '@sotto/adapters-browser';
import { type BesideFigures, measureMiniSearch } from './beside.ts';
import { createSearching } from './searching.ts';

const now = () => performance.now();
let held: object | undefined;
let searching: ReturnType<typeof createSearching> | undefined;

async function steps() {
  const store = createBrowserSealedStore(await openDatabase('bench'));
  searching ??= createSearching({ store, random: browserRandom, clock: browserClock, now });
  return searching;
}

export const fill = async (messages: number) => (await steps()).fill(messages);
export const first = async () => (await steps()).first();
export const warm = async () => (await steps()).warm();
export const add = async () => (await steps()).add();
export const forget = async (messages: number) => (await steps()).forget(messages);

/** Its index stays in memory until the page goes. */
export function minisearch(messages: number): BesideFigures {
  const { figures, index } = measureMiniSearch(messages, now);
  held = index;
  return figures;
}

/** Nothing that was measured is freed before its memory was read. */
export function isHolding(): boolean {
  return held !== undefined;
}
