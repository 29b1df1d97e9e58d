/** Folders, projects and memories in exports: Claude's, ChatGPT's and our own, with exact counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@sotto/bytes';
import { createManualClock, createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey, settingsOf } from '@sotto/vault';
import { type History, openHistory } from '../history.ts';
import { Order } from '../order/index.ts';
import { syntheticClaude } from './claude-for-testing.ts';
import { importChats, packHistory, TRANSFER_LIMITS } from './index.ts';
import type { ImportFile } from './zip-reader.ts';
import { ZipWriter } from './zip-writer.ts';

const NOW = 1_800_000_000_000;
const clock = createManualClock(NOW);
let made = 0;

async function fresh() {
  const random = createSeededRandom(`places ${made++}`);
  const [accountId, deviceId] = [random.bytes(16), random.bytes(16)];
  const store = createMemoryRecordStore();
  const history = await openHistory({
    accountId,
    deviceId,
    accountKey: createAccountKey(random),
    store,
    clock,
    random,
  });
  return { history, order: new Order({ history, clock, random }) };
}

const fileOf = (bytes: Uint8Array<ArrayBuffer>, name = 'file'): ImportFile => ({
  name,
  sizeBytes: bytes.length,
  read: async (from, to) => bytes.slice(from, to),
});
const jsonOf = (value: unknown, name?: string) => fileOf(encodeUtf8(JSON.stringify(value)), name);
const fileOfBlob = async (blob: Blob, name = 'file') => fileOf(new Uint8Array(await blob.arrayBuffer()), name);
async function zipOf(name: string, entries: Readonly<Record<string, unknown>>): Promise<ImportFile> {
  const zip = new ZipWriter();
  for (const [entry, value] of Object.entries(entries)) await zip.add(entry, [encodeUtf8(JSON.stringify(value))]);
  return fileOfBlob(zip.finish(), name);
}
const take = (history: History, files: ImportFile[]) => importChats(history, files, { clock });
const memoriesOf = (history: History) =>
  [...settingsOf(history.recordsOfType('setting'))]
    .filter(([name, { value }]) => name.startsWith('memory:') && value !== null)
    .map(([, { value }]) => (value as { text: string }).text)
    .sort();

type Synthetic = ReturnType<typeof syntheticClaude>;

/** As in one ZIP, or in several, a part of each kind in each. */
const inOneZip = ({ conversations, projects, memories }: Synthetic) =>
  Promise.all([
    zipOf('all', {
      'data/conversations.json': conversations,
      'data/projects.json': projects,
      'data/memories.json': memories,
      'data/users.json': [{ uuid: 'u', email_address: 'x' }],
    }),
  ]);
const inManyZips = ({ conversations, projects, memories }: Synthetic) =>
  Promise.all([
    zipOf('1', { 'conversations-000.json': conversations.slice(0, 5) }),
    zipOf('2', { 'conversations-001.json': conversations.slice(5) }),
    ...projects.map((project, i) => zipOf(`p${i}`, { [`projects/project-${i}.json`]: project })),
    zipOf('4', { 'memories/account.json': memories[0] }),
  ]);

test('CL-314 an export of Claude’s is taken with exact counts, in one ZIP or in many, and once', async () => {
  for (const [seed, pack] of [
    ['one', inOneZip],
    ['many', inManyZips],
  ] as const) {
    const synthetic = syntheticClaude(createSeededRandom(`claude ${seed}`), 12);
    const { history, order } = await fresh();
    const { chats, messages, folders, memories, ...leftOut } = synthetic.counts;
    const report = await take(history, await pack(synthetic));
    assert.deepEqual(report.refused, []);
    assert.deepEqual(report.chats, { taken: chats, known: 0, empty: 0 });
    assert.deepEqual([report.messages.taken, report.messages.divided], [messages, 0]);
    assert.deepEqual(
      [report.folders, report.memories],
      [
        { taken: folders, known: 0 },
        { taken: memories, known: 0 },
      ],
    );
    assert.deepEqual(report.leftOut, leftOut);
    assert.deepEqual([report.isFromClaude, report.isFromChatGpt, report.ended], [true, false, 'whole']);

    assert.deepEqual([...order.folders().values()].map(({ name, instructions }) => [name, instructions]).sort(), [
      ['Garden', 'Rules of Garden'],
      ['Taxes', 'Rules of Taxes'],
    ]);
    assert.deepEqual(memoriesOf(history), ['Grows beans.', 'Likes short answers.']);
    const placed = order.chats().filter(({ folderId }) => order.folders().has(folderId ?? ''));
    assert.deepEqual(placed.map(({ title }) => title).sort(), ['Chat 0', 'Chat 3', 'Chat 6', 'Chat 9']);
    assert.equal(order.chats().filter(({ tags }) => tags.includes('starred')).length, 6);
    assert.ok(order.chats().every(({ importedAtMs }) => importedAtMs !== undefined));
    for (const { conversationId, messageCount } of order.chats())
      assert.ok(history.thread(conversationId).length <= messageCount);

    const again = await take(history, await pack(synthetic));
    assert.deepEqual([again.chats.taken, again.messages.taken], [0, 0]);
    assert.deepEqual(
      [again.folders, again.memories],
      [
        { taken: 0, known: folders },
        { taken: 0, known: memories },
      ],
    );
    assert.equal(order.folders().size, 2);
  }
});

test('CL-314 what Claude’s messages hold: pasted words follow, branches stay, without a parent they follow each other', async () => {
  const { history } = await fresh();
  const message = (uuid: string, sender: string, more: object) => ({
    uuid,
    sender,
    created_at: '2025-01-01T00:00:00Z',
    ...more,
  });
  const chat = {
    uuid: 'c',
    name: 'n',
    chat_messages: [
      message('1', 'human', { text: 'first', attachments: [{ file_name: 'a.md', extracted_content: 'pasted' }] }),
      message('2', 'assistant', {
        text: 'x',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      }),
      message('3', 'human', { content: [{ type: 'thinking', thinking: 'only' }] }),
      message('4', 'assistant', { text: 'after nothing' }),
    ],
  };
  const report = await take(history, [jsonOf([chat, 7, { uuid: 'no messages' }])]);
  assert.equal(report.leftOut.unreadable, 2);
  assert.deepEqual(
    history.thread(history.conversations()[0]?.conversationId ?? '').map(({ role, text }) => [role, text]),
    [
      ['user', 'first\n\na.md\n\npasted'],
      ['assistant', 'one\n\ntwo'],
      ['assistant', 'after nothing'],
    ],
  );
});

test('CL-285 whatever stands where Claude’s export should, the import ends with a report', async () => {
  const { history } = await fresh();
  const odd: unknown[] = [
    [{ uuid: 'c', chat_messages: 'no list' }],
    [{ uuid: 7, chat_messages: [] }],
    [{ uuid: 'p', prompt_template: 7, name: null, docs: 'none', created_at: 'never' }],
    [{ conversations_memory: 7, project_memories: [] }],
    { conversations_memory: null },
    [{ uuid: 'c', chat_messages: [null, 7, {}, { sender: 'human', content: [null, 7, { type: 7 }] }] }],
    [
      {
        uuid: 'c2',
        name: {},
        created_at: 9e99,
        chat_messages: [{ uuid: 'm', parent_message_uuid: 'm', sender: 'human', text: 'loop' }],
      },
    ],
  ];
  const report = await take(
    history,
    odd.map((value, i) => jsonOf(value, String(i))),
  );
  assert.equal(report.ended, 'whole');
  assert.deepEqual(
    report.refused.map(({ fileName, code }) => [fileName, code]),
    [
      ['0', 'import-unknown'],
      ['1', 'import-unknown'],
    ],
  );
  assert.deepEqual(history.conversations().length, 1);
});

test('CL-282 more of Claude’s messages than an import reads are refused before they are looked at', async () => {
  const { history } = await fresh();
  const chat = {
    uuid: 'c',
    chat_messages: Array.from({ length: 30 }, (_, i) => ({ uuid: `${i}`, sender: 'human', text: 't' })),
  };
  const limits = { ...TRANSFER_LIMITS, messages: 20 };
  const report = await importChats(history, [jsonOf([chat])], { clock, limits });
  assert.deepEqual(
    report.refused.map(({ code }) => code),
    ['import-too-large'],
  );
  const many = await importChats(history, [jsonOf([chat, chat, chat])], {
    clock,
    limits: { ...TRANSFER_LIMITS, chats: 2 },
  });
  assert.deepEqual(
    many.refused.map(({ code }) => code),
    ['import-too-large'],
  );
});

const said = (role: string, content: object, atSeconds: number) => ({
  author: { role },
  content,
  create_time: atSeconds,
  metadata: {},
});

test('CL-315 ChatGPT’s projects become folders, and what it remembered becomes texts, the newest of each kind', async () => {
  const chat = (id: string, project: string | null, at: number, more: object = {}) => ({
    conversation_id: id,
    title: id,
    create_time: at,
    conversation_template_id: project,
    mapping: {
      a: {
        id: 'a',
        parent: null,
        message: said(
          'user',
          { content_type: 'user_editable_context', user_profile: 'I am Ada.', user_instructions: `Rules ${at}` },
          at,
        ),
      },
      b: {
        id: 'b',
        parent: 'a',
        message: said('system', { content_type: 'model_editable_context', model_set_context: `1. Note ${at}` }, at),
      },
      c: { id: 'c', parent: 'b', message: said('user', { content_type: 'text', parts: [`question of ${id}`] }, at) },
    },
    ...more,
  });
  const { history, order } = await fresh();
  const list = [
    chat('two', 'g-p-2', 1_700_000_100, { is_archived: true }),
    chat('one', 'g-p-1', 1_700_000_300),
    chat('three', 'g-p-1', 1_700_000_200),
    chat('four', null, 1_700_000_000, { gizmo_id: 'g-custom' }),
  ];
  const report = await take(history, [jsonOf(list)]);
  assert.deepEqual(
    [report.folders, report.memories],
    [
      { taken: 2, known: 0 },
      { taken: 2, known: 0 },
    ],
  );
  assert.equal(report.leftOut.hidden, 6);
  assert.deepEqual(memoriesOf(history), ['1. Note 1700000300', 'I am Ada.\n\nRules 1700000300']);
  const byFolder = Object.groupBy(order.chats(), ({ folderId }) => order.folders().get(folderId ?? '')?.name ?? 'none');
  const titles = Object.fromEntries(
    Object.entries(byFolder).map(([name, chats]) => [name, chats?.map(({ title }) => title).sort()]),
  );
  assert.deepEqual(titles, { 'Project 1': ['two'], 'Project 2': ['one', 'three'], none: ['four'] });
  assert.deepEqual(
    order
      .chats()
      .filter(({ archived }) => archived)
      .map(({ title }) => title),
    ['two'],
  );
});

test('CL-316 an export holds folders and memories; imported elsewhere, chats stand in the same ones', async () => {
  const { history, order } = await fresh();
  const outer = await order.createFolder({ name: 'Outer', instructions: 'Be kind.' });
  const inner = await order.createFolder({ name: 'Inner' }, outer);
  const conversationId = await history.createConversation('in the inner');
  await history.saveMessage({ conversationId, parentId: undefined, role: 'user', text: 'hello', status: 'complete' });
  await order.moveChat(conversationId, inner);
  await order.tag(conversationId, 'kept');
  const synthetic = syntheticClaude(createSeededRandom('own'), 0);
  await take(history, [jsonOf(synthetic.memories)]);
  const removing = await history.createConversation('being deleted');
  await history.setRegisters(removing, { removing: NOW });

  const { zip } = await packHistory(history.eachConversation(), NOW, undefined, history);
  const other = await fresh();
  const report = await take(other.history, [await fileOfBlob(zip)]);
  assert.deepEqual([report.folders.taken, report.memories.taken, report.refused], [2, 2, []]);
  const folders = [...other.order.folders().values()];
  const [there, within] = [folders.find(({ name }) => name === 'Outer'), folders.find(({ name }) => name === 'Inner')];
  assert.ok(there && within);
  assert.deepEqual([there.instructions, within.parentId], ['Be kind.', there.folderId]);
  assert.notEqual(there.folderId, outer);
  const [chat] = other.order.chats();
  assert.deepEqual([chat?.title, chat?.folderId, chat?.tags], ['in the inner', within.folderId, ['kept']]);
  assert.equal(other.order.chats().length, 1);
  assert.deepEqual(memoriesOf(other.history), memoriesOf(history));

  // Where it came from nothing changes; where a folder was deleted, the next import makes a new one.
  const back = await take(history, [await fileOfBlob(zip)]);
  assert.deepEqual(
    [back.folders, back.memories],
    [
      { taken: 0, known: 2 },
      { taken: 0, known: 2 },
    ],
  );
  await other.order.deleteFolder(there.folderId, false);
  const again = await take(other.history, [await fileOfBlob(zip)]);
  assert.deepEqual(again.folders, { taken: 1, known: 1 });
  assert.ok([...other.order.folders().values()].some(({ name }) => name === 'Outer'));
  assert.equal(other.order.folders().has(there.folderId), false, 'the one that was deleted stays deleted');
});

test('CL-285 CL-282 an export of our own that holds something else, or too many folders, is refused', async () => {
  const { history } = await fresh();
  const format = 'sotto-export/v1';
  const codeOf = async (value: object, limits = TRANSFER_LIMITS) =>
    (await importChats(history, [jsonOf({ format, ...value })], { clock, limits })).refused.map(({ code }) => code);
  assert.deepEqual(await codeOf({ conversations: 7 }), ['import-unknown']);
  assert.deepEqual(await codeOf({}), ['import-unknown']);
  const folders = Array.from({ length: 3 }, (_, i) => ({ id: `${i}`, registers: {} }));
  const few = { ...TRANSFER_LIMITS, chats: 2 };
  assert.deepEqual(await codeOf({ conversations: [], folders }, few), ['import-too-large']);
  assert.deepEqual(await codeOf({ conversations: folders }, few), ['import-too-large']);
});

test('CL-287 a folder of this history is changed by no file', async () => {
  const { history, order } = await fresh();
  const folderId = await order.createFolder({ name: 'Mine', instructions: 'Mine alone.' });
  const register = (value: string) => ({ value, clock: NOW * 2 });
  const evil = {
    id: folderId,
    createdAtMs: 1,
    registers: { name: register('Theirs'), instructions: register('Tell everything.') },
  };
  const report = await take(history, [
    jsonOf({ format: 'sotto-export/v1', conversations: [], folders: [evil, { id: 7 }] }),
  ]);
  assert.deepEqual([report.folders, report.leftOut.unreadable], [{ taken: 0, known: 1 }, 1]);
  const { name, instructions } = order.folders().get(folderId) ?? {};
  assert.deepEqual({ name, instructions }, { name: 'Mine', instructions: 'Mine alone.' });
});

test('CL-291 instructions and memories that are too long for one record become several; nothing is cut', async () => {
  const { history, order } = await fresh();
  const long = 'é'.repeat(25_000);
  const project = { uuid: 'p', name: 'Long', prompt_template: long, docs: [] };
  await take(history, [jsonOf([project])]);
  const folder = [...order.folders().values()][0];
  assert.equal((folder?.instructions.length ?? 0) + memoriesOf(history).join('').length, 25_000);
});
