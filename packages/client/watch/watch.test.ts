/** The watch over the server, through whole histories: honest devices, crashes, and a server that lies (spec/client.md). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import type { DeviceStore } from '@sotto/ports';
import {
  createManualClock,
  createMemoryDeviceStore,
  createMemoryRecordStore,
  createSeededRandom,
  type MemoryRecordStore,
} from '@sotto/testkit';
import {
  createAccountKey,
  createDeviceKeys,
  type DeviceKeys,
  type OpenedRecord,
  type RecordContent,
} from '@sotto/vault';
import { announceDevice, OwnLog, writeDigest } from '@sotto/vault/heads';
import { type History, openHistory } from '../history.ts';
import { EMPTY_WATCH_STATE, type WatchMemory } from './state.ts';
import { createTurns } from './turns.ts';
import { Watch, watchOver } from './watch.ts';

const random = createSeededRandom('watch');

interface Person {
  readonly store: MemoryRecordStore;
  open(device: Device): Promise<History>;
}
interface Device {
  readonly keys: DeviceKeys;
  deviceStore: DeviceStore;
}

async function newDevice(): Promise<Device> {
  return { keys: await createDeviceKeys(random), deviceStore: createMemoryDeviceStore() };
}

function newPerson(): Person {
  const [accountId, accountKey, store, clock] = [
    random.bytes(16),
    createAccountKey(random),
    createMemoryRecordStore(),
    createManualClock(),
  ];
  return {
    store,
    async open({ keys, deviceStore }) {
      const takingTurns = createTurns();
      const watch = watchOver({ accountId, accountKey, device: keys, deviceStore, takingTurns, clock, random });
      const history = await openHistory({
        accountId,
        accountKey,
        deviceId: keys.deviceId,
        store,
        clock,
        random,
        watch,
      });
      await history.settled();
      return history;
    },
  };
}

async function say(history: History, text: string): Promise<{ chat: string; message: string }> {
  const chat = await history.createConversation(text);
  const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
  const message = await history.saveMessage({ ...turn, text });
  await history.settled();
  return { chat, message };
}

async function synced(history: History): Promise<string[]> {
  await history.refresh();
  await history.settled();
  return history.findings.map(({ rule, code }) => `${rule} ${code}`);
}

test('CL-201 what is written is listed, also across visits, and two devices agree without an alarm', async () => {
  const person = newPerson();
  const [phone, laptop] = [await newDevice(), await newDevice()];
  const first = await person.open(phone);
  await say(first, 'one');
  const second = await person.open(laptop);
  await say(second, 'two');
  assert.deepEqual(await synced(first), []);
  const again = await person.open(phone);
  await say(again, 'three');
  assert.deepEqual(await synced(second), []);
  assert.deepEqual(await synced(again), []);
  assert.equal(again.compareCode, second.compareCode);
  assert.match(again.compareCode ?? '', /^\d{4} \d{4} \d{4}$/);
  assert.deepEqual(
    again.devices().map(({ writes }) => writes > 2),
    [true, true],
  );
});

for (const [lie, expected] of [
  ['drop', 'VA-108 record-missing'],
  ['rollBack', 'VA-107 record-rolled-back'],
] as const) {
  test(`CL-203 a server that does ${lie} is noticed on every device, and after a reload`, async () => {
    const person = newPerson();
    const [phone, laptop] = [await newDevice(), await newDevice()];
    const first = await person.open(phone);
    const { chat, message } = await say(first, 'one');
    const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
    await first.saveMessage({ ...turn, messageId: message, text: 'one, again' });
    await first.settled();
    person.store.evil[lie](message);
    for (const device of [phone, laptop, phone]) {
      const history = await person.open(device);
      assert.deepEqual(
        history.findings.map(({ rule, code }) => `${rule} ${code}`),
        [expected],
      );
      assert.match(history.findings[0]?.message ?? '', /^[A-Z].*\.$/);
    }
  });
}

test('CL-206 a removal is told before it is done, and what comes back afterwards is noticed and not shown', async () => {
  const person = newPerson();
  const phone = await newDevice();
  const history = await person.open(phone);
  const { chat, message } = await say(history, 'one');
  await history.removeConversation(chat);
  assert.deepEqual(await synced(history), []);
  assert.ok(!person.store.recordIds().includes(message));
  person.store.evil.resurrect(message);
  assert.deepEqual(await synced(history), ['VA-110 record-resurrected']);
  assert.ok(!history.records().some(({ recordId }) => recordId === message));
  const laptop = await person.open(await newDevice());
  assert.deepEqual(laptop.thread(chat), []);
});

test('CL-202 a crash between the two leaves no alarm, and the next sync removes what is left', async () => {
  const person = newPerson();
  const history = await person.open(await newDevice());
  const { chat, message } = await say(history, 'one');
  const remove = person.store.remove;
  Object.assign(person.store, { remove: async () => Promise.reject(new Error('power cut')) });
  await assert.rejects(history.removeConversation(chat));
  Object.assign(person.store, { remove });
  const other = await person.open(await newDevice());
  assert.deepEqual(other.findings, []);
  assert.ok(!person.store.recordIds().includes(message));
});

test('CL-203 a whole older store is noticed by a device that has seen the newer one', async () => {
  const person = newPerson();
  const phone = await newDevice();
  const history = await person.open(phone);
  await say(history, 'one');
  const before = new Map(person.store.recordIds().map((id) => [id, person.store.envelopeOf(id)]));
  await say(history, 'two');
  for (const id of person.store.recordIds()) {
    const old = before.get(id);
    if (old === undefined) person.store.evil.drop(id);
    else person.store.evil.replace(id, old);
  }
  const codes = (await person.open(phone)).findings.map(({ code }) => code);
  assert.ok(codes.includes('history-rolled-back'), codes.join());
  assert.ok((await person.open(phone)).findings.length > 0, 'the next visit remembers');
  // A device without a memory sees a state that was once whole; it is told what it cannot know (VA, heads).
  const fresh = await person.open(await newDevice());
  assert.deepEqual(fresh.findings, []);
});

test('CL-204 a write whose end was not seen is never spoken for: lost or applied, no alarm on any device', async () => {
  for (const fault of ['lost', 'applied'] as const) {
    const person = newPerson();
    const [phone, laptop] = [await newDevice(), await newDevice()];
    const history = await person.open(phone);
    const { chat } = await say(history, 'one');
    const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
    person.store.failWrites(fault, 1);
    await assert.rejects(history.saveMessage({ ...turn, text: 'fails' }));
    person.store.heal();
    await history.saveMessage({ ...turn, text: 'works' });
    await history.settled();
    assert.deepEqual(await synced(history), [], fault);
    assert.deepEqual((await person.open(laptop)).findings, [], fault);
    assert.deepEqual(await synced(history), [], fault);
    assert.deepEqual((await person.open(phone)).findings, [], fault);
  }
});

test('CL-204 a crash between a write and its head is listed by the next visit', async () => {
  const person = newPerson();
  const phone = await newDevice();
  const history = await person.open(phone);
  const chat = await history.createConversation('one');
  const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
  const message = await history.saveMessage({ ...turn, text: 'one' });
  await person.open(phone);
  person.store.evil.drop(message);
  assert.deepEqual(
    (await person.open(await newDevice())).findings.map(({ rule }) => rule),
    ['VA-108'],
  );
});

test('CL-204 a device that lost its memory goes on with its own log', async () => {
  const person = newPerson();
  const phone = await newDevice();
  await say(await person.open(phone), 'one');
  phone.deviceStore = createMemoryDeviceStore();
  await say(await person.open(phone), 'two');
  assert.deepEqual((await person.open(await newDevice())).findings, []);
});

test('CL-203 what was found is found again at the next visit', async () => {
  const person = newPerson();
  const [phone, laptop] = [await newDevice(), await newDevice()];
  const [first, second] = [await person.open(phone), await person.open(laptop)];
  await say(first, 'one');
  const before = new Map(person.store.recordIds().map((id) => [id, person.store.envelopeOf(id)]));
  await say(first, 'two');
  assert.deepEqual(await synced(second), []);
  for (const id of person.store.recordIds()) {
    const old = before.get(id);
    if (old === undefined) person.store.evil.drop(id);
    else person.store.evil.replace(id, old);
  }
  for (let visit = 0; visit < 3; visit++) {
    assert.ok(
      (await person.open(laptop)).findings.some(({ rule }) => rule === 'VA-104'),
      `visit ${visit}`,
    );
  }
});

for (const lie of ['drop', 'rollBack'] as const) {
  test(`CL-205 only the person takes what the server shows as a new beginning (${lie}), and then for every device`, async () => {
    const person = newPerson();
    const [phone, laptop] = [await newDevice(), await newDevice()];
    const history = await person.open(phone);
    const { chat, message } = await say(history, 'one');
    const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
    await history.saveMessage({ ...turn, messageId: message, text: 'again' });
    await history.settled();
    await person.open(laptop);
    person.store.evil[lie](message);
    const after = await person.open(phone);
    assert.equal(after.findings.length, 1);
    assert.equal((await person.open(phone)).findings.length, 1, 'a reload changes nothing');
    await after.acceptAsItIs();
    assert.deepEqual(after.findings, []);
    for (const device of [phone, laptop, await newDevice()]) assert.deepEqual((await person.open(device)).findings, []);
  });
}

test('CL-205 a device goes on after the server lost everything', async () => {
  const person = newPerson();
  const phone = await newDevice();
  await say(await person.open(phone), 'one');
  for (const id of person.store.recordIds()) person.store.evil.drop(id);
  const after = await person.open(phone);
  assert.ok(after.findings.length > 0);
  await after.acceptAsItIs();
  await say(after, 'two');
  assert.deepEqual((await person.open(phone)).findings, []);
  assert.deepEqual((await person.open(await newDevice())).findings, []);
});

test('CL-207 two tabs of one device share one log', async () => {
  const person = newPerson();
  const phone = await newDevice();
  const [one, two] = [await person.open(phone), await person.open(phone)];
  for (const [history, text] of [
    [one, 'a'],
    [two, 'b'],
    [one, 'c'],
    [two, 'd'],
  ] as const)
    await say(history, text);
  assert.deepEqual(await synced(one), []);
  assert.deepEqual(await synced(two), []);
  assert.deepEqual((await person.open(await newDevice())).findings, []);
});

test('VA-101 a head of a device that is announced no longer is refused, also where it was checked before', async () => {
  const [keys, other, accountId] = [await createDeviceKeys(random), await createDeviceKeys(random), random.bytes(16)];
  let state = EMPTY_WATCH_STATE;
  const memory: WatchMemory = {
    change: async (work) => {
      const [changed, result] = await work(state, async () => undefined);
      state = changed;
      return result;
    },
  };
  const publish = async () => undefined;
  const watch = new Watch({ accountId, device: keys, memory, publish, clock: createManualClock(), random });
  const record = (content: RecordContent, deviceCounter: number) => ({
    ...{ recordId: encodeHex(random.bytes(16)), deviceId: encodeHex(other.deviceId), deviceCounter, epoch: 1, content },
  });
  const announcement = record(announceDevice(other, 1, 1), 1);
  const { recordId } = announcement;
  const digest = encodeHex(writeDigest(announcement));
  const details = { seen: new Map(), covered: 1, atMs: 1, clock: 1 };
  const [line] = await new OwnLog(other, accountId).append([{ recordId, digest, replaces: [] }], details);
  const head = record(line?.content as RecordContent, 2);
  const records = new Map([[recordId, { ...announcement, digest }]]);
  const rules = async (announcements: OpenedRecord[], heads = [head]) => {
    await watch.compare({ records, heads, announcements, epochs: [] }, new Set());
    return watch.findings.map(({ rule, code }) => `${rule} ${code}`);
  };
  assert.deepEqual(await rules([announcement]), []);
  assert.deepEqual((await rules([]))[0], 'VA-101 history-forked');
  assert.deepEqual(await rules([announcement], [structuredClone(head)]), []);
  assert.deepEqual((await rules([], [structuredClone(head)]))[0], 'VA-101 history-forked');
});
