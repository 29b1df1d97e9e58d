/** A device lets another in: two Chromium profiles, each way, and what goes wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { encodeQR } from 'qr';
import { type LinkWordKey, w } from '../apps/web/features/link/words.ts';
import type { System } from '../tools/harness/system.ts';
import { type Browser, openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

const QUESTION = 'Where do herons stand?';
const ANSWER = `Echo: ${QUESTION}`;

/** The link dialog of one page, by what a person reads. */
function linking(page: Page) {
  const dialog = page.getByRole('dialog');
  const button = (word: LinkWordKey) => dialog.getByRole('button', { name: w(word), exact: true });
  return {
    dialog,
    button,
    text: async (): Promise<string> => (await dialog.getByLabel(w('shown.text'), { exact: true }).textContent()) ?? '',
    digits: async (): Promise<string> => (await dialog.locator('.digits').textContent()) ?? '',
    type: async (text: string): Promise<void> => {
      await dialog.getByLabel(w('reading.label')).fill(text);
      await page.keyboard.press('Enter');
    },
  };
}

async function twoDevices(t: { after(run: () => Promise<void>): void }, look: Parameters<typeof openBrowser>[0] = {}) {
  const open = async (options: Parameters<typeof openBrowser>[0] = {}): Promise<Browser> => {
    const browser = await openBrowser(options);
    t.after(() => browser.close());
    await browser.page.goto(system.link);
    return browser;
  };
  const old = await open();
  const me = person(old.page);
  await me.ask(QUESTION);
  await me.keep('skip');
  const fresh = await open({ authenticator: 'prf', ...look });
  if (look.width !== undefined) await person(fresh.page).button('app.places').click();
  await person(fresh.page).button('unlock.guest').click();
  await person(fresh.page).button('link.new').click();
  await me.openSettings();
  await me.button('link.open').click();
  return { old, fresh, me, other: person(fresh.page), ofOld: linking(old.page), ofNew: linking(fresh.page) };
}

test('by QR code, its text passed by hand: the new device is in, gets a lock of its own, and both write into one history', async (t) => {
  const { old, fresh, me, other, ofOld, ofNew } = await twoDevices(t);
  await ofNew.button('choose.show').click();
  await shot(fresh.page, 'link-qr');
  const text = await ofNew.text();
  assert.match(text, /^SOTTO-LINK:[\w-]{48}$/);
  await ofOld.button('choose.read').click();
  await ofOld.type(text);
  await ofOld.button('asked.yes').waitFor();
  await shot(old.page, 'link-asked');
  await ofOld.button('asked.yes').click();
  await ofOld.dialog.getByText(w('done.open')).waitFor();
  await ofNew.dialog.getByText(w('joined.lead')).waitFor();
  await shot(fresh.page, 'link-joined');
  await ofNew.button('joined.add').click();
  await ofNew.dialog.getByText(w('done.opens-chats')).waitFor();
  await ofNew.button('done.close').click();
  await ofOld.button('done.close').click();

  await other.openChat(QUESTION);
  await other.answers.filter({ hasText: ANSWER }).waitFor();
  await other.ask('Said on the new device');
  await me.page.bringToFront();
  await me.page.evaluate(() => dispatchEvent(new Event('focus')));
  await me.answers.filter({ hasText: 'Echo: Said on the new device' }).waitFor();

  // The lock that it added opens it after a reload.
  await fresh.page.reload();
  await other.button('unlock.passkey').click();
  await other.answers.filter({ hasText: 'Echo: Said on the new device' }).waitFor();
  // The secret was used once: the text opens nothing any more.
  await me.openSettings();
  await me.button('link.open').click();
  await ofOld.button('choose.read').click();
  await ofOld.type(text);
  await ofOld.dialog.getByText(w('error.link-ended')).waitFor();
  assert.deepEqual([old.complaints, fresh.complaints].map(withoutRefusals), [[], []]);
});

test('the open device shows the code, and the new one reads it', async (t) => {
  const { other, ofOld, ofNew } = await twoDevices(t);
  await ofOld.button('choose.show').click();
  await ofNew.button('choose.read').click();
  await ofNew.type(await ofOld.text());
  await ofOld.button('asked.yes').click();
  await ofNew.button('joined.skip').click();
  await ofNew.button('done.close').click();
  await other.openChat(QUESTION);
  await other.answers.filter({ hasText: ANSWER }).waitFor();
});

test('the new device reads the code with its camera', async (t) => {
  const old = await openBrowser();
  t.after(() => old.close());
  const me = person(old.page);
  await old.page.goto(system.link);
  await me.ask(QUESTION);
  await me.keep('skip');
  await me.openSettings();
  await me.button('link.open').click();
  const ofOld = linking(old.page);
  await ofOld.button('choose.show').click();

  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-camera-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const camera = path.join(folder, 'code.y4m');
  writeFileSync(camera, pictureOf(encodeQR(await ofOld.text(), 'raw', { ecc: 'medium', encoding: 'byte', border: 4 })));
  const fresh = await openBrowser({ camera });
  t.after(() => fresh.close());
  await fresh.page.goto(system.link);
  await person(fresh.page).button('unlock.guest').click();
  await person(fresh.page).button('link.new').click();
  const ofNew = linking(fresh.page);
  await ofNew.button('choose.read').click();
  await ofNew.button('reading.camera').click();
  await ofOld.button('asked.yes').click();
  await ofNew.button('joined.skip').click();
  await ofNew.button('done.close').click();
  await person(fresh.page).openChat(QUESTION);
  await person(fresh.page).answers.filter({ hasText: ANSWER }).waitFor();
  assert.deepEqual(fresh.complaints, []);
});

/** A moving picture of 640 by 480 that shows a QR code, as a camera's file: brightness, then no colour. */
function pictureOf(rows: readonly (readonly boolean[])[]): Buffer {
  const [width, height, scale] = [640, 480, 10];
  const [left, top] = [(width - rows.length * scale) >> 1, (height - rows.length * scale) >> 1];
  const light = Buffer.alloc(width * height, 200);
  for (const [y, row] of rows.entries()) {
    for (const [x, isDark] of row.entries()) {
      for (let line = 0; line < scale; line++) {
        const from = (top + y * scale + line) * width + left + x * scale;
        light.fill(isDark ? 20 : 235, from, from + scale);
      }
    }
  }
  const frame = Buffer.concat([Buffer.from('FRAME\n'), light, Buffer.alloc((width * height) / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420\n`), frame, frame]);
}

test('without a camera, by keyboard alone: a short code is typed, six digits are the same on both screens, and the device is in', async (t) => {
  const { fresh, old, other, ofOld, ofNew } = await twoDevices(t, { width: 390, height: 800, dark: true });
  await ofNew.button('choose.digits').press('Enter');
  await ofNew.dialog.locator('.digits').waitFor();
  const code = await ofNew.digits();
  assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  await ofOld.button('choose.read').press('Enter');
  await ofOld.type(code.toLowerCase().replace('-', ' '));
  await Promise.all([ofOld.button('asked.same').waitFor(), ofNew.button('asked.same').waitFor()]);
  await shot(fresh.page, 'link-digits-narrow');
  assert.match(await ofOld.digits(), /\d{3} \d{3}$/);
  assert.equal(await ofOld.digits(), await ofNew.digits());
  await ofNew.button('asked.same').press('Enter');
  await ofOld.button('asked.same').press('Enter');
  await ofNew.button('joined.skip').click();
  await ofNew.button('done.close').click();
  await other.button('app.places').click();
  await other.openChat(QUESTION);
  await other.answers.filter({ hasText: ANSWER }).waitFor();
  assert.deepEqual([old.complaints, fresh.complaints].map(withoutRefusals), [[], []]);
});

test('refused on the open device, or found different on the new one: the link ends on both, with words', async (t) => {
  const { fresh, ofOld, ofNew } = await twoDevices(t);
  await ofNew.button('choose.show').click();
  await ofOld.button('choose.read').click();
  await ofOld.type('SOTTO-LINK:AAAA');
  await ofOld.dialog.getByRole('alert').waitFor();
  await ofOld.type(await ofNew.text());
  await ofOld.button('asked.no').click();
  await ofOld.dialog.getByText(w('error.link-refused')).waitFor();
  await ofNew.dialog.getByText(w('error.link-ended')).waitFor();
  await shot(fresh.page, 'link-ended');

  await ofNew.button('again').click();
  await ofNew.button('choose.digits').click();
  await ofNew.dialog.locator('.digits').waitFor();
  await ofOld.button('again').click();
  await ofOld.button('choose.read').click();
  await ofOld.type(await ofNew.digits());
  await ofNew.button('asked.no').click();
  await ofNew.dialog.getByText(w('error.link-refused')).waitFor();
  await ofOld.button('asked.same').click();
  await ofOld.dialog.getByText(w('error.link-ended')).waitFor();
  assert.equal(await person(fresh.page).button('keep.lock').count(), 0, 'the new device opened nothing');
});

/** A browser writes every answer of 400 and more on its console. */
function withoutRefusals(complaints: readonly string[]): string[] {
  return complaints.filter((one) => !one.startsWith('Failed to load resource'));
}
