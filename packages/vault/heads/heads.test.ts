/** Heads: what an honest store never causes, and what a lying one cannot hide (spec/vault.md, "Heads"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import type { UnknownContent } from '../content.ts';
import { compareCode, type Finding, SEGMENT_LIMIT, verifySegment } from './index.ts';
import { ACCOUNT, type Device, emptyStore, type Store, snapshot, World } from './world-for-testing.ts';

const codes = (findings: readonly Finding[]) =>
  [...new Set(findings.map(({ code, rule }) => `${rule} ${code}`))].sort();

/** Two devices that have written three records each and know of each other. */
async function pair(seed: string) {
  const world = new World(seed);
  const [a, b] = [await world.addDevice(), await world.addDevice()];
  const store = emptyStore();
  for (const device of [a, b]) {
    for (let i = 0; i < 3; i++) device.write(store);
    await device.publish(store);
  }
  for (const device of [a, b]) assert.deepEqual(await device.sync(store), []);
  return { world, a, b, store };
}

async function step(device: Device, store: Store): Promise<string> {
  const recordId = device.write(store);
  await device.publish(store);
  return recordId;
}

test('honest devices that write, rewrite and delete at once cause no alarm in 1,000 syncs', async () => {
  const world = new World('honest');
  const store = emptyStore();
  const devices = await Promise.all([0, 1, 2, 3].map(() => world.addDevice()));
  const pick = (n: number) => (world.random.bytes(2)[0] as number) % n;
  let syncs = 0;
  while (syncs < 1000) {
    const device = devices[pick(devices.length)] as Device;
    const ids = [...store.records.keys()];
    const some = ids[pick(Math.max(1, ids.length))];
    switch (pick(6)) {
      case 0:
        device.write(store);
        break;
      case 1:
        if (some !== undefined) device.write(store, some, `again ${syncs}`);
        break;
      case 2:
        if (some !== undefined && ids.length > 20) device.remove(some);
        break;
      case 3:
        await device.publish(store);
        break;
      case 4:
        await device.publish(store);
        device.finishRemovals(store);
        break;
      default:
        assert.deepEqual(await device.sync(store), [], `sync ${syncs}`);
        syncs += 1;
    }
  }
});

test('VA-100 a head of another form is refused', async () => {
  const { world, store } = await pair('form');
  const [content] = store.heads.values();
  assert.ok(content);
  const cases: Record<string, unknown> = {
    deviceId: 'x',
    index: -1,
    before: { count: -1, hash: '' },
    entries: [],
    covered: 'all',
    seen: { x: {} },
    atMs: null,
    signature: '00',
  };
  for (const [name, value] of Object.entries(cases)) {
    const fields = { ...content.fields, [name]: value } as typeof content.fields;
    await assert.rejects(
      verifySegment({ ...content, fields }, ACCOUNT, world.devices),
      { code: 'head-malformed' },
      name,
    );
  }
  const entry = (value: unknown) => ({ ...content.fields, entries: [value] }) as typeof content.fields;
  for (const value of [null, [], ['00', null, []], ['00'.repeat(16), 'x', []], ['00'.repeat(16), null, ['x']]]) {
    await assert.rejects(verifySegment({ ...content, fields: entry(value) }, ACCOUNT, world.devices), {
      rule: 'VA-100',
    });
  }
  const place = { ...content.fields, seen: { xx: { count: 1, hash: '00'.repeat(32) } } };
  await assert.rejects(verifySegment({ ...content, fields: place }, ACCOUNT, world.devices), { rule: 'VA-100' });
});

test('VA-101 the log of a device that was never added is refused', async () => {
  const { store } = await pair('stranger');
  const [content] = store.heads.values();
  assert.ok(content);
  await assert.rejects(verifySegment(content, ACCOUNT, new Map()), { code: 'head-device-unknown', rule: 'VA-101' });
});

test('VA-102 every field of a head is under its signature', async () => {
  const { world, store } = await pair('signature');
  const content = [...store.heads.values()][1];
  assert.ok(content);
  const { fields } = content;
  const before = fields.before as { count: number; hash: string };
  const changed = {
    index: 1,
    before: { ...before, count: 1 },
    'before.hash': { ...before, hash: '11'.repeat(32) },
    entries: (fields.entries as unknown[]).slice(1),
    covered: 99,
    seen: { [encodeHex(ACCOUNT)]: { count: 1, hash: '11'.repeat(32) } },
    atMs: 99,
    signature: '11'.repeat(64),
  };
  for (const [name, value] of Object.entries(changed)) {
    const field = name.split('.')[0] as string;
    const forged: UnknownContent = { ...content, fields: { ...fields, [field]: value } as UnknownContent['fields'] };
    await assert.rejects(verifySegment(forged, ACCOUNT, world.devices), { rule: 'VA-102' }, name);
  }
  await assert.rejects(verifySegment(content, new Uint8Array(16), world.devices), { rule: 'VA-102' });
});

test('VA-103 a segment left out of the middle is noticed', async () => {
  const { world, a, b, store } = await pair('middle');
  for (let i = 0; i < 2 * SEGMENT_LIMIT; i++) a.write(store);
  await a.publish(store);
  assert.deepEqual(await b.sync(store), []);
  store.heads.delete(`${a.id} 1`);
  const c = await world.addDevice();
  assert.deepEqual(codes((await c.sync(store)).slice(0, 1)), ['VA-103 history-withheld']);
});

test('VA-104 an older state than the one seen is noticed, also when everything is gone', async () => {
  const { a, b, store } = await pair('rollback');
  const old = snapshot(store);
  await step(a, store);
  assert.deepEqual(await b.sync(store), []);
  assert.ok(codes(await b.sync(old)).includes('VA-104 history-rolled-back'));
  assert.ok(codes(await b.sync(emptyStore())).includes('VA-104 history-rolled-back'));
});

test('VA-105 two histories of one device are noticed', async () => {
  const { a, b, store } = await pair('fork');
  const twin = snapshot(store);
  const copy = a.clone();
  await step(a, store);
  copy.write(twin, undefined, 'other');
  await copy.publish(twin);
  assert.deepEqual(await b.sync(store), []);
  assert.deepEqual(codes((await b.sync(twin)).filter(({ deviceId }) => deviceId === a.id)).slice(0, 1), [
    'VA-105 history-forked',
  ]);
  const mixed = snapshot(store);
  mixed.heads.set('beside', [...twin.heads.values()][0] as never);
  assert.ok(codes(await b.sync(mixed)).includes('VA-105 history-forked'));
});

test('VA-105 a device that was shown another history says so to the others', async () => {
  const { world, a, b, store } = await pair('fork-seen');
  const twin = snapshot(store);
  const copy = a.clone();
  await step(a, store);
  copy.write(twin, undefined, 'other');
  await copy.publish(twin);
  assert.deepEqual(await b.sync(twin), []);
  await step(b, twin);
  const shown = snapshot(store);
  shown.heads.set(`${b.id} 0`, twin.heads.get(`${b.id} 0`) as never);
  const c = await world.addDevice();
  assert.ok(codes(await c.sync(shown)).includes('VA-105 history-forked'));
});

test('VA-106 a log that another device has seen further is noticed by a device without a memory', async () => {
  const { world, a, b, store } = await pair('withheld');
  const old = snapshot(store);
  await step(a, store);
  assert.deepEqual(await b.sync(store), []);
  await step(b, store);
  const shown = snapshot(store);
  shown.heads.set(`${a.id} 0`, old.heads.get(`${a.id} 0`) as never);
  const c = await world.addDevice();
  assert.ok(codes(await c.sync(shown)).includes('VA-106 history-withheld'));
  shown.heads.delete(`${a.id} 0`);
  assert.ok(codes(await c.sync(shown)).includes('VA-106 history-withheld'));
});

test('VA-107 an older version of a record is noticed', async () => {
  const { a, b, store } = await pair('record-rollback');
  const recordId = await step(a, store);
  await a.sync(store);
  const old = store.records.get(recordId);
  a.write(store, recordId, 'new');
  await a.publish(store);
  assert.deepEqual(await b.sync(store), []);
  store.records.set(recordId, old as never);
  assert.deepEqual(codes(await b.sync(store)), ['VA-107 record-rolled-back']);
});

test('VA-108 a record that nobody deleted and is gone is noticed', async () => {
  const { a, b, store } = await pair('omission');
  const recordId = await step(a, store);
  assert.deepEqual(await b.sync(store), []);
  store.records.delete(recordId);
  const [found] = await b.sync(store);
  assert.deepEqual([found?.code, found?.rule, found?.recordId], ['record-missing', 'VA-108', recordId]);
});

test('VA-109 a record that its device never wrote is noticed, one that is under way is not', async () => {
  const { a, b, store } = await pair('unlisted');
  const [some] = store.records.values();
  assert.ok(some);
  const forged = { ...some, recordId: '11'.repeat(16), deviceId: a.id, deviceCounter: 1, digest: '22'.repeat(32) };
  store.records.set(forged.recordId, { ...forged, deviceCounter: 99 });
  assert.deepEqual(await b.sync(store), []);
  store.records.set(forged.recordId, forged);
  assert.deepEqual(codes(await b.sync(store)), ['VA-109 record-unlisted']);
});

test('VA-110 a deleted record that comes back is noticed', async () => {
  const { a, b, store } = await pair('resurrected');
  const recordId = await step(a, store);
  await a.sync(store);
  const kept = store.records.get(recordId);
  a.remove(recordId);
  await a.publish(store);
  assert.deepEqual(await b.sync(store), [], 'its removal is under way');
  a.finishRemovals(store);
  assert.deepEqual(await a.sync(store), []);
  store.records.set(recordId, kept as never);
  assert.deepEqual(codes(await a.sync(store)), ['VA-110 record-resurrected']);
});

test('VA-111 devices that were shown the same have one code, and others have another', async () => {
  const { a, b, store } = await pair('code');
  await a.sync(store);
  await b.sync(store);
  assert.match(compareCode(ACCOUNT, a.logs), /^\d{4} \d{4} \d{4}$/);
  assert.equal(compareCode(ACCOUNT, a.logs), compareCode(ACCOUNT, b.logs));
  await step(a, store);
  await a.sync(store);
  assert.notEqual(compareCode(ACCOUNT, a.logs), compareCode(ACCOUNT, b.logs));
});

test('a device that was silent for long is compared like any other', async () => {
  const { a, b, store } = await pair('silent');
  for (let day = 0; day < 400; day++) await step(a, store);
  assert.deepEqual(await b.sync(store), []);
  await step(b, store);
  assert.deepEqual(await a.sync(store), []);
});
