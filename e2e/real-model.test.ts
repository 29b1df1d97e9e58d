import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { t as words } from '../apps/web/shell/words.ts';
import { openBrowser, shot } from './browser.ts';
import { person } from './person.ts';
import { startForBrowser } from './system.ts';

const FILE = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const data = process.env.XDG_DATA_HOME ?? path.join(homedir(), '.local/share');
const modelFile = process.env.SOTTO_MODEL_FILE ?? path.join(data, 'sotto/models', FILE);

test('a real model answers a new person, who keeps the chat and finds it again', async (t) => {
  if (!existsSync(modelFile)) return t.skip('starter model absent');
  const system = await startForBrowser({ modelFile });
  t.after(() => system.stop());
  const browser = await openBrowser({ authenticator: 'prf' });
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.box.waitFor();
  await page.keyboard.type('What is the capital of France?');
  await page.keyboard.press('Enter');
  await me.finished.first().waitFor({ timeout: 60_000 });
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
