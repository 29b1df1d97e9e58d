import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SottoError } from '@sotto/bytes';
import { createManualClock, type ManualClock, settle } from '@sotto/testkit';
import { type FakeHistory, fakeHistory, fakePage, fakeSession, spoken } from '../../preview/fake-services.ts';
import type { ChatEvent, ChatSession } from '../../shell/services.ts';
import { createChatModel } from './model.ts';

class Refused extends SottoError<'dev-key-not-pinned'> {
  constructor() {
    super('dev-key-not-pinned', 'refused', { action: 'stop' });
  }
}
class StoreFull extends SottoError<'store-full'> {
  readonly messageId: string;
  constructor(messageId: string) {
    super('store-full', 'full', { action: 'fix-input' });
    this.messageId = messageId;
  }
}

class Lost extends SottoError<'answer-lost'> {
  constructor() {
    super('answer-lost', 'lost', { action: 'retry' });
  }
}

interface Rig {
  readonly clock: ManualClock;
  readonly history: FakeHistory;
  readonly chat: ReturnType<typeof createChatModel>;
  /** What the model was asked. */
  readonly asked: (readonly { role: string; content: string }[])[];
  /** What a recovered answer says after the text that is here. */
  resumed: (haveText: string, signal: AbortSignal) => AsyncIterable<ChatEvent>;
  /** Whether no other tab works on the chat, said at once or later. */
  isAlone: boolean | Promise<boolean>;
}

function createRig(answer: ChatSession['chat'] | undefined, ensure?: () => Promise<ChatSession>): Rig {
  const clock = createManualClock();
  const history = fakeHistory(clock);
  const asked: Rig['asked'] = [];
  const session: ChatSession = {
    ...fakeSession((request, options) => {
      asked.push(request.messages);
      return (answer ?? ((_, { signal }) => spoken('one two three', clock, signal)))(request, options);
    }),
    resume: (_, { haveText, signal }) => rig.resumed(haveText, signal ?? new AbortController().signal),
  };
  const chat = createChatModel({
    services: { clock, page: fakePage(clock), ifAlone: async (_, work) => ((await rig.isAlone) ? work() : undefined) },
    history: () => history,
    ensureSession: ensure ?? (async () => session),
  });
  const rig: Rig = { clock, history, chat, asked, resumed: async function* () {}, isAlone: true };
  chat.followHistory();
  return rig;
}

const texts = ({ chat }: Rig) => chat.state.get().messages.map((message) => `${message.role}: ${message.text}`);

test('a question is saved before it is asked, and the answer is kept complete', async () => {
  const rig = createRig(undefined);
  const sent = rig.chat.send('Hello machine');
  await rig.clock.advance(3000);
  assert.equal(await sent, true);
  assert.deepEqual(texts(rig), ['user: Hello machine', 'assistant: one two three']);
  const { title, turn, announcement } = rig.chat.state.get();
  assert.equal(title, 'Hello machine');
  assert.equal(turn, undefined);
  assert.deepEqual(announcement, { kind: 'complete', text: 'one two three' });
  assert.equal(rig.history.writes[0]?.role, 'user');
  assert.equal(rig.history.writes.at(-1)?.status, 'complete');
});

test('what arrived is saved at least every second, as partial, under one id', async () => {
  const rig = createRig((_, { signal }) => spoken('w '.repeat(100), rig.clock, signal, 100));
  void rig.chat.send('Long');
  await rig.clock.advance(5000);
  const partial = rig.history.writes.filter((write) => write.status === 'partial');
  assert.ok(partial.length >= 5, `${partial.length} saves in five seconds`);
  assert.equal(new Set(partial.slice(1).map((write) => write.messageId)).size, 1);
  assert.ok((rig.chat.state.get().turn?.shown.length ?? 0) > 50);
});

test('the text on the screen only grows, in whole words', async () => {
  const rig = createRig((_, { signal }) => spoken('alpha beta gamma delta epsilon zeta', rig.clock, signal, 60));
  const seen: string[] = [];
  rig.chat.state.subscribe(() => {
    const { turn } = rig.chat.state.get();
    if (turn?.phase === 'streaming' && turn.shown !== seen.at(-1)) seen.push(turn.shown);
  });
  void rig.chat.send('Go');
  await rig.clock.advance(3000);
  assert.ok(seen.length >= 4);
  for (const [index, text] of seen.entries()) {
    assert.ok(text.startsWith(seen[index - 1] ?? ''));
    if (index < seen.length - 1) assert.match(text, /^$|\s$/);
  }
});

test('a machine that fails verification gets nothing, and the words come back', async () => {
  const rig = createRig(undefined, () => Promise.reject(new Refused()));
  assert.equal(await rig.chat.send('My secret'), false);
  assert.equal(rig.asked.length, 0);
  assert.equal(rig.history.writes.length, 0);
  assert.deepEqual(rig.chat.state.get().notice, { code: 'dev-key-not-pinned', unverified: true, offer: 'none' });
});

test('stopping keeps what arrived, marked as interrupted, and continuing writes onto it', async () => {
  const rig = createRig((_, { signal }) => spoken('one two three four five', rig.clock, signal, 200));
  void rig.chat.send('Count');
  await rig.clock.advance(700);
  rig.chat.stop();
  await rig.clock.advance(1000);
  const [, cut] = rig.chat.state.get().messages;
  assert.equal(cut?.status, 'interrupted');
  assert.equal(cut?.text, 'one two three');
  assert.equal(rig.chat.state.get().notice, undefined);

  void rig.chat.continueAnswer(cut.messageId);
  await rig.clock.advance(5000);
  const [, whole] = rig.chat.state.get().messages;
  assert.equal(whole?.messageId, cut.messageId);
  assert.equal(whole?.text, 'one two three one two three four five');
  assert.equal(whole?.status, 'complete');
  assert.deepEqual(
    rig.asked[1]?.map((turn) => turn.role),
    ['user', 'assistant', 'user'],
  );
});

test('an engine that crashes in mid-answer loses nothing that arrived', async () => {
  const rig = createRig(async function* () {
    yield { kind: 'text-delta', text: 'half an' };
    throw new StoreFull('');
  });
  void rig.chat.send('Break');
  await rig.clock.advance(2000);
  assert.equal(rig.chat.state.get().messages.at(-1)?.text, 'half an');
  assert.equal(rig.chat.state.get().messages.at(-1)?.status, 'interrupted');
  assert.equal(rig.chat.state.get().notice?.offer, 'retry');
});

test('a full disk keeps the answer on the screen, and trying again saves it once', async () => {
  const rig = createRig(undefined);
  void rig.chat.send('Save me');
  await settle();
  rig.history.failure = new StoreFull('00000000000000000000000000000009');
  await rig.clock.advance(4000);
  const held = rig.chat.state.get();
  assert.equal(held.turn?.phase, 'unsaved');
  assert.equal(held.turn?.shown, 'one two three');
  assert.equal(held.notice?.code, 'store-full');
  rig.history.failure = undefined;
  await rig.chat.retry();
  assert.deepEqual(texts(rig), ['user: Save me', 'assistant: one two three']);
  assert.equal(rig.chat.state.get().notice, undefined);
  assert.equal(rig.chat.state.get().turn, undefined);
});

test('an answer that could not be saved is saved by itself once the store takes it, and why it broke off stays said', async () => {
  const cut = Promise.withResolvers<never>();
  const rig = createRig(async function* () {
    yield { kind: 'text-delta', text: 'one two' };
    await cut.promise;
  });
  void rig.chat.send('Save me');
  await settle();
  rig.history.failure = new StoreFull('00000000000000000000000000000009');
  cut.reject(new StoreFull(''));
  await rig.clock.advance(4000);
  assert.equal(rig.chat.state.get().turn?.phase, 'unsaved');
  rig.history.failure = undefined;
  await rig.clock.advance(8000);
  assert.equal(rig.chat.state.get().turn, undefined);
  assert.deepEqual(texts(rig), ['user: Save me', 'assistant: one two']);
  assert.equal(rig.chat.state.get().messages.at(-1)?.status, 'interrupted');
  assert.equal(rig.chat.state.get().notice?.offer, 'retry');
});

test('a question that could not be saved is asked again under the same id', async () => {
  const rig = createRig(undefined);
  await rig.history.createConversation('before');
  const [made] = rig.history.conversations();
  rig.chat.open(made?.conversationId);
  rig.history.failure = new StoreFull('0000000000000000000000000000000a');
  assert.equal(await rig.chat.send('Keep this'), true);
  assert.equal(rig.chat.state.get().notice?.code, 'store-full');
  assert.equal(rig.asked.length, 0);
  rig.history.failure = undefined;
  void rig.chat.retry();
  await rig.clock.advance(3000);
  assert.equal(rig.history.writes[0]?.messageId, '0000000000000000000000000000000a');
  assert.deepEqual(texts(rig), ['user: Keep this', 'assistant: one two three']);
});

test('editing makes a sibling branch; both can be shown', async () => {
  const rig = createRig(undefined);
  void rig.chat.send('First');
  await rig.clock.advance(3000);
  const [first] = rig.chat.state.get().messages;
  void rig.chat.edit(first?.messageId ?? '', 'Second');
  await rig.clock.advance(3000);
  assert.deepEqual(texts(rig), ['user: Second', 'assistant: one two three']);
  assert.equal(rig.chat.state.get().messages[0]?.siblings.length, 2);
  rig.chat.showBranch(first?.messageId ?? '');
  assert.deepEqual(texts(rig), ['user: First', 'assistant: one two three']);
});

test('trying again makes another answer to the same question', async () => {
  const rig = createRig(undefined);
  void rig.chat.send('Question');
  await rig.clock.advance(3000);
  void rig.chat.regenerate(rig.chat.state.get().messages[1]?.messageId ?? '');
  await rig.clock.advance(3000);
  assert.equal(rig.chat.state.get().messages[1]?.siblings.length, 2);
  assert.deepEqual(rig.asked[1], [{ role: 'user', content: 'Question' }]);
});

test('CL-387 an answer goes on while another chat is shown, and stands there when its own is opened again', async () => {
  const rig = createRig((_, { signal }) => spoken('one two three four', rig.clock, signal, 200));
  void rig.chat.send('Leave me');
  await rig.clock.advance(500);
  const { conversationId: id, turn } = rig.chat.state.get();
  rig.chat.open(undefined);
  assert.deepEqual([rig.chat.state.get().turn, rig.chat.isBusy()], [undefined, true]);
  await rig.clock.advance(100);
  rig.chat.open(id);
  assert.equal(rig.chat.state.get().turn?.phase, turn?.phase);
  await rig.clock.advance(100);
  rig.chat.open(undefined);
  void rig.chat.send('Meanwhile');
  await rig.clock.advance(5000);
  assert.deepEqual(texts(rig), ['user: Meanwhile', 'assistant: one two three four']);
  rig.chat.open(id);
  assert.deepEqual(texts(rig), ['user: Leave me', 'assistant: one two three four']);
  assert.equal(rig.chat.state.get().messages[1]?.status, 'complete');
  assert.equal(rig.chat.isBusy(), false);
});

test('CL-387 what an answer meets while another chat is shown is said in its own', async () => {
  const rig = createRig((_, { signal }) => spoken('one two three four', rig.clock, signal, 200));
  void rig.chat.send('Leave me');
  await rig.clock.advance(300);
  const id = rig.chat.state.get().conversationId;
  rig.chat.open(undefined);
  rig.history.failure = new StoreFull('00000000000000000000000000000009');
  await rig.clock.advance(3000);
  assert.equal(rig.chat.state.get().notice, undefined);
  rig.chat.open(id);
  const { turn, notice } = rig.chat.state.get();
  assert.deepEqual(
    [turn?.phase, turn?.shown, notice?.code, notice?.offer],
    ['unsaved', 'one two three four', 'store-full', 'retry'],
  );
});

test('CL-387 what went wrong while another chat was shown is said when its own is opened, and can be tried again', async () => {
  let isRefused = true;
  const rig = createRig(async function* (_, { signal }) {
    await rig.clock.sleep(500, signal);
    if (isRefused) throw new Lost();
    yield* spoken('one two', rig.clock, signal);
  });
  void rig.chat.send('Leave me');
  await rig.clock.advance(100);
  const id = rig.chat.state.get().conversationId;
  rig.chat.open(undefined);
  await rig.clock.advance(2000);
  assert.equal(rig.chat.state.get().notice, undefined);
  rig.chat.open(id);
  assert.deepEqual(rig.chat.state.get().notice, { code: 'answer-lost', unverified: false, offer: 'retry' });
  isRefused = false;
  void rig.chat.retry();
  await rig.clock.advance(3000);
  assert.deepEqual(texts(rig), ['user: Leave me', 'assistant: one two']);
});

test('CL-387 CL-388 an answer that waits to be saved again beside is given up with its chat, and holds no lock back', async () => {
  for (const giveUp of [
    (rig: Rig, id: string) => rig.chat.settle([id]),
    (rig: Rig, id: string) => rig.history.removeConversation(id),
    async (rig: Rig) => rig.chat.abandon(),
  ]) {
    const rig = createRig((_, { signal }) => spoken('one two', rig.clock, signal, 100));
    void rig.chat.send('Leave me');
    await rig.clock.advance(150);
    const id = rig.chat.state.get().conversationId ?? '';
    rig.history.failure = new StoreFull('00000000000000000000000000000009');
    rig.chat.open(undefined);
    await rig.clock.advance(2000);
    assert.equal(rig.chat.isBusy(), false);
    await giveUp(rig, id);
    rig.history.failure = undefined;
    const writes = rig.history.writes.length;
    await rig.clock.advance(60_000);
    assert.equal(rig.history.writes.length, writes);
  }
});

test('CL-387 CL-388 settling stops what goes on beside, of one chat or of all, and a removed chat is not written on', async () => {
  const rig = createRig((_, { signal }) => spoken('one two three four', rig.clock, signal, 1000));
  const ids: (string | undefined)[] = [];
  for (const title of ['first', 'second', 'third']) {
    rig.chat.open(undefined);
    void rig.chat.send(title);
    await rig.clock.advance(1100);
    ids.push(rig.chat.state.get().conversationId);
  }
  const [first, second, third] = ids as [string, string, string];
  await rig.chat.settle([first]);
  await rig.history.removeConversation(second);
  const writes = rig.history.writes.length;
  await rig.clock.advance(8000);
  const statusOf = (id: string) => rig.history.thread(id)[1]?.status;
  assert.deepEqual([statusOf(first), statusOf(third)], ['interrupted', 'complete']);
  assert.ok(
    rig.history.writes.slice(writes).every((write) => write.conversationId === third || write.status === 'interrupted'),
  );
});

test('stopping while the machine is being checked gives the words back at once', async () => {
  const rig = createRig(undefined, () => new Promise(() => {}));
  const sent = rig.chat.send('Wait');
  await settle();
  rig.chat.stop();
  assert.equal(await sent, false);
  assert.equal(rig.chat.state.get().turn, undefined);
});

const TICKET = { nodeId: 'ab'.repeat(16), recoveryKey: new Uint8Array(32).fill(1), claims: 0 };

test('CL-47 an answer can be recovered from its first second on, and not once it is whole', async () => {
  const rig = createRig(async function* (_, { signal, onTicket }) {
    onTicket?.(TICKET);
    await rig.clock.sleep(3000, signal);
    yield* spoken('late words', rig.clock, signal);
  });
  void rig.chat.send('Think');
  await rig.clock.advance(1500);
  const [first] = rig.history.writes.filter(({ role }) => role === 'assistant');
  assert.deepEqual([first?.text, first?.status], ['', 'partial']);
  assert.deepEqual(first?.recovery, { ticket: TICKET, startsAt: 0 });
  await rig.clock.advance(5000);
  const last = rig.history.writes.at(-1);
  assert.deepEqual([last?.text, last?.status, last?.recovery], ['late words', 'complete', undefined]);
});

test('a lost line is said where the answer stands, and the answer goes on in its place', async () => {
  const rig = createRig(async function* (_, { signal, onLine }) {
    yield* half(spoken('one two ', rig.clock, signal));
    onLine?.('lost');
    await rig.clock.sleep(5000, signal);
    onLine?.('back');
    yield* spoken('three four', rig.clock, signal);
  });
  void rig.chat.send('Count');
  await rig.clock.advance(2000);
  assert.equal(rig.chat.state.get().turn?.phase, 'recovering');
  assert.equal(rig.chat.state.get().notice, undefined);
  await rig.clock.advance(8000);
  assert.deepEqual(texts(rig), ['user: Count', 'assistant: one twothree four']);
  assert.equal(rig.chat.state.get().messages.at(-1)?.status, 'complete');
});

/** Without the finish. */
async function* half(events: ReturnType<typeof spoken>) {
  for await (const event of events) if (event.kind === 'text-delta') yield event;
}

/** A history as a killed tab leaves it: a question, and an answer that had begun. */
async function cutHistory(rig: Rig, text: string) {
  const conversationId = await rig.history.createConversation('cut');
  const question = { conversationId, parentId: undefined, role: 'user', text: 'Q', status: 'complete' } as const;
  const parentId = await rig.history.saveMessage(question);
  const recovery = { ticket: TICKET, startsAt: 0 };
  await rig.history.saveMessage({ conversationId, parentId, role: 'assistant', text, status: 'partial', recovery });
  return conversationId;
}

test('CL-49 after a reload the answer that was on its way goes on in its place', async () => {
  const rig = createRig(undefined);
  rig.resumed = (haveText, signal) => spoken('one two three', rig.clock, signal, 200, haveText);
  const conversationId = await cutHistory(rig, 'one tw');
  rig.chat.open(conversationId);
  await rig.clock.advance(100);
  assert.notEqual(rig.chat.state.get().turn, undefined);
  await rig.clock.advance(5000);
  const [, whole] = rig.chat.state.get().messages;
  assert.deepEqual([whole?.text, whole?.status], ['one two three', 'complete']);
  assert.equal(rig.chat.state.get().notice, undefined);
  assert.equal(rig.asked.length, 0, 'nothing is asked again');
  assert.equal(rig.history.writes.at(-1)?.recovery, undefined);
});

test('CL-49 what is asked before a cut answer goes on is answered, and not stopped for it', async () => {
  for (const isOpen of [true, false]) {
    const rig = createRig(undefined);
    rig.resumed = async function* () {
      yield* [];
      throw new Lost();
    };
    const conversationId = await cutHistory(rig, 'one tw');
    const isAlone = Promise.withResolvers<boolean>();
    rig.isAlone = isAlone.promise;
    if (isOpen) rig.chat.open(conversationId);
    else rig.chat.followHistory();
    await rig.clock.advance(100);
    const sent = rig.chat.send('And now?');
    await rig.clock.advance(1);
    isAlone.resolve(true);
    await rig.clock.advance(5000);
    assert.equal(await sent, true);
    assert.deepEqual(texts(rig).slice(-2), ['user: And now?', 'assistant: one two three']);
    assert.equal(rig.chat.state.get().notice, undefined);
  }
});

test('CL-49 an answer that cannot be recovered is marked where it stopped, and says so', async () => {
  const rig = createRig(undefined);
  rig.resumed = async function* () {
    yield* [];
    throw new Lost();
  };
  const conversationId = await cutHistory(rig, 'one tw');
  rig.chat.open(conversationId);
  await rig.clock.advance(2000);
  const { messages, notice } = rig.chat.state.get();
  assert.deepEqual([messages[1]?.text, messages[1]?.status], ['one tw', 'interrupted']);
  assert.deepEqual(notice, { code: 'answer-lost', unverified: false, offer: 'retry' });
  assert.equal((await rig.history.pendingAnswers()).length, 0);
});

test('CL-49 answers of chats that are not open are fetched too, one tab at a time', async () => {
  for (const isAlone of [true, false]) {
    const rig = createRig(undefined);
    rig.isAlone = isAlone;
    rig.resumed = (haveText, signal) => spoken('one two three', rig.clock, signal, 20, haveText);
    const conversationId = await cutHistory(rig, 'one');
    const other = await rig.history.createConversation('other');
    rig.chat.followHistory();
    rig.chat.open(other);
    await rig.clock.advance(2000);
    const [, answer] = rig.history.thread(conversationId);
    assert.deepEqual([answer?.text, answer?.status], isAlone ? ['one two three', 'complete'] : ['one', 'partial']);
    rig.chat.open(conversationId);
    await rig.clock.advance(2000);
    assert.equal(rig.history.thread(conversationId)[1]?.status, isAlone ? 'complete' : 'partial');
  }
});

test('CL-49 an answer that has become whole, or whose chat has gone, since the list was read is left alone', async () => {
  for (const change of ['whole', 'gone'] as const) {
    const rig = createRig(undefined);
    const first = Promise.withResolvers<void>();
    rig.resumed = async function* () {
      await first.promise;
      yield* [];
      throw new Lost();
    };
    const [one, two] = [await cutHistory(rig, 'one'), await cutHistory(rig, 'two')];
    rig.chat.followHistory();
    rig.chat.open(await rig.history.createConversation('other'));
    await rig.clock.advance(100);
    for (const conversationId of [one, two]) {
      const [question, answer] = rig.history.thread(conversationId);
      if (change === 'gone') await rig.history.removeConversation(conversationId);
      const whole = {
        conversationId,
        parentId: question?.messageId,
        role: 'assistant',
        text: 'all',
        status: 'complete',
      } as const;
      if (change === 'whole') await rig.history.saveMessage({ ...whole, messageId: answer?.messageId ?? '' });
    }
    const writes = rig.history.writes.length;
    first.resolve();
    await rig.clock.advance(3000);
    const later = rig.history.writes.slice(writes);
    // The one that was being fetched says how it ended; the other is not touched.
    assert.ok(
      later.every(({ conversationId }) => change === 'whole' && conversationId === one),
      JSON.stringify(later),
    );
  }
});

test('CL-49 who has gone to a new chat before a cut answer is found is not taken elsewhere', async () => {
  const rig = createRig(undefined);
  rig.resumed = (haveText, signal) => spoken('one two three', rig.clock, signal, 20, haveText);
  const conversationId = await cutHistory(rig, 'one');
  const isAlone = Promise.withResolvers<boolean>();
  rig.isAlone = isAlone.promise;
  rig.chat.followHistory();
  await rig.clock.advance(10);
  rig.chat.open(undefined);
  isAlone.resolve(true);
  await rig.clock.advance(3000);
  assert.equal(rig.chat.state.get().conversationId, undefined);
  assert.equal(rig.history.thread(conversationId)[1]?.text, 'one two three');
});

test('CL-49 where no chat is open the one that was cut is opened, and its answer goes on there', async () => {
  const rig = createRig(undefined);
  rig.resumed = (haveText, signal) => spoken('one two three', rig.clock, signal, 200, haveText);
  const conversationId = await cutHistory(rig, 'one');
  rig.chat.followHistory();
  await rig.clock.advance(100);
  assert.equal(rig.chat.state.get().conversationId, conversationId);
  await rig.clock.advance(3000);
  assert.equal(rig.chat.state.get().messages[1]?.text, 'one two three');
});
