/** What a person does in the app, by what they read: roles, labels and the app's own words. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { t, type WordKey } from '../apps/web/shell/words.ts';

export type Person = ReturnType<typeof person>;

export function person(page: Page) {
  const button = (word: WordKey): Locator => page.getByRole('button', { name: t(word), exact: true });
  const box = page.getByRole('textbox', { name: t('composer.label') });
  const answers = page.getByRole('article', { name: t('chat.answer'), exact: true });
  const questions = page.getByRole('article', { name: t('chat.you'), exact: true });
  const codeField = page.getByRole('textbox', { name: t('unlock.codeLabel') });
  const finished = page.locator('article:not([aria-busy])').and(answers);

  const waitIdle = async (): Promise<void> => {
    await button('composer.send').waitFor();
  };
  const typeAndSend = async (text: string): Promise<void> => {
    // While an answer runs nothing is sent.
    await waitIdle();
    await box.fill(text);
    await box.press('Enter');
  };

  return {
    page,
    finished,
    button,
    box,
    answers,
    questions,
    codeField,

    typeAndSend,
    waitIdle,

    /** Asks and waits for the whole answer. */
    async ask(text: string): Promise<string> {
      await typeAndSend(text);
      // By its question: the messages of the open chat may still be on their way.
      const question = questions.filter({ hasText: text }).last();
      const answer = question.locator('xpath=following-sibling::article[1]').and(finished);
      await answer.waitFor();
      await waitIdle();
      return (await answer.locator('.prose').textContent()) ?? '';
    },

    /** Begins an answer that comes word by word, and waits until some of it stands there. */
    async begin(command: string): Promise<void> {
      await typeAndSend(command);
      await page.locator('article[aria-busy] .prose', { hasText: /lorem( \w+){3}/ }).waitFor();
    },

    /** Waits until an answer of so many words stands there, whole. */
    async waitForWords(count: number, timeoutMs = 60_000): Promise<void> {
      await page.waitForFunction(
        ([selector, wanted]) =>
          [...document.querySelectorAll(selector)].some(
            (prose) => (prose.textContent ?? '').split(' ').filter((word) => word !== '').length === wanted,
          ),
        ['article:not([aria-busy]) .prose', count] as const,
        { timeout: timeoutMs },
      );
      await waitIdle();
    },

    /** Opens what the foot of the left column keeps closed. */
    async openSettings(): Promise<void> {
      const more = page.locator('.more').last();
      const isOpen = await more.evaluate((details) => (details as HTMLDetailsElement).open);
      if (!isOpen) await more.locator('summary').first().click();
    },

    /** Opens a chat's menu. */
    async openMenu(title: string): Promise<void> {
      await page.locator('.list li', { hasText: title }).first().hover();
      await page
        .getByRole('button', { name: t('list.menu', { title }) })
        .first()
        .click();
    },
    async chooseInMenu(title: string, word: WordKey): Promise<void> {
      await this.openMenu(title);
      await button(word).click();
    },

    /** Titles in the list, newest first. */
    chats: (): Promise<string[]> => page.locator('.chat-link').allTextContents(),
    openChat: (title: string): Promise<void> => page.locator('.chat-link', { hasText: title }).first().click(),

    /** Goes through "Keep my chats" with the passkey accepted or left out. */
    async keep(passkey: 'add' | 'skip' | 'not offered'): Promise<string> {
      await button('keep.offer').click();
      const code = (await page.locator('[data-recovery-code]').getAttribute('data-recovery-code')) ?? '';
      assert.match(code, /^[0-9A-Z]+(-[0-9A-Z]+)+$/);
      await button('keep.written').click();
      await page.getByRole('textbox', { name: t('keep.confirmLabel') }).fill(code.split('-').at(-1) ?? '');
      await page
        .getByRole('dialog')
        .getByRole('button', { name: t('keep.confirm'), exact: true })
        .click();
      if (passkey !== 'not offered') await button(passkey === 'add' ? 'keep.passkeyAdd' : 'keep.passkeySkip').click();
      if (passkey !== 'skip') await button('keep.done').click();
      return code;
    },

    async unlockWithCode(code: string): Promise<void> {
      await codeField.fill(code);
      await page
        .locator('form')
        .getByRole('button', { name: t('unlock.code'), exact: true })
        .click();
    },

    /** Two message texts, question and answer, as they stand on the page. */
    thread: async (): Promise<string[]> =>
      page.locator('article.message .words, article.answer .prose').allTextContents(),
  };
}
