import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { w as order } from '../apps/web/features/order/words.ts';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type Browser, openBrowser, shot } from './browser.ts';
import { storing } from './held.ts';
import { type Person, person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
let browser: Browser;
let me: Person;
before(async () => {
  system = await startForBrowser();
  browser = await openBrowser();
  me = person(browser.page);
  await browser.page.goto(system.link);
  await me.box.waitFor();
});
after(async () => {
  await browser.close();
  await system.stop();
});

const cut = () => browser.page.locator('article .cut', { hasText: words('chat.interrupted') });
const lastAnswer = async () => (await me.answers.last().locator('.prose').textContent()) ?? '';
const begins = (kept: string, all: string) => assert.ok(all.startsWith(kept.trimEnd()), `${kept} … ${all}`);

test('stop keeps what arrived and marks it; a reload finds it; continue goes on from there', async () => {
  await me.button('chat.new').click();
  await me.begin('/slow 300');
  await me.button('composer.stop').click();
  await cut().waitFor();
  const kept = await lastAnswer();
  assert.match(kept, /^lorem ipsum/);
  await browser.page.reload();
  await cut().waitFor();
  begins(await lastAnswer(), kept);
  await shot(browser.page, 'interrupted');
  await me.button('chat.continue').click();
  await cut().waitFor({ state: 'detached' });
  await me.waitIdle();
  begins(kept, await lastAnswer());
  assert.ok((await lastAnswer()).length > kept.length);
});

test('the enclave dies in mid-answer: said, kept, marked; with it back the answer goes on', async () => {
  await me.button('chat.new').click();
  await me.begin('/slow 300');
  system.enclave.child.kill('SIGKILL');
  await browser.page.getByRole('alert').waitFor();
  await cut().waitFor();
  await shot(browser.page, 'enclave-died');
  const kept = await lastAnswer();
  await browser.page.reload();
  await cut().waitFor();
  begins(await lastAnswer(), kept);
  await system.restartEnclave();
  await me.button('chat.continue').click();
  await cut().waitFor({ state: 'detached' });
  await me.waitIdle();
  begins(kept, await lastAnswer());
});

test('the model breaks in mid-answer: said by name, kept, and tried again', async () => {
  await me.button('chat.new').click();
  await me.typeAndSend('/crash 30');
  await browser.page.getByText(words('error.engine-crashed')).waitFor();
  await cut().waitFor();
  assert.equal((await lastAnswer()).split(' ').length, 30);
});

test('the server restarts in mid-answer: the answer goes on in its place, and nothing is said but where it stands', async () => {
  await me.button('chat.new').click();
  await me.begin('/slow 80');
  // It is said while the server is away: from before it goes.
  const recovering = browser.page.getByText(words('chat.recovering')).waitFor();
  await Promise.all([system.restartServer(), recovering.then(() => shot(browser.page, 'recovering'))]);
  await me.waitIdle();
  assert.equal(await browser.page.getByRole('alert').count(), 0);
  assert.equal(await cut().count(), 0);
  assert.equal((await lastAnswer()).split(' ').length, 80);
  await browser.page.reload();
  await me.finished.last().waitFor();
  assert.equal((await lastAnswer()).split(' ').length, 80);
});

test('edit makes a second version, switching shows each, regenerate adds an answer', async () => {
  await me.button('chat.new').click();
  await me.ask('first wording');
  await me.questions.last().hover();
  await me.questions
    .last()
    .getByRole('button', { name: words('chat.edit') })
    .click();
  assert.equal(await me.box.inputValue(), 'first wording');
  await me.typeAndSend('second wording');
  await me.finished.filter({ hasText: 'Echo: second wording' }).waitFor();
  await me.waitIdle();
  assert.deepEqual(await me.thread(), ['second wording', 'Echo: second wording']);
  await me.questions.last().hover();
  await shot(browser.page, 'second-version');
  await me.button('chat.branchBefore').click();
  await me.finished.filter({ hasText: 'Echo: first wording' }).waitFor();
  assert.deepEqual(await me.thread(), ['first wording', 'Echo: first wording']);
  await me.button('chat.branchAfter').click();
  await me.finished.filter({ hasText: 'Echo: second wording' }).waitFor();
  await me.answers.last().hover();
  await me.answers
    .last()
    .getByRole('button', { name: words('chat.regenerate') })
    .click();
  await me.answers.last().getByText('2/2').waitFor();
  await me.waitIdle();
  assert.deepEqual(await me.thread(), ['second wording', 'Echo: second wording']);
});

test('CL-387 an answer goes on while another chat is read, and is whole when its own is opened again', async () => {
  await me.button('chat.new').click();
  await me.begin('/slow 150');
  await me.button('chat.new').click();
  assert.equal(await me.ask('asked meanwhile'), 'Echo: asked meanwhile');
  await me.openChat('/slow 150');
  await browser.page.locator('article[aria-busy] .prose', { hasText: 'lorem' }).waitFor();
  await me.openChat('asked meanwhile');
  await me.answers.filter({ hasText: 'Echo: asked meanwhile' }).waitFor();
  await me.openChat('/slow 150');
  await me.waitForWords(150);
  assert.equal(await cut().count(), 0);
  await browser.page.reload();
  await me.waitForWords(150);
});

test('a chat is renamed and deleted, and stays so after a reload', async () => {
  const { page } = browser;
  await me.button('chat.new').click();
  await me.ask('a title to change');
  await me.chooseInMenu('a title to change', 'list.rename');
  await page.getByLabel(words('list.renameLabel')).fill('Kürbis & "co"');
  // Shown before it is stored.
  await storing(page, () => page.keyboard.press('Enter'));
  await page.locator('.chat-link', { hasText: 'Kürbis & "co"' }).waitFor();
  await page.reload();
  await page.locator('.chat-link', { hasText: 'Kürbis & "co"' }).waitFor();
  await me.chooseInMenu('Kürbis & "co"', 'list.delete');
  await page.locator('.chat-link', { hasText: 'Kürbis' }).waitFor({ state: 'detached' });
  // Said once it is stored.
  await page.getByText(order('removed.one')).waitFor();
  await page.reload();
  await page.locator('.chat-link', { hasText: 'first wording' }).waitFor();
  assert.ok(!(await me.chats()).some((title) => title.includes('Kürbis')));
});

test('100,000 characters, with and without words: the limit is stated and the text stays', async () => {
  await me.button('chat.new').click();
  // Which model answers, and so how much it reads, is known from the first answer on.
  await me.ask('how much can you read?');
  await me.button('chat.new').click();
  for (const text of ['pear '.repeat(20_000), 'x'.repeat(100_000)]) {
    await me.box.fill(text);
    await me.box.press('Enter');
    const problem = browser.page.locator('#composer-problem');
    await problem.filter({ hasText: /too long to send: .* about [\d,]+ words/ }).waitFor();
    assert.equal(await me.box.inputValue(), text);
    assert.equal(await me.questions.count(), 0);
  }
  await shot(browser.page, 'too-long');
  await me.box.fill('');
});

test('what only the machine can judge too long comes back with the words kept', async () => {
  await me.button('chat.new').click();
  const text = 'a b '.repeat(2500).trim();
  await me.typeAndSend(text);
  await browser.page.getByText(words('error.prompt-too-long')).waitFor();
  await shot(browser.page, 'prompt-too-long');
  const kept = (await me.box.inputValue()) === text || (await me.questions.last().textContent())?.includes(text);
  assert.ok(kept, 'the text is in the box or in the chat');
});
