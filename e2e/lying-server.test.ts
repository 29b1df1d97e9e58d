/** A server whose operator changes what it keeps, in its database: the app says what is wrong, and the way forward works. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { w as order } from '../apps/web/features/order/words.ts';
import { w } from '../apps/web/features/sync/words.ts';
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

interface Row {
  readonly account_id: string;
  readonly record_id: string;
  readonly sequence: number;
  readonly envelope: Uint8Array | null;
}

async function open(t: TestContext) {
  const browser = await openBrowser();
  t.after(() => browser.close());
  await browser.page.goto(system.link);
  return { page: browser.page, they: person(browser.page) };
}

/** All that whoever has the server's disk can do. */
function inDatabase<Result>(work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path.join(system.serverDataDir, 'sotto.sqlite'));
  try {
    database.exec('pragma busy_timeout = 30000');
    return work(database);
  } finally {
    database.close();
  }
}

const rows = (): Row[] =>
  inDatabase(
    (database) =>
      database
        .prepare(
          'select * from records where account_id = (select account_id from accounts order by rowid desc limit 1)',
        )
        .all() as unknown as Row[],
  );

const isWhole = (row: Row | undefined) => row !== undefined && row.envelope !== null;
const sizeOf = ({ envelope }: Row) => envelope?.length ?? 0;

/** What the app says stands in one place, with the rule that found it. */
async function isTold(page: Page, rule: string, sentence: string): Promise<void> {
  const alert = page.getByRole('alert').filter({ hasText: w('watch.title') });
  await alert.getByRole('listitem').filter({ hasText: rule }).getByText(sentence).waitFor();
  await alert.getByText(w('watch.what-to-do')).waitFor();
}

test('VA-108 a message that the server dropped is told, is still here, and is put back', async (t) => {
  const { page, they } = await open(t);
  const question = `Where do swifts sleep? ${'And so on. '.repeat(200)}`.trim();
  await they.ask(question);
  const code = await they.keep('skip');
  // The chat, question and answer, the device and its head.
  await until(() => rows().length >= 5, 'everything is sent');
  const dropped = rows().toSorted((a, b) => sizeOf(b) - sizeOf(a))[0] as Row;
  inDatabase((database) => database.prepare('delete from records where record_id = ?').run(dropped.record_id));

  await page.reload();
  await they.unlockWithCode(code);
  await isTold(page, 'VA-108', 'The server no longer shows a message that none of your devices deleted.');
  await they.answers.filter({ hasText: 'Echo: ' }).waitFor();
  assert.deepEqual(await they.thread(), [question, `Echo: ${question}`]);
  await shot(page, 'lying-server-dropped');
  await page.getByRole('button', { name: w('watch.put-back', { count: 1 }) }).click();
  await page.getByText(w('watch.title')).waitFor({ state: 'detached' });
  const isBack = () => isWhole(rows().find(({ record_id }) => record_id === dropped.record_id));
  await until(isBack, 'it is on the server again');

  const other = await open(t);
  await other.they.button('unlock.guest').click();
  await other.they.unlockWithCode(code);
  await other.they.openChat('Where do swifts sleep?');
  await other.they.answers.filter({ hasText: 'Echo: ' }).waitFor();
  assert.deepEqual(await other.they.thread(), [question, `Echo: ${question}`]);
  assert.equal(await other.page.getByText(w('watch.title')).count(), 0);
});

test('VA-110 a chat that was deleted and comes back from the server is told, shown to nobody, and removed again', async (t) => {
  const { page, they } = await open(t);
  await they.ask('Swifts');
  await they.button('chat.new').click();
  await they.ask('Geese');
  const code = await they.keep('skip');
  await until(() => rows().length >= 8, 'everything is sent');
  const before = rows();
  // The list becomes the account's: a menu that was opened before would close with the guest's.
  await page.getByText(words('private.account')).waitFor();
  await they.chooseInMenu('Geese', 'list.delete');
  await page.getByText(order('removed.one')).waitFor();
  const removed = () => rows().filter(({ envelope }) => envelope === null);
  await until(() => removed().length === 2, 'question and answer are removed');

  const isRemoved = new Set(removed().map(({ record_id }) => record_id));
  inDatabase((database) => {
    const update = database.prepare('update records set envelope = ?, sequence = ? where record_id = ?');
    let sequence = Math.max(...rows().map((row) => row.sequence));
    for (const row of before) if (isRemoved.has(row.record_id)) update.run(row.envelope, ++sequence, row.record_id);
    database
      .prepare('update accounts set last_sequence = ? where account_id = ?')
      .run(sequence, before[0]?.account_id ?? '');
  });
  await page.reload();
  await they.unlockWithCode(code);
  await isTold(page, 'VA-110', 'The server shows a message again that one of your devices had deleted.');
  assert.deepEqual(await they.chats(), ['Swifts']);
  await shot(page, 'lying-server-resurrected');
  await page.getByRole('button', { name: w('watch.accept') }).click();
  await page.getByRole('button', { name: w('watch.accept-yes') }).click();
  await page.getByText(w('watch.title')).waitFor({ state: 'detached' });
  await until(() => removed().length === 2, 'they are removed again');
  assert.deepEqual(await they.chats(), ['Swifts']);
  assert.equal(await they.ask('And where do swifts sleep?'), 'Echo: And where do swifts sleep?');
});
