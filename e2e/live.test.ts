import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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

test('CH-85 "Check again, live" shows what the machine signed for this connection, just now', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.ask('The heron waits at the weir');
  await me.button('proof.badge.development').click();
  await me.button('proof.live.ask').click();
  const live = page.locator('.live');
  await live
    .getByText(words('proof.live.proven', { time: '' }).slice(0, 3))
    .first()
    .waitFor();
  await live.getByText('EV-66').waitFor();
  const nonceOf = async () => {
    const line = live.locator('details', { hasText: 'EV-66' });
    if ((await line.getAttribute('open')) === null) await line.locator('summary').click();
    return (await line.locator('dd').last().textContent()) ?? '';
  };
  const first = await nonceOf();
  assert.match(first, /^[0-9a-f]{64}$/);
  await shot(page, 'proof-live');
  await me.button('proof.live.ask').click();
  await page.waitForFunction((before) => !document.querySelector('.live')?.textContent?.includes(before), first);
  await me.button('proof.live.ask').waitFor();
  assert.notEqual(await nonceOf(), first);
  // The session goes on: what was typed and shown is as it was.
  await me.ask('And the bittern booms');
  assert.deepEqual(browser.complaints, []);
});
