/** What was begun in a session that ends before it is done: another device rotates, or signs out, in between. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { concatBytes, encodeBase64, encodeHex, parseBase64 } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { encodeRecordBatch } from '@sotto/wire';
import {
  type Browser,
  createAccount,
  createTestServer,
  randomBase64,
  randomHex,
  type TestAccount,
  type TestServer,
} from './fixture-for-testing.ts';

/** A record as the server sees it: magic, and an epoch that its writer may claim as it likes. */
function envelope(epoch: number): Uint8Array<ArrayBuffer> {
  const bytes = concatBytes(Uint8Array.of(0x53, 0x56, 0x52, 1), new Uint8Array(252));
  new DataView(bytes.buffer).setUint32(36, epoch);
  return bytes;
}

async function rotate({ browser, lookupId }: TestAccount): Promise<void> {
  const { nextSequence } = (await browser.call('GET', '/api/records?after=0')).json;
  const epochRecordId = randomHex();
  const answer = await browser.call('POST', '/api/rotation', {
    epoch: 2,
    baseSequence: nextSequence,
    epochRecordId,
    locks: [{ lockId: encodeHex(parseBase64(lookupId)), kind: 'recovery-code', lock: randomBase64(200) }],
    credentials: [],
    devices: [],
    records: [{ recordId: epochRecordId, envelope: encodeBase64(envelope(2)) }],
  });
  assert.equal(answer.status, 200, answer.text);
}

async function secondSession(server: TestServer, { lookupId, authenticator }: TestAccount): Promise<Browser> {
  const browser = server.browser();
  assert.equal((await browser.call('POST', '/api/sign-in/recovery', { lookupId, authenticator })).status, 200);
  return browser;
}

/** Holds back every request of this browser from the moment when its session was looked up. */
function holdBack({ graph }: TestServer, browser: Browser): () => void {
  const { sessions } = graph.services;
  const find = sessions.find.bind(sessions);
  const { promise, resolve } = Promise.withResolvers<void>();
  sessions.find = async (cookie, site) => {
    const found = await find(cookie, site);
    if (cookie === browser.cookie) await promise;
    return found;
  };
  return resolve;
}

async function stateOf({ graph, dataDir }: TestServer): Promise<string> {
  const { db } = graph.services;
  const names = ['accounts', 'records', 'shares', 'blobs', 'blob_parts', 'locks', 'devices'] as const;
  const rows = await Promise.all(names.map((name) => db.selectFrom(name).selectAll().execute()));
  const files = readdirSync(join(dataDir, 'blobs'), { recursive: true, encoding: 'utf8' }).sort();
  return JSON.stringify([rows, files.filter((name) => /\/\d+$/.test(name))]);
}

const partHeaders = (bytes: Uint8Array<ArrayBuffer>) => ({ 'sotto-digest': encodeHex(sha256(bytes)) });

async function kept(t: TestContext) {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const [recordId, shareId, whole, begun] = [randomHex(), randomHex(), randomHex(), randomHex()];
  const { browser } = account;
  const part = new Uint8Array(300).fill(7);
  await browser.call('PUT', `/api/records/${recordId}`, envelope(1));
  await browser.call('PUT', `/api/shares/${shareId}?days=7`, part);
  for (const id of [whole, begun]) await browser.call('PUT', `/api/blobs/${id}/0`, part, partHeaders(part));
  await browser.call('POST', `/api/blobs/${whole}/commit`, { parts: 1 });
  /** Every call that writes, claiming the epoch that is to come. */
  const writes: [string, string, (object | Uint8Array)?, Record<string, string>?][] = [
    ['PUT', `/api/records/${randomHex()}`, envelope(2)],
    ['PUT', `/api/records/${recordId}`, envelope(2)],
    ['DELETE', `/api/records/${recordId}`],
    ['POST', '/api/records/batch', encodeRecordBatch([{ recordId: randomHex(), base: 9, envelope: envelope(2) }])],
    ['POST', '/api/records/batch', encodeRecordBatch([])],
    ['PUT', `/api/shares/${randomHex()}?days=7`, part],
    ['DELETE', `/api/shares/${shareId}`],
    ['PUT', `/api/blobs/${randomHex()}/0`, part, partHeaders(part)],
    ['PUT', `/api/blobs/${begun}/0`, part, partHeaders(part)],
    ['POST', `/api/blobs/${begun}/commit`, { parts: 1 }],
    ['DELETE', `/api/blobs/${whole}`],
  ];
  return { server, account, writes };
}

for (const [what, end] of [
  ['a rotation', (account: TestAccount) => rotate(account)],
  ['signing out', async (_: TestAccount, other: Browser) => void (await other.call('POST', '/api/sign-out', {}))],
] as const) {
  test(`SV-133 what was begun before ${what} ended its session writes and removes nothing after it`, async (t) => {
    const { server, account, writes } = await kept(t);
    const other = await secondSession(server, account);
    // The cookie is gone from the browser once it has signed out.
    const sending: Browser = { ...other };
    const release = holdBack(server, sending);
    const answers = writes.map(([method, path, body, headers]) => sending.call(method, path, body, headers));
    await end(account, Object.assign(server.browser(), { cookie: `${other.cookie}; x=1` }));
    const before = await stateOf(server);
    release();
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      assert.equal(answer.json?.error?.code, 'signed-out', writes[i]?.slice(0, 2).join(' '));
    }
    assert.equal(await stateOf(server), before);
  });
}

test('SV-133 a part that is in the store when its session ends gets no row', async (t) => {
  const { server, account } = await kept(t);
  const other = await secondSession(server, account);
  const { blobs } = server.graph.services;
  const put = blobs.put.bind(blobs);
  blobs.put = async (key, bytes) => {
    await put(key, bytes);
    await rotate(account);
  };
  const { db } = server.graph.services;
  const rows = () => db.selectFrom('blob_parts').selectAll().execute();
  const before = await rows();
  const part = new Uint8Array(300).fill(8);
  const answer = await other.call('PUT', `/api/blobs/${randomHex()}/0`, part, partHeaders(part));
  assert.equal(answer.json?.error?.code, 'signed-out');
  assert.deepEqual(await rows(), before);
});
