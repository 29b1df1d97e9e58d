/** Searching in a real browser: the index in its worker under the page's policy, sealed on the device, for a guest and an account. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { w } from '../apps/web/features/search/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { heldByBrowser, until } from './held.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

const FIRST = 'Where do the swifts sleep?';
const SECOND = 'How is rye bread kept fresh?';

const field = (page: Page) => page.getByRole('combobox', { name: w('label') });
const options = (page: Page) => page.getByRole('listbox', { name: w('results') }).getByRole('option');

async function openSearch(page: Page, text: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+k');
  await field(page).fill(text);
}

test('a guest finds an older message by the keyboard, and is brought to it', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.ask(FIRST);
  await me.button('chat.new').click();
  await me.ask(SECOND);
  await openSearch(page, 'swif');
  // The title, the question and the answer.
  await options(page).nth(2).waitFor();
  await page
    .getByRole('dialog')
    .getByRole('status')
    .filter({ hasText: /\d found/ })
    .waitFor();
  assert.ok((await options(page).locator('mark').allTextContents()).every((text) => text === 'swifts'));
  await shot(page, 'search');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator('article:focus').filter({ hasText: FIRST }).waitFor();
  await openSearch(page, 'zebra');
  await page.getByText(w('nothing')).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(browser.complaints, []);
});

test('an account finds its chats again after unlocking on the index that was kept, and nothing of it lies open', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.ask(FIRST);
  const code = await me.keep('skip');
  await me.button('chat.new').click();
  await me.ask(SECOND);
  await openSearch(page, '"rye bread" kept');
  await options(page).nth(1).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const sealed = async () => [...(await heldByBrowser(page, 1))].filter(([place]) => place.includes('-sealed-'));
  const isIndexKept = async () => (await sealed()).filter(([place]) => place.includes('/search/')).length >= 2;
  await until(isIndexKept, 'the index is kept');
  assert.ok((await sealed()).every(([, value]) => !/bread|swift/i.test(value.toString('latin1'))));

  // Syncing goes on by itself; searching asks for nothing.
  const others = () => browser.requests.filter((address) => !/\/api\/records\b/.test(address));
  for (let count = -1; count < others().length; await page.waitForTimeout(1000)) count = others().length;
  const before = others().length;
  await openSearch(page, 'fresh');
  await options(page).first().waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(others().slice(before), []);

  await page.reload();
  await me.unlockWithCode(code);
  await me.answers.first().waitFor();
  await openSearch(page, 'swifts');
  await options(page).nth(1).waitFor();
  await options(page)
    .filter({ hasText: w('you') })
    .click();
  await page.locator('article:focus').filter({ hasText: 'swifts' }).waitFor();
  assert.deepEqual(
    browser.complaints.filter((words) => !words.includes('401')),
    [],
  );
});
