/** An account's history on its device: there without a network, the same after a reload, never lost, never believed when changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemorySealedStore, createSeededRandom, type MemorySealedStore } from '@sotto/testkit';
import { SaveError } from '../errors.ts';
import { newPerson, say, textsOf } from './world-for-testing.ts';

const codes = (history: { readonly findings: readonly { readonly rule: string; readonly code: string }[] }) =>
  history.findings.map(({ rule, code }) => `${rule} ${code}`);

test('what was written is there after a reload, without a network, and reaches another device', async () => {
  const person = newPerson('reload');
  const [phone, laptop] = [await person.newDevice(), await person.newDevice()];
  person.server.online = false;
  const first = await person.open(phone);
  const { chat } = await say(first.history, 'hello');
  await first.history.rename(chat, 'renamed');
  const again = await person.open(phone);
  assert.deepEqual(
    again.history.conversations().map(({ title, messageCount }) => [title, messageCount]),
    [['renamed', 1]],
  );
  assert.deepEqual(again.history.thread(chat), [], 'opened on demand');
  assert.deepEqual(await textsOf(again.history, chat), ['hello']);
  person.server.online = true;
  await again.history.settled();
  const other = await person.open(laptop);
  await other.history.refresh();
  assert.deepEqual(await textsOf(other.history, chat), ['hello']);
  assert.deepEqual([codes(again.history), codes(other.history)], [[], []]);
  await say(other.history, 'from the laptop');
  await other.history.settled();
  await again.history.refresh();
  assert.equal(again.history.conversations().length, 2);
  assert.equal(again.history.compareCode, other.history.compareCode);
  assert.deepEqual(codes(again.history), []);
});

const turnOf = (conversationId: string) =>
  ({ conversationId, role: 'user', status: 'complete', parentId: undefined }) as const;
const area = (names: readonly string[], part: string) => names.filter((name) => name.includes(`/${part}`));

test('CL-232 whatever is changed, cut or gone of what the device keeps, the account opens and has everything again', async () => {
  const person = newPerson('damage');
  const phone = await person.newDevice();
  const first = await person.open(phone);
  const { chat } = await say(first.history, 'one');
  await say(first.history, 'two');
  await first.history.settled();
  const whole = phone.sealed.names();
  assert.ok(area(whole, 'pack/').length >= 3 && area(whole, 'list/').length >= 2 && area(whole, 'marks/').length >= 1);
  for (const name of whole) {
    const [value] = await phone.sealed.get([name]);
    const flipped = value?.slice() ?? new Uint8Array(0);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    for (const damage of [undefined, new Uint8Array(0), value?.slice(0, -1), flipped]) {
      const broken = { ...phone, sealed: await copyOf(phone.sealed) };
      broken.sealed.damage(name, damage);
      const { history } = await person.open(broken);
      await textsOf(history, chat);
      await history.settled();
      await history.settled();
      assert.deepEqual(await textsOf(history, chat), ['one'], name);
      assert.deepEqual(
        history
          .conversations()
          .map(({ title }) => title)
          .sort(),
        ['one', 'two'],
        name,
      );
      assert.deepEqual(codes(history), [], name);
      const again = await person.open(broken);
      assert.deepEqual(await textsOf(again.history, chat), ['one'], name);
    }
  }
});

test('CL-233 an older list, pack or marks put back are told, and fetched again', async () => {
  const person = newPerson('older');
  const phone = await person.newDevice();
  const first = await person.open(phone);
  const { chat, message } = await say(first.history, 'one');
  await first.history.settled();
  const before = await copyOf(phone.sealed);
  await first.history.saveMessage({ ...turnOf(chat), messageId: message, text: 'one, again' });
  await first.history.settled();
  for (const part of ['pack/', 'list/0', 'marks/']) {
    const names = area(before.names(), part);
    assert.ok(names.length > 0);
    const broken = { ...phone, sealed: await copyOf(phone.sealed) };
    for (const name of names) broken.sealed.damage(name, (await before.get([name]))[0]);
    const { history } = await person.open(broken);
    await textsOf(history, chat);
    await history.settled();
    await history.settled();
    assert.deepEqual(await textsOf(history, chat), ['one, again'], part);
    assert.deepEqual(codes(history), [], part);
  }
});

test('CL-234 of many chats that were looked at, a few stay in memory', async () => {
  const person = newPerson('bounded');
  const { history } = await person.open(await person.newDevice());
  const chats: string[] = [];
  for (let count = 0; count < 20; count++) chats.push((await say(history, `chat ${count}`)).chat);
  for (const [count, chat] of chats.entries()) assert.deepEqual(await textsOf(history, chat), [`chat ${count}`]);
  const loaded = chats.filter((chat) => history.isLoaded(chat));
  assert.ok(loaded.length >= 2 && loaded.length <= 8 && loaded.includes(chats.at(-1) as string));
  assert.equal(history.records().filter(({ content }) => content.type === 'message').length, loaded.length);
  assert.deepEqual(history.thread(chats[0] as string), []);
});

test('CL-235 two tabs write over the same store at once, and neither loses a word of the other', async () => {
  const person = newPerson('tabs');
  const phone = await person.newDevice();
  const [one, two] = [await person.open(phone), await person.open(phone)];
  const chat = await one.history.createConversation('shared');
  await two.history.refresh();
  await two.history.load(chat);
  const texts = Array.from({ length: 12 }, (_, count) => `message ${count}`);
  await Promise.all(
    texts.map((text, count) => (count % 2 === 0 ? one : two).history.saveMessage({ ...turnOf(chat), text })),
  );
  await Promise.all([one.history.setRegisters(chat, { a: 1 }), two.history.setRegisters(chat, { b: 2 })]);
  const messagesOf = (history: (typeof one)['history']) =>
    history.records().flatMap(({ content }) => (content.type === 'message' ? [content.text] : []));
  const { history } = await person.open(phone);
  await history.load(chat);
  assert.deepEqual(messagesOf(history).sort(), [...texts].sort());
  assert.deepEqual(Object.keys(history.conversations()[0]?.registers ?? {}).sort(), ['a', 'b', 'title']);
  for (const tab of [one, two]) {
    await tab.history.settled();
    assert.deepEqual(messagesOf(tab.history).sort(), [...texts].sort());
    assert.deepEqual(codes(tab.history), []);
  }
  person.server.online = false;
  await one.history.rename(chat, 'offline, in one tab');
  await two.history.refresh();
  assert.equal(two.history.conversations()[0]?.title, 'offline, in one tab');
  person.server.online = true;
  await one.history.settled();
  const laptop = await person.open(await person.newDevice());
  await laptop.history.settled();
  await laptop.history.load(chat);
  assert.deepEqual(messagesOf(laptop.history).sort(), [...texts].sort());
  assert.deepEqual(codes(laptop.history), []);
});

test('CL-236 without the server everything that is here is read, written and found again', async () => {
  const person = newPerson('offline');
  const phone = await person.newDevice();
  person.server.online = false;
  const { history, keeper } = await person.open(phone);
  const { chat, message } = await say(history, 'offline');
  await history.refresh();
  await history.settled();
  assert.deepEqual([keeper.engine.state.online, keeper.engine.state.problem], [false, 'offline']);
  assert.ok(keeper.engine.state.pendingCount >= 2);
  await history.saveMessage({ ...turnOf(chat), messageId: message, text: 'still offline' });
  const removed = (await say(history, 'removed')).chat;
  await history.removeConversation(removed);
  const again = await person.open(phone);
  assert.deepEqual(await textsOf(again.history, chat), ['still offline']);
  assert.equal(again.history.conversationState(removed), 'removed');
  person.server.online = true;
  await again.history.settled();
  assert.equal(again.keeper.engine.state.pendingCount, 0);
  const { history: read } = await person.open(await person.newDevice());
  await read.settled();
  assert.deepEqual(await textsOf(read, chat), ['still offline']);
  assert.equal(read.conversations().length, 1);
  assert.deepEqual(codes(read), []);
  person.server.page = () => Promise.reject(new TypeError('a bug is no bad connection'));
  await assert.rejects(again.history.refresh(), TypeError);
});

test('CL-239 what is closed is no longer in memory', async () => {
  const person = newPerson('close');
  const phone = await person.newDevice();
  const { history } = await person.open(phone);
  const { chat } = await say(history, 'secret');
  await history.load(chat);
  history.close();
  assert.deepEqual([history.records(), history.conversations(), history.thread(chat)], [[], [], []]);
  assert.equal(history.hasRecord(chat), false);
  assert.deepEqual(await textsOf((await person.open(phone)).history, chat), ['secret']);
});

test('CL-240 a write that fails is told, stays in memory and is saved again as one message; one that was applied is no second one', async () => {
  for (const fault of ['lost', 'applied', 'full'] as const) {
    const person = newPerson(`fault ${fault}`);
    const phone = await person.newDevice();
    const { history } = await person.open(phone);
    const { chat } = await say(history, 'first');
    await history.settled();
    phone.sealed.failWrites(fault);
    const failed = await history.saveMessage({ ...turnOf(chat), text: 'second' }).catch((error: unknown) => error);
    assert.ok(failed instanceof SaveError, fault);
    assert.equal(failed.code, fault === 'full' ? 'store-full' : 'store-unavailable');
    const inMemory = history.records().filter(({ recordId }) => recordId === failed.messageId);
    assert.deepEqual(
      inMemory.map(({ content }) => content.type === 'message' && content.text),
      ['second'],
    );
    assert.equal(history.hasRecord(failed.messageId), true);
    await history.saveMessage({ ...turnOf(chat), text: 'second', messageId: failed.messageId });
    await history.settled();
    for (const device of [phone, await person.newDevice()]) {
      const { history: read } = await person.open(device);
      await read.settled();
      await read.load(chat);
      const texts = read.records().flatMap(({ content }) => (content.type === 'message' ? [content.text] : []));
      assert.deepEqual(texts.sort(), ['first', 'second'], fault);
      assert.deepEqual(codes(read), [], fault);
    }
  }
});

test('CL-240 a new chat that could not be saved is in the list, and the next try makes no second one', async () => {
  const person = newPerson('unsaved chat');
  const phone = await person.newDevice();
  const { history } = await person.open(phone);
  phone.sealed.failWrites('lost');
  await assert.rejects(history.createConversation('kept in memory'));
  const [chat] = history.conversations();
  assert.equal(chat?.title, 'kept in memory');
  await history.rename(chat?.conversationId ?? '', 'kept');
  assert.deepEqual(
    (await person.open(phone)).history.conversations().map(({ title }) => title),
    ['kept'],
  );
});

test('CL-240 power cuts in any write: what was acknowledged is there, on this device and, once sent, on another', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const person = newPerson(`power ${seed}`);
    let phone = await person.newDevice();
    const chance = createSeededRandom(`chance ${seed}`);
    const acknowledged: string[] = [];
    let chat: string | undefined;
    for (let visit = 0; visit < 6; visit++) {
      phone = { ...phone, sealed: phone.sealed.reopen() };
      phone.sealed.failAtRandom(chance, 6, ['lost', 'applied', 'power-cut', 'power-cut-after']);
      try {
        const { history } = await person.open(phone);
        chat ??= await history.createConversation('chat');
        for (let count = 0; count < 4; count++) {
          const text = `${visit} ${count}`;
          await history.saveMessage({ ...turnOf(chat), text }).then(
            () => acknowledged.push(text),
            () => undefined,
          );
        }
        await history.settled().catch(() => undefined);
      } catch {
        // The visit ended here.
      }
    }
    phone = { ...phone, sealed: phone.sealed.reopen() };
    const { history } = await person.open(phone);
    await history.settled();
    const { history: other } = await person.open(await person.newDevice());
    await other.settled();
    for (const read of [history, other]) {
      if (chat !== undefined) await read.load(chat);
      const texts = new Set(
        read.records().flatMap(({ content }) => (content.type === 'message' ? [content.text] : [])),
      );
      assert.deepEqual(
        acknowledged.filter((text) => !texts.has(text)),
        [],
        `seed ${seed}`,
      );
      assert.deepEqual(codes(read), [], `seed ${seed}`);
    }
  }
});

test('CL-241 a device that is full says so, shows what it has, and goes on when there is room', async () => {
  const person = newPerson('full');
  const writer = await person.open(await person.newDevice());
  for (let count = 0; count < 5; count++) await say(writer.history, `chat ${count}`);
  await writer.history.settled();
  const phone = { ...(await person.newDevice()), sealed: createMemorySealedStore({ capacityBytes: 1200 }) };
  const { history, keeper } = await person.open(phone);
  await history.settled().catch(() => undefined);
  assert.equal(keeper.engine.state.problem, 'device-full');
  await assert.rejects(history.createConversation('no room'), { code: 'store-full' });
  assert.equal(history.conversations()[0]?.title, 'no room');
  const roomy = { ...phone, sealed: await copyOf(phone.sealed) };
  const again = await person.open(roomy);
  await again.history.settled();
  assert.equal(again.history.conversations().length, 5);
  assert.deepEqual(codes(again.history), []);
});

test('CL-242 the store holds no word of the person, and names of random ids and numbers alone', async () => {
  const person = newPerson('sealed');
  const phone = await person.newDevice();
  const { history } = await person.open(phone);
  const { chat } = await say(history, 'swifts sleep in flight');
  await history.setRegisters(chat, { 'tag:ornithology': true });
  await history.settled();
  for (const { name, value } of await phone.sealed.list('')) {
    assert.match(name, /^acct\/[0-9a-f]{32}\/[a-z]+(\/([0-9a-f-]+|others|heads|keys|meta|odd))*$/);
    const text = new TextDecoder().decode(value);
    for (const word of ['swifts', 'ornithology', 'title', 'message']) assert.ok(!text.includes(word), name);
  }
});

test('CL-243 in the middle of a sync nothing is compared: heads may be here that list what is not', async () => {
  const person = newPerson('arriving');
  const writer = await person.open(await person.newDevice());
  for (let count = 0; count < 4; count++) await say(writer.history, `chat ${count}`);
  await writer.history.settled();
  const phone = await person.newDevice();
  await (await person.open(phone)).history.settled();
  await say(writer.history, 'while it was away');
  await writer.history.settled();
  const { keeper, history } = await person.open(phone);
  const rows = [...person.server.rows.values()].toSorted((a, b) => a.sequence - b.sequence);
  // A page that holds the newest head alone, and a visit that ended there.
  const { changes, stored } = await keeper.engine.inTurn(() => keeper.apply(rows.slice(-1)));
  await phone.sealed.write(changes);
  stored?.();
  await keeper.compared();
  assert.deepEqual(codes(history), []);
  const again = await person.open(phone);
  await again.keeper.compared();
  assert.deepEqual(codes(again.history), []);
  await again.history.settled();
  assert.deepEqual(codes(again.history), []);
  assert.equal(again.history.conversations().length, 5);
  assert.notEqual(again.history.compareCode, undefined);
});

test('CL-18 what this device has read stays when the server shows an older version, across visits; that it does is seen', async () => {
  const person = newPerson('older version');
  const phone = await person.newDevice();
  const { history } = await person.open(phone);
  const { chat, message } = await say(history, 'one');
  await history.settled();
  await history.saveMessage({ ...turnOf(chat), messageId: message, text: 'two' });
  await history.settled();
  person.server.evil.rollBack(message);
  for (const device of [phone, phone]) {
    const again = await person.open(device);
    await again.history.settled();
    assert.deepEqual(await textsOf(again.history, chat), ['two']);
    assert.deepEqual(codes(again.history), ['VA-107 record-rolled-back']);
  }
});

async function copyOf(store: MemorySealedStore): Promise<MemorySealedStore> {
  const copy = createMemorySealedStore();
  await copy.write(await store.list(''));
  return copy;
}

test('CL-240 a store that refused once while the marks were read is asked again: the visit goes on writing', async () => {
  const person = newPerson('refused once');
  const device = await person.newDevice();
  const first = await person.open(device);
  await say(first.history, 'before');
  first.history.close();
  const { history } = await person.open(device);
  device.sealed.failReads(true);
  await assert.rejects(say(history, 'while it refuses'), { code: 'store-unavailable' });
  device.sealed.heal();
  const { chat } = await say(history, 'after');
  assert.deepEqual(await textsOf(history, chat), ['after']);
  history.close();
  const again = await person.open(device);
  assert.deepEqual(await textsOf(again.history, chat), ['after']);
});
