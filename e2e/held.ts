/** What the app keeps sealed in a browser, read from its databases; and whether what it was to purge is gone. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { PATIENCE_MS } from './browser.ts';

/** Sealed values by where they were; each is random bytes, so any 24 of them are found in one place only. */
export type Sealed = ReadonlyMap<string, Buffer>;

/** Every value of the app's own databases in this browser. @param atLeastBytes leaves small ones out, which may be like others */
export async function heldByBrowser(page: Page, atLeastBytes = 129): Promise<Sealed> {
  const held = await page.evaluate(async () => {
    const all: [string, string][] = [];
    for (const { name } of await indexedDB.databases()) {
      const request = indexedDB.open(name ?? '');
      const isThere = await new Promise((resolve) => {
        // Deleted since it was listed: it must not be made anew.
        request.onupgradeneeded = () => request.transaction?.abort();
        request.onsuccess = () => resolve(true);
        request.onerror = () => resolve(false);
      });
      if (!isThere) continue;
      const { result: database } = request;
      database.onversionchange = () => database.close();
      for (const part of database.objectStoreNames) {
        const store = database.transaction(part).objectStore(part);
        const [keys, values] = [store.getAllKeys(), store.getAll()];
        await new Promise((resolve) => {
          values.onsuccess = resolve;
        });
        for (const [at, key] of keys.result.entries()) {
          const value = values.result[at];
          if (value instanceof Uint8Array) all.push([`${name} ${String(key)}`, btoa(String.fromCharCode(...value))]);
        }
      }
      database.close();
    }
    return all;
  });
  return new Map(
    held
      .map(([name, value]) => [name, Buffer.from(value, 'base64')] as const)
      .filter(([, value]) => value.length >= atLeastBytes),
  );
}

/** Whether something was purged in this browser, and nothing waits to be. */
export function isPurged(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const request = indexedDB.open('sotto');
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    const reading = request.result.transaction('device').objectStore('device').get('generations');
    await new Promise((resolve) => {
      reading.onsuccess = resolve;
    });
    request.result.close();
    const { oldest, wanted } = (reading.result ?? { oldest: 1, wanted: 1 }) as { oldest: number; wanted: number };
    return wanted > 1 && oldest >= wanted;
  });
}

/** How many writes of a guest's records this browser has stored so far. */
async function guestWrites(page: Page): Promise<number> {
  const held = await heldByBrowser(page, 1);
  const last = [...held].filter(([name]) => name.endsWith(' guest/last'));
  return Math.max(0, ...last.map(([, value]) => Number.parseInt(value.toString('hex'), 16)));
}

/** Waits until a guest's records were written so often: what is shown may not be stored yet, and a reload would lose it. */
export async function guestWritten(page: Page, count: number): Promise<void> {
  await until(async () => (await guestWrites(page)) >= count, `${count} writes are stored`);
}

/** Does what writes a guest's records so many times, and waits until they are stored. */
export async function storing(page: Page, act: () => Promise<unknown>, writes = 1): Promise<void> {
  const before = await guestWrites(page);
  await act();
  await guestWritten(page, before + writes);
}

/** @param what that was not so in time, in words */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, patienceMs = PATIENCE_MS) {
  for (const endMs = Date.now() + patienceMs; !(await isSo()); await delay(100)) {
    if (Date.now() > endMs) throw new Error(`not within ${patienceMs / 1000} s: ${what}`);
  }
}

/** Every file below a folder, with its path there; what is taken away meanwhile is left out. */
export function filesIn(folder: string): [name: string, bytes: Buffer][] {
  const found: [string, Buffer][] = [];
  const look = (below: string) => {
    for (const entry of unlessGone(() => readdirSync(path.join(folder, below), { withFileTypes: true })) ?? []) {
      const name = path.join(below, entry.name);
      if (entry.isDirectory()) look(name);
      const bytes = entry.isFile() ? unlessGone(() => readFileSync(path.join(folder, name))) : undefined;
      if (bytes !== undefined) found.push([name, bytes]);
    }
  };
  look('');
  return found;
}

function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
