/** What the app keeps sealed in a browser, read from its databases; and whether what it was to purge is gone. */
import type { Page } from 'playwright-core';

/** Sealed values by where they were; each is random bytes, so any 24 of them are found in one place only. */
export type Sealed = ReadonlyMap<string, Buffer>;

/** Every value of the app's own databases in this browser. @param atLeastBytes leaves small ones out, which may be like others */
export async function heldByBrowser(page: Page, atLeastBytes = 129): Promise<Sealed> {
  const held = await page.evaluate(async () => {
    const all: [string, string][] = [];
    for (const { name } of await indexedDB.databases()) {
      const request = indexedDB.open(name ?? '');
      await new Promise((resolve) => {
        request.onsuccess = resolve;
      });
      const { result: database } = request;
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
    const { oldest, wanted } = reading.result as { oldest: number; wanted: number };
    return wanted > 1 && oldest >= wanted;
  });
}
