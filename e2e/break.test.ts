import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ATTACKS } from '../apps/web/features/break/attacks.ts';
import { b } from '../apps/web/features/break/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

for (const [name, width, height] of [
  ['wide', 1280, 800],
  ['phone', 390, 844],
] as const) {
  test(`"Try to break it" (${name}): attacks are refused, or said to go unnoticed, and the chat goes on`, async (t) => {
    const browser = await openBrowser({ width, height });
    t.after(() => browser.close());
    const { page } = browser;
    const me = person(page);
    await page.goto(system.link);
    await me.ask('before');
    const scriptsBefore = browser.requests.filter((url) => url.endsWith('.js')).length;
    await page.locator('button.badge').click();
    await me.button('proof.break').click();
    const dialog = page.getByRole('dialog', { name: b('title') });
    // By keyboard alone, and nothing of it was fetched before it was asked for.
    await dialog.getByRole('button', { name: b('runAll') }).focus();
    assert.ok(browser.requests.filter((url) => url.endsWith('.js')).length > scriptsBefore);
    await page.keyboard.press('Enter');
    const refused = ATTACKS.filter(({ refusedBy }) => refusedBy !== undefined).length;
    const summary = `${b('summary', { refused, missed: ATTACKS.length - refused, failed: 0 })}.`;
    await dialog.getByRole('status').getByText(summary).waitFor({ state: 'attached' });
    await shot(page, `break-${name}`);
    for (const { id, refusedBy } of ATTACKS) {
      const row = (await dialog.locator(`[data-attack=${id}]`).textContent()) ?? '';
      assert.ok(row.includes(refusedBy ?? b('verdict.missed')), row);
    }
    const overflow = await dialog.evaluate((node) => node.scrollWidth - node.clientWidth);
    assert.equal(overflow, 0);
    await dialog.locator('[data-attack=rollback]').scrollIntoViewIfNeeded();
    await shot(page, `break-${name}-end`);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    if (name === 'phone') await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await me.ask('after'), 'Echo: after');
    assert.deepEqual(browser.complaints, []);
  });
}
