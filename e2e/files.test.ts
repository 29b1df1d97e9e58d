/** Files that go with chats, in a real browser: attached, read by the model, kept through a reload, seen by another device, and gone with their chat. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { w } from '../apps/web/features/attachments/words.ts';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type BrowserOptions, openBrowser, shot } from './browser.ts';
import { filesIn, until } from './held.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

const NOTE = 'Swifts sleep on the wing, ten thousand feet up.\n';
const CAMERA = 'GPS 47.0667 N 15.45 E';

async function open(t: TestContext, options: BrowserOptions = {}) {
  const browser = await openBrowser(options);
  t.after(() => browser.close());
  return { browser, page: browser.page, me: person(browser.page) };
}

/** A photograph of two colours, into which a camera wrote where it stood. */
async function photograph(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(640, 480);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no canvas');
    context.fillStyle = '#a40';
    context.fillRect(0, 0, 640, 480);
    context.fillStyle = '#06a';
    context.fillRect(100, 100, 300, 200);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer())];
  });
  const note = Buffer.from(`Exif\0\0${CAMERA}`);
  const segment = Buffer.concat([Buffer.of(0xff, 0xe1, 0, note.length + 2), note]);
  return Buffer.concat([Buffer.from(bytes.slice(0, 2)), segment, Buffer.from(bytes.slice(2))]);
}

const files = (page: Page) => page.getByRole('list', { name: w('files.label') });
const attach = async (page: Page, ...chosen: { name: string; mimeType: string; buffer: Buffer }[]) => {
  await page.getByLabel(words('composer.attach')).setInputFiles(chosen);
  for (const { name } of chosen) await page.locator('.files-draft .file.ready', { hasText: name }).waitFor();
};

/** Every part of every file that the server holds. */
function blobsOnServer(): Buffer[] {
  const found = filesIn(path.join(system.serverDataDir, 'blobs'));
  return found.flatMap(([name, bytes]) => (/\/\d+$/.test(name) ? [bytes] : []));
}

test('a text file and a picture: read by the model, kept through a reload, seen on a second device, and gone with their chat', async (t) => {
  const { browser, page, me } = await open(t, { authenticator: 'prf' });
  await page.goto(system.link);
  await me.box.waitFor();
  const picture = await photograph(page);
  assert.ok(picture.includes(CAMERA));
  await attach(
    page,
    { name: 'swifts.txt', mimeType: 'text/plain', buffer: Buffer.from(NOTE) },
    { name: 'roof.jpg', mimeType: 'image/jpeg', buffer: picture },
  );
  for (const note of ['note.text', 'note.image', 'note.location'] as const) await page.getByText(w(note)).waitFor();
  await shot(page, 'files-chosen');
  const answer = await me.ask('Where do swifts sleep?');
  assert.match(answer, /ten thousand feet up/, 'the model was given the text');
  assert.match(answer, /Picture "roof\.jpg": not shown to you/);
  assert.equal(await page.locator('.files-draft').count(), 0);
  await shot(page, 'files-sent');
  assert.deepEqual(blobsOnServer(), [], 'a guest’s files stay here');

  await page.reload();
  await me.answers.filter({ hasText: 'ten thousand feet' }).waitFor();
  const saved = async (on: Page, name: string) => {
    const downloading = on.waitForEvent('download');
    await on.getByRole('button', { name: `${w('files.save')}: ${name}` }).click();
    return readFileSync(await (await downloading).path());
  };
  assert.equal((await saved(page, 'swifts.txt')).toString(), NOTE);

  const code = await me.keep('add');
  await until(() => blobsOnServer().length === 2, 'both files are on the server');
  for (const bytes of blobsOnServer())
    assert.ok(!bytes.includes('Swifts') && !bytes.includes('JFIF') && !bytes.includes(CAMERA));

  const second = await open(t);
  await second.page.goto(system.link);
  await second.me.button('unlock.guest').click();
  await second.me.unlockWithCode(code);
  await second.me.openChat('Where do swifts sleep?');
  await files(second.page).getByText('roof.jpg').waitFor();
  assert.equal((await saved(second.page, 'swifts.txt')).toString(), NOTE);
  const kept = await saved(second.page, 'roof.jpg');
  assert.ok(
    kept.subarray(0, 3).equals(picture.subarray(0, 3)) && !kept.includes(CAMERA),
    'redrawn, without what the camera wrote',
  );
  await second.page.getByRole('button', { name: `${w('files.open')}: roof.jpg` }).click();
  await second.page.getByRole('dialog').getByRole('img', { name: 'roof.jpg' }).waitFor();
  await shot(second.page, 'files-picture');
  await second.page.keyboard.press('Escape');
  assert.deepEqual([...browser.complaints, ...second.browser.complaints], []);

  await me.chooseInMenu('Where do swifts sleep?', 'list.delete');
  // It can be undone for ten seconds.
  await until(() => blobsOnServer().length === 0, 'the files are gone from the server');
});

test('what is pasted and dropped is attached, what is taken back is not sent, and what is too much is said', async (t) => {
  const { page, me } = await open(t);
  await page.goto(system.link);
  await me.box.waitFor();
  for (const kind of ['paste', 'drop']) {
    await page.evaluate((event) => {
      const data = new DataTransfer();
      data.items.add(new File([`from ${event}`], `${event}.md`, { type: 'text/markdown' }));
      const box = document.querySelector('#composer');
      const init = { bubbles: true, cancelable: true };
      box?.dispatchEvent(
        event === 'paste'
          ? new ClipboardEvent('paste', { ...init, clipboardData: data })
          : new DragEvent('drop', { ...init, dataTransfer: data }),
      );
    }, kind);
    await page.locator('.file.ready', { hasText: `${kind}.md` }).waitFor();
  }
  await page.getByRole('button', { name: w('files.remove', { name: 'paste.md' }) }).click();
  await attach(page, { name: 'evil.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg onload="alert(1)"/>') });
  await page.getByText(w('note.other')).waitFor();
  const answer = await me.ask('');
  assert.match(answer, /from drop/);
  assert.doesNotMatch(answer, /from paste/);
  assert.match(answer, /File "evil\.svg": not shown to you/);
  await me.openSettings();
  await page.getByRole('button', { name: words('places.room'), exact: true }).click();
  await page
    .getByRole('dialog')
    .getByText(/kept here only/)
    .waitFor();
  await page
    .getByRole('dialog')
    .getByText(/in 2 files/)
    .waitFor();
  await shot(page, 'files-room');
  await page.keyboard.press('Escape');
  const many = Array.from({ length: 12 }, (_, i) => ({
    name: `${i}.txt`,
    mimeType: 'text/plain',
    buffer: Buffer.from(`${i} `.repeat(20)),
  }));
  await page.getByLabel(words('composer.attach')).setInputFiles(many);
  await page.getByText(w('error.too-many', { limit: 10 })).waitFor();
  await page.locator('.files-draft .file.ready').nth(9).waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot(page, 'files-narrow-dark');
});
