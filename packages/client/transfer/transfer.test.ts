/** Export, import, and files that were made to hurt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { encodeUtf8 } from '@sotto/bytes';
import { createManualClock, createMemoryRecordStore, createSeededRandom, type MemoryRecordStore } from '@sotto/testkit';
import { buildConversations, createAccountKey, listConversations } from '@sotto/vault';
import fc from 'fast-check';
import { type History, openHistory } from '../history.ts';
import { syntheticChatGpt } from './chatgpt-for-testing.ts';
import { crc32 } from './crc32.ts';
import { type ImportFile, type ImportOptions, importChats, packHistory, TRANSFER_LIMITS } from './index.ts';
import { EXPORT_FORMAT, type ExportedHistory, exportConversation } from './own-format.ts';
import { ZipWriter } from './zip-writer.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const NOW = 1_800_000_000_000;
const clock = createManualClock(NOW);
let made = 0;

async function fresh(store: MemoryRecordStore = createMemoryRecordStore()): Promise<History> {
  const random = createSeededRandom(`transfer ${made++}`);
  const [accountId, deviceId] = [random.bytes(16), random.bytes(16)];
  return openHistory({ accountId, deviceId, accountKey: createAccountKey(random), store, clock, random });
}

const fileOf = (bytes: Bytes, name = 'file'): ImportFile => ({
  name,
  sizeBytes: bytes.length,
  read: async (from, to) => bytes.slice(from, to),
});
const fileOfBlob = async (blob: Blob) => fileOf(new Uint8Array(await blob.arrayBuffer()));
async function writeZip(entries: readonly { name: string; bytes: Bytes }[]): Promise<Bytes> {
  const zip = new ZipWriter();
  for (const { name, bytes } of entries) await zip.add(name, [bytes]);
  return new Uint8Array(await zip.finish().arrayBuffer());
}
const jsonOf = (value: unknown, name?: string) => fileOf(encodeUtf8(JSON.stringify(value)), name);
const take = (history: History, files: ImportFile[], options: Partial<ImportOptions> = {}) =>
  importChats(history, files, { clock, ...options });
const exportOf = (history: History): ExportedHistory => ({
  format: EXPORT_FORMAT,
  exportedAtMs: NOW,
  conversations: listConversations(buildConversations(history.records())).map((conversation) =>
    exportConversation(conversation),
  ),
});

/** A history with its ids replaced by places, for comparing two that have other ids. */
function shape(history: History): unknown {
  return exportOf(history)
    .conversations.map(({ id: _, messages, registers: { imported: __, ...registers }, ...chat }) => {
      const textOf = new Map(messages.map(({ id, text }) => [id, text]));
      const placed = messages.map(({ id: ___, parents, ...rest }) => ({
        ...rest,
        parents: parents.map((id) => textOf.get(id)),
      }));
      return { ...chat, registers, messages: placed.sort((a, b) => (a.text < b.text ? -1 : 1)) };
    })
    .sort((a, b) => (a.title < b.title ? -1 : 1));
}

/** Each entry says which earlier message it follows. */
async function fill(history: History, chats: readonly (readonly number[])[]): Promise<void> {
  for (const [i, parents] of chats.entries()) {
    const conversationId = await history.createConversation(`chat ${i} é`);
    const ids: string[] = [];
    for (const [j, follows] of parents.entries()) {
      await clock.advance(1);
      const role = j % 2 === 0 ? 'user' : 'assistant';
      const parentId = j === 0 ? undefined : ids[follows % j];
      ids.push(
        await history.saveMessage({
          conversationId,
          parentId,
          role,
          text: `m${i}.${j} "\n`,
          status: 'complete',
          model: 'm',
        }),
      );
    }
  }
}

function node(id: string, parent: string | null, role: string, text: string, more: object = {}) {
  const message = {
    author: { role },
    content: { content_type: 'text', parts: [text] },
    create_time: 1_700_000_000,
    ...more,
  };
  return [id, { id, parent, children: [], message }] as const;
}
const chatOf = (...nodes: (readonly [string, unknown])[]) => ({
  conversation_id: 'c',
  title: 't',
  mapping: Object.fromEntries(nodes),
});
const textsOf = (history: History) =>
  history.thread(history.conversations()[0]?.conversationId ?? '').map(({ text }) => text);

/** A ZIP of one entry, each field of which a test can make a lie. */
function zipOf(
  content: Bytes,
  lie: { name?: string; bytes?: number; crc?: number; flags?: number; method?: number } = {},
): Bytes {
  const name = encodeUtf8(lie.name ?? 'conversations.json');
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(lie.flags ?? 0, 8);
  entry.writeUInt16LE(lie.method ?? 8, 10);
  entry.writeUInt32LE(lie.crc ?? crc32(content), 16);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(lie.bytes ?? content.length, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return new Uint8Array(Buffer.concat([local, name, packed, entry, name, end]));
}
const codesOf = async (file: ImportFile, limits = TRANSFER_LIMITS) =>
  (await take(await fresh(), [file], { limits })).refused.map(({ code, rule }) => `${code} ${rule}`);

test('CL-280 an exported history, imported into an empty one, has the same chats, branches, words and times', async () => {
  const chats = fc.array(fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(chats, async (trees) => {
      const from = await fresh();
      await fill(from, trees);
      await clock.advance(10);
      const to = await fresh();
      const { zip, conversations, messages } = await packHistory(from.eachConversation(), NOW);
      const report = await take(to, [await fileOfBlob(zip)]);
      assert.deepEqual(shape(to), shape(from));
      assert.equal(report.chats.taken, conversations);
      assert.equal(report.messages.taken, messages);
      assert.equal(report.ended, 'whole');
    }),
    { numRuns: 25, seed: 6 },
  );
});

test('CL-281 an export holds no ticket, and an import takes none', async () => {
  const from = await fresh();
  const conversationId = await from.createConversation('x');
  const recovery = {
    ticket: { nodeId: 'ab'.repeat(16), recoveryKey: new Uint8Array(32).fill(7), claims: 0 },
    startsAt: 0,
  };
  await from.saveMessage({
    conversationId,
    parentId: undefined,
    role: 'assistant',
    text: 'half',
    status: 'partial',
    recovery,
  });
  assert.equal((await from.pendingAnswers()).length, 1);
  const kept = from.records().find(({ content }) => content.type === 'message')?.content;
  assert.ok(kept?.type === 'message' && kept.unknownFields?.recovery !== undefined);
  const exported = exportOf(from);
  assert.equal(exported.conversations[0]?.messages[0]?.fields, undefined);

  const planted = structuredClone(exported) as unknown as { conversations: { messages: object[] }[] };
  Object.assign(planted.conversations[0]?.messages[0] ?? {}, {
    fields: { recovery: kept.unknownFields.recovery, later: 1 },
  });
  await clock.advance(5);
  const to = await fresh();
  await take(to, [jsonOf(planted)]);
  assert.deepEqual(exportOf(to).conversations[0]?.messages[0]?.fields, { later: 1 });
  assert.equal((await to.pendingAnswers()).length, 0);
});

test('CL-282 a file beyond the caps is refused before it is read', async () => {
  const chats = [chatOf(node('a', null, 'user', 'x'), node('b', 'a', 'assistant', 'y')), chatOf()];
  const content = encodeUtf8(JSON.stringify(chats));
  const refused = ['import-too-large CL-282'];
  for (const limits of [{ textBytes: 10 }, { chats: 1 }, { messages: 1 }]) {
    const all = { ...TRANSFER_LIMITS, ...limits };
    assert.deepEqual(await codesOf(fileOf(content), all), refused, JSON.stringify(limits));
    assert.deepEqual(await codesOf(fileOf(zipOf(content)), all), refused, JSON.stringify(limits));
  }
  for (const limits of [{ entries: 0 }, { directoryBytes: 20 }]) {
    assert.deepEqual(await codesOf(fileOf(zipOf(content)), { ...TRANSFER_LIMITS, ...limits }), refused);
  }
  const own = { format: 'sotto-export/v1', conversations: [{ id: 'x', messages: [{}, {}] }] };
  assert.deepEqual(await codesOf(jsonOf(own), { ...TRANSFER_LIMITS, messages: 1 }), refused);
  let read = 0;
  const huge: ImportFile = {
    name: 'h',
    sizeBytes: 1e12,
    read: async (from, to) => {
      read += to - from;
      return new Uint8Array(to - from);
    },
  };
  assert.deepEqual(await codesOf(huge), refused);
  assert.equal(read, 4);
});

test('CL-283 an entry that unpacks to more than it says is stopped there', async () => {
  const bomb = new Uint8Array(32 * 1024 * 1024).fill(32);
  assert.deepEqual(await codesOf(fileOf(zipOf(bomb, { bytes: 1000 }))), ['zip-malformed CL-283']);
});

test('CL-284 a ZIP that is damaged, encrypted or of another kind is refused', async () => {
  const content = encodeUtf8(JSON.stringify([chatOf(node('a', null, 'user', 'x'))]));
  const good = zipOf(content);
  assert.deepEqual(await codesOf(fileOf(good)), []);
  const malformed = ['zip-malformed CL-284'];
  const unsupported = ['zip-unsupported CL-284'];
  assert.deepEqual(await codesOf(fileOf(zipOf(content, { crc: 1 }))), malformed);
  assert.deepEqual(await codesOf(fileOf(zipOf(content, { bytes: content.length + 1 }))), malformed);
  assert.deepEqual(await codesOf(fileOf(zipOf(content, { flags: 1 }))), unsupported);
  assert.deepEqual(await codesOf(fileOf(zipOf(content, { method: 12 }))), unsupported);
  const altered = (at: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes.writeUInt32LE(value, at < 0 ? bytes.length + at : at);
    return fileOf(new Uint8Array(bytes));
  };
  const entryAt = -22 - 46 - 'conversations.json'.length;
  assert.deepEqual(await codesOf(altered(-6, 0xffffffff)), unsupported);
  assert.deepEqual(await codesOf(altered(-6, good.length)), malformed);
  assert.deepEqual(await codesOf(altered(entryAt, 0)), malformed);
  assert.deepEqual(await codesOf(altered(-10, 46 + 18 + 22)), malformed, 'a directory that runs into its own end');
  assert.deepEqual(await codesOf(altered(entryAt + 42, good.length - 10)), malformed);
  assert.deepEqual(await codesOf(altered(entryAt + 42, good.length - 40)), malformed);
  assert.deepEqual(await codesOf(altered(0, 0x05034b50)), malformed);
  for (let length = 4; length < good.length; length++) {
    assert.deepEqual(await codesOf(fileOf(good.slice(0, length))), malformed, `${length} bytes`);
  }
});

test('CL-284 every altered byte of a ZIP is refused or changes nothing that is taken', async () => {
  const good = zipOf(encodeUtf8(JSON.stringify([chatOf(node('a', null, 'user', 'hello'))])));
  for (let at = 0; at < good.length; at++) {
    const bytes = good.slice();
    bytes[at] = (bytes[at] as number) ^ 0x55;
    const history = await fresh();
    const { refused } = await take(history, [fileOf(bytes)]);
    if (refused.length === 0) assert.deepEqual(textsOf(history), ['hello'], `byte ${at}`);
  }
});

test('CL-285 what a file holds is never thrown: it is taken, counted or refused with its code', async () => {
  const odd = chatOf(
    node('a', null, 'user', 'hello'),
    ['b', 7],
    ['c', { message: { author: 1 } }],
    ['d', { parent: 'a', message: { author: { role: 'user' }, content: { content_type: 'text', parts: 'x' } } }],
    node('e', 'd', 'assistant', 'world'),
    node('f', 'f', 'assistant', 'itself'),
  );
  const history = await fresh();
  const files = [
    fileOf(new Uint8Array()),
    fileOf(encodeUtf8('{')),
    jsonOf({}),
    jsonOf([1, 2]),
    jsonOf(5),
    jsonOf([odd, 'x', null]),
  ];
  const report = await take(history, [
    ...files,
    fileOf(await writeZip([{ name: 'photo.png', bytes: new Uint8Array(3) }])),
  ]);
  const codes = report.refused.map(({ code }) => code);
  assert.deepEqual(codes, [
    'import-unreadable',
    'import-unreadable',
    'import-unknown',
    'import-unknown',
    'import-unknown',
    'import-unknown',
  ]);
  assert.equal(report.leftOut.unreadable, 5);
  assert.equal(report.messages.taken, 3);

  const own = (message: object) => ({
    id: 'm',
    parents: [],
    role: 'user',
    text: 't',
    status: 'complete',
    createdAtMs: 1,
    ...message,
  });
  const spoiled = [
    { role: 'tool' },
    { text: 1 },
    { parents: 'x' },
    { parents: Array(17).fill('x') },
    { model: 4 },
    { fields: { n: 0.5 } },
  ];
  const chats = [{ id: 'x', messages: [...spoiled.map(own), own({ id: 'good' }), null] }, { id: 4, messages: [] }, 9];
  const mixed = await take(await fresh(), [jsonOf({ format: 'sotto-export/v1', conversations: chats })]);
  assert.equal(mixed.messages.taken, 1);
  assert.equal(mixed.leftOut.unreadable, spoiled.length + 3);

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.constantFrom('mapping', 'id', 'title', '__proto__'), fc.object())),
      async (any) => {
        for (const value of [any, { format: 'sotto-export/v1', conversations: any }]) {
          assert.equal((await take(await fresh(), [jsonOf(value)])).ended, 'whole');
        }
      },
    ),
    { numRuns: 50, seed: 6 },
  );
});

test('CL-285 a synthetic export of ChatGPT is taken with exact counts', async () => {
  const { list, counts } = syntheticChatGpt(createSeededRandom('chatgpt'), 120);
  const halves = [
    jsonOf(list.slice(0, 60)),
    fileOf(zipOf(encodeUtf8(JSON.stringify(list.slice(60))), { name: 'x/conversations-001.json' })),
  ];
  const history = await fresh();
  const seen: number[] = [];
  const report = await take(history, halves, { onProgress: ({ messages }) => seen.push(messages) });
  const { chats, messages, ...leftOut } = counts;
  assert.deepEqual(report.leftOut, { ...leftOut, unreadable: 0 });
  assert.deepEqual(report.chats, { taken: chats, known: 0, empty: 0 });
  assert.deepEqual(report.messages, { taken: messages, known: 0, divided: 0 });
  assert.ok(report.isFromChatGpt);
  assert.equal(seen.at(-1), messages);
  assert.equal(history.conversations().length, chats);
});

test('CL-286 importing twice makes no doubles, and ids say nothing to who knows the source', async () => {
  const { list, counts } = syntheticChatGpt(createSeededRandom('twice'), 10);
  const history = await fresh();
  await take(history, [jsonOf(list)]);
  const before = exportOf(history);
  const again = await take(history, [jsonOf(list), jsonOf(list)]);
  assert.deepEqual(exportOf(history), before);
  assert.deepEqual(again.messages, { taken: 0, known: 2 * counts.messages, divided: 0 });
  const own = await take(history, [await fileOfBlob((await packHistory(history.eachConversation(), NOW)).zip)]);
  assert.deepEqual([own.messages.taken, own.chats.taken, own.chats.known], [0, 0, 10]);

  const [a, b] = [await fresh(), await fresh()];
  const moved = jsonOf(before);
  for (const to of [a, b, b]) await take(to, [moved]);
  assert.equal(exportOf(b).conversations.length, 10);
  const ids = [history, a, b].map((each) => each.records().map(({ recordId }) => recordId));
  assert.equal(new Set(ids.flat()).size, ids.flat().length);
});

test('CL-287 a file that names a message of this history does not write over it', async () => {
  const history = await fresh();
  await fill(history, [[0, 0]]);
  await clock.advance(50);
  const forged = structuredClone(exportOf(history)) as unknown as {
    conversations: { messages: { text: string; clock: number }[] }[];
  };
  for (const message of forged.conversations[0]?.messages ?? [])
    Object.assign(message, { text: 'forged', clock: NOW * 2 });
  const before = exportOf(history);
  await take(history, [jsonOf(forged)]);
  assert.deepEqual(exportOf(history), before);
});

test('CL-288 a time in a file does not move the clock of the history', async () => {
  const history = await fresh();
  const future = { create_time: 9e12 };
  await take(history, [
    jsonOf([{ ...chatOf(node('a', null, 'user', 'x', future)), create_time: 9e12, update_time: 9e12 }]),
  ]);
  for (const { content } of history.records()) assert.ok(content.clock <= clock.nowMs());
});

test('CL-289 every branch is taken, and the one that was shown is shown', async () => {
  const tree = chatOf(
    ['root', { id: 'root', parent: null, message: null }],
    node('q', 'root', 'user', 'q'),
    node('old', 'q', 'assistant', 'shown', { create_time: 1_700_000_001 }),
    node('tool', 'q', 'tool', 'x'),
    node('new', 'tool', 'assistant', 'newer', { create_time: 1_700_000_009 }),
  );
  const history = await fresh();
  await take(history, [jsonOf([{ ...tree, current_node: 'old' }])]);
  assert.deepEqual(textsOf(history), ['q', 'shown']);
  assert.equal(history.thread(history.conversations()[0]?.conversationId ?? '')[1]?.siblings.length, 2);
});

test('CL-290 a chat that was removed here comes back as a new one, and only when it is imported', async () => {
  const file = jsonOf([chatOf(node('a', null, 'user', 'x'))]);
  const history = await fresh();
  for (let round = 0; round < 3; round++) {
    const report = await take(history, [file, file]);
    assert.deepEqual([report.messages.taken, history.conversations().length], [1, 1]);
    await history.removeConversation(history.conversations()[0]?.conversationId ?? '');
  }
  assert.equal(history.conversations().length, 0);
});

test('CL-291 a message that is too long for one record is divided, not cut', async () => {
  const long = '"é\u0001😀a'.repeat(30_000);
  const history = await fresh();
  const file = jsonOf([chatOf(node('a', null, 'user', long), node('b', 'a', 'assistant', 'answer'))]);
  const report = await take(history, [file]);
  assert.equal(textsOf(history).slice(0, -1).join(''), long);
  assert.equal(textsOf(history).at(-1), 'answer');
  assert.equal(report.messages.divided, 1);
  assert.equal((await take(history, [file])).messages.taken, 0);
});

test('CL-292 a write that failed ends the import, and the next one makes it good', async () => {
  for (const fault of ['lost', 'applied', 'full'] as const) {
    const { list, counts } = syntheticChatGpt(createSeededRandom('faults'), 6);
    const store = createMemoryRecordStore();
    const history = await fresh(store);
    store.failWrites(fault, 3);
    const failed = await take(history, [jsonOf(list)]);
    assert.equal(failed.ended, 'failed');
    assert.ok(failed.failure !== undefined);
    store.heal();
    assert.equal((await take(history, [jsonOf(list)])).ended, 'whole');
    const messages = history.records().filter(({ content }) => content.type === 'message');
    assert.equal(messages.length, counts.messages);
    for (const { recordId } of history.records()) assert.ok(store.envelopeOf(recordId) !== undefined);
    assert.ok(history.conversations().every(({ title }) => title.startsWith('Chat')));
  }
});

test('CL-293 an import stops when it is told to, and can be repeated', async () => {
  const { list, counts } = syntheticChatGpt(createSeededRandom('stop'), 10);
  const stop = new AbortController();
  const history = await fresh();
  const stopped = await take(history, [jsonOf(list)], {
    signal: stop.signal,
    onProgress: ({ chats }) => chats === 3 && stop.abort(),
  });
  assert.equal(stopped.ended, 'stopped');
  assert.ok(stopped.messages.taken > 0 && stopped.messages.taken < counts.messages);
  const rest = await take(history, [jsonOf(list)]);
  assert.equal(stopped.messages.taken + rest.messages.taken, counts.messages);
});

test('each chat is in the pack as Markdown, under a name that every file system takes', async () => {
  const history = await fresh();
  await fill(history, [[0, 0, 0]]);
  await history.rename(history.conversations()[0]?.conversationId ?? '', '../a\u0000/b: "c"');
  const text = await (await packHistory(history.eachConversation(), NOW)).zip.text();
  assert.match(text, /chats\/00001 a b c\.md/);
  assert.match(text, /## You\n\n_[-\d]+ [:\d]+ UTC, m_\n\nm0\.0/);
  assert.match(text, /version \d of 2/);
});
