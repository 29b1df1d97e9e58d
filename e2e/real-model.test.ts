import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { test } from 'node:test';
import { createDataFolder, dataFolderAt } from '../apps/cli/data-folder.ts';
import { STARTER } from '../apps/cli/model/catalogue.ts';
import { downloadStarter } from '../apps/cli/model/download.ts';
import { checkModelFile, modelPath } from '../apps/cli/model/model-file.ts';
import { t as words } from '../apps/web/shell/words.ts';
import { openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

const TIME_TO_FETCH_MS = 150_000;

/** The starter where `npm start` keeps it, fetched by the same code when it is not there; undefined where no way leads to it. */
async function starterFile(): Promise<string | undefined> {
  const given = process.env.SOTTO_MODEL_FILE;
  if (given !== undefined) return existsSync(given) ? given : undefined;
  const folder = dataFolderAt(undefined, process.env);
  if ((await checkModelFile(folder.models, STARTER)) === 'whole') return modelPath(folder.models, STARTER);
  createDataFolder(folder);
  const signal = AbortSignal.timeout(TIME_TO_FETCH_MS);
  const quiet = { update: () => {}, end: () => {} };
  const context = { folder: folder.models, env: process.env, home: homedir(), signal, progress: quiet, line: () => {} };
  return downloadStarter(context).catch(() => undefined);
}

test('a real model answers a new person, who keeps the chat and finds it again', async (t) => {
  const modelFile = await starterFile();
  if (modelFile === undefined) return t.skip('starter model absent, and no way leads to it');
  const system = await startForBrowser({ modelFile });
  t.after(() => system.stop());
  const browser = await openBrowser({ authenticator: 'prf' });
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.box.and(page.locator(':focus')).waitFor();
  await page.keyboard.type('What is the capital of France?');
  await page.keyboard.press('Enter');
  await me.finished.first().waitFor({ timeout: 120_000 });
  await me.waitIdle();
  await shot(page, 'real-model');
  const answer = (await me.finished.first().locator('.prose').textContent()) ?? '';
  assert.match(answer, /Paris/);
  await page.getByText(words('private.development')).waitFor();
  await me.keep('add');
  await page.reload();
  await me.button('unlock.passkey').click();
  await me.answers.filter({ hasText: answer }).waitFor();
  assert.deepEqual(browser.complaints, []);
});
