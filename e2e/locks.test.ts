/** Locks and devices in a real browser: a phrase added, the code and a device removed, and what each of them opens afterwards. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { l } from '../apps/web/features/locks/words.ts';
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

const QUESTION = 'Where do swifts sleep?';
const ANSWER = `Echo: ${QUESTION}`;
const button = (page: Page, name: string | RegExp) =>
  page.getByRole('dialog').getByRole('button', { name, exact: typeof name === 'string' });

async function openLocks(page: Page) {
  await person(page).openSettings();
  await page.getByRole('button', { name: words('locks.open'), exact: true }).click();
  await page.getByText(l('locks.title')).waitFor();
}

test('a phrase replaces the recovery code, a device is removed, and the chats open with the phrase alone', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  assert.equal(await me.ask(QUESTION), ANSWER);
  const code = await me.keep('skip');

  const lost = await openBrowser();
  t.after(() => lost.close());
  const other = person(lost.page);
  await lost.page.goto(system.link);
  await other.button('unlock.guest').click();
  await other.unlockWithCode(code);
  await other.openChat(QUESTION);
  await other.ask('Said on the device that is lost');

  await openLocks(page);
  await button(page, l('add.recovery-phrase')).click();
  await page.locator('ol.written li').first().waitFor();
  const phrase = await page.locator('ol.written li').allTextContents();
  assert.equal(phrase.length, 14);
  await shot(page, 'locks-phrase');
  await button(page, l('write.next')).click();
  await page.getByLabel(l('confirm.phrase')).fill(phrase.at(-1) ?? '');
  await button(page, l('confirm.add')).click();
  await page.getByText(l('add.added')).waitFor();

  await button(page, new RegExp(`^${l('remove')}: ${l('kind.recovery-code')}`)).click();
  await page.getByText(l('remove.limit')).waitFor();
  await button(page, l('remove.yes')).click();
  await page.getByText(l('remove.done')).waitFor();
  await shot(page, 'locks');

  await page.keyboard.press('Escape');
  await page.reload();
  await me.unlockWithCode(code);
  await page.getByText(words('error.recovery-refused')).waitFor();
  // As people type: numbered, in capitals.
  await me.unlockWithCode(phrase.map((word, i) => `${i + 1} ${word.toUpperCase()}`).join(' '));
  await me.answers.filter({ hasText: 'Echo: Said on the device that is lost' }).first().waitFor();

  await openLocks(page);
  await page.getByText(l('epoch', { epoch: 2 })).waitFor();
  await button(page, new RegExp(`^${l('remove')}: .* on `)).click();
  await page.getByText(l('remove.device.limit')).waitFor();
  await button(page, l('remove.yes')).click();
  await page.getByText(l('remove.done')).waitFor();
  await page.getByText(l('epoch', { epoch: 3 })).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await me.ask('Said after it was removed'), 'Echo: Said after it was removed');
  assert.equal(await page.locator('.findings').count(), 0, 'no alarm of an honest server');
  // The code that was removed is refused, and the browser says so.
  assert.deepEqual(
    browser.complaints.filter((each) => !each.includes('401')),
    [],
  );
  await lost.page.waitForTimeout(1500);
  assert.equal(await other.answers.filter({ hasText: 'Said after it was removed' }).count(), 0);
});
