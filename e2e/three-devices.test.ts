/** Three browsers of one account, one of them without a network for a while: whatever was written where, all show the same. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { w as order } from '../apps/web/features/order/words.ts';
import { w } from '../apps/web/features/sync/words.ts';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

async function open(t: TestContext) {
  const browser = await openBrowser();
  t.after(() => browser.close());
  await browser.page.goto(system.link);
  return { browser, page: browser.page, they: person(browser.page) };
}

async function unlocked(t: TestContext, code: string) {
  const opened = await open(t);
  await opened.they.button('unlock.guest').click();
  await opened.they.unlockWithCode(code);
  return opened;
}

/** Waits until the list shows these chats, in this order. */
async function showsChats(page: Page, titles: readonly string[]): Promise<void> {
  const shown = () => page.locator('.chat-link').allTextContents();
  await page
    .waitForFunction(
      (wanted) => JSON.stringify([...document.querySelectorAll('.chat-link')].map((e) => e.textContent)) === wanted,
      JSON.stringify(titles),
    )
    .catch(async () => assert.deepEqual(await shown(), titles));
}

test('three devices, one of them offline for a while: nothing is lost, and all show the same', async (t) => {
  const phone = await open(t);
  await phone.they.ask('Swifts');
  await phone.they.button('chat.new').click();
  await phone.they.ask('Herons');
  await phone.they.button('chat.new').click();
  await phone.they.ask('Geese');
  const code = await phone.they.keep('skip');
  const [laptop, tablet] = await Promise.all([unlocked(t, code), unlocked(t, code)]);
  const all = [phone, laptop, tablet];
  for (const { page } of all) await showsChats(page, ['Geese', 'Herons', 'Swifts']);

  // What stands behind the menu is loaded while there is a network.
  await tablet.they.chooseInMenu('Swifts', 'list.order');
  await tablet.page.getByRole('button', { name: order('chat.done') }).click();
  await tablet.page.context().setOffline(true);
  await tablet.they.chooseInMenu('Herons', 'list.rename');
  await tablet.page.getByRole('textbox', { name: words('list.renameLabel') }).fill('Night herons');
  await tablet.page.keyboard.press('Enter');
  await tablet.they.chooseInMenu('Swifts', 'list.order');
  await tablet.page.getByLabel(order('chat.pin')).click();
  await tablet.page.getByRole('checkbox', { name: order('chat.pin'), checked: true }).waitFor();
  await tablet.page.getByRole('button', { name: order('chat.done') }).click();
  await tablet.they.chooseInMenu('Geese', 'list.delete');

  await laptop.they.openChat('Herons');
  await laptop.they.ask('How long do they live?');
  await phone.they.button('chat.new').click();
  await phone.they.ask('Cranes');
  for (const { page } of [phone, laptop]) await page.locator('.chat-link', { hasText: 'Cranes' }).waitFor();
  await tablet.page.getByText(order('removed.one')).waitFor({ state: 'detached' });
  await tablet.page.getByRole('status').filter({ hasText: 'kept on this device, to send' }).waitFor();
  assert.deepEqual((await tablet.they.chats()).toSorted(), ['Night herons', 'Swifts']);
  await shot(tablet.page, 'three-devices-offline');

  await tablet.page.context().setOffline(false);
  await tablet.page.getByText(w('sync.sent')).waitFor();
  const together = ['Swifts', 'Cranes', 'Night herons'];
  for (const { page } of all) await showsChats(page, together);
  const threads = {
    Swifts: ['Swifts', 'Echo: Swifts'],
    Cranes: ['Cranes', 'Echo: Cranes'],
    'Night herons': ['Herons', 'Echo: Herons', 'How long do they live?', 'Echo: How long do they live?'],
  };
  for (const { they } of all) {
    for (const [title, thread] of Object.entries(threads)) {
      await they.openChat(title);
      await they.answers.filter({ hasText: thread.at(-1) as string }).waitFor();
      assert.deepEqual(await they.thread(), thread);
    }
  }
  await shot(tablet.page, 'three-devices-together');
  for (const { page } of all) assert.equal(await page.getByRole('alert').filter({ hasText: /\S/ }).count(), 0);
  assert.deepEqual([phone.browser.complaints, laptop.browser.complaints], [[], []]);
});
