/** The browser's own stores, run through the contract of every record store, in a real Chromium on a real profile. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type * as adapters from '@sotto/adapters-browser';
import type { RecordStore, SealedStore } from '@sotto/ports';
import { recordStoreContract, sealedStoreContract } from '@sotto/testkit';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { type Browser, openBrowser } from './browser.ts';
import { filesIn, until } from './held.ts';

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
    const sealed = adapters.createBrowserSealedStore(await adapters.openDatabase(given));
    stores.set(given, adapters.createBrowserRecordStore(sealed));
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
    purge: () => page.evaluate(async (given) => (globalThis as unknown as InPage).sealed.get(given)?.purge(), name),
  };
}

/** The files below a folder that hold these bytes. */
function filesWith(folder: string, bytes: Buffer): string[] {
  return filesIn(folder).flatMap(([name, content]) => (content.includes(bytes) ? [name] : []));
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

test('what a database of an earlier version holds is kept, and goes on', async () => {
  const kept = await browser.page.evaluate(async () => {
    const { adapters } = globalThis as unknown as InPage;
    const [first, second] = ['11', '22'].map((byte) => byte.repeat(16)) as [string, string];
    await new Promise<void>((resolve) => {
      const opening = indexedDB.open('second-version', 2);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore('device').put(new Uint8Array([7]), 'a');
        const records = opening.result.createObjectStore('records', { keyPath: 'recordId' });
        records.createIndex('sequence', 'sequence');
        records.put({ recordId: first, sequence: 5, envelope: new Uint8Array([1]) });
        records.put({ recordId: second, sequence: 4, envelope: undefined });
        opening.result.createObjectStore('sealed').put(new Uint8Array([8]), 'b');
      };
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
    });
    const database = await adapters.openDatabase('second-version');
    const sealed = adapters.createBrowserSealedStore(database, 0);
    const records = adapters.createBrowserRecordStore(sealed);
    const seen = async () => [
      ...((await adapters.createBrowserDeviceStore(database).get('a')) ?? []),
      ...((await sealed.get(['b']))[0] ?? []),
      ...(await records.list(0)).records.map(({ sequence, envelope }) => [sequence, ...(envelope ?? [])]),
    ];
    const before = await seen();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { sequence } = await records.put(first, new Uint8Array([2]));
    return [before, await seen(), sequence];
  });
  assert.deepEqual(kept, [[7, 8, [4], [5, 1]], [7, 8, [4], [6, 2]], 6]);
});

/** Waits until nothing is left to purge. */
async function purged(page: Page, name: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const isDone = await page.evaluate(async (given) => {
      const { adapters } = globalThis as unknown as InPage;
      const database = await adapters.openDatabase(given);
      const get = (objects: IDBObjectStore) =>
        new Promise<{ oldest: number; wanted: number }>((resolve) => {
          const reading = objects.get('generations');
          reading.onsuccess = () => resolve(reading.result);
        });
      const { oldest, wanted } = await database.transact('readonly', get);
      return wanted > 1 && oldest >= wanted;
    }, name);
    if (isDone) return;
    await page.waitForTimeout(100);
  }
  assert.fail('not purged within 60 s');
}

for (const [count, bytes] of [
  [3, 200],
  [3000, 1000],
] as const) {
  test(`CL-265 of ${count} values, what was removed or replaced is in no file of the profile once it is purged`, async () => {
    const own = await openBrowser();
    try {
      await openPage(own.page);
      const read = await own.page.evaluate(
        async ([many, size]) => {
          const { adapters, sealed } = globalThis as unknown as InPage;
          const store = adapters.createBrowserSealedStore(await adapters.openDatabase('purging'), 0);
          sealed.set('purging', store);
          const values = (length: number) => Array.from({ length }, () => crypto.getRandomValues(new Uint8Array(size)));
          const first = values(many);
          const nameOf = (at: number) => `n/${String(at).padStart(5, '0')}`;
          for (let at = 0; at < many; at += 100) {
            await store.write(first.slice(at, at + 100).map((value, one) => ({ name: nameOf(at + one), value })));
          }
          // Of every three one is removed, one replaced, one stays.
          const [anew] = values(1);
          for (let at = 0; at < many; at += 300) {
            const thirds = first.slice(at, at + 300).map((_, one) => at + one);
            await store.write(
              thirds.flatMap((one) =>
                one % 3 === 2 ? [] : [{ name: nameOf(one), value: one % 3 === 0 ? undefined : anew }],
              ),
            );
          }
          const few = (from: number) => first.filter((_, at) => at % 3 === from).slice(-40);
          return [few(0), few(1), few(2)].map((group) => group.map((value) => [...value]));
        },
        [count, bytes] as const,
      );
      const [removed, replaced, kept] = read.map((group) => group.map((value) => Buffer.from(value).subarray(20, 60)));
      assert.ok(removed && replaced && kept && kept.length > 0);
      const held = (group: readonly Buffer[]) => {
        const files = filesIn(own.folder);
        return group.filter((value) => files.some(([, content]) => content.includes(value))).length;
      };
      assert.ok(held(removed) > 0, 'before, the search finds what was removed');
      await own.page.evaluate(async () => (globalThis as unknown as InPage).sealed.get('purging')?.purge());
      await purged(own.page, 'purging');
      // The browser takes files away in its own time.
      await until(() => held([...removed, ...replaced]) === 0, 'what was removed is in no file');
      assert.deepEqual([held(removed), held(replaced)], [0, 0]);
      assert.equal(held(kept), kept.length, 'what stays is found');
      const left = await own.page.evaluate(async () => {
        const listed = await (globalThis as unknown as InPage).sealed.get('purging')?.list('n/');
        return [listed?.length, (await indexedDB.databases()).map(({ name }) => name).sort()];
      });
      assert.deepEqual(left, [(count / 3) * 2, ['purging', 'purging-sealed-2']]);
    } finally {
      await own.close();
    }
  });
}

test('CL-267 tabs that write while others purge, and end in the middle of it, lose nothing', async () => {
  const name = 'purging-tabs';
  const tabs = [browser.page, await browser.context.newPage(), await browser.context.newPage()];
  for (const tab of tabs) await openPage(tab);
  const use = (tab: Page, prefix: string, writes: number) =>
    tab.evaluate(
      async ([given, own, count]) => {
        const { adapters, sealed } = globalThis as unknown as InPage;
        const store = adapters.createBrowserSealedStore(await adapters.openDatabase(given), 0);
        sealed.set(given, store);
        const wrong: string[] = [];
        for (let at = 0; at < count; at++) {
          const value = new Uint8Array(2000).fill(at);
          await store.write([
            { name: `${own}/${at}`, value },
            { name: `${own}/last`, value },
            { name: `${own}/${at - 7}`, value: undefined },
          ]);
          if (at % 20 === 19) await store.purge();
          const [now, last, gone] = await store.get([`${own}/${at}`, `${own}/last`, `${own}/${at - 7}`]);
          if (now?.[0] !== at % 256 || last?.[0] !== at % 256 || gone !== undefined) wrong.push(`${own}/${at}`);
        }
        return wrong;
      },
      [name, prefix, writes] as const,
    );
  // The third tab fills the store, asks for a purge and is closed as soon as it moves.
  const [first, second, third] = tabs as [Page, Page, Page];
  assert.deepEqual(await use(third, 'third', 400), []);
  const working = Promise.all([use(first, 'first', 150), use(second, 'second', 150)]);
  await third.waitForTimeout(150);
  await third.close();
  assert.deepEqual(await working, [[], []]);
  await purged(first, name);
  const left = await first.evaluate(async (given) => {
    const listed = (await (globalThis as unknown as InPage).sealed.get(given)?.list('')) ?? [];
    return listed.map((one) => one.name);
  }, name);
  const expected = (own: string, count: number) => [
    `${own}/last`,
    ...[1, 2, 3, 4, 5, 6, 7].map((back) => `${own}/${count - back}`),
  ];
  const all = [...expected('first', 150), ...expected('second', 150), ...expected('third', 400)];
  assert.deepEqual(left, all.sort());
  await second.close();
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
    assert.ok(filesWith(own.folder, value).length > 0, 'the search sees the profile');
    assert.equal(await run('delete'), undefined);
    assert.equal(await run('delete'), undefined);
    assert.deepEqual(filesWith(own.folder, value), []);
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
