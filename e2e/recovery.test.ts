/** kill -9 in mid-answer: of the relay, of the enclave, of the browser. Recovered, or said where it stopped; nothing saved is lost. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type Browser, openBrowser, shot } from './browser.ts';
import { type Person, person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(async () => {
  await system.stop();
});

interface Visitor {
  readonly browser: Browser;
  readonly they: Person;
}

async function visit(t: TestContext, folder?: string): Promise<Visitor> {
  const browser = await openBrowser(folder === undefined ? {} : { folder });
  browser.context.setDefaultTimeout(60_000); // a line is sought for a while
  t.after(() => browser.close().catch(() => undefined));
  await browser.page.goto(system.link);
  return { browser, they: person(browser.page) };
}

const cutOf = ({ browser }: Visitor) => browser.page.locator('article .cut', { hasText: words('chat.interrupted') });
/** What is said; a place that stands ready to say something is empty. */
const alertsOf = ({ browser }: Visitor) => browser.page.getByRole('alert').filter({ hasText: /\S/ });
const answerOf = async ({ they }: Visitor) => (await they.answers.last().locator('.prose').textContent()) ?? '';
const countWords = (text: string) => text.split(' ').filter((word) => word !== '').length;

/** The whole answer stands there, unbroken, and nothing was complained about. */
async function assertWhole(visitor: Visitor, count: number): Promise<string> {
  await visitor.they.finished.last().waitFor();
  await visitor.they.waitIdle();
  const text = await answerOf(visitor);
  assert.equal(countWords(text), count, text);
  assert.equal(await alertsOf(visitor).count(), 0);
  assert.equal(await cutOf(visitor).count(), 0);
  return text;
}

/** kill -9 of the whole browser: no page can save anything. */
async function killBrowser({ browser }: Visitor): Promise<void> {
  let killed = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes(`--user-data-dir=${browser.folder}`) || command.includes('--type=')) continue;
    process.kill(Number(pid), 'SIGKILL');
    killed += 1;
  }
  assert.ok(killed > 0, 'a browser was killed');
  await browser.context.close().catch(() => undefined);
  await delay(300);
}

test('kill -9 of the relay: the answer goes on in its place, and is whole after a reload', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 80');
  await system.restartServer();
  await browser.page.getByText(words('chat.recovering')).waitFor();
  await shot(browser.page, 'recovering');
  const text = await assertWhole(visitor, 80);
  await browser.page.reload();
  assert.equal(await assertWhole(visitor, 80), text);
  await they.button('chat.new').click();
  assert.equal(await they.ask('still there?'), 'Echo: still there?');
});

test('kill -9 of the relay twice in one answer', async (t) => {
  const visitor = await visit(t);
  await visitor.they.box.waitFor();
  await visitor.they.begin('/slow 120');
  await system.restartServer();
  await visitor.browser.page.getByText(words('chat.recovering')).waitFor();
  await visitor.browser.page.getByText(words('chat.recovering')).waitFor({ state: 'detached' });
  await system.restartServer();
  await assertWhole(visitor, 120);
});

test('kill -9 of the relay before the first word: the question is not asked again, and is answered', async (t) => {
  const visitor = await visit(t);
  const { they } = visitor;
  await they.box.waitFor();
  await they.typeAndSend('/wait 5000');
  await delay(1500);
  await system.restartServer();
  await visitor.browser.page.getByText(words('chat.recovering')).waitFor();
  await assertWhole(visitor, 20);
  assert.deepEqual(await they.chats(), ['/wait 5000']);
});

test('a reload in mid-answer: the answer goes on in its place', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 100');
  await delay(1500);
  await browser.page.reload();
  await browser.page.locator('article[aria-busy]').waitFor();
  await assertWhole(visitor, 100);
});

test('CL-49 a second tab leaves the answer of the first alone', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 80');
  await delay(1500); // so that a part of it is saved
  const second = await browser.context.newPage();
  await second.goto(system.link);
  await person(second).openChat('/slow 80');
  await second.locator('article .prose', { hasText: /lorem/ }).waitFor();
  await assertWhole(visitor, 80);
  await second.bringToFront();
  await second.reload();
  await person(second).openChat('/slow 80');
  await person(second).finished.last().waitFor();
  const text = (await person(second).answers.last().locator('.prose').textContent()) ?? '';
  assert.equal(countWords(text), 80);
});

test('kill -9 of the relay under an account: recovered, saved, and there after reload and unlock', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.ask('before the account');
  const code = await they.keep('skip');
  await they.button('chat.new').click();
  await they.begin('/slow 80');
  await system.restartServer();
  await they.finished.last().waitFor();
  await they.waitIdle();
  assert.equal(countWords(await answerOf(visitor)), 80);
  await browser.page.reload();
  await they.unlockWithCode(code);
  await they.openChat('/slow 80');
  await assertWhole(visitor, 80);
});

test('kill -9 of the enclave: its memory is gone; said so, kept as it stood, and continued when asked', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 80');
  await delay(1500);
  await system.restartEnclave();
  await alertsOf(visitor).getByText(words('error.answer-lost')).waitFor({ timeout: 30_000 });
  await cutOf(visitor).waitFor();
  await shot(browser.page, 'answer-lost');
  const kept = await answerOf(visitor);
  assert.ok(countWords(kept) >= 4 && countWords(kept) < 80, kept);
  await browser.page.reload();
  await cutOf(visitor).waitFor();
  assert.equal((await answerOf(visitor)).trimEnd(), kept.trimEnd());
  await they.button('chat.continue').click();
  await cutOf(visitor).waitFor({ state: 'detached' });
  await they.waitIdle();
  assert.ok((await answerOf(visitor)).startsWith(kept.trimEnd()));
});

test('kill -9 of the browser: a guest comes back and finds the whole answer', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-killed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const first = await visit(t, folder);
  await first.they.box.waitFor();
  await first.they.begin('/slow 100');
  await delay(1500);
  await killBrowser(first);
  const second = await visit(t, folder);
  await assertWhole(second, 100);
});

test('kill -9 of the browser under an account: after unlocking, the whole answer', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-killed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const first = await visit(t, folder);
  await first.they.ask('before the account');
  const code = await first.they.keep('skip');
  await delay(8000); // browsers write down late that there is an account
  await first.they.button('chat.new').click();
  await first.they.begin('/slow 100');
  await delay(1500);
  await killBrowser(first);
  const second = await visit(t, folder);
  await second.they.unlockWithCode(code);
  await assertWhole(second, 100);
});

test('kill -9 of the browser before the first word: the answer is there all the same', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-killed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const first = await visit(t, folder);
  await first.they.box.waitFor();
  await first.they.typeAndSend('/wait 4000');
  await delay(2500);
  await killBrowser(first);
  const second = await visit(t, folder);
  await second.they.finished.last().waitFor();
  assert.match(await answerOf(second), /^lorem ipsum/);
});

test('kill -9 of browser and enclave: what was saved is there, marked where it stopped', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-killed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const first = await visit(t, folder);
  await first.they.box.waitFor();
  await first.they.begin('/slow 100');
  await delay(2500);
  await killBrowser(first);
  await system.restartEnclave();
  const second = await visit(t, folder);
  await second.they.openChat('/slow 100');
  await cutOf(second).waitFor();
  const kept = await answerOf(second);
  assert.match(kept, /^lorem ipsum/);
  assert.ok(countWords(kept) >= 10, kept);
});
