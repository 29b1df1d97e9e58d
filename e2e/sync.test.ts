import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { w } from '../apps/web/features/sync/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

test('CL-226 what one browser writes stands in the other without a reload, and what is written offline is sent when it can be', async (t) => {
  const first = await openBrowser();
  t.after(() => first.close());
  const me = person(first.page);
  await first.page.goto(system.link);
  await me.ask('Where do swifts sleep?');
  const code = await me.keep('skip');

  const second = await openBrowser();
  t.after(() => second.close());
  const other = person(second.page);
  await second.page.goto(system.link);
  await other.button('unlock.guest').click();
  await other.unlockWithCode(code);
  await other.openChat('Where do swifts sleep?');
  await other.answers.filter({ hasText: 'Echo: Where do swifts sleep?' }).waitFor();
  await other.ask('Said on the second device');
  await me.answers.filter({ hasText: 'Echo: Said on the second device' }).waitFor();

  await second.page.context().setOffline(true);
  const status = second.page.getByRole('status').filter({ hasText: 'kept on this device, to send' });
  await second.page.locator('.chat-link').first().waitFor();
  await second.page
    .getByRole('button', { name: /^Rename, order or delete/ })
    .first()
    .click();
  await second.page.getByRole('button', { name: 'Rename', exact: true }).click();
  await second.page.getByRole('textbox', { name: 'New name of the chat' }).fill('Named without a network');
  await second.page.keyboard.press('Enter');
  await status.waitFor();
  await second.page.locator('.chat-link', { hasText: 'Named without a network' }).waitFor();
  await shot(second.page, 'sync-offline');
  assert.deepEqual(await other.chats(), ['Named without a network']);
  assert.deepEqual(await me.chats(), ['Where do swifts sleep?']);

  await second.page.context().setOffline(false);
  await second.page.getByText(w('sync.sent')).waitFor();
  await first.page.locator('.chat-link', { hasText: 'Named without a network' }).waitFor();
  assert.deepEqual(first.complaints, []);
});
