import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { t as words } from '../apps/web/shell/words.ts';
import type { System } from '../tools/harness/system.ts';
import { openBrowser, shot } from './browser.ts';
import { until } from './held.ts';
import { type Person, person } from './person.ts';
import { startForBrowser } from './system.ts';

let system: System;
before(async () => {
  system = await startForBrowser();
});
after(() => system.stop());

const otherFingerprint = () => system.devFingerprint.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));

/** Message 1 of the handshake, then one record of the smallest size: the request for the evidence. */
const TO_JUDGE_A_MACHINE = [1216, 272];
const CLOSING_RECORD = 272;

interface Sent {
  requests: number;
  /** Lengths of the frames of each web socket. */
  readonly sockets: number[][];
}

/** All that a page sends, from before it is loaded. */
function watchSending(page: Page): Sent {
  const sent: Sent = { requests: 0, sockets: [] };
  page.on('request', () => sent.requests++);
  page.on('websocket', (socket) => {
    const frames: number[] = [];
    sent.sockets.push(frames);
    socket.on('framesent', ({ payload }) => frames.push(payload.length));
  });
  return sent;
}

/** What is still under way has gone out: for a second nothing more did. */
async function isQuiet(sent: Sent): Promise<void> {
  let [seen, sinceMs] = ['', 0];
  await until(() => {
    const now = JSON.stringify(sent);
    if (now !== seen) [seen, sinceMs] = [now, Date.now()];
    return Date.now() - sinceMs >= 1000;
  }, 'nothing more goes out');
}

/** Types a secret and presses Enter: since the page was loaded nothing has gone out but what judging the machine takes. */
async function assertNothingSent(me: Person, sent: Sent, refusal: Locator): Promise<void> {
  await isQuiet(sent);
  const before = structuredClone(sent);
  await me.typeAndSend('my secret');
  await refusal.waitFor();
  await isQuiet(sent);
  assert.deepEqual(sent, before, 'typing and Enter send nothing');
  assert.equal(sent.sockets.length, 1);
  const [frames = []] = sent.sockets;
  const isClosed = frames.length > TO_JUDGE_A_MACHINE.length;
  assert.deepEqual(frames, isClosed ? [...TO_JUDGE_A_MACHINE, CLOSING_RECORD] : TO_JUDGE_A_MACHINE);
  assert.equal(await me.box.inputValue(), 'my secret');
}

test('another fingerprint in the first link: nothing is sent, the text stays, the panel says why', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  const sent = watchSending(page);
  await page.goto(`${system.url}/#dev=${otherFingerprint()}`);
  await me.button('proof.badge.failed').waitFor();
  await assertNothingSent(me, sent, page.getByText(words('error.unverified')));
  await shot(page, 'unverified');
  assert.equal(await me.questions.count(), 0);
  assert.deepEqual(await me.chats(), []);
  await page
    .getByRole('alert')
    .getByRole('button', { name: words('proof.open') })
    .click();
  await page.getByText(words('proof.lead.failed')).first().waitFor();
  await shot(page, 'unverified-panel');
});

test('a link that names another machine than the trusted one stops everything until the person says so', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.link);
  await me.ask('before');
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  // Typed into the same tab: only the fragment changes.
  await page.goto(`${system.url}/#dev=${otherFingerprint()}`);
  await page.getByRole('heading', { name: words('pin.changedTitle') }).waitFor();
  sockets.length = 0;
  await page.reload();
  await page.getByRole('heading', { name: words('pin.changedTitle') }).waitFor();
  await shot(page, 'machine-changed');
  assert.equal(await me.box.count(), 0);
  assert.deepEqual(sockets, [], 'no connection to any machine');
  assert.ok(await page.getByRole('button', { name: words('pin.trust') }).isDisabled());

  // The trusted machine's own link leads back.
  await page.goto(system.link);
  await me.openChat('before');
  await me.answers.filter({ hasText: 'Echo: before' }).waitFor();
});

test('without fragment and without pin an explanation is all there is; the link in the same tab goes on', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  const me = person(page);
  await page.goto(system.url);
  await page.getByRole('heading', { name: words('pin.missingTitle') }).waitFor();
  await shot(page, 'no-link');
  assert.equal(await me.box.count(), 0);
  assert.ok(!browser.requests.some((url) => url.includes('/relay/')));
  await page.goto(system.link);
  assert.equal(await me.ask('hello'), 'Echo: hello');
});

for (const [name, years] of [
  ['ahead', 5],
  ['behind', -5],
] as const) {
  test(`a clock five years ${name}: a clear message, nothing sent, the text stays`, async (t) => {
    const initScript = `{ const now = Date.now; const off = ${years} * 365 * 86400000; const RealDate = Date;
      Date.now = () => now() + off;
      globalThis.Date = class extends RealDate { constructor(...a) { a.length === 0 ? super(now() + off) : super(...a); } };
      Date.now = () => now() + off; }`;
    const browser = await openBrowser({ initScript });
    t.after(() => browser.close());
    const { page } = browser;
    const me = person(page);
    const sent = watchSending(page);
    await page.goto(system.link);
    await me.button('proof.badge.failed').waitFor();
    await assertNothingSent(me, sent, page.getByRole('alert').getByText(words('error.clock-implausible')));
    await shot(page, `clock-${name}`);
  });
}

test('the page at 127.0.0.1 explains where to go, and runs nothing', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  await page.goto(system.link.replace('localhost', '127.0.0.1'));
  const text = (await page.locator('body').textContent()) ?? '';
  assert.match(text, /localhost/);
  await shot(page, 'not-localhost');
  assert.equal(await page.locator('script').count(), 0);
});

test('the page policy stops inline code, eval, foreign addresses and strings that become markup', async (t) => {
  const browser = await openBrowser();
  t.after(() => browser.close());
  const { page } = browser;
  // Real elements in the real document with its real headers: `page.evaluate` would go around the policy.
  await page.route(`${system.url}/`, async (route) => {
    const response = await route.fetch();
    const planted = `<script>window.inline = 1</script><script src="/probe.js"></script>
      <button id="planted-handler" onclick="window.handler = 1">x</button><img src="https://example.com/x.png">
      <a id="planted-link" href="javascript:window.link = 1">x</a><div style="display: none">x</div>`;
    await route.fulfill({ response, body: (await response.text()).replace('<head>', `<head>${planted}`) });
  });
  const probe = `addEventListener('securitypolicyviolation', (e) =>
      (window.violations ??= []).push(e.effectiveDirective + ' ' + e.blockedURI));
    const attempt = (name, run) => { try { run(); } catch { (window.thrown ??= []).push(name); } };
    attempt('eval', () => eval('window.evaluated = 1'));
    attempt('Function', () => new Function('window.evaluated = 1')());
    attempt('timer', () => setTimeout('window.evaluated = 1', 0));
    attempt('innerHTML', () => { document.createElement('div').innerHTML = '<b>x</b>'; });
    attempt('worker', () => new Worker('data:text/javascript,1'));
    fetch('https://example.com/').catch(() => (window.thrown ??= []).push('fetch'));`;
  await page.route(`${system.url}/probe.js`, (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: probe,
      headers: { 'Cross-Origin-Resource-Policy': 'same-origin' },
    }),
  );
  await page.goto(system.link);
  await person(page).box.waitFor();
  await page.evaluate(() => {
    (document.querySelector('#planted-handler') as HTMLElement).click();
    (document.querySelector('#planted-link') as HTMLElement).click();
  });
  await page.waitForFunction(() => {
    const { thrown = [], violations = [] } = window as unknown as { thrown?: string[]; violations?: string[] };
    return thrown.includes('fetch') && ['img-src', 'connect-src'].every((word) => violations.join().includes(word));
  });
  const seen = await page.evaluate(() => {
    const { inline, handler, link, evaluated, thrown, violations } = window as unknown as Record<string, unknown>;
    return { inline, handler, link, evaluated, thrown, violations } as Record<string, unknown>;
  });
  for (const name of ['inline', 'handler', 'link', 'evaluated']) assert.equal(seen[name], undefined, name);
  const thrown = seen.thrown as string[];
  for (const name of ['eval', 'Function', 'timer', 'innerHTML', 'worker', 'fetch'])
    assert.ok(thrown.includes(name), name);
  const violations = (seen.violations as string[]).join('\n');
  for (const word of ['script-src', 'img-src https://example.com', 'connect-src https://example.com']) {
    assert.ok(violations.includes(word), `${word} in\n${violations}`);
  }
});
