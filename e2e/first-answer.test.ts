import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

test('a new person opens the link, types and presses Enter: there is the answer', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.box.and(page.locator(':focus')).waitFor();
  await shot(page, 'first-screen');
  // Two actions: typing (the box has the focus already) and Enter.
  await page.keyboard.type('Good morning, quiet sea');
  await page.keyboard.press('Enter');
  await me.answers.filter({ hasText: 'Echo: Good morning, quiet sea' }).waitFor();
  await me.waitIdle();
  await shot(page, 'first-answer');
  assert.deepEqual(browser.complaints, []);
  const foreign = browser.requests.filter((url) => new URL(url).host !== new URL(system.url).host);
  assert.deepEqual(foreign, [], 'nothing leaves the origin');
  assert.equal(new URL(page.url()).hash, '', 'the fingerprint does not stay in the address');
});
