/**
 * Runs the whole system once, as people use it and as it breaks, and gathers every byte that anyone but the person and the
 * enclave's memory could come by: guest, keeping, more chats, reload and unlock, lock; an engine that breaks on the person's
 * words, an enclave and a server killed in mid-answer.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { t as words } from '../../apps/web/shell/words.ts';
import { type Browser, openBrowser } from '../../e2e/browser.ts';
import { person } from '../../e2e/person.ts';
import { startSystem } from '../harness/system.ts';
import { Places, watchPage } from './places.ts';
import type { Needle } from './search.ts';
import { accountSecrets, canary, guestSecrets, keyNeedle } from './secrets.ts';
import { type Tap, tapEnclave } from './tap.ts';

/** Hands every PRF result of the page to us before the app sees it. */
const RECORD_PRF = `for (const name of ['get', 'create']) {
  const real = CredentialsContainer.prototype[name];
  CredentialsContainer.prototype[name] = async function (...args) {
    const credential = await real.apply(this, args);
    const first = credential?.getClientExtensionResults?.().prf?.results?.first;
    if (first) await window.recordPrf([...new Uint8Array(first)]);
    return credential;
  };
}`;

const CLI = fileURLToPath(new URL('../../apps/cli/sotto.js', import.meta.url));

export interface Gathered {
  readonly places: Places;
  readonly needles: readonly Needle[];
}

export async function runScenario(): Promise<Gathered> {
  const places = new Places();
  const needles: Needle[] = [];
  const profile = mkdtempSync(path.join(tmpdir(), 'sotto-profile-'));
  const say = (name: string): string => {
    const made = canary(name);
    needles.push(made);
    return made.text;
  };
  try {
    await usePlainly(places, needles, profile, say);
    await breakTheEngine(places, say);
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
  return { places, needles };
}

async function usePlainly(places: Places, needles: Needle[], profile: string, say: (name: string) => string) {
  let tap: Tap | undefined;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sotto-system-'));
  const system = await startSystem({
    dataDir,
    engineArgs: ['--tokens-per-second', '60'],
    nodeThrough: async (enclaveUrl) => {
      tap = await tapEnclave(enclaveUrl);
      return tap.url;
    },
  });
  const open = async (): Promise<{ browser: Browser; settled(): Promise<void> }> => {
    const browser = await openBrowser({ folder: profile, authenticator: 'prf', initScript: RECORD_PRF });
    await browser.context.exposeBinding('recordPrf', (_source, bytes: number[]) => {
      if (!needles.some((one) => one.bytes.equals(Buffer.from(bytes)))) {
        needles.push(keyNeedle('passkey PRF output', Uint8Array.from(bytes)));
      }
    });
    const watched = watchPage(browser.page, places);
    await browser.page.goto(system.link);
    return { browser, ...watched };
  };
  try {
    // A guest, whose own key may lie in this profile; nothing readable may.
    let { browser, settled } = await open();
    let me = person(browser.page);
    await me.ask(say('guest prompt, answer and title'));
    await me.ask(say('guest second prompt and answer'));
    needles.push(...(await guestSecrets(browser.page)));
    await settled();
    await browser.close();
    places.addFolder('profile (guest)', profile);

    // The same guest keeps the chats, and goes on.
    ({ browser, settled } = await open());
    me = person(browser.page);
    await me.openChat('');
    const code = await me.keep('add');
    needles.push(...(await accountSecrets(code, system.serverDataDir)));
    await me.ask(say('account prompt and answer'));
    await me.button('chat.new').click();
    await me.ask(say('account second chat'));
    const title = say('title given by hand');
    await browser.page.locator('.current').hover();
    await browser.page.locator('.current .icon-button').click();
    await browser.page.getByRole('button', { name: words('list.rename'), exact: true }).click();
    await browser.page.getByLabel(words('list.renameLabel')).fill(title);
    await browser.page.keyboard.press('Enter');
    await browser.page.locator('.chat-link', { hasText: title }).waitFor();
    places.addFolder('server data, live', system.serverDataDir);

    await browser.page.reload();
    await me.button('unlock.passkey').click();
    await me.openChat(title);
    await me.ask(say('prompt after the unlock'));

    // Killed in mid-answer: first the enclave, then the server, with a dump of what they were doing asked for.
    await me.typeAndSend(`${say('prompt cut by a dying enclave')} ${'word '.repeat(200)}`);
    await browser.page.locator('article[aria-busy] .prose', { hasText: 'Echo' }).waitFor();
    const dyingEnclave = system.enclave;
    dyingEnclave.child.kill('SIGABRT');
    await browser.page.getByRole('alert').waitFor();
    await system.restartEnclave();
    places.add('crash output', dyingEnclave.outputBytes());
    await me.typeAndSend(`${say('prompt cut by a dying server')} ${'word '.repeat(200)}`);
    await browser.page.locator('article[aria-busy] .prose', { hasText: 'Echo' }).waitFor();
    const dyingServer = system.server;
    dyingServer.child.kill('SIGABRT');
    await browser.page.getByRole('alert').first().waitFor();
    await system.restartServer();
    places.add('crash output', dyingServer.outputBytes());
    await browser.page.reload();
    await me.unlockWithCode(code);
    await me.button('keep.signOut').click();
    await me.codeField.waitFor();
    await me.codeField.fill(code);
    await settled();
    await browser.close();
    places.addFolder('profile (kept, locked)', profile);
    await chatInTerminal(places, system.link, path.join(dataDir, 'person'), say('prompt and answer in the terminal'));
  } finally {
    await system.stop();
    tap?.close();
  }
  places.add('server output', system.server.outputBytes());
  places.add('enclave output', system.enclave.outputBytes());
  places.add('relay to enclave', Buffer.concat(tap?.toEnclave ?? []));
  places.add('relay from enclave', Buffer.concat(tap?.fromEnclave ?? []));
  places.addFolder('server data, at rest', system.serverDataDir);
  places.addFolder('enclave data', system.enclaveDataDir);
  rmSync(system.dataDir, { recursive: true, force: true });
}

/** `sotto chat`: what it prints is the person's own; what it leaves on disk and its errors are not to hold any of it. */
async function chatInTerminal(places: Places, link: string, folder: string, prompt: string): Promise<void> {
  const sotto = async (args: readonly string[], input: string): Promise<string> => {
    const child = spawn(process.execPath, [CLI, ...args, '--data', folder]);
    const printed: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => places.add('terminal', chunk));
    child.stdin.end(input);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`sotto ${args[0]} ended with ${code}`);
    return Buffer.concat(printed).toString('utf8');
  };
  await sotto(['trust', 'add', link], '');
  const answer = await sotto(['chat', link], `${prompt}\n\n`);
  if (!answer.includes(`Echo: ${prompt}`)) throw new Error('sotto chat was not answered');
  places.addFolder('terminal', folder);
}

/** The engine throws an error whose message holds the person's words: no output may repeat them. */
async function breakTheEngine(places: Places, say: (name: string) => string) {
  const system = await startSystem({ engineArgs: ['--crash-after-tokens', '3'] });
  const browser = await openBrowser();
  try {
    const me = person(browser.page);
    await browser.page.goto(system.link);
    await me.typeAndSend(say('prompt on which the engine breaks'));
    await browser.page.getByText(words('error.engine-crashed')).waitFor();
  } finally {
    await browser.close();
    await system.stop();
  }
  places.add('crash output', system.server.outputBytes(), system.enclave.outputBytes());
}
