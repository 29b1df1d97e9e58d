import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordStore } from '@sotto/ports';
import { createManualClock, createSeededRandom } from '@sotto/testkit';
import { type AccountKey, createAccountKey } from '@sotto/vault';
import type { SaveError } from './errors.ts';
import { type History, openHistory } from './history.ts';
import { encodeTicket, parseTicket } from './recovery-ticket.ts';

interface Row {
  sequence: number;
  envelope: Uint8Array<ArrayBuffer> | undefined;
}

/** A store in memory whose rows a test can spoil. */
function createRows(): { rows: Map<string, Row>; store: RecordStore; failPut: 'no' | 'lost' | 'applied' } {
  let sequence = 0;
  const rows = new Map<string, Row>();
  const self = {
    rows,
    failPut: 'no' as 'no' | 'lost' | 'applied',
    store: {
      list: async (after: number) => ({
        records: [...rows].filter(([, row]) => row.sequence > after).map(([recordId, row]) => ({ recordId, ...row })),
        nextSequence: sequence,
        more: false,
      }),
      put: async (recordId: string, envelope: Uint8Array<ArrayBuffer>) => {
        if (self.failPut !== 'lost') rows.set(recordId, { sequence: ++sequence, envelope });
        if (self.failPut !== 'no') throw new TypeError('connection reset');
        return { sequence };
      },
      remove: async (recordId: string) => {
        rows.set(recordId, { sequence: ++sequence, envelope: undefined });
        return { sequence };
      },
    } satisfies RecordStore,
  };
  return self;
}

const random = createSeededRandom('history');
const clock = createManualClock();
const accountId = random.bytes(16);
const accountKey: AccountKey = createAccountKey(random);
const open = (store: RecordStore, deviceId = new Uint8Array(16).fill(1), key = accountKey): Promise<History> =>
  openHistory({ accountId, accountKey: key, deviceId, store, clock, random });

async function talk(history: History, title: string): Promise<{ chat: string; question: string; answer: string }> {
  const chat = await history.createConversation(title);
  const turn = { conversationId: chat, status: 'complete' as const };
  const question = await history.saveMessage({ ...turn, parentId: undefined, role: 'user', text: `${title}?` });
  const answer = await history.saveMessage({
    ...turn,
    parentId: question,
    role: 'assistant',
    text: `${title}!`,
    model: 'm',
  });
  return { chat, question, answer };
}

test('a history is found again on another device, in order, with titles, branches and edits', async () => {
  const { store } = createRows();
  const first = await open(store);
  const { chat, question } = await talk(first, 'Lease');
  await clock.advance(1000);
  const other = { conversationId: chat, parentId: question, role: 'assistant' as const, status: 'complete' as const };
  const regenerated = await first.saveMessage({ ...other, text: 'another answer' });
  await first.rename(chat, 'My lease');

  const second = await open(store, new Uint8Array(16).fill(2));
  assert.equal(second.conversations()[0]?.title, 'My lease');
  const thread = second.thread(chat);
  assert.deepEqual(
    thread.map((message) => message.text),
    ['Lease?', 'another answer'],
  );
  assert.equal(thread[1]?.siblings.length, 2);
  assert.equal(second.thread(chat, thread[1]?.siblings[0])[1]?.text, 'Lease!');
  assert.equal(thread[1]?.messageId, regenerated);
  assert.equal(second.damagedCount, 0);
});

test('CL-14 a record that does not open is counted with its code and the others stay readable', async () => {
  const { store, rows } = createRows();
  const { chat, answer } = await talk(await open(store), 'Lease');
  const row = rows.get(answer) as Row;
  const spoiled = new Uint8Array(row.envelope as Uint8Array);
  spoiled[200] = (spoiled[200] as number) ^ 1;
  rows.set(answer, { ...row, envelope: spoiled });

  const history = await open(store);
  assert.deepEqual(
    history.thread(chat).map((message) => message.text),
    ['Lease?'],
  );
  assert.deepEqual([...history.damaged], [[answer, { code: 'record-open-failed', rule: 'VA-10' }]]);
});

test('CL-16 records that the store swaps between chats do not open under the wrong id', async () => {
  const { store, rows } = createRows();
  const history = await open(store);
  const [a, b] = [await talk(history, 'Blood test'), await talk(history, 'Bakery')];
  const [rowA, rowB] = [rows.get(a.answer) as Row, rows.get(b.answer) as Row];
  rows.set(a.answer, { ...rowA, envelope: rowB.envelope });
  rows.set(b.answer, { ...rowB, envelope: rowA.envelope });

  const reader = await open(store);
  assert.deepEqual(
    reader.thread(a.chat).map((message) => message.text),
    ['Blood test?'],
  );
  assert.deepEqual([...new Set([...reader.damaged.values()].map((damage) => damage.code))], ['record-id-mismatch']);
  assert.equal(reader.damagedCount, 2);
});

test('CL-16 another account’s key opens nothing', async () => {
  const { store } = createRows();
  await talk(await open(store), 'Lease');
  const stranger = await open(store, undefined, createAccountKey(random));
  assert.deepEqual(stranger.conversations(), []);
  assert.equal(stranger.damagedCount, 3);
});

test('CL-15 a failed save keeps the text, says so, and a second try makes no second message', async () => {
  for (const fault of ['lost', 'applied'] as const) {
    const rows = createRows();
    const history = await open(rows.store);
    const chat = await history.createConversation('Lease');
    const message = { conversationId: chat, parentId: undefined, role: 'user' as const, status: 'complete' as const };
    rows.failPut = fault;
    let failed: SaveError | undefined;
    await history.saveMessage({ ...message, text: 'my words' }).catch((error: SaveError) => {
      failed = error;
    });
    assert.equal(failed?.code, 'store-unavailable');
    assert.doesNotMatch(`${failed?.message}`, /my words/);
    assert.equal(history.thread(chat)[0]?.text, 'my words');

    rows.failPut = 'no';
    await history.saveMessage({ ...message, text: 'my words', messageId: failed?.messageId as string });
    const reader = await open(rows.store);
    assert.deepEqual(
      reader.thread(chat).map((entry) => entry.text),
      ['my words'],
    );
    assert.equal(reader.thread(chat)[0]?.siblings.length, 1);
  }
});

test('writes of one message keep their order although the store answers late', async () => {
  const { store } = createRows();
  const history = await open(store);
  const chat = await history.createConversation('Lease');
  const message = { conversationId: chat, parentId: undefined, role: 'assistant' as const };
  const messageId = await history.saveMessage({ ...message, text: 'a', status: 'partial' });
  await Promise.all([
    history.saveMessage({ ...message, messageId, text: 'ab', status: 'partial' }),
    history.saveMessage({ ...message, messageId, text: 'abc', status: 'complete' }),
  ]);
  const [read] = (await open(store)).thread(chat);
  assert.deepEqual([read?.text, read?.status], ['abc', 'complete']);
});

test('CL-17 a removed chat leaves no message in the store and stays removed when an old device writes late', async () => {
  const { store, rows } = createRows();
  const old = await open(store, new Uint8Array(16).fill(9));
  const { chat, question, answer } = await talk(old, 'Lease');
  const history = await open(store);
  await history.removeConversation(chat);
  assert.equal(rows.get(question)?.envelope, undefined);
  assert.equal(rows.get(answer)?.envelope, undefined);
  assert.equal(
    [...rows.values()].filter(({ envelope }) => envelope !== undefined).length,
    1,
    'the mark, and no title of the other device',
  );
  await old.saveMessage({ conversationId: chat, parentId: question, role: 'user', text: 'late', status: 'complete' });

  const reader = await open(store);
  assert.deepEqual(reader.conversations(), []);
  assert.deepEqual(reader.thread(chat), []);
});

test('CL-18 an older version that the store brings back does not undo what was read', async () => {
  const { store, rows } = createRows();
  const history = await open(store);
  const { chat, question } = await talk(history, 'Lease');
  const before = rows.get(question) as Row;
  const again = { conversationId: chat, parentId: undefined, role: 'user' as const, status: 'complete' as const };
  await history.saveMessage({ ...again, messageId: question, text: 'corrected' });
  const reader = await open(store, new Uint8Array(16).fill(2));
  rows.set(question, { ...before, sequence: 1000 });
  await reader.refresh();
  assert.equal(reader.thread(chat)[0]?.text, 'corrected');
});

const ticketOf = (key: number) => ({
  ticket: { nodeId: 'ab'.repeat(16), recoveryKey: new Uint8Array(32).fill(key), claims: 2 },
  startsAt: 4,
});

async function begin(history: History) {
  const chat = await history.createConversation('lost');
  const turn = { conversationId: chat, role: 'assistant', parentId: undefined } as const;
  const messageId = await history.saveMessage({ ...turn, text: 'half', status: 'partial', recovery: ticketOf(7) });
  return { chat, turn, messageId };
}

test('CL-47 what recovers an answer is kept in its sealed record, and goes with the end of the answer', async () => {
  for (const status of ['complete', 'interrupted', 'partial'] as const) {
    const { store, rows } = createRows();
    const history = await open(store);
    const { chat, turn, messageId } = await begin(history);
    const sealed = rows.get(messageId)?.envelope ?? new Uint8Array(0);
    assert.ok(!Buffer.from(sealed).includes(Buffer.from(new Uint8Array(8).fill(7))), 'not in clear');
    const again = await open(store);
    assert.deepEqual(again.thread(chat)[0]?.recovery, ticketOf(7));
    assert.deepEqual(
      (await again.pendingAnswers()).map(({ conversationId, message }) => [conversationId, message.messageId]),
      [[chat, messageId]],
    );
    await again.saveMessage({ ...turn, messageId, text: 'whole', status });
    assert.deepEqual(await again.pendingAnswers(), []);
    const raw = again.records().find(({ recordId }) => recordId === messageId)?.content;
    assert.ok(raw?.type === 'message' && raw.unknownFields === undefined);
    assert.deepEqual(await (await open(store)).pendingAnswers(), []);
  }
});

test('CL-48 another device of the account does not claim an answer', async () => {
  const { store } = createRows();
  const { chat } = await begin(await open(store));
  const other = await open(store, new Uint8Array(16).fill(2));
  assert.equal(other.thread(chat)[0]?.text, 'half');
  assert.equal(other.thread(chat)[0]?.recovery, undefined);
  assert.deepEqual(await other.pendingAnswers(), []);
});

test('what is no ticket is left alone', async () => {
  const good = encodeTicket(ticketOf(7));
  assert.deepEqual(parseTicket(good), ticketOf(7));
  const bad = [null, 7, {}, { ...good, key: 'AA==' }, { ...good, key: '!' }, { ...good, nodeId: 'ab' }];
  for (const value of [...bad, { ...good, claims: -1 }, { ...good, startsAt: 0.5 }, { ...good, nodeId: 7 }]) {
    assert.equal(parseTicket(value), undefined);
  }
});
