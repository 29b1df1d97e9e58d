/**
 * What is deleted is gone: of a guest's deleted chat, of an account's deleted chat with its file, and of a deleted account no sealed
 * byte is in any file of the honest server or of the browser's profile. The same search finds what is still there.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { w as orderWords } from '../apps/web/features/order/words.ts';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, removeProfile } from './browser.ts';
import { filesIn, heldByBrowser, isPurged, type Sealed, until } from './held.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
const profile = mkdtempSync(path.join(tmpdir(), 'sotto-deleted-'));
before(async () => {
  system = await startForBrowser();
});
after(async () => {
  await system.stop();
  await removeProfile(profile);
});

const PIECE = 24;
/** Past what many values begin with alike (magic, version, ids). */
const BEGIN = 64;

/** Which of the values any file of a folder holds a piece of. */
function foundIn(folder: string, sealed: Sealed): string[] {
  const files = filesIn(folder);
  assert.ok(files.reduce((sum, [, bytes]) => sum + bytes.length, 0) > 10_000, 'the folder holds something');
  return [...sealed].flatMap(([name, value]) => {
    const pieces = [value.subarray(BEGIN, BEGIN + PIECE), value.subarray(-PIECE)];
    const file = files.find(([, bytes]) => pieces.some((piece) => bytes.includes(piece)))?.[0];
    return file === undefined ? [] : [`${name} in ${file}`];
  });
}

/** Every record, lock and part of a file that the server holds. */
function heldByServer(): Sealed {
  const held = new Map<string, Buffer>();
  const database = new DatabaseSync(path.join(system.serverDataDir, 'sotto.sqlite'), {
    readOnly: true,
    timeout: 30_000,
  });
  for (const { id, value } of database.prepare('select record_id as id, envelope as value from records').all()) {
    if (value !== null) held.set(`record ${id}`, Buffer.from(value as Uint8Array));
  }
  for (const { id, value } of database.prepare('select lock_id as id, lock as value from locks').all()) {
    held.set(`lock ${id}`, Buffer.from(value as Uint8Array));
  }
  database.close();
  for (const [name, bytes] of filesIn(system.serverDataDir)) {
    if (/^blobs\/.*\/\d+$/.test(name)) held.set(name, bytes);
  }
  return held;
}

const without = (before: Sealed, after: Sealed): Sealed => {
  const left = new Set([...after.values()].map((value) => value.toString('latin1')));
  return new Map([...before].filter(([, value]) => !left.has(value.toString('latin1'))));
};

test('CL-265 a chat of a guest, a chat with a file, then the account: nothing that was deleted is in any file of the server or of the browser', async (t) => {
  let browser = await openBrowser({ folder: profile });
  t.after(() => browser.close());
  let me = person(browser.page);
  /** When it is no longer said it cannot be undone, and the purge was asked for. */
  const deleteChat = async (title: string) => {
    await me.chooseInMenu(title, 'list.delete');
    const said = browser.page.getByText(orderWords('removed.one'));
    await said.waitFor();
    await said.waitFor({ state: 'detached' });
  };
  await browser.page.goto(system.link);
  // A guest deletes a chat, and what is left goes to an account.
  await me.ask('Which birds sing?');
  await me.button('chat.new').click();
  await me.ask('Which birds stay?');
  const ofGuest = await heldByBrowser(browser.page);
  await deleteChat('Which birds sing?');
  await until(() => isPurged(browser.page), 'what the guest deleted is purged');
  const deletedByGuest = without(ofGuest, await heldByBrowser(browser.page));
  assert.ok(deletedByGuest.size >= 3);
  const code = await me.keep('skip');
  await me.button('chat.new').click();
  await browser.page.getByLabel(words('composer.attach')).setInputFiles({
    name: 'swifts.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('Swifts leave in August.\n'.repeat(200)),
  });
  await browser.page.locator('.files-draft .file.ready').waitFor();
  await me.ask('Which birds leave?');
  const parts = () => [...heldByServer().keys()].filter((name) => name.startsWith('blobs/'));
  await until(() => parts().length > 0 && heldByServer().size > 8, 'the file and the chat are on the server');

  const [server, device] = [heldByServer(), await heldByBrowser(browser.page)];
  assert.ok(server.size > 8 && device.size > 4, `${server.size} on the server, ${device.size} in the browser`);
  await deleteChat('Which birds leave?');
  await until(() => parts().length === 0, 'the file is gone from the server');
  await until(() => without(server, heldByServer()).size >= 4, 'the records are gone from the server');
  await until(() => isPurged(browser.page), 'what was deleted is purged here');

  const goneOnServer = without(server, heldByServer());
  const stillHere = await heldByBrowser(browser.page);
  const goneHere = without(new Map([...ofGuest, ...device]), stillHere);
  assert.ok(goneHere.size > 0);
  await browser.close();
  await system.restartServer();
  assert.deepEqual(foundIn(system.serverDataDir, goneOnServer), []);
  assert.equal(foundIn(system.serverDataDir, heldByServer()).length, heldByServer().size, 'what is there is found');
  assert.deepEqual(foundIn(profile, goneHere), []);
  assert.ok(foundIn(profile, stillHere).length > 4, 'what is there is found');

  browser = await openBrowser({ folder: profile });
  me = person(browser.page);
  await browser.page.goto(system.link);
  await me.unlockWithCode(code);
  await me.openChat('Which birds stay?');
  const everything = heldByServer();
  const allHere = await heldByBrowser(browser.page);
  await me.button('list.manage').click();
  await browser.page.getByText(orderWords('account.delete')).click();
  await browser.page.getByLabel(orderWords('account.code')).fill(code);
  await browser.page.getByRole('button', { name: orderWords('account.withCode'), exact: true }).click();
  await browser.page.getByText(words('private.guest')).waitFor();
  await until(() => heldByServer().size === 0, 'the account is gone from the server');
  await until(() => isPurged(browser.page), 'the account is purged here');
  const leftHere = await heldByBrowser(browser.page);
  await browser.close();
  await system.restartServer();
  assert.deepEqual(foundIn(system.serverDataDir, everything), []);
  assert.deepEqual([...leftHere.keys()], [], 'the stores of the browser hold nothing sealed any more');
  assert.deepEqual(foundIn(profile, allHere), []);
});
