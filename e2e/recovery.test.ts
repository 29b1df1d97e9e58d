/** kill -9 in mid-answer: of the relay, of the enclave, of the browser. Recovered, or said where it stopped; nothing saved is lost. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, type TestContext, test } from 'node:test';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type Browser, openBrowser, removeProfile, shot } from './browser.ts';
import { filesIn, guestWritten, storing, until } from './held.ts';
import { type Person, person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
const profiles: string[] = [];
after(async () => {
  await system.stop();
  for (const folder of profiles) await removeProfile(folder);
});

interface Visitor {
  readonly browser: Browser;
  readonly they: Person;
}

async function visit(t: TestContext, folder?: string): Promise<Visitor> {
  const browser = await openBrowser(folder === undefined ? {} : { folder });
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
  // What came before stands there alone until the rest is asked for.
  await visitor.they.waitForWords(count);
  const text = await answerOf(visitor);
  assert.equal(countWords(text), count, text);
  assert.equal(await alertsOf(visitor).count(), 0);
  assert.equal(await cutOf(visitor).count(), 0);
  return text;
}

/** A profile that outlives its browsers; it goes when all tests are over. */
async function profileKept(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-killed-'));
  profiles.push(folder);
  return folder;
}

/** Records of the account that was made last. */
function countRecords(): number {
  const database = new DatabaseSync(path.join(system.serverDataDir, 'sotto.sqlite'), {
    readOnly: true,
    timeout: 30_000,
  });
  try {
    const newest = 'select account_id from accounts order by rowid desc limit 1';
    return Number(database.prepare(`select count(*) as n from records where account_id = (${newest})`).get()?.n);
  } finally {
    database.close();
  }
}

/** Restarts the relay. It is told while the line is away, so it is looked for from before. */
async function restartServerSeen({ browser }: Visitor): Promise<void> {
  const recovering = browser.page.getByText(words('chat.recovering')).waitFor();
  await Promise.all([system.restartServer(), recovering.then(() => shot(browser.page, 'recovering'))]);
}

/**
 * A guest's first answer is stored as far as it is, with what it is recovered by: after the chat and the question. Browsers of
 * these tests begin empty.
 */
const partStored = ({ browser }: Visitor, writes = 3) => guestWritten(browser.page, writes);

/** The processes of a browser. @param own true for the one that a person kills, false for all that work for it too */
async function processesOf(folder: string, own: boolean): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes(folder) || !command.includes('--') || (own && command.includes('--type='))) continue;
    found.push(Number(pid));
  }
  return found;
}

/** kill -9 of the whole browser: no page can save anything. */
async function killBrowser({ browser }: Visitor): Promise<void> {
  const killed = await processesOf(browser.folder, true);
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  assert.ok(killed.length > 0, 'a browser was killed');
  await browser.context.close().catch(() => undefined);
  // The next one must find nobody in its profile.
  await until(async () => (await processesOf(browser.folder, false)).length === 0, 'its processes are gone');
}

test('kill -9 of the relay: the answer goes on in its place, and is whole after a reload', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 80');
  await restartServerSeen(visitor);
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
  await restartServerSeen(visitor);
  await visitor.browser.page.getByText(words('chat.recovering')).waitFor({ state: 'detached' });
  await system.restartServer();
  await assertWhole(visitor, 120);
});

test('kill -9 of the relay before the first word: the question is not asked again, and is answered', async (t) => {
  const visitor = await visit(t);
  const { they } = visitor;
  await they.box.waitFor();
  await they.typeAndSend('/wait 8000');
  await partStored(visitor);
  await restartServerSeen(visitor);
  await assertWhole(visitor, 20);
  assert.deepEqual(await they.chats(), ['/wait 8000']);
});

test('a reload in mid-answer: the answer goes on in its place', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 150');
  await partStored(visitor);
  await browser.page.reload();
  await browser.page.locator('article[aria-busy]').waitFor();
  await assertWhole(visitor, 150);
});

test('CL-49 a second tab leaves the answer of the first alone', async (t) => {
  const visitor = await visit(t);
  const { they, browser } = visitor;
  await they.box.waitFor();
  await they.begin('/slow 80');
  await partStored(visitor);
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
  await they.begin('/slow 300');
  await partStored(visitor);
  await system.restartEnclave();
  await alertsOf(visitor).getByText(words('error.answer-lost')).waitFor();
  await cutOf(visitor).waitFor();
  await shot(browser.page, 'answer-lost');
  const kept = await answerOf(visitor);
  assert.ok(countWords(kept) >= 4 && countWords(kept) < 300, kept);
  await browser.page.reload();
  await cutOf(visitor).waitFor();
  assert.equal((await answerOf(visitor)).trimEnd(), kept.trimEnd());
  await they.button('chat.continue').click();
  await cutOf(visitor).waitFor({ state: 'detached' });
  await they.waitIdle();
  assert.ok((await answerOf(visitor)).startsWith(kept.trimEnd()));
});

test('kill -9 of the browser: a guest comes back and finds the whole answer', async (t) => {
  const folder = await profileKept();
  const first = await visit(t, folder);
  await first.they.box.waitFor();
  await first.they.begin('/slow 100');
  await partStored(first);
  await killBrowser(first);
  const second = await visit(t, folder);
  await assertWhole(second, 100);
});

test('kill -9 of the browser under an account: after unlocking, the whole answer', async (t) => {
  const folder = await profileKept();
  const first = await visit(t, folder);
  await first.they.ask('before the account');
  const code = await first.they.keep('skip');
  const noted = () =>
    filesIn(folder).some(([name, bytes]) => /Local Storage/.test(name) && bytes.includes('has-account'));
  await until(noted, 'the browser has written down that there is an account');
  // Chat, question and answer, the device and its head; then three more, which are stored here before they are sent.
  await until(() => countRecords() >= 5, 'everything is sent');
  const before = countRecords();
  await first.they.button('chat.new').click();
  await first.they.begin('/slow 100');
  await until(() => countRecords() >= before + 3, 'a part of the answer is stored');
  await killBrowser(first);
  const second = await visit(t, folder);
  await second.they.unlockWithCode(code);
  await assertWhole(second, 100);
});

test('kill -9 of the browser before the first word: the answer is there all the same', async (t) => {
  const folder = await profileKept();
  const first = await visit(t, folder);
  await first.they.box.waitFor();
  await first.they.typeAndSend('/wait 6000');
  await partStored(first);
  await killBrowser(first);
  const second = await visit(t, folder);
  await second.they.finished.last().waitFor();
  assert.match(await answerOf(second), /^lorem ipsum/);
});

test('kill -9 of browser and enclave: what was saved is there, marked where it stopped', async (t) => {
  const folder = await profileKept();
  const first = await visit(t, folder);
  await first.they.box.waitFor();
  await first.they.begin('/slow 100');
  await first.browser.page.locator('article[aria-busy] .prose', { hasText: /lorem( \w+){14}/ }).waitFor();
  // What is written after that holds those words; one may be under way.
  await storing(first.browser.page, async () => undefined, 2);
  await killBrowser(first);
  await system.restartEnclave();
  const second = await visit(t, folder);
  await second.they.openChat('/slow 100');
  await cutOf(second).waitFor();
  const kept = await answerOf(second);
  assert.match(kept, /^lorem ipsum/);
  assert.ok(countWords(kept) >= 10, kept);
});
