/**
 * A real server that its operator restored from a backup (spec/server.md "Disclosure, backup and restore"): what was removed since does not
 * come back on the devices, goes from the server again, and what was written since is put back.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeRecordBatch, parseBatchAnswer, parseRecordIndex, parseRecordPage } from '@sotto/wire';
import { createApp } from '../../../apps/server/app.ts';
import { backUp } from '../../../apps/server/backup.ts';
import {
  createAccount,
  createTestServer,
  ORIGIN,
  PORT,
  type TestServer,
  temporaryFolder,
} from '../../../apps/server/fixture-for-testing.ts';
import { restore } from '../../../apps/server/restore.ts';
import { newPerson, say, textsOf } from '../archive/world-for-testing.ts';
import type { RemoteRecords } from './sync-types.ts';

type Seen = { readonly findings: readonly { readonly code: string }[] };
const codes = ({ findings }: Seen) => [...new Set(findings.map(({ code }) => code))].toSorted();

/** The records of whoever has this cookie. */
function remoteOf({ graph }: TestServer, cookie: string): RemoteRecords {
  const app = createApp(graph.services);
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = { host: `localhost:${PORT}`, origin: ORIGIN, 'sotto-client': '1', cookie };
    const response = await app.request(`${ORIGIN}/api/records/${path}`, { ...init, headers });
    assert.equal(response.status, 200, path);
    return new Uint8Array(await response.arrayBuffer());
  };
  return {
    page: async (after) => parseRecordPage(await call(`bulk?after=${after}`)),
    index: async (after) => parseRecordIndex(await call(`index?after=${after}`)),
    send: async (writes) => {
      const body = await call('batch', { method: 'POST', body: encodeRecordBatch(writes) });
      return parseBatchAnswer(JSON.parse(new TextDecoder().decode(body)));
    },
  };
}

test('SV-89 VA-110 after a restore nothing comes back that devices removed, and what they wrote since is put back', async (t) => {
  const server = await createTestServer(t);
  const account = await createAccount(server);
  const person = newPerson('restored server');
  Object.assign(person.server, remoteOf(server, account.browser.cookie));
  const [phone, laptop] = [await person.open(await person.newDevice()), await person.open(await person.newDevice())];
  const chats = [await say(phone.history, 'one'), await say(phone.history, 'two'), await say(phone.history, 'three')];
  const both = async () => {
    for (let round = 0; round < 2; round++) {
      for (const { history, keeper } of [phone, laptop]) {
        await history.settled();
        await history.refresh();
        await keeper.engine.reconcile();
      }
    }
  };
  await both();
  const [file, data] = [join(await temporaryFolder(t), 'backup'), await temporaryFolder(t)];
  await backUp(server.dataDir, file);
  const removed = chats[1] as (typeof chats)[0];
  await phone.history.removeConversation(removed.chat);
  const late = await say(laptop.history, 'four');
  await both();
  assert.deepEqual([codes(phone.history), codes(laptop.history)], [[], []]);

  await restore(file, data);
  const again = await createTestServer(t, { dataDir: data });
  const browser = again.browser();
  const { lookupId, authenticator } = account;
  assert.equal((await browser.call('POST', '/api/sign-in/recovery', { lookupId, authenticator })).status, 200);
  Object.assign(person.server, remoteOf(again, browser.cookie));
  const onServer = async (recordId: string) => {
    const rows = again.graph.services.db.selectFrom('records').select('envelope');
    return (await rows.where('record_id', '=', recordId).executeTakeFirst())?.envelope ?? undefined;
  };
  assert.ok((await onServer(removed.message)) !== undefined, 'the backup has it');
  assert.ok((await onServer(late.message)) === undefined, 'and not this one');

  await both();
  t.diagnostic(`phone: ${codes(phone.history)}; laptop: ${codes(laptop.history)}`);
  for (const { history } of [phone, laptop]) {
    assert.ok(codes(history).length > 0, 'each device says so');
    assert.deepEqual(await textsOf(history, removed.chat), [], 'what was removed is shown by none');
    assert.deepEqual(await textsOf(history, late.chat), ['four'], 'what was written is there');
  }
  await laptop.history.putBack();
  await both();
  t.diagnostic(`put back: phone ${codes(phone.history)}; laptop ${codes(laptop.history)}`);
  for (const { history } of [phone, laptop]) if (codes(history).length > 0) await history.acceptAsItIs();
  await both();
  assert.deepEqual([codes(phone.history), codes(laptop.history)], [[], []]);
  assert.equal(await onServer(removed.message), undefined, 'it is removed again');
  assert.ok((await onServer(late.message)) !== undefined, 'and this one is there again');
  const fresh = await person.open(await person.newDevice());
  await fresh.history.settled();
  const titles = (history: typeof fresh.history) =>
    history
      .conversations()
      .map(({ title }) => title)
      .toSorted();
  for (const { history } of [phone, laptop, fresh]) assert.deepEqual(titles(history), ['four', 'one', 'three']);
  assert.deepEqual(codes(fresh.history), []);
});
