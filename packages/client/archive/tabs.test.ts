/** Two tabs over one store, one of which writes, removes or fetches anew while the other reads: what is in view stays in view. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeHex } from '@sotto/bytes';
import { newPerson, say, settle, type TestDevice, type TestPerson, textsOf } from './world-for-testing.ts';

/** Another tab's turn, that goes on until it is ended. */
function holdTurn({ accountId }: TestPerson, { takingTurns }: TestDevice): () => void {
  const turn = Promise.withResolvers<void>();
  void takingTurns(`sync/${encodeHex(accountId)}`, () => turn.promise);
  return turn.resolve;
}

/** A tab of its own, and when it next asks for a turn. */
function newTab(device: TestDevice): { readonly tab: TestDevice; readonly asks: () => Promise<void> } {
  let asked = Promise.withResolvers<void>();
  const takingTurns: TestDevice['takingTurns'] = (name, work) => {
    if (name.startsWith('sync/')) asked.resolve();
    return device.takingTurns(name, work);
  };
  const asks = () => {
    asked = Promise.withResolvers();
    return asked.promise;
  };
  return { tab: { ...device, takingTurns }, asks };
}

test('CL-268 two tabs that begin at once: the one that comes second does not erase what the first has written', async () => {
  const person = newPerson('begin twice');
  const phone = await person.newDevice();
  person.server.online = false;
  const [first, second] = [newTab(phone), newTab(phone)];
  const one = await person.open(first.tab);
  const endTurn = holdTurn(person, phone);
  const isWriting = first.asks();
  const writing = one.history.createConversation('written while the other tab begins');
  await isWriting;
  const isBeginning = second.asks();
  const opening = person.open(second.tab);
  await isBeginning;
  endTurn();
  const two = await opening;
  await writing;
  for (const { history } of [one, two, await person.open(phone)]) {
    await history.refresh();
    assert.deepEqual(
      history.conversations().map(({ title }) => title),
      ['written while the other tab begins'],
    );
  }
});

test('CL-269 a chat that is opened while another tab writes, before the marks are read, does not come up empty', async () => {
  const person = newPerson('opened between');
  const phone = await person.newDevice();
  const one = await person.open(phone);
  const { chat } = await say(one.history, 'before');
  const two = await person.open(phone);
  await say(one.history, 'meanwhile');
  const endTurn = holdTurn(person, phone);
  const refreshing = two.history.refresh();
  await settle();
  assert.deepEqual([two.history.conversations().length, two.history.isLoaded(chat)], [1, false]);
  const reading = textsOf(two.history, chat);
  await settle();
  endTurn();
  assert.deepEqual(await reading, ['before']);
  await refreshing;
  assert.deepEqual([two.history.conversations().length, two.history.thread(chat).length], [2, 1]);
});

for (const isErasedSeen of [true, false]) {
  test(`CL-269 what another tab fetches anew, page by page, closes and shortens no open chat (${isErasedSeen ? 'seen' : 'not seen'} while nothing is kept)`, async () => {
    const person = newPerson(`fetched anew ${isErasedSeen}`);
    const phone = await person.newDevice();
    const two = await person.open(phone);
    const kept = await say(two.history, 'kept');
    const gone = await say(two.history, 'gone');
    await two.history.settled();
    const laptop = await person.open(await person.newDevice());
    await laptop.history.refresh();
    await laptop.history.removeConversation(gone.chat);
    await laptop.history.settled();
    const seen: number[][] = [];
    const look = ({ history }: typeof two) => {
      const threads = [kept, gone].map(({ chat }) => history.thread(chat).length);
      seen.push([history.conversations().length, ...threads]);
    };
    two.history.subscribe(() => look(two));

    for (const name of phone.sealed.names()) {
      if (/\/(list|pack|marks)\//.test(name)) phone.sealed.damage(name, undefined);
    }
    person.server.online = false;
    if (isErasedSeen) await two.history.refresh();
    const one = await person.open(phone);
    // A visit of the other tab that ended after the first page.
    const rows = [...person.server.rows.values()].toSorted((a, b) => a.sequence - b.sequence);
    const { changes, stored } = await one.keeper.engine.inTurn(() => one.keeper.apply(rows.slice(0, 1)));
    await phone.sealed.write(changes);
    stored?.();
    await two.history.refresh();
    look(two);
    assert.deepEqual([...new Set(seen.map(String))], ['2,1,1']);

    person.server.online = true;
    await two.history.settled();
    assert.deepEqual(seen.at(-1), [1, 1, 0], 'what was removed meanwhile goes once everything is here');
    assert.deepEqual([two.history.findings, one.history.findings], [[], []]);
    const again = await person.open(phone);
    assert.deepEqual(await textsOf(again.history, kept.chat), ['kept']);
  });
}

test('CL-235 a page that arrives before marks that wait for the turn does not wait for them: both go on', async () => {
  const person = newPerson('page before marks');
  const phone = await person.newDevice();
  const one = await person.open(phone);
  await say(one.history, 'before');
  await one.history.settled();
  const two = await person.open(phone);
  // The marks that belong to the list of the second tab are gone by now, so it needs a turn to read them.
  const { chat } = await say(one.history, 'meanwhile');
  await one.history.settled();
  const turn = Promise.withResolvers<void>();
  const held = one.keeper.engine.inTurn(() => turn.promise);
  const pulled = two.keeper.engine.pull();
  await settle();
  const compared = two.keeper.compared();
  await settle();
  turn.resolve();
  const both = Promise.all([held, pulled, compared]).then(() => true);
  assert.equal(await Promise.race([both, delay(5000, false, { ref: false })]), true);
  assert.deepEqual(await textsOf(two.history, chat), ['meanwhile']);
  assert.equal(two.history.conversations().length, 2);
});
