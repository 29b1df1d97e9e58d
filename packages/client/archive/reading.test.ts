/** Chats that are read behind while they are opened, written and brought by the server: nothing of them is lost from view or store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SealedStore } from '@sotto/ports';
import { createSeededRandom, type MemorySealedStore } from '@sotto/testkit';
import type { History } from '../history.ts';
import { newPerson, say } from './world-for-testing.ts';

/** A store that answers after a while, each time another one. */
function slow(sealed: MemorySealedStore, seed: string): MemorySealedStore {
  const random = createSeededRandom(seed);
  const wait = async () => {
    for (let left = (random.bytes(1)[0] ?? 0) % 24; left > 0; left--) await undefined;
  };
  const after =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args) => {
      await wait();
      const result = await work(...args);
      await wait();
      return result;
    };
  const { get, list, write } = sealed satisfies SealedStore;
  return { ...sealed, get: after(get), list: after(list), write: after(write) };
}

const LONG = 12;

/** A chat of many messages, after each other. */
async function longChat(history: History): Promise<string> {
  const { chat, message } = await say(history, 'long');
  let parentId = message;
  for (let count = 1; count < LONG; count++) {
    const turn = { conversationId: chat, role: 'user', status: 'complete', parentId } as const;
    parentId = await history.saveMessage({ ...turn, text: `message ${count}` });
  }
  return chat;
}

test('CL-234 a chat that is read twice at once is whole both times', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const person = newPerson(`twice ${seed}`);
    const phone = await person.newDevice();
    const first = await person.open(phone);
    const chat = await longChat(first.history);
    first.history.close();
    const { history } = await person.open({ ...phone, sealed: slow(phone.sealed, `${seed}`) });
    const counts = await Promise.all(
      [0, 1, 2].map(async () => (await history.wholeConversation(chat))?.records.length),
    );
    assert.deepEqual(counts, [LONG + 1, LONG + 1, LONG + 1], `seed ${seed}`);
    history.close();
  }
});

test('CL-235 a chat that is opened and read while it is written loses nothing, in view or store', async () => {
  for (let seed = 0; seed < 18; seed++) {
    const person = newPerson(`written ${seed}`);
    const phone = await person.newDevice();
    const first = await person.open(phone);
    const chat = await longChat(first.history);
    await first.history.settled();
    first.history.close();
    const laptop = await person.open(await person.newDevice());
    await laptop.history.refresh();
    await laptop.history.rename(chat, 'from the laptop');
    await laptop.history.settled();
    const { history } = await person.open({ ...phone, sealed: slow(phone.sealed, `${seed}`) });
    await Promise.all([
      history.wholeConversation(chat),
      seed % 3 === 0 ? history.setRegisters(chat, { pin: `${seed}` }) : undefined,
      seed % 3 === 1 ? history.refresh() : undefined,
      history.wholeConversation(chat),
      seed % 2 === 0 ? history.load(chat) : undefined,
    ]);
    await history.load(chat);
    assert.equal(history.thread(chat).length, LONG, `in view, seed ${seed}`);
    history.close();
    const again = await person.open(phone);
    await again.history.load(chat);
    assert.equal(again.history.thread(chat).length, LONG, `in the store, seed ${seed}`);
    assert.deepEqual(again.history.findings, []);
    again.history.close();
    laptop.history.close();
  }
});

test('CL-239 what is under way when the account is locked does not replace what is kept', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const person = newPerson(`locked ${seed}`);
    const phone = await person.newDevice();
    const first = await person.open(phone);
    const chat = await longChat(first.history);
    const other = await say(first.history, 'other');
    await first.history.settled();
    first.history.close();
    const { history, keeper } = await person.open({ ...phone, sealed: slow(phone.sealed, `${seed}`) });
    await keeper.compared();
    const saving = history.rename(other.chat, 'renamed').catch(() => undefined);
    for (let left = seed * 20; left > 0; left--) await undefined;
    history.close();
    await saving;
    person.server.online = false;
    const again = await person.open(phone);
    assert.equal(again.history.conversations().length, 2, `seed ${seed}`);
    await again.history.load(chat);
    assert.equal(again.history.thread(chat).length, LONG, `seed ${seed}`);
    again.history.close();
  }
});

test('CL-235 what another tab writes between the list and the marks is no damage: no chat leaves the list', async () => {
  const person = newPerson('between');
  const phone = await person.newDevice();
  const one = await person.open(phone);
  await say(one.history, 'before');
  const two = await person.open(phone);
  await say(one.history, 'meanwhile');
  const counts: number[] = [];
  two.history.subscribe(() => counts.push(two.history.conversations().length));
  await two.history.refresh();
  await two.history.settled();
  assert.equal(two.history.conversations().length, 2);
  assert.ok(counts.length > 0 && counts.every((count) => count >= 1), `${counts}`);
  one.history.close();
  two.history.close();
});
