/** Removing an account, against the real server over real HTTP. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CookieJar, createNodeFetch } from '@sotto/adapters-node';
import { encodeHex } from '@sotto/bytes';
import type { Fetch } from '@sotto/ports';
import { createMemoryDeviceStore, createMemorySealedStore, createRealClock, createSeededRandom } from '@sotto/testkit';
import { createRecoveryCode } from '@sotto/vault';
import { startServer } from '../../apps/server/start.ts';
import { draftAccount, registerAccount } from './account.ts';
import type { AccountPorts } from './account-types.ts';
import { openLocalKey } from './archive/local-key.ts';
import { removeAccount } from './remove-account.ts';
import { ServerApi } from './server-api.ts';
import { unlockWithRecoveryCode } from './unlock.ts';
import { createTurns } from './watch/turns.ts';

test('CL-313 a removal needs a lock, takes this device along, and is done once it was asked for', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sotto-remove-'));
  const server = await startServer({ port: 0, dataDir, nodes: [], webDir: dataDir, limits: {} });
  t.after(async () => {
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  let losesAnswer = false;
  const browser = (seed: string) => {
    const plain = createNodeFetch({ cookieJar: new CookieJar() });
    const fetch: Fetch = async (url, init) => {
      const answer = await plain(url, { ...init, headers: { ...init?.headers, origin: server.url } });
      if (losesAnswer && url.endsWith('/remove')) throw new Error('the line is lost');
      return answer;
    };
    const sealed = createMemorySealedStore();
    const api = new ServerApi(fetch, server.url);
    const random = createSeededRandom(seed);
    return {
      api,
      random,
      clock: createRealClock(),
      device: createMemoryDeviceStore(),
      sealed,
      takingTurns: createTurns(),
    } satisfies AccountPorts;
  };
  const first = browser('first');
  const { code } = createRecoveryCode(first.random);
  const account = await registerAccount(first, await draftAccount(code, first.random));
  await openLocalKey(first, account);
  const second = browser('second');
  const elsewhere = await unlockWithRecoveryCode(second, code);
  await openLocalKey(second, elsewhere);
  const kept = async (ports: typeof first) => (await ports.sealed.list(`acct/${encodeHex(account.accountId)}/`)).length;
  assert.ok((await kept(first)) > 0 && (await kept(second)) > 0);

  const other = createRecoveryCode(first.random).code;
  await assert.rejects(removeAccount(first, account, { code: other }), { code: 'recovery-refused' });
  await assert.rejects(removeAccount(first, account, { code: 'nonsense' }), { code: 'recovery-code-length' });
  assert.ok((await kept(first)) > 0, 'nothing is removed here before the server has done it');

  losesAnswer = true;
  await assert.rejects(removeAccount(first, account, { code }), { code: 'network-unreachable' });
  assert.ok((await kept(first)) > 0);
  losesAnswer = false;
  await removeAccount(first, account, { code });
  assert.equal(await kept(first), 0);
  await assert.rejects(unlockWithRecoveryCode(browser('third'), code), { code: 'recovery-refused' });

  // The other device is told, and keeps what it has: a server that lies about it must not empty devices.
  await assert.rejects(second.api.locks(), { code: 'account-deleted' });
  assert.ok((await kept(second)) > 0);
});
