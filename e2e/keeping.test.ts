import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type BrowserOptions, forgetSite, openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

const QUESTION = 'Where do swifts sleep?';
const ANSWER = `Echo: ${QUESTION}`;

/** Opens the link, asks once, and stands there as a guest with one chat. */
async function guestWithAChat(t: { after(run: () => Promise<void>): void }, options: BrowserOptions) {
  const browser = await openBrowser(options);
  t.after(() => browser.close());
  const me = person(browser.page);
  await browser.page.goto(system.link);
  assert.equal(await me.ask(QUESTION), ANSWER);
  return { browser, me, page: browser.page };
}

test('kept by passkey, reloaded, unlocked with a touch: the history is there; also on a wiped device', async (t) => {
  const { browser, me, page } = await guestWithAChat(t, { authenticator: 'prf' });
  await me.button('keep.offer').click();
  await page.locator('[data-recovery-code]').waitFor();
  await shot(page, 'keep-code');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await me.keep('add');
  await page.getByText(words('private.account')).waitFor();
  await me.answers.filter({ hasText: ANSWER }).waitFor();
  assert.deepEqual(await me.thread(), [QUESTION, ANSWER]);
  assert.equal(await me.ask('And geese?'), 'Echo: And geese?');

  await page.reload();
  await me.button('unlock.passkey').waitFor();
  assert.equal(await me.answers.count(), 0, 'nothing readable before the unlock');
  await shot(page, 'locked');
  await me.button('unlock.passkey').click();
  await me.answers.filter({ hasText: 'Echo: And geese?' }).waitFor();
  assert.deepEqual(await me.chats(), [QUESTION]);
  assert.deepEqual(browser.complaints, []);

  await forgetSite(browser, system.url);
  await page.goto(system.link);
  await me.button('unlock.guest').click();
  await me.button('unlock.passkey').click();
  await me.openChat(QUESTION);
  await me.answers.filter({ hasText: ANSWER }).waitFor();
});

test('a second profile opens the same history with the recovery code, and sees what the first adds', async (t) => {
  const { me } = await guestWithAChat(t, { authenticator: 'prf' });
  const code = await me.keep('add');

  const second = await openBrowser();
  t.after(() => second.close());
  const other = person(second.page);
  await second.page.goto(system.link);
  await other.button('unlock.guest').click();
  // As people type: small letters, blanks for hyphens.
  await other.unlockWithCode(` ${code.toLowerCase().replaceAll('-', ' ')} `);
  await other.openChat(QUESTION);
  await other.answers.filter({ hasText: ANSWER }).waitFor();
  assert.deepEqual(await other.thread(), [QUESTION, ANSWER]);
  await other.ask('Said on the second device');

  await me.page.reload();
  await me.button('unlock.passkey').click();
  await me.answers.filter({ hasText: 'Echo: Said on the second device' }).waitFor();
});

test('without PRF the passkey signs in only, says so, and the recovery code opens the chats', async (t) => {
  const { me, page } = await guestWithAChat(t, { authenticator: 'no-prf' });
  await me.button('keep.offer').click();
  await page.locator('[data-recovery-code]').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await me.button('keep.offer').click();
  const code = (await page.locator('[data-recovery-code]').getAttribute('data-recovery-code')) ?? '';
  await me.button('keep.written').click();
  const otherGroup = (code.split('-').at(-1) ?? '').replace(/.$/, (last) => (last === '7' ? '8' : '7'));
  await page.getByRole('textbox', { name: words('keep.confirmLabel') }).fill(otherGroup);
  await page
    .getByRole('dialog')
    .getByRole('button', { name: words('keep.confirm') })
    .click();
  await page.getByText(words('error.group-differs')).waitFor();
  await page.getByRole('textbox', { name: words('keep.confirmLabel') }).fill(code.split('-').at(-1) ?? '');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: words('keep.confirm') })
    .click();
  await me.button('keep.passkeyAdd').click();
  await page.getByText(words('keep.done.signs-in-only')).waitFor();
  await me.button('keep.done').click();

  await page.reload();
  await me.button('unlock.passkey').click();
  await page.getByText(words('error.passkey-no-lock')).waitFor();
  await me.unlockWithCode(code);
  await me.answers.filter({ hasText: ANSWER }).waitFor();
});

test('without navigator.credentials no passkey is offered: the same story by recovery code', async (t) => {
  const initScript = `delete Navigator.prototype.credentials; delete window.PublicKeyCredential;`;
  const { browser, me, page } = await guestWithAChat(t, { initScript });
  const code = await me.keep('not offered');
  await page.getByText(words('private.account')).waitFor();
  await page.reload();
  await me.codeField.waitFor();
  assert.equal(await me.button('unlock.passkey').count(), 0);
  await me.unlockWithCode(code);
  await me.answers.filter({ hasText: ANSWER }).waitFor();
  assert.deepEqual(browser.complaints, []);
});

test('a wrong recovery code: a clear message, the text stays, and the right one still opens', async (t) => {
  const { me, page } = await guestWithAChat(t, {});
  const code = await me.keep('skip');
  await me.button('keep.lock').click();

  const mistyped = code.slice(0, -1) + (code.endsWith('7') ? '8' : '7');
  await me.unlockWithCode(mistyped);
  await page.getByText(words('error.recovery-code-typo')).waitFor();
  assert.equal(await me.codeField.inputValue(), mistyped);

  // Cut short, and with what no code holds.
  const short = code.slice(0, -5);
  await me.unlockWithCode(short);
  await page.getByText(words('error.recovery-code-length')).waitFor();
  assert.equal(await me.codeField.inputValue(), short);
  const odd = `${code.slice(0, -1)}é`;
  await me.unlockWithCode(odd);
  await page.getByText(words('error.recovery-code-character')).waitFor();
  assert.equal(await me.codeField.inputValue(), odd);

  // A code that is whole, and opens nothing: another account's, made and never kept.
  const stranger = await openBrowser();
  t.after(() => stranger.close());
  await stranger.page.goto(system.link);
  await person(stranger.page).button('keep.offer').click();
  const foreign = (await stranger.page.locator('[data-recovery-code]').getAttribute('data-recovery-code')) ?? '';
  await me.unlockWithCode(foreign);
  await page.getByText(words('error.recovery-refused')).waitFor();
  await shot(page, 'wrong-code');
  assert.equal(await me.codeField.inputValue(), foreign);

  await me.unlockWithCode(code);
  await me.openChat(QUESTION);
  await me.answers.filter({ hasText: ANSWER }).waitFor();
});

test('two tabs of one guest: keeping in one keeps what both wrote, and the other stops writing', async (t) => {
  const { browser, me } = await guestWithAChat(t, {});
  const tab = await browser.context.newPage();
  const other = person(tab);
  await tab.goto(system.link);
  await other.box.waitFor();
  await other.ask('Asked in the other tab');
  // An answer that is still coming there while the chats are kept here.
  await other.button('chat.new').click();
  await other.begin('/slow 200');
  // Saved at least once: that takes a second.
  await tab.locator('article[aria-busy] .prose', { hasText: /lorem( \w+){15}/ }).waitFor();
  await browser.page.bringToFront();
  const code = await me.keep('skip');
  await browser.page.getByText(words('private.account')).waitFor();
  await browser.page.locator('.chat-link', { hasText: 'Asked in the other tab' }).waitFor();

  // The other tab is told, and has no way to go on as a guest that is gone.
  await tab.bringToFront();
  await other.codeField.waitFor();
  assert.equal(await other.answers.count(), 0);
  await other.unlockWithCode(code);
  await other.openChat(QUESTION);
  await other.answers.filter({ hasText: ANSWER }).waitFor();
  const titles = (await other.chats()).sort();
  assert.deepEqual(titles, ['/slow 200', 'Asked in the other tab', QUESTION].sort());
  await other.openChat('/slow 200');
  // What had come before that tab lost its keys.
  await other.finished.filter({ hasText: 'lorem' }).waitFor();
  await other.button('chat.new').click();
  assert.equal(await other.ask('And as an account?'), 'Echo: And as an account?');
});
