import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { until } from './held.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

test('"See this as the operator" shows the rows of this chat and no word of it; a plaintext column shows itself', async (t) => {
  const browser = await openBrowser({ width: 1600, height: 1000 });
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.ask('The heron waits at the weir');
  await me.keep('skip');
  await page.getByText(words('private.account')).waitFor();
  // The guest's session ended with the guest: the account's own is what the relay shows now.
  await me.ask('And the bittern booms');
  await me.button('proof.badge.development').click();
  await shot(page, 'proof-panel');
  await page.getByRole('button', { name: words('proof.operator') }).click();
  const ledger = page.locator('.ledger');
  const table = (name: string) => ledger.locator('section', { has: page.getByRole('heading', { name }) });
  await table('records').getByRole('row').nth(2).waitFor();
  await shot(page, 'operator');
  for (const name of ['accounts', 'sessions', 'locks', 'records', 'relay']) {
    await table(name).getByRole('row').nth(1).waitFor();
  }
  const everything = (await ledger.textContent()) ?? '';
  assert.doesNotMatch(everything, /heron|weir|bittern/i);

  const database = new DatabaseSync(path.join(system.serverDataDir, 'sotto.sqlite'));
  database.exec(`pragma busy_timeout = 30000; alter table records add column plaintext text`);
  database.exec(`update records set plaintext = 'The heron waits at the weir'`);
  database.close();
  await table('records').getByRole('columnheader', { name: 'plaintext' }).waitFor();
  await table('records').getByText('The heron waits at the weir').first().waitFor();
  await shot(page, 'operator-plaintext-column');
  assert.deepEqual(browser.complaints, []);
});

test('by keyboard alone: new line, send, stop, edit, new chat, help; every control has a name', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.button('proof.badge.development').waitFor();
  const snapshot = await page.locator('body').ariaSnapshot();
  for (const line of [
    `- heading "${words('app.name')}" [level=1]`,
    `- textbox "${words('composer.label')}"`,
    `- button "${words('composer.send')}" [disabled]`,
    `- button "${words('proof.badge.development')}"`,
    `- button "${words('keep.offer')}"`,
    `- button "${words('chat.new')}"`,
    `- navigation "${words('app.places')}"`,
  ]) {
    assert.ok(snapshot.includes(line), `${line} in\n${snapshot}`);
  }
  assert.doesNotMatch(snapshot, /- (button|textbox|link|combobox)(:| \[|$)/m, 'a control without a name');

  const focused = me.box.and(page.locator(':focus'));
  await focused.waitFor();
  await page.keyboard.type('one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('two');
  assert.equal(await me.box.inputValue(), 'one\ntwo');
  await page.keyboard.press('Enter');
  await me.finished.first().waitFor();
  await me.waitIdle();
  await page.keyboard.type('/slow 300');
  await page.keyboard.press('Enter');
  await page.locator('article[aria-busy] .prose', { hasText: 'lorem ipsum' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.cut').waitFor();
  await page.keyboard.press('ArrowUp');
  await page.getByText(words('composer.editing')).waitFor();
  assert.equal(await me.box.inputValue(), '/slow 300');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Shift+O');
  await page.getByRole('heading', { name: words('app.name'), level: 1 }).waitFor();
  await focused.waitFor();

  // Tab reaches every control of the page, each visibly marked.
  const seen = new Set<string>();
  for (let count = 0; count < 25; count++) {
    await page.keyboard.press('Tab');
    const reached = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { outlineStyle, boxShadow } = getComputedStyle(element);
      const marked = outlineStyle !== 'none' || boxShadow !== 'none' || element.matches('textarea');
      return { name: element.getAttribute('aria-label') ?? element.textContent ?? '', marked, tag: element.tagName };
    });
    if (reached.tag !== 'BODY') assert.ok(reached.marked, `the focus on "${reached.name}" is not visible`);
    seen.add(reached.name);
  }
  for (const word of ['app.skip', 'chat.new', 'keep.offer', 'help.open', 'composer.label'] as const) {
    assert.ok(seen.has(words(word)), `${words(word)} in ${[...seen].join(' | ')}`);
  }
  assert.deepEqual(browser.complaints, []);
});

test('at phone width nothing is wider than the screen, and the list is one touch away', async (t) => {
  const browser = await openBrowser({ width: 390, height: 844 });
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await page.goto(system.link);
  await me.box.waitFor();
  assert.ok((await width()) <= 390);
  await shot(page, 'phone-first');
  await me.ask('/markdown');
  assert.ok((await width()) <= 390);
  await me.ask(`a very long word ${'w'.repeat(300)}`);
  assert.ok((await width()) <= 390);
  await shot(page, 'phone-chat');
  await page.getByRole('button', { name: words('app.places'), exact: true }).click();
  await page.locator('dialog .chat-link').waitFor();
  await shot(page, 'phone-list');
  await page.keyboard.press('Escape');
  await me.button('proof.badge.development').click();
  await page.locator('dialog .proof').waitFor();
  assert.ok((await width()) <= 390);
  await shot(page, 'phone-proof');
});

test('dark follows the system, and the choice overrides it and is kept', async (t) => {
  const luminance = (page: import('playwright-core').Page) =>
    page.evaluate(() => {
      const [red = 0, green = 0, blue = 0] =
        getComputedStyle(document.body)
          .backgroundColor.match(/[\d.]+/g)
          ?.map(Number) ?? [];
      return (red + green + blue) / 3;
    });
  const browser = await openBrowser({ dark: true });
  t.after(() => browser.close());
  const { page } = browser;
  await page.goto(system.link);
  const me = person(page);
  await me.ask('/markdown');
  await shot(page, 'dark');
  const dark = await page.screenshot();
  assert.ok((await luminance(page)) < 60);
  await me.openSettings();
  await page.getByLabel(words('settings.theme')).selectOption('light');
  await until(async () => (await luminance(page)) > 200, 'the page is light');
  assert.notDeepEqual(await page.screenshot(), dark);
  await page.reload();
  await me.box.waitFor();
  assert.ok((await luminance(page)) > 200, 'the choice is kept');
});
