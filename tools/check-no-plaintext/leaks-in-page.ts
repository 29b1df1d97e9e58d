/** What the control run makes the app's own page do: send, and write into everything that a profile keeps. */
import type { Page } from 'playwright-core';

/** Pieces in base64. Runs in the page, whose policy allows all of it. */
export interface PageLeaks {
  readonly bodies: readonly string[];
  readonly addresses: readonly string[];
  readonly frame: string;
  readonly relay: string;
  readonly answers: {
    readonly plain: readonly number[];
    readonly cached: readonly number[];
    readonly cache: readonly number[];
  };
  readonly localStorage: readonly string[];
  readonly sessionStorage: readonly string[];
  readonly indexedDb: readonly string[];
  readonly files: readonly string[];
}

export async function leakInPage(page: Page, leaks: PageLeaks): Promise<void> {
  await page.evaluate(async (given) => {
    const bytesOf = (text: string) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);

    // Every answer is read to its end: one that is not keeps its request open for ever.
    const ask = async (address: string, options: RequestInit = {}) => (await fetch(address, options)).arrayBuffer();
    for (const body of given.bodies) await ask('/leak/none', { method: 'POST', body: bytesOf(body) });
    for (const address of given.addresses) await ask(`/leak/none?${text(bytesOf(address))}`);
    for (const at of given.answers.plain) await ask(`/leak/${at}`);
    for (const at of given.answers.cached) await ask(`/leak/cached/${at}`);
    const cache = await caches.open('leak');
    for (const at of given.answers.cache) await cache.put(`/kept/${at}`, await fetch(`/leak/${at}`));

    // A string holds any bytes: one a character where all are ASCII, else two, which makes Chromium keep 16 bits each.
    const asString = (bytes: Uint8Array): string => {
      if (bytes.every((byte) => byte < 128)) return text(bytes);
      const even = new Uint8Array(bytes.length + (bytes.length % 2));
      even.set(bytes);
      return `\u2603${String.fromCharCode(...new Uint16Array(even.buffer))}`;
    };
    for (const [at, one] of given.localStorage.entries()) localStorage.setItem(`leak-${at}`, asString(bytesOf(one)));
    for (const [at, one] of given.sessionStorage.entries())
      sessionStorage.setItem(`leak-${at}`, asString(bytesOf(one)));

    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('leak', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('values');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const transaction = database.transaction('values', 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore('values');
    for (const [at, one] of given.indexedDb.entries()) store.put(bytesOf(one), at);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onerror = reject;
    });
    database.close();

    const folder = await navigator.storage.getDirectory();
    for (const [at, one] of given.files.entries()) {
      const writable = await (await folder.getFileHandle(`leak-${at}`, { create: true })).createWritable();
      await writable.write(bytesOf(one));
      await writable.close();
    }

    await ask('/api/guest', {
      method: 'POST',
      headers: { 'Sotto-Client': '1', 'Content-Type': 'application/json' },
      body: '{}',
    });
    await new Promise((resolve, reject) => {
      const socket = new WebSocket(given.relay);
      socket.onopen = () => socket.send(bytesOf(given.frame));
      // The machine cuts what is no handshake: by then it has passed the relay.
      socket.onclose = resolve;
      socket.onerror = reject;
    });
  }, leaks);
}

/** What goes into the lists of pages that a browser keeps, and what it restores after a crash. Leaves the app's page. */
export async function leakInHistory(
  page: Page,
  leaks: { readonly state: readonly string[]; readonly address: readonly string[] },
): Promise<void> {
  const address = leaks.address.map((one) => Buffer.from(one, 'base64').toString()).join('&');
  await page.goto(`${new URL(page.url()).origin}/leak/page?${address}`);
  await page.evaluate(async (state) => {
    await navigator.serviceWorker.register('/leak/worker');
    await navigator.serviceWorker.ready.catch(() => {});
    const bytes = state.map((one) => Uint8Array.from(atob(one), (character) => character.charCodeAt(0)));
    history.replaceState({ leak: bytes }, '');
  }, leaks.state);
  // The browser writes both some moments after they changed.
  await page.waitForTimeout(2000);
}
