/** Live updates over real sockets (SV-65 to SV-67). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createManualClock, createSeededRandom } from '@sotto/testkit';
import { parseLiveMessage } from '@sotto/wire';
import { type ClientOptions, WebSocket } from 'ws';
import { createAccount, createBrowser, randomHex, type TestAccount, temporaryFolder } from './fixture-for-testing.ts';
import type { Limits } from './limits.ts';
import { LiveUpdates } from './live-updates.ts';
import { startServer } from './start.ts';

const random = createSeededRandom('live updates');
const WAIT_MS = 5000;

async function start(t: TestContext, limits: Partial<Limits> = {}) {
  const clock = createManualClock();
  const server = await startServer({
    ...{ port: 0, dataDir: await temporaryFolder(t), webDir: '/nowhere', nodes: [], clock, limits },
    logSink: () => undefined,
  });
  t.after(() => server.close());
  const browser = () =>
    createBrowser((url, init) => {
      const headers = { ...(init.headers as Record<string, string>), origin: server.url };
      return fetch(url.replace('http://localhost:8787', server.url), { ...init, headers });
    });
  const open = (cookie: string, options: ClientOptions = {}) => {
    const url = `${server.url.replace(/^http/, 'ws')}/api/records/live`;
    const socket = new WebSocket(url, { headers: { cookie, origin: server.url }, ...options });
    socket.on('error', () => undefined);
    t.after(() => socket.terminate());
    return socket;
  };
  return { server, clock, browser, open, account: await createAccount({ browser }) };
}

const next = async (socket: WebSocket, name: string) => once(socket, name, { signal: AbortSignal.timeout(WAIT_MS) });
const told = async (socket: WebSocket) =>
  parseLiveMessage(new Uint8Array((await next(socket, 'message'))[0] as Buffer));
/** Writes that come quickly are told as one, or as several on a busy machine. */
const toldUpTo = (newest: number, socket: WebSocket) =>
  new Promise<number[]>((resolve) => {
    const numbers: number[] = [];
    socket.on('message', (data: Buffer) => {
      numbers.push(parseLiveMessage(new Uint8Array(data)));
      if (numbers.at(-1) === newest) resolve(numbers);
    });
  });
const closed = async (socket: WebSocket) => {
  const [code, reason] = (await next(socket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
};
const put = async ({ browser }: TestAccount) => {
  const answer = await browser.call('PUT', `/api/records/${randomHex()}`, random.bytes(50));
  return answer.json.sequence as number;
};

test('SV-65 listeners of an account are told its newest sequence, at once and when it changes, and nothing else', async (t) => {
  const { account, browser, open } = await start(t);
  await put(account);
  const [mine, second] = [open(account.browser.cookie), open(account.browser.cookie)];
  assert.deepEqual(await Promise.all([told(mine), told(second)]), [1, 1]);
  const other = await createAccount({ browser });
  const theirs = open(other.browser.cookie);
  assert.equal(await told(theirs), 0);
  const heard: number[] = [];
  theirs.on('message', (data: Buffer) => heard.push(data.length));
  const waiting = Promise.all([toldUpTo(4, mine), toldUpTo(4, second)]);
  await Promise.all([put(account), put(account), put(account)]);
  for (const numbers of await waiting) assert.deepEqual(numbers, numbers.toSorted());
  assert.deepEqual(heard, []);
});

test('SV-65 without a session, and with a guest’s, nothing is told', async (t) => {
  const { browser, open } = await start(t);
  assert.deepEqual(await closed(open('')), [4401, 'signed-out']);
  const guest = browser();
  await guest.call('POST', '/api/guest', {});
  assert.deepEqual(await closed(open(guest.cookie)), [4401, 'signed-out']);
});

test('SV-02 another site cannot listen, and SV-01 no other host', async (t) => {
  const { account, open } = await start(t);
  const refused = async (headers: Record<string, string>) => {
    const socket = open('', { headers: { cookie: account.browser.cookie, ...headers } });
    const [, response] = (await next(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    return response.statusCode;
  };
  assert.equal(await refused({ origin: 'https://elsewhere.example' }), 403);
  assert.equal(await refused({ host: 'elsewhere.example' }), 421);
});

test('SV-66 what a listener says closes it', async (t) => {
  const { account, open } = await start(t);
  const socket = open(account.browser.cookie);
  await told(socket);
  socket.send('?');
  assert.deepEqual(await closed(socket), [1003, 'binary-only']);
});

test('SV-66 listeners are limited by account and by how often they come', async (t) => {
  const { account, browser, open } = await start(t, { livePerAccount: 2, liveOpens: { burst: 4, perSecond: 0.1 } });
  const sockets = [open(account.browser.cookie), open(account.browser.cookie)];
  await Promise.all(sockets.map(told));
  assert.deepEqual(await closed(open(account.browser.cookie)), [4430, 'too-many-relays']);
  sockets[0]?.close();
  await closed(sockets[0] as WebSocket);
  assert.equal(await told(open(account.browser.cookie)), 0);
  assert.deepEqual(await closed(open(account.browser.cookie)), [4429, 'rate-limited']);
  assert.equal(await told(open((await createAccount({ browser })).browser.cookie)), 0);
});

test('SV-66 a line that does not answer is cut', async (t) => {
  const listeners: LiveUpdates[] = [];
  const original = LiveUpdates.prototype.tell;
  t.mock.method(LiveUpdates.prototype, 'tell', function (this: LiveUpdates, ...given: Parameters<typeof original>) {
    listeners.push(this);
    return original.apply(this, given);
  });
  const { account, open } = await start(t);
  const answering = open(account.browser.cookie);
  const silent = open(account.browser.cookie, { autoPong: false });
  await Promise.all([told(answering), told(silent)]);
  await put(account);
  const updates = listeners[0] as LiveUpdates;
  const pinged = next(answering, 'ping');
  updates.sweep();
  await pinged;
  await put(account);
  await told(answering);
  const cut = closed(silent);
  updates.sweep();
  assert.equal((await cut)[0], 1006);
  assert.equal(answering.readyState, WebSocket.OPEN);
});

test('SV-67 a listener ends with its session', async (t) => {
  const { account, open } = await start(t);
  const socket = open(account.browser.cookie);
  await told(socket);
  const end = closed(socket);
  await account.browser.call('POST', '/api/sign-out', {});
  assert.deepEqual(await end, [4401, 'signed-out']);
});

test('SV-67 a listener ends after an hour, and comes back only with a session that holds', async (t) => {
  const listeners: LiveUpdates[] = [];
  const original = LiveUpdates.prototype.tell;
  t.mock.method(LiveUpdates.prototype, 'tell', function (this: LiveUpdates, ...given: Parameters<typeof original>) {
    listeners.push(this);
    return original.apply(this, given);
  });
  const { account, clock, open } = await start(t);
  const socket = open(account.browser.cookie);
  await told(socket);
  await put(account);
  const end = closed(socket);
  await clock.advance(60 * 60 * 1000 - 1);
  listeners[0]?.sweep();
  assert.equal(socket.readyState, WebSocket.OPEN);
  await clock.advance(1);
  listeners[0]?.sweep();
  assert.deepEqual(await end, [4408, 'idle']);
});
