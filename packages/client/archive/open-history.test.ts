/** Opening an account's history: kept, not kept, and forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createManualClock,
  createMemoryDeviceStore,
  createMemoryRecordStore,
  createMemorySealedStore,
  createSeededRandom,
} from '@sotto/testkit';
import { createAccountKey, createDeviceKeys } from '@sotto/vault';
import type { AccountPorts } from '../account-types.ts';
import { ClientError } from '../errors.ts';
import { forgetKept, openAccountHistory } from './open-history.ts';

/** A server that knows the first version's calls only, and cannot be reached by the sync. */
async function rig() {
  const random = createSeededRandom('open history');
  const records = createMemoryRecordStore();
  const away = () => Promise.reject(new ClientError('network-unreachable'));
  const api = {
    origin: 'http://localhost',
    recordPage: away,
    recordIndex: away,
    sendRecords: away,
    records: (after: number) => records.list(after),
    putRecord: (recordId: string, envelope: Uint8Array<ArrayBuffer>) => records.put(recordId, envelope),
    removeRecord: (recordId: string) => records.remove(recordId),
  };
  const sealed = createMemorySealedStore();
  const ports = { api, random, clock: createManualClock(), device: createMemoryDeviceStore(), sealed };
  const account = {
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    device: await createDeviceKeys(random),
  };
  return { ports: ports as unknown as AccountPorts, account, sealed, records };
}

test('CL-236 an account opens without a server, with everything that was kept', async () => {
  const { ports, account } = await rig();
  const history = await openAccountHistory(ports, account);
  await history.createConversation('kept here');
  history.close();
  const again = await openAccountHistory(ports, account);
  assert.deepEqual(
    again.conversations().map(({ title }) => title),
    ['kept here'],
  );
  assert.equal(again.sync?.state.pendingCount, 1);
  again.close();
});

test('CL-237 where the browser keeps nothing, an account is read from the server', async () => {
  const { ports, account, sealed, records } = await rig();
  sealed.failReads(true);
  const history = await openAccountHistory(ports, account);
  await history.createConversation('only there');
  assert.equal(records.recordIds().length, 1);
  const again = await openAccountHistory(ports, account);
  assert.equal(again.conversations().length, 1);
  assert.equal(again.sync, undefined);
  const broken = { ...ports, sealed: { ...sealed, get: () => Promise.reject(new TypeError('a bug')) } };
  await assert.rejects(openAccountHistory(broken, account), TypeError);
});

test('CL-238 CL-265 leaving erases what is kept, but not while something waits to be sent', async () => {
  const { ports, account, sealed } = await rig();
  const history = await openAccountHistory(ports, account);
  await history.createConversation('not sent yet');
  history.close();
  assert.equal(await forgetKept(sealed, account.accountId), false);
  const kept = await openAccountHistory(ports, account);
  assert.equal(kept.conversations().length, 1);
  kept.close();
  for (const name of sealed.names().filter((each) => each.includes('/outbox/'))) sealed.damage(name, undefined);
  const { purges } = sealed;
  assert.equal(await forgetKept(sealed, account.accountId), true);
  assert.deepEqual(sealed.names(), []);
  assert.equal(sealed.purges, purges + 1);
});
