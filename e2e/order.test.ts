/** Folders, temporary chats, and what is deleted, in a real browser: as a person does it, and as it lies on disk. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, type TestContext, test } from 'node:test';
import { w } from '../apps/web/features/order/words.ts';
import { w as shareWords } from '../apps/web/features/share/words.ts';
import { w as syncWords } from '../apps/web/features/sync/words.ts';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type BrowserOptions, openBrowser, shot } from './browser.ts';
import { filesIn, storing } from './held.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

async function open(t: TestContext, options: BrowserOptions = {}) {
  const browser = await openBrowser(options);
  t.after(() => browser.close());
  await browser.page.goto(system.link);
  const me = person(browser.page);
  await me.box.waitFor();
  return { browser, page: browser.page, me };
}

test('a project: made by keyboard, its instructions go with its chats, it stays after a reload', async (t) => {
  const { browser, page, me } = await open(t);
  await me.ask('Where do swifts sleep?');
  await me.chooseInMenu('Where do swifts sleep?', 'list.order');
  await page.getByLabel(w('chat.folder')).selectOption({ label: w('chat.newFolder') });
  await page.keyboard.press('Tab');
  await page.getByLabel(w('folder.name'), { exact: true }).fill('Birds');
  // The folder, and the chat that stands in it.
  await storing(page, () => page.keyboard.press('Enter'), 2);
  await page.getByLabel(w('chat.addTag')).fill('#Swifts');
  await storing(page, () => page.keyboard.press('Enter'));
  await page.getByRole('button', { name: w('chat.removeTag', { tag: 'swifts' }) }).waitFor();
  await shot(page, 'order-chat');
  await page.getByRole('button', { name: w('chat.done') }).click();
  await page.getByRole('button', { name: w('folder.edit', { name: 'Birds' }) }).click();
  await page.getByLabel(w('folder.instructions')).fill('Speak as a bird would.');
  await page.getByRole('button', { name: w('folder.save') }).click();
  await page.getByText(w('project.note', { name: 'Birds' })).waitFor();
  // It closes once it is stored.
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await shot(page, 'order-project');

  await page.reload();
  const folder = page.getByRole('button', { name: /^Birds/ });
  await folder.click();
  await page.getByRole('button', { name: /^Birds/, expanded: true }).waitFor();
  await page.locator('.folder ~ ul .chat-link', { hasText: 'Where do swifts sleep?' }).click();
  await page.getByText(w('project.note', { name: 'Birds' })).waitFor();
  await page.getByRole('button', { name: 'swifts', exact: true }).click();
  await page.getByRole('heading', { name: w('list.tagged', { tag: 'swifts' }) }).waitFor();
  assert.deepEqual(browser.complaints, []);
});

test('a list that changes leaves an open menu and a half-written name alone', async (t) => {
  const { page, me } = await open(t);
  for (const title of ['first', 'second']) {
    await me.button('chat.new').click();
    await me.ask(title);
  }
  const code = await me.keep('skip');
  const { me: other } = await open(t);
  await other.button('unlock.guest').click();
  await other.unlockWithCode(code);
  const writeElsewhere = async (title: string, text: string, after: readonly string[]) => {
    await other.openChat(title);
    await other.answers.filter({ hasText: `Echo: ${title}` }).waitFor();
    await other.ask(text);
    await page.waitForFunction(
      (wanted) => JSON.stringify([...document.querySelectorAll('.list li')].map((row) => row.textContent)) === wanted,
      JSON.stringify(after),
    );
  };
  await me.openMenu('first');
  const place = await me.button('list.rename').boundingBox();
  await writeElsewhere('first', 'more of the first', ['first', 'second']);
  assert.deepEqual(await me.button('list.rename').boundingBox(), place, 'the menu stays where it was opened');
  await page.locator('.menu').getByText('first', { exact: true }).waitFor();
  await shot(page, 'order-menu');
  await me.button('list.rename').click();
  const name = page.getByRole('textbox', { name: words('list.renameLabel') });
  await name.fill('half a');
  await writeElsewhere('second', 'more of the second', ['second', '']);
  await name.press('End');
  await name.pressSequentially(' name');
  await name.press('Enter');
  await page.locator('.chat-link', { hasText: 'half a name' }).waitFor();
  // Another row's button takes the menu there; its own closes it.
  await me.openMenu('half a name');
  await me.openMenu('second');
  await me.button('list.rename').waitFor();
  await me.openMenu('second');
  await me.button('list.rename').waitFor({ state: 'hidden' });
  await me.chooseInMenu('second', 'list.delete');
  await page.locator('.chat-link', { hasText: 'second' }).waitFor({ state: 'detached' });
  assert.deepEqual(await me.chats(), ['half a name']);
});

test('CL-303 a temporary chat leaves no record behind, and only a yes leaves it', async (t) => {
  const { browser, page, me } = await open(t);
  await me.ask('a chat that is kept');
  const recordsKept = () =>
    page.evaluate(async () => {
      const counts: number[] = [];
      for (const { name } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve) => {
          const opening = indexedDB.open(name ?? '');
          opening.onsuccess = () => resolve(opening.result);
        });
        for (const store of database.objectStoreNames) {
          const counting = database.transaction(store).objectStore(store).count();
          counts.push(await new Promise((resolve) => (counting.onsuccess = () => resolve(counting.result))));
        }
        database.close();
      }
      return JSON.stringify([counts, localStorage.length, sessionStorage.length, history.state]);
    });
  await me.button('chat.new').click();
  const before = await recordsKept();
  await me.button('chat.newTemporary').click();
  await page.getByText(w('temporary.note')).waitFor();
  assert.equal(await me.ask('capercaillie-secret-words'), 'Echo: capercaillie-secret-words');
  await page.getByText(words('private.temporary')).waitFor();
  await shot(page, 'order-temporary');
  assert.equal(await recordsKept(), before);
  await me.button('chat.new').click();
  await page.getByRole('button', { name: w('temporary.stay') }).click();
  assert.deepEqual(await me.thread(), ['capercaillie-secret-words', 'Echo: capercaillie-secret-words']);
  await me.button('chat.new').click();
  await page.getByRole('button', { name: w('temporary.leave') }).click();
  await page.getByText(words('private.guest')).waitFor();
  assert.deepEqual(await me.chats(), ['a chat that is kept']);
  assert.equal(await recordsKept(), before);
  await browser.page.goto('about:blank');
  for (const [, bytes] of filesIn(browser.folder)) assert.ok(!bytes.includes('capercaillie-secret-words'));
});

test('CL-308 a deleted chat can be undone, and is gone when the time is over; everything goes by typing', async (t) => {
  const { page, me } = await open(t);
  for (const title of ['first', 'second', 'third']) {
    await me.button('chat.new').click();
    await me.ask(title);
  }
  await me.chooseInMenu('second', 'list.delete');
  await page.locator('.chat-link', { hasText: 'second' }).waitFor({ state: 'detached' });
  await shot(page, 'order-undo');
  await page.getByRole('button', { name: w('removed.undo') }).click();
  await page.locator('.chat-link', { hasText: 'second' }).waitFor();
  await page.getByText(w('removed.one')).waitFor({ state: 'detached' });
  await me.chooseInMenu('third', 'list.delete');
  await page.getByText(w('removed.one')).waitFor();
  await page.getByText(w('removed.one')).waitFor({ state: 'detached' });
  await page.reload();
  await page.locator('.chat-link').first().waitFor();
  assert.deepEqual((await me.chats()).sort(), ['first', 'second']);

  await me.button('list.manage').click();
  await page.getByText(w('manage.everything')).first().click();
  const go = page.getByRole('button', { name: w('manage.everything') });
  assert.equal(await go.isDisabled(), true);
  await page.getByLabel(w('manage.type', { word: w('manage.word') })).fill(w('manage.word'));
  await go.click();
  await page.getByText(w('manage.gone')).waitFor();
  await page.keyboard.press('Escape');
  await page.reload();
  await me.box.waitFor();
  assert.deepEqual(await me.chats(), []);
});

test('SV-131 an account that is deleted is gone from the server, and the other device is told', async (t) => {
  const rows = () => {
    const database = new DatabaseSync(path.join(system.serverDataDir, 'sotto.sqlite'), {
      readOnly: true,
      timeout: 30_000,
    });
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[];
    const count = (name: string) => Number(database.prepare(`select count(*) as n from ${name}`).get()?.n);
    const counts = new Map(tables.map(({ name }) => [name, count(name)]));
    database.close();
    return counts;
  };
  // Other tests leave accounts of their own.
  const others = rows();
  const { page, me } = await open(t, { authenticator: 'prf' });
  await me.ask('soon gone');
  const code = await me.keep('skip');
  const second = await open(t);
  await second.me.button('unlock.guest').click();
  await second.me.unlockWithCode(code);
  await second.me.openChat('soon gone');
  assert.ok((rows().get('records') ?? 0) > (others.get('records') ?? 0));
  await me.button('list.manage').click();
  await page.getByText(w('account.delete')).first().click();
  await page.getByLabel(w('account.code')).fill(code.replace(/.$/, (last) => (last === 'X' ? 'Y' : 'X')));
  await page.getByRole('button', { name: w('account.withCode') }).click();
  await page.getByRole('dialog').getByRole('alert').waitFor();
  await page.getByLabel(w('account.code')).fill(code);
  await page.getByRole('button', { name: w('account.withCode') }).click();
  await page.getByText(words('private.guest')).waitFor();
  assert.deepEqual(await me.chats(), []);
  const left = [...rows()]
    .map(([name, count]) => [name, count - (others.get(name) ?? 0)] as const)
    .filter(([name, more]) => more !== 0 && !['migrations', 'guests', 'sessions'].includes(name));
  assert.deepEqual(left, [['deleted_accounts', 1]]);

  await second.me.typeAndSend('Are you still there?');
  await second.page.getByText(syncWords('sync.account-deleted')).waitFor();
  assert.deepEqual(await second.me.chats(), ['soon gone'], 'what it keeps is still there');
  await shot(second.page, 'order-account-deleted');
});

test('CL-372 a chat is shared by a link: read by anybody, told to no server, taken back', async (t) => {
  const { page, me } = await open(t, { authenticator: 'prf' });
  await me.ask('Which birds stay?');
  await me.keep('skip');
  await me.chooseInMenu('Which birds stay?', 'list.order');
  await page.getByText(shareWords('share.open')).click();
  await page.getByText('Anyone with this link can read these 2 messages').waitFor();
  await shot(page, 'share-preview');
  await page.getByRole('button', { name: shareWords('share.make') }).click();
  const url = await page.getByRole('textbox', { name: shareWords('share.open') }).inputValue();
  assert.ok(url.startsWith(`${system.url}/#share=`));

  const reader = await openBrowser();
  t.after(() => reader.close());
  await reader.page.goto(url);
  await reader.page.getByText('Echo: Which birds stay?').waitFor();
  await shot(reader.page, 'share-viewer');
  assert.deepEqual(reader.complaints, []);
  const key = url.split('#share=')[1] ?? '';
  assert.ok(reader.requests.length > 0 && reader.requests.every((asked) => !asked.includes(key.slice(22, 60))));
  const kept = await reader.page.evaluate(async () => [(await indexedDB.databases()).length, localStorage.length]);
  assert.deepEqual(kept, [0, 0]);

  await page.keyboard.press('Escape');
  await me.button('list.manage').click();
  await page.getByText(shareWords('links.title', { count: 1 })).click();
  await page.getByRole('button', { name: shareWords('links.takeBack', { title: 'Which birds stay?' }) }).click();
  await page.getByText(shareWords('links.title', { count: 1 })).waitFor({ state: 'detached' });
  await reader.page.reload();
  await reader.page.getByRole('heading', { name: shareWords('view.failed') }).waitFor();
});
