/**
 * Runs the whole system once, as people use it and as it breaks, and gathers every byte that anyone but the person and the
 * enclave's memory could come by: a guest, keeping, each way to lock and unlock, files, search, a linked device; browsers closed
 * with the account open and locked; an enclave and a server killed in mid-answer; an engine that breaks on the person's words.
 * The page is the telling one (unsafe-telling): every key that it makes is looked for.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { w as linkWords } from '../../apps/web/features/link/words.ts';
import { l as locksWords } from '../../apps/web/features/locks/words.ts';
import { w as searchWords } from '../../apps/web/features/search/words.ts';
import { u as unlockWords } from '../../apps/web/features/unlocking/words.ts';
import { t as words } from '../../apps/web/shell/words.ts';
import { type Browser, openBrowser } from '../../e2e/browser.ts';
import { type Person, person } from '../../e2e/person.ts';
import { type System, startSystem } from '../harness/system.ts';
import { Places, watchPage } from './places.ts';
import { addProfile } from './profile.ts';
import type { Needle } from './search.ts';
import { accountSecrets, canary, guestSecrets, keyNeedle } from './secrets.ts';
import { type Tap, tapEnclave } from './tap.ts';
import { Told } from './told.ts';
import { buildTellingPage } from './unsafe-telling/build.ts';

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
  /** How many secrets of each kind the page told. */
  readonly told: ReadonlyMap<string, number>;
  /** Kinds of secrets that a run must tell, and this one did not. */
  readonly untold: readonly string[];
}

/** What one run gathers. */
class Run {
  readonly places = new Places();
  readonly told = new Told();
  readonly #needles: Needle[] = [];
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'sotto-searched-'));

  /** A folder of this run's own. */
  folder(name: string): string {
    return path.join(this.#folder, name);
  }

  /** A text that nobody else may come by. */
  say(name: string): string {
    const made = canary(name);
    this.#needles.push(made);
    return made.text;
  }

  add(...needles: readonly Needle[]): void {
    for (const needle of needles) {
      if (!this.#needles.some(({ bytes }) => bytes.equals(needle.bytes))) this.#needles.push(needle);
    }
  }

  gathered(): Gathered {
    this.add(...this.told.needles);
    return { places: this.places, needles: this.#needles, told: this.told.counts, untold: this.told.missing() };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A person at a browser whose profile is searched once it is closed. */
interface Seat {
  readonly browser: Browser;
  readonly me: Person;
  /** Closes the browser and takes its profile for the search. */
  leave(state: string): Promise<void>;
}

export async function runScenario(): Promise<Gathered> {
  const run = new Run();
  try {
    const page = run.folder('page');
    await buildTellingPage(page);
    await Promise.all([usePlainly(run, page), breakTheEngine(run)]);
    return run.gathered();
  } finally {
    run.remove();
  }
}

async function sitDown(run: Run, profile: string, link: string): Promise<Seat> {
  const folder = run.folder(profile);
  const browser = await openBrowser({ folder, authenticator: 'prf', initScript: RECORD_PRF });
  await browser.context.exposeBinding('recordPrf', (_source, bytes: number[]) =>
    run.add(keyNeedle('passkey PRF output', Uint8Array.from(bytes))),
  );
  await run.told.listen(browser.context);
  const { settled } = watchPage(browser.page, run.places);
  await browser.page.goto(link);
  return {
    browser,
    me: person(browser.page),
    leave: async (state) => {
      await settled();
      // Left for another tab for a moment, as people do: that is when a browser notes for its next start what stands in a page.
      const other = await browser.context.newPage();
      await other.waitForTimeout(2000);
      await browser.close();
      addProfile(run.places, `${profile}, ${state}`, folder);
    },
  };
}

async function usePlainly(run: Run, page: string): Promise<void> {
  const { places } = run;
  let tap: Tap | undefined;
  const system = await startSystem({
    dataDir: run.folder('system'),
    serverArgs: ['--web', page],
    engineArgs: ['--tokens-per-second', '60'],
    nodeThrough: async (enclaveUrl) => {
      tap = await tapEnclave(enclaveUrl);
      return tap.url;
    },
  });
  try {
    await beGuest(run, system);
    const { code, phrase } = await keepAndUse(run, system);
    await lockInEveryState(run, system, code, phrase);
    await chatInTerminal(places, system.link, run.folder('person'), run.say('prompt and answer in the terminal'));
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
}

/** A guest, whose own key may lie in the profile; nothing readable may, also of what was typed and not sent. */
async function beGuest(run: Run, system: System): Promise<void> {
  const { me, browser, leave } = await sitDown(run, 'browser', system.link);
  await me.ask(run.say('guest prompt, answer and title'));
  await me.ask(run.say('guest second prompt and answer'));
  run.add(...(await guestSecrets(browser.page, 'guest')));
  await me.box.fill(run.say('guest draft that was not sent'));
  await leave('guest');
}

/** The guest keeps the chats and goes on; files, search, every way to unlock, a second device. @returns what was written down */
async function keepAndUse(run: Run, system: System): Promise<{ code: string; phrase: string }> {
  const { me, browser, leave } = await sitDown(run, 'browser', system.link);
  const { page } = browser;
  await me.openChat('');
  const code = await me.keep('add');
  run.add(...(await accountSecrets(code, system.serverDataDir)));
  await attach(run, me);
  await me.ask(run.say('account prompt and answer'));
  await me.button('chat.new').click();
  await me.ask(run.say('account second chat'));
  const title = run.say('title given by hand');
  await page.locator('.current').hover();
  await page.locator('.current .icon-button').click();
  await page.getByRole('button', { name: words('list.rename'), exact: true }).click();
  await page.getByLabel(words('list.renameLabel')).fill(title);
  await page.keyboard.press('Enter');
  await page.locator('.chat-link', { hasText: title }).waitFor();
  run.places.addFolder('server data, live', system.serverDataDir);
  await search(run, me);
  const passphrase = run.say('passphrase').slice(0, 24);
  await setPassphrase(me, passphrase);
  const phrase = await addPhrase(run, me);
  await linkAnother(run, system, me);

  await page.reload();
  await page.getByLabel(unlockWords('unlock.passphrase')).fill(passphrase);
  await page.keyboard.press('Enter');
  await me.answers.first().waitFor();
  await me.ask(run.say('prompt after the unlock by passphrase'));
  await page.reload();
  await page.getByText(unlockWords('unlock.more')).click();
  await me.button('unlock.passkey').click();
  await me.answers.first().waitFor();
  await me.ask(run.say('prompt after the unlock by passkey'));

  // Killed in mid-answer: first the enclave, then the server, with a dump of what they were doing asked for.
  const long = 'word '.repeat(200);
  await me.typeAndSend(`${run.say('prompt cut by a dying enclave')} ${long}`);
  await page.locator('article[aria-busy] .prose', { hasText: 'Echo' }).waitFor();
  const dyingEnclave = system.enclave;
  dyingEnclave.child.kill('SIGABRT');
  await page.locator('.notice').waitFor();
  await system.restartEnclave();
  run.places.add('crash output', dyingEnclave.outputBytes());
  await me.typeAndSend(`${run.say('prompt cut by a dying server')} ${long}`);
  await page.locator('article[aria-busy] .prose', { hasText: 'Echo' }).waitFor();
  const dyingServer = system.server;
  dyingServer.child.kill('SIGABRT');
  await page.getByText(words('chat.recovering')).first().waitFor();
  await system.restartServer();
  run.places.add('crash output', dyingServer.outputBytes());
  // Closed as it stands: the account open, words in the message box.
  await me.box.fill(run.say('account draft that was not sent'));
  await leave('account open');
  return { code, phrase };
}

/** The same browser again: locked at first; then staying unlocked, which is said to leave the key; then locked for good. */
async function lockInEveryState(run: Run, system: System, code: string, phrase: string): Promise<void> {
  let seat = await sitDown(run, 'browser', system.link);
  await openMore(seat.me);
  await seat.me.unlockWithCode(phrase);
  await openNewest(seat.me);
  await seat.me.openSettings();
  await seat.me.button('unlock.settings').click();
  await seat.browser.page.getByLabel(unlockWords('stay.title')).click();
  await seat.browser.page.locator('dialog input[type=checkbox]:checked:enabled').waitFor();
  await seat.leave('stays unlocked');

  seat = await sitDown(run, 'browser', system.link);
  await openNewest(seat.me);
  await seat.me.button('keep.lock').click();
  await openMore(seat.me);
  await seat.me.codeField.fill(code);
  await seat.leave('locked');
}

async function openNewest(me: Person): Promise<void> {
  await me.openChat('');
  await me.answers.first().waitFor();
}

/** Where a passphrase is set, the other ways stand behind it. */
async function openMore(me: Person): Promise<void> {
  await me.page.getByText(unlockWords('unlock.more')).click();
  await me.codeField.waitFor();
}

async function attach(run: Run, me: Person): Promise<void> {
  const buffer = Buffer.from(`${run.say('words of a file')}\n`.repeat(40));
  await me.page
    .getByLabel(words('composer.attach'))
    .setInputFiles({ name: `${run.say('name of a file').slice(0, 24)}.txt`, mimeType: 'text/plain', buffer });
  await me.page.locator('.files-draft .file.ready').waitFor();
}

async function search(run: Run, me: Person): Promise<void> {
  await me.button('search.open').click();
  await me.page.getByRole('combobox', { name: searchWords('label') }).fill('Grüße');
  await me.page
    .getByRole('listbox', { name: searchWords('results') })
    .getByRole('option')
    .first()
    .waitFor();
  await me.page.getByRole('combobox', { name: searchWords('label') }).fill(run.say('words that were searched for'));
  await closeDialog(me);
}

async function setPassphrase(me: Person, passphrase: string): Promise<void> {
  await me.openSettings();
  await me.button('unlock.settings').click();
  await me.page.getByLabel(unlockWords('passphrase.label')).fill(passphrase);
  await me.page.getByLabel(unlockWords('passphrase.again')).fill(passphrase);
  await me.page.getByRole('button', { name: unlockWords('passphrase.set'), exact: true }).click();
  await me.page.getByText(unlockWords('passphrase.done')).waitFor();
  await closeDialog(me);
}

/** A second thing to write down. @returns its words */
async function addPhrase(run: Run, me: Person): Promise<string> {
  const button = (word: Parameters<typeof locksWords>[0]) =>
    me.page.getByRole('dialog').getByRole('button', { name: locksWords(word), exact: true });
  await me.openSettings();
  await me.button('locks.open').click();
  await button('add.recovery-phrase').click();
  await me.page.locator('ol.written li').first().waitFor();
  const written = await me.page.locator('ol.written li').allTextContents();
  run.add({ name: 'recovery phrase', bytes: Buffer.from(written.join(' ')), kind: 'text', pieceBytes: 32 });
  await button('write.next').click();
  await me.page.getByLabel(locksWords('confirm.phrase')).fill(written.at(-1) ?? '');
  await button('confirm.add').click();
  await me.page.getByText(locksWords('add.added')).waitFor();
  await closeDialog(me);
  return written.join(' ');
}

async function closeDialog({ page }: Person): Promise<void> {
  await page
    .getByRole('dialog')
    .getByRole('button', { name: words('app.close'), exact: true })
    .click();
}

/** A second browser is let in by a QR code's text; it writes, and is closed with the account open, then locked. */
async function linkAnother(run: Run, system: System, me: Person): Promise<void> {
  let other = await sitDown(run, 'linked browser', system.link);
  const button = ({ page }: Person, word: Parameters<typeof linkWords>[0]) =>
    page.getByRole('dialog').getByRole('button', { name: linkWords(word), exact: true });
  await other.me.box.waitFor();
  run.add(...(await guestSecrets(other.browser.page, 'other guest')));
  await other.me.button('unlock.guest').click();
  await other.me.button('link.new').click();
  await button(other.me, 'choose.show').click();
  const text = (await other.browser.page.getByLabel(linkWords('shown.text'), { exact: true }).textContent()) ?? '';
  run.add({ name: 'link text', bytes: Buffer.from(text), kind: 'text' });
  await me.openSettings();
  await me.button('link.open').click();
  await button(me, 'choose.read').click();
  await me.page.getByLabel(linkWords('reading.label')).fill(text);
  await me.page.keyboard.press('Enter');
  await button(me, 'asked.yes').click();
  await button(other.me, 'joined.skip').click();
  await button(other.me, 'done.close').click();
  await button(me, 'done.close').click();
  await other.me.ask(run.say('prompt on the linked browser'));
  await other.leave('account open');

  other = await sitDown(run, 'linked browser', system.link);
  await other.me.codeField.waitFor();
  await other.leave('locked');
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
async function breakTheEngine(run: Run): Promise<void> {
  const system = await startSystem({ engineArgs: ['--crash-after-tokens', '3'] });
  const browser = await openBrowser();
  try {
    const me = person(browser.page);
    await browser.page.goto(system.link);
    await me.typeAndSend(run.say('prompt on which the engine breaks'));
    await browser.page.getByText(words('error.engine-crashed')).waitFor();
  } finally {
    await browser.close();
    await system.stop();
  }
  run.places.add('crash output', system.server.outputBytes(), system.enclave.outputBytes());
}
