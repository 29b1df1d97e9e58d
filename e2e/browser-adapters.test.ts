/** The browser's own stores, run through the contract of every record store, in a real Chromium on a real profile. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type * as adapters from '@sotto/adapters-browser';
import type { RecordStore, SealedStore } from '@sotto/ports';
import { recordStoreContract, sealedStoreContract } from '@sotto/testkit';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { type Browser, openBrowser } from './browser.ts';

type InPage = {
  adapters: typeof adapters;
  stores: Map<string, RecordStore>;
  sealed: Map<string, SealedStore>;
};

let server: Server;
let browser: Browser;
let stores = 0;

before(async () => {
  const entry = fileURLToPath(import.meta.resolve('@sotto/adapters-browser'));
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, target: 'es2024', lib: { entry, name: 'adapters', formats: ['iife'] } },
  });
  const output = Array.isArray(result) ? result[0] : result;
  assert.ok(output !== undefined && 'output' in output);
  const { code } = output.output[0];
  server = createServer((request, response) => {
    const script = request.url === '/adapters.js';
    response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' });
    response.end(script ? code : '<!doctype html><script src="/adapters.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  browser = await openBrowser();
  await openPage(browser.page);
});
after(async () => {
  await browser?.close();
  server?.close();
});

async function openPage(page: Page): Promise<void> {
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await page.evaluate(() => {
    Object.assign(globalThis, { stores: new Map(), sealed: new Map() });
  });
}

/** The store called `name` of this page, driven from here. Bytes travel as numbers. */
async function storeIn(page: Page, name: string): Promise<RecordStore> {
  await page.evaluate(async (given) => {
    const { adapters, stores } = globalThis as unknown as InPage;
    stores.set(given, adapters.createBrowserRecordStore(await adapters.openDatabase(given)));
  }, name);
  return {
    list: async (afterSequence) => {
      const found = await page.evaluate(
        async ([given, after]) => {
          const page = await (globalThis as unknown as InPage).stores.get(given)?.list(after);
          if (page === undefined) throw new Error('no such store');
          return {
            ...page,
            records: page.records.map((one) => ({ ...one, envelope: one.envelope && [...one.envelope] })),
          };
        },
        [name, afterSequence] as const,
      );
      const records = found.records.map((one) => ({ ...one, envelope: one.envelope && new Uint8Array(one.envelope) }));
      return { ...found, records };
    },
    put: (recordId, envelope) =>
      page.evaluate(
        async ([given, id, bytes]) => {
          const done = await (globalThis as unknown as InPage).stores.get(given)?.put(id, new Uint8Array(bytes));
          if (done === undefined) throw new Error('no such store');
          return done;
        },
        [name, recordId, [...envelope]] as const,
      ),
    remove: (recordId) =>
      page.evaluate(
        async ([given, id]) => {
          const done = await (globalThis as unknown as InPage).stores.get(given)?.remove(id);
          if (done === undefined) throw new Error('no such store');
          return done;
        },
        [name, recordId] as const,
      ),
  };
}

/** The sealed store called `name` of this page, driven from here. */
async function sealedStoreIn(page: Page, name: string): Promise<SealedStore> {
  await page.evaluate(async (given) => {
    const { adapters, sealed } = globalThis as unknown as InPage;
    sealed.set(given, adapters.createBrowserSealedStore(await adapters.openDatabase(given)));
  }, name);
  return {
    get: async (names) => {
      const found = await page.evaluate(
        async ([given, asked]) =>
          (await (globalThis as unknown as InPage).sealed.get(given)?.get(asked))?.map((one) => one && [...one]),
        [name, [...names]] as const,
      );
      return found?.map((one) => one && new Uint8Array(one)) ?? [];
    },
    list: async (prefix, options) => {
      const found = await page.evaluate(
        async ([given, under, how]) =>
          (await (globalThis as unknown as InPage).sealed.get(given)?.list(under, how))?.map((one) => ({
            ...one,
            value: [...one.value],
          })),
        [name, prefix, options] as const,
      );
      return found?.map((one) => ({ ...one, value: new Uint8Array(one.value) })) ?? [];
    },
    write: (changes) =>
      page.evaluate(
        async ([given, plain]) => {
          const wanted = plain.map((one) => ({ ...one, value: one.value && new Uint8Array(one.value) }));
          const writing = (globalThis as unknown as InPage).sealed.get(given)?.write(wanted);
          for (const { value } of wanted) value?.fill(0);
          await writing;
        },
        [name, changes.map((one) => ({ ...one, value: one.value && [...one.value] }))] as const,
      ),
    erase: (prefix) =>
      page.evaluate(async ([given, under]) => (globalThis as unknown as InPage).sealed.get(given)?.erase(under), [
        name,
        prefix,
      ] as const),
  };
}

/** The files below a folder that hold these bytes. */
async function filesWith(folder: string, bytes: Buffer): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const found: string[] = [];
  for (const { parentPath, name } of files) {
    const content = await readFile(join(parentPath, name)).catch(() => Buffer.alloc(0));
    if (content.includes(bytes)) found.push(name);
  }
  return found;
}

recordStoreContract('in a browser', async () => {
  const name = `contract-${++stores}`;
  const tabs: Page[] = [];
  return {
    store: await storeIn(browser.page, name),
    again: async () => {
      const tab = await browser.context.newPage();
      tabs.push(tab);
      await openPage(tab);
      return storeIn(tab, name);
    },
    close: async () => {
      for (const tab of tabs) await tab.close();
    },
  };
});

sealedStoreContract('in a browser', async () => {
  const name = `sealed-${++stores}`;
  const tabs: Page[] = [];
  return {
    store: await sealedStoreIn(browser.page, name),
    again: async () => {
      const tab = await browser.context.newPage();
      tabs.push(tab);
      await openPage(tab);
      return sealedStoreIn(tab, name);
    },
    close: async () => {
      for (const tab of tabs) await tab.close();
    },
  };
});

test('a database of the first version keeps what it holds and gets the new store', async () => {
  const kept = await browser.page.evaluate(async () => {
    const { adapters } = globalThis as unknown as InPage;
    await new Promise<void>((resolve) => {
      const opening = indexedDB.open('first-version', 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore('device').put(new Uint8Array([7]), 'a');
        opening.result.createObjectStore('records', { keyPath: 'recordId' }).createIndex('sequence', 'sequence');
      };
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
    });
    const database = await adapters.openDatabase('first-version');
    const sealed = adapters.createBrowserSealedStore(database);
    await sealed.write([{ name: 'b', value: new Uint8Array([8]) }]);
    const [b] = await sealed.get(['b']);
    return [...((await adapters.createBrowserDeviceStore(database).get('a')) ?? []), ...(b ?? [])];
  });
  assert.deepEqual(kept, [7, 8]);
});

test('the device store keeps, replaces and forgets values, over a reload', async () => {
  const run = (work: string): Promise<unknown> =>
    browser.page.evaluate(async (what) => {
      const { adapters } = globalThis as unknown as InPage;
      const device = adapters.createBrowserDeviceStore(await adapters.openDatabase('device-test'));
      if (what === 'set') await device.set('a', new Uint8Array([1, 2]));
      if (what === 'replace') await device.set('a', new Uint8Array([3]));
      if (what === 'delete') await device.delete('a');
      const value = await device.get('a');
      return value && [...value];
    }, work);
  assert.equal(await run('get'), undefined);
  assert.deepEqual(await run('set'), [1, 2]);
  await openPage(browser.page);
  assert.deepEqual(await run('get'), [1, 2]);
  assert.deepEqual(await run('replace'), [3]);
  assert.equal(await run('delete'), undefined);
});

test('a value that can be erased is kept over a reload, lies in the profile, and leaves none of its bytes there once erased', async () => {
  const own = await openBrowser();
  const value = randomBytes(64);
  const run = (what: string): Promise<unknown> =>
    own.page.evaluate(
      async ([given, bytes]) => {
        const { adapters } = globalThis as unknown as InPage;
        const nothing = { get: async () => undefined, set: async () => {}, delete: async () => {} };
        const store = await adapters.createErasableStore(nothing);
        if (given === 'set') await store.set('guest', new Uint8Array(bytes));
        if (given === 'delete') await store.delete('guest');
        const kept = await store.get('guest');
        return kept && [...kept];
      },
      [what, [...value]] as const,
    );
  try {
    await openPage(own.page);
    assert.equal(await run('get'), undefined);
    assert.deepEqual(await run('set'), [...value]);
    await openPage(own.page);
    assert.deepEqual(await run('get'), [...value]);
    assert.ok((await filesWith(own.folder, value)).length > 0, 'the search sees the profile');
    assert.equal(await run('delete'), undefined);
    assert.equal(await run('delete'), undefined);
    assert.deepEqual(await filesWith(own.folder, value), []);
  } finally {
    await own.close();
  }
});

test('two tabs that ask at once take turns', async () => {
  const order = await browser.page.evaluate(async () => {
    const { adapters } = globalThis as unknown as InPage;
    const seen: string[] = [];
    const turn = (name: string) =>
      adapters.takingTurns('test', async () => {
        seen.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen.push(`${name} ends`);
      });
    await Promise.all([turn('a'), turn('b')]);
    return seen;
  });
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a server that cannot be reached is one error, for requests and for sockets', async () => {
  const codes = await browser.page.evaluate(async () => {
    const { adapters } = globalThis as unknown as InPage;
    const code = (cause: unknown) => (cause as { code: string }).code;
    return [
      await adapters.browserFetch('http://localhost:9/').then(() => 'reached', code),
      await adapters.connectBrowserSocket('ws://localhost:9/').then(() => 'reached', code),
    ];
  });
  assert.deepEqual(codes, ['network-unreachable', 'network-unreachable']);
});
