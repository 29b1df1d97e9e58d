/** The merge: devices that write offline, records that arrive in any order, and devices that forge. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ConversationContent, MessageContent } from './content.ts';
import type { OpenedRecord } from './record.ts';
import { compareRegisters, mergeRegisters, nextClock, type Register, type Registers } from './registers.ts';
import {
  buildConversations,
  type Conversation,
  greatestClock,
  listConversations,
  newestLeaf,
  newestVersions,
  thread,
} from './tree.ts';

const hexId = (n: number): string => n.toString(16).padStart(32, '0');
const CONVERSATION = hexId(1000);

function message(
  n: number,
  parent: number | undefined,
  change: Partial<MessageContent> = {},
  device = 1,
): OpenedRecord {
  const content: MessageContent = {
    type: 'message',
    clock: n,
    conversationId: CONVERSATION,
    parents: parent === undefined ? [] : [hexId(parent)],
    role: 'user',
    text: `m${n}`,
    status: 'complete',
    createdAtMs: n,
    ...change,
  };
  return { recordId: hexId(n), deviceId: hexId(device), deviceCounter: n, epoch: 1, content };
}

function described(
  n: number,
  device: number,
  registers: Registers,
  change: Partial<ConversationContent> = {},
): OpenedRecord {
  const content: ConversationContent = {
    type: 'conversation',
    clock: n,
    conversationId: CONVERSATION,
    createdAtMs: 1,
    registers,
    ...change,
  };
  return { recordId: hexId(n), deviceId: hexId(device), deviceCounter: n, epoch: 1, content };
}

const title = (value: string, clock: number, device = 1): Registers => ({
  title: { value, clock, deviceId: hexId(device) },
});
const only = (records: OpenedRecord[]): Conversation => buildConversations(records).get(CONVERSATION) as Conversation;
const texts = (conversation: Conversation, through?: number): string[] =>
  thread(conversation, through === undefined ? undefined : hexId(through)).map(({ node }) => node.content.text);

/** Everything a person could see, in one comparable value. */
function snapshot(records: Iterable<OpenedRecord>): unknown {
  const conversations = buildConversations(records);
  return [
    listConversations(conversations).map(({ conversationId }) => conversationId),
    [...conversations.values()]
      .map((c) => [
        c.conversationId,
        c.title,
        c.deleted,
        c.createdAtMs,
        c.updatedAtMs,
        c.clock,
        c.registers,
        c.rootIds,
        [...c.messages.values()].sort((a, b) => (a.recordId < b.recordId ? -1 : 1)),
        thread(c),
      ])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
  ];
}

interface Simulated {
  /** The latest version of each record, as an honest store holds it at the end. */
  stored: OpenedRecord[];
  /** Every version ever written. */
  written: OpenedRecord[];
}

/** Devices that write, rewrite, rename and delete from what each has seen, and synchronise now and then. */
function simulate(
  deviceCount: number,
  steps: readonly { device: number; action: number; pick: number; skew: number }[],
): Simulated {
  const store = new Map<string, OpenedRecord>();
  const written: OpenedRecord[] = [];
  const devices = Array.from({ length: deviceCount }, (_, n) => ({
    id: hexId(n + 1),
    counter: 0,
    seen: new Map<string, OpenedRecord>(),
  }));
  let next = 0;
  for (const [time, { device, action, pick, skew }] of steps.entries()) {
    const me = devices[device % deviceCount] as (typeof devices)[number];
    const write = (recordId: string, content: OpenedRecord['content']): void => {
      const record: OpenedRecord = { recordId, deviceId: me.id, deviceCounter: ++me.counter, epoch: 1, content };
      me.seen.set(recordId, record);
      written.push(record);
    };
    const clock = nextClock(1_000_000 + time + skew, greatestClock(me.seen.values()));
    const conversationId = hexId(1000 + (pick % 2));
    const known = [...me.seen.values()].filter(
      (r): r is OpenedRecord & { content: MessageContent } =>
        r.content.type === 'message' && r.content.conversationId === conversationId,
    );
    const chosen = known[pick % Math.max(known.length, 1)];
    if (action < 5) {
      const parents = chosen === undefined || action === 0 ? [] : [chosen.recordId];
      const status = action === 4 ? 'partial' : 'complete';
      write(hexId(10_000 + next++), {
        type: 'message',
        clock,
        conversationId,
        parents,
        role: 'user',
        text: `t${next}`,
        status,
        createdAtMs: time + skew,
      });
    } else if (action === 5 && chosen !== undefined && chosen.deviceId === me.id) {
      write(chosen.recordId, { ...chosen.content, clock, text: `${chosen.content.text}+`, status: 'complete' });
    } else if (action === 6) {
      const recordId = hexId(5000 + 10 * device + (pick % 2));
      const before = me.seen.get(recordId)?.content;
      const registers = before?.type === 'conversation' ? before.registers : {};
      const name = pick % 3 === 0 ? 'pinned' : 'title';
      const register = { [name]: { value: name === 'title' ? `n${time}` : time, clock, deviceId: me.id } };
      write(recordId, {
        type: 'conversation',
        clock,
        conversationId,
        createdAtMs: 1,
        registers: mergeRegisters(registers, register),
      });
    } else {
      // Two-way synchronisation; the store keeps the last put of a record, and each record has one writer.
      for (const record of me.seen.values()) {
        if (record.deviceId === me.id) store.set(record.recordId, record);
      }
      for (const record of store.values()) me.seen.set(record.recordId, record);
    }
  }
  for (const me of devices)
    for (const record of me.seen.values()) if (record.deviceId === me.id) store.set(record.recordId, record);
  return { stored: [...store.values()], written };
}

const step = fc.record({
  device: fc.nat(4),
  action: fc.nat(8),
  pick: fc.nat(30),
  skew: fc.constantFrom(0, 0, 0, -900_000, 90_000_000_000),
});
const scenario = fc.tuple(fc.integer({ min: 2, max: 5 }), fc.array(step, { minLength: 5, maxLength: 40 }));

test('VA-60, VA-61, VA-65: 1,200 interleavings of 2 to 5 devices converge, in any order, and lose no message', () => {
  fc.assert(
    fc.property(scenario, fc.infiniteStream(fc.nat(1_000_000)), ([devices, steps], order) => {
      const { stored, written } = simulate(devices, steps);
      const expected = snapshot(stored);
      const keyed = [...stored, ...stored, ...written].map((record) => ({ record, key: order.next().value as number }));
      const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ record }) => record);
      assert.deepEqual(snapshot(shuffled), expected);
      const visible = new Set([...buildConversations(shuffled).values()].flatMap((c) => [...c.messages.keys()]));
      for (const { recordId, content } of written) {
        if (content.type === 'message') assert.ok(visible.has(recordId), 'a message was lost');
      }
    }),
    { numRuns: 1200 },
  );
});

test('VA-60 forged, cyclic and half-missing records still give one history in any order', () => {
  const record = fc
    .record({
      n: fc.nat(9),
      parent: fc.option(fc.nat(11), { nil: undefined }),
      clock: fc.nat(3),
      device: fc.nat(2),
      text: fc.constantFrom('a', 'b'),
    })
    .map(({ n, parent, clock, device, text }) => message(n, parent, { clock, text, createdAtMs: clock }, device));
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.infiniteStream(fc.nat(1000)), (records, order) => {
      const shuffled = records.map((r) => ({ r, key: order.next().value as number })).sort((a, b) => a.key - b.key);
      assert.deepEqual(snapshot(shuffled.map(({ r }) => r)), snapshot(records));
      const conversation = buildConversations(records).get(CONVERSATION);
      const ids = new Set(records.map(({ recordId }) => recordId));
      assert.deepEqual(new Set(conversation?.messages.keys() ?? []), ids, 'every message is there');
      for (const recordId of ids)
        assert.ok(thread(conversation as Conversation, recordId).some(({ node }) => node.recordId === recordId));
    }),
    { numRuns: 1000 },
  );
});

test('VA-61 a message whose parent is missing starts a branch of its own, and says so', () => {
  const conversation = only([message(1, undefined), message(2, 1), message(4, 3)]);
  assert.deepEqual(conversation.rootIds, [hexId(1), hexId(4)]);
  assert.equal(conversation.messages.get(hexId(4))?.parentMissing, true);
  assert.equal(conversation.messages.get(hexId(1))?.parentMissing, false);
  assert.deepEqual(texts(conversation), ['m4']);
  assert.deepEqual(texts(conversation, 1), ['m1', 'm2']);
  assert.deepEqual(thread(conversation)[0]?.siblingIds, [hexId(4)], 'not an alternative of the first message');
  assert.equal(conversation.title, '');
});

test('VA-62 a cycle is cut at its least id; all its messages are shown', () => {
  const conversation = only([message(2, 3), message(3, 4), message(4, 2), message(5, 3), message(6, 6)]);
  assert.deepEqual(conversation.rootIds, [hexId(2), hexId(6)]);
  assert.deepEqual(texts(conversation, 5), ['m2', 'm4', 'm3', 'm5']);
  assert.equal(conversation.messages.size, 5);
});

test('VA-63 the greatest clock wins, then the greatest device, then the greatest spelling', () => {
  const registers = [title('a', 5, 2), title('b', 6, 1), title('c', 6, 2), title('d', 6, 2)];
  assert.equal(only(registers.map((r, n) => described(10 + n, n, r))).title, 'd');
  const register = fc.record(
    { value: fc.constantFrom('x', 'y', 'z'), clock: fc.nat(3), deviceId: fc.constantFrom(hexId(1), hexId(2)) },
    { noNullPrototype: true },
  );
  const set = fc.dictionary(fc.constantFrom('title', 'pinned', 'later'), register, { noNullPrototype: true });
  fc.assert(
    fc.property(set, set, set, (a, b, c) => {
      assert.deepEqual(mergeRegisters(a, b), { ...mergeRegisters(b, a) }, 'commutative');
      assert.deepEqual(mergeRegisters(mergeRegisters(a, b), c), mergeRegisters(a, mergeRegisters(b, c)), 'associative');
      assert.deepEqual(mergeRegisters(a, a), a, 'idempotent');
      for (const [name, winner] of Object.entries(mergeRegisters(a, b))) {
        for (const loser of [a[name], b[name]])
          assert.ok(loser === undefined || compareRegisters(winner, loser as Register) >= 0);
      }
    }),
  );
});

test('VA-64 a deleted conversation stays deleted, whatever is written later', () => {
  const late = described(30, 2, title('back', 99, 2));
  for (const records of [
    [described(20, 1, title('old', 1), { deleted: true }), late, message(40, undefined)],
    [message(40, undefined), late, described(20, 1, {}, { deleted: true })],
  ]) {
    const conversation = only(records);
    assert.equal(conversation.deleted, true);
    assert.equal(conversation.messages.size, 0);
    assert.deepEqual(thread(conversation), []);
    assert.deepEqual(listConversations(buildConversations(records)), []);
  }
});

test('VA-65 of two versions of a record the later one counts, in either order', () => {
  const partial = message(1, undefined, { clock: 5, status: 'partial', text: 'hal' }, 2);
  const complete = message(1, undefined, { clock: 6, text: 'half and whole' });
  for (const records of [
    [partial, complete],
    [complete, partial],
  ])
    assert.deepEqual(texts(only(records)), ['half and whole']);
  const tie = [message(1, undefined, { text: 'a' }, 1), message(1, undefined, { text: 'b' }, 2)];
  assert.equal(newestVersions(tie).get(hexId(1))?.deviceId, hexId(2));
  assert.equal(newestVersions(tie.reverse()).get(hexId(1))?.deviceId, hexId(2));
});

test('VA-66 a clock that is wrong by years does not make a later write lose', () => {
  const year = 31_536_000_000;
  const now = 1_790_000_000_000;
  assert.equal(nextClock(now, 0), now);
  assert.equal(nextClock(now - 30 * year, now), now + 1);
  assert.equal(nextClock(now, now + 30 * year), now + 30 * year + 1);
  assert.equal(nextClock(now, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  assert.equal(nextClock(-5, 0), 1);
  assert.equal(nextClock(1.7, 0), 1);
});

test('VA-67 a message of a later version bridges what stands above and below it', () => {
  const later: OpenedRecord = {
    ...message(2, 1),
    content: {
      type: 'unknown',
      recordType: 'message',
      clock: 2,
      fields: { conversationId: CONVERSATION, parents: [hexId(1)], role: 'tool' },
    },
  };
  const conversation = only([message(1, undefined), later, message(3, 2)]);
  assert.deepEqual(texts(conversation), ['m1', 'm3']);
  assert.equal(conversation.messages.get(hexId(3))?.parentMissing, false);
});

test('an edit and a regenerated answer are siblings; the newest is shown, any can be chosen', () => {
  const records = [
    message(1, undefined),
    message(2, 1),
    message(3, 2),
    message(4, 2),
    message(5, 1),
    message(6, undefined),
  ];
  const conversation = only(records);
  assert.deepEqual(texts(conversation), ['m6']);
  assert.deepEqual(texts(conversation, 2), ['m1', 'm2', 'm4']);
  assert.deepEqual(texts(conversation, 3), ['m1', 'm2', 'm3']);
  assert.deepEqual(
    thread(conversation, hexId(3)).map(({ siblingIds }) => siblingIds),
    [
      [hexId(1), hexId(6)],
      [hexId(2), hexId(5)],
      [hexId(3), hexId(4)],
    ],
  );
  assert.equal(newestLeaf(conversation, hexId(1)), hexId(5));
  assert.deepEqual(thread(conversation, hexId(99)), []);
  const continued = only([...records, message(3, 2, { clock: 50, createdAtMs: 3 })]);
  assert.deepEqual(continued.messages.get(hexId(2))?.childIds, [hexId(3), hexId(4)], 'places do not change');
  assert.deepEqual(texts(continued), ['m1', 'm2', 'm3'], 'what was written last is shown');
});
