/** Files that go along: out of one history, into another, and out of a ChatGPT export; spoiled ones cost nobody the rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { concatBytes, encodeHex, encodeUtf8, equalBytes } from '@sotto/bytes';
import {
  createManualClock,
  createMemoryRecordStore,
  createMemorySealedStore,
  createSeededRandom,
} from '@sotto/testkit';
import { createAccountKey, unsafeRevealSecret } from '@sotto/vault';
import { Attachments, encodeAttachments, LOCAL_LIMITS, parseAttachments } from '../attachments/index.ts';
import { openHistory } from '../history.ts';
import { createTurns } from '../watch/turns.ts';
import { crc32 } from './crc32.ts';
import { attachImported, type ImportFile, importChats, packHistory } from './index.ts';
import { ZipWriter } from './zip-writer.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const random = createSeededRandom('files that go along');
const clock = createManualClock();
const NOW = clock.nowMs();

async function fresh(queueBytes = LOCAL_LIMITS.queueBytes) {
  const owner = { accountId: random.bytes(16), key: createAccountKey(random) };
  const sealed = createMemorySealedStore();
  const files = new Attachments({
    sealed,
    owner,
    clock,
    random,
    takingTurns: createTurns(),
    limits: { ...LOCAL_LIMITS, queueBytes },
  });
  const history = await openHistory({
    accountId: owner.accountId,
    accountKey: owner.key,
    deviceId: random.bytes(16),
    store: createMemoryRecordStore(),
    clock,
    random,
  });
  return { history, files, sealed };
}

type Side = Awaited<ReturnType<typeof fresh>>;

const toFile = async (blob: Blob, name = 'file.zip'): Promise<ImportFile> => {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { name, sizeBytes: bytes.length, read: async (from, to) => bytes.slice(from, to) };
};
const take = ({ history, files }: Side, chosen: ImportFile[]) =>
  importChats(history, chosen, { clock, attach: attachImported(files) });
const pack = ({ history, files }: Side) =>
  packHistory(history.eachConversation(), NOW, (attachment, conversationId) => files.open(attachment, conversationId));

async function say(side: Side, text: string, ...contents: { name: string; bytes: Bytes }[]): Promise<void> {
  const { history, files } = side;
  const conversationId = await history.createConversation(text);
  const kept = [];
  for (const { name, bytes } of contents) {
    const read = async function* () {
      yield bytes;
    };
    kept.push(await files.attach({ name, mediaType: 'text/plain', bytes: bytes.length, read }));
  }
  await files.keep(conversationId, kept);
  const message = { conversationId, parentId: undefined, role: 'user', text, status: 'complete' } as const;
  await history.saveMessage({ ...message, attachments: encodeAttachments(kept, text.length) });
}

/** Every message's text with its files, as they open. */
async function shape({ history, files }: Side): Promise<unknown> {
  const found = [];
  for (const { conversationId } of history.conversations()) {
    for (const { text, attachments } of history.thread(conversationId)) {
      const opened = [];
      for (const one of parseAttachments(attachments))
        opened.push([one.name, one.mediaType, encodeHex(await files.read(one, conversationId))]);
      found.push([text, opened]);
    }
  }
  return found.sort();
}

const textOf = async (blob: Blob) => Buffer.from(await blob.arrayBuffer()).toString('latin1');

test('CL-280 CL-286 files go along in an export, come back whole, and come once', async () => {
  const from = await fresh();
  await say(
    from,
    'two files',
    { name: 'größe: a/b.txt', bytes: encodeUtf8('hello') },
    { name: 'b', bytes: random.bytes(3000) },
  );
  await say(from, 'none');
  const packed = await pack(from);
  assert.deepEqual([packed.files, packed.filesLeftOut, packed.messages], [2, 0, 2]);
  assert.match(await textOf(packed.zip), /files\/[0-9a-f]{32}\/.*\.txt/);
  const to = await fresh();
  const report = await take(to, [await toFile(packed.zip)]);
  assert.deepEqual([report.ended, report.files.taken, report.leftOut.files], ['whole', 2, 0]);
  assert.deepEqual(await shape(to), await shape(from));
  const names = to.sealed.names();
  const again = await take(to, [await toFile(packed.zip)]);
  assert.deepEqual([again.messages.taken, again.files.taken], [0, 0]);
  assert.deepEqual(to.sealed.names(), names, 'no second copy was sealed');
});

test('CL-281 no key of a file is in an export, and none is taken from one', async () => {
  const from = await fresh();
  await say(from, 'a file', { name: 'a.txt', bytes: encodeUtf8('hello') });
  const [message] = from.history.thread(from.history.conversations()[0]?.conversationId ?? '');
  const [attachment] = parseAttachments(message?.attachments);
  assert.ok(attachment);
  const key = encodeHex(unsafeRevealSecret(attachment.key));
  for (const blob of [(await pack(from)).zip, (await packHistory(from.history.eachConversation(), NOW)).zip])
    assert.ok(!(await textOf(blob)).includes(key));
  const planted = {
    format: 'sotto-export/v1',
    conversations: [
      {
        id: 'x',
        registers: {},
        messages: [
          {
            id: 'y',
            parents: [],
            role: 'user',
            text: 't',
            status: 'complete',
            fields: { attachments: message?.attachments },
          },
        ],
      },
    ],
  };
  const to = await fresh();
  await take(to, [await toFile(new Blob([JSON.stringify(planted)]))]);
  assert.deepEqual(await shape(to), [['t', []]]);
});

test('CL-285 files that cannot be had are counted and left out, on the way out and in', async () => {
  const from = await fresh();
  await say(
    from,
    'two files',
    { name: 'a.txt', bytes: encodeUtf8('hello') },
    { name: 'b.txt', bytes: random.bytes(3000) },
  );
  const whole = await pack(from);
  const missing = from.sealed.names().find((name) => /part\/.*00000$/.test(name)) ?? '';
  from.sealed.damage(missing, undefined);
  const packed = await pack(from);
  assert.deepEqual([packed.files, packed.filesLeftOut], [1, 1]);
  const to = await fresh();
  const report = await take(to, [await toFile(packed.zip)]);
  assert.deepEqual([report.ended, report.files.taken, report.messages.taken], ['whole', 1, 1]);

  // A bit of one file's bytes: what it holds is no longer what the ZIP says.
  const bytes = Buffer.from(await whole.zip.arrayBuffer());
  const at = bytes.indexOf('hello');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  const other = await fresh();
  const spoiled = await take(other, [await toFile(new Blob([bytes]))]);
  assert.deepEqual([spoiled.files.taken, spoiled.leftOut.files, spoiled.messages.taken], [1, 1, 1]);
  assert.ok(!other.sealed.names().some((name) => name.includes('/draft/')));

  // Without a place for files they are counted, and the chats are taken.
  const plain = await fresh();
  const bare = await importChats(plain.history, [await toFile(whole.zip)], { clock });
  assert.deepEqual([bare.files.taken, bare.leftOut.files, bare.messages.taken], [0, 2, 1]);
});

test('CL-292 a device without room for files ends the import, which can be repeated', async () => {
  const from = await fresh();
  await say(from, 'a file', { name: 'a.txt', bytes: new Uint8Array(50_000) });
  const { zip } = await pack(from);
  const small = await fresh(10_000);
  const report = await take(small, [await toFile(zip)]);
  assert.deepEqual([report.ended, report.failure?.code, report.messages.taken], ['failed', 'files-full', 0]);
  const roomy = { ...small, files: (await fresh()).files };
  assert.equal((await take(roomy, [await toFile(zip)])).messages.taken, 1);
});

const message = (parts: unknown[], attachments: unknown[] = []) => ({
  author: { role: 'user' },
  content: { content_type: 'multimodal_text', parts },
  metadata: { attachments },
});
const picture = (id: string) => ({ content_type: 'image_asset_pointer', asset_pointer: id });

test('CL-280 pictures and files that a ChatGPT export holds are taken, from any of its ZIP files; the others are counted', async () => {
  const photo = random.bytes(2000);
  const drawing = new Uint8Array(5000).fill(7);
  const chats = [
    {
      id: 'chat',
      mapping: {
        a: {
          id: 'a',
          parent: null,
          message: message(
            [picture('file-service://file-Abc123'), 'look'],
            [
              { id: 'file-Abc123', name: 'photo.jpg', mime_type: 'image/jpeg' },
              { id: 'file-Pdf9', name: 'paper.pdf', mime_type: 'application/pdf' },
              { id: 'file-gone', name: 'gone.pdf', mime_type: 'application/pdf' },
            ],
          ),
        },
        b: { id: 'b', parent: 'a', message: message([picture('sediment://file_00ff')]) },
        c: { id: 'c', parent: 'b', message: message([picture('file-service://file-nowhere')]) },
      },
    },
  ];
  const first = new ZipWriter();
  await first.add('conversations.json', [encodeUtf8(JSON.stringify(chats))]);
  await first.add('file-Abc123-photo.jpg', [photo]);
  await first.add('notes/other.txt', [encodeUtf8('not named by any chat')]);
  const second = new ZipWriter();
  await second.add('user-x/file-Pdf9-paper.pdf', [encodeUtf8('a paper')]);
  await second.add('dalle-generations/file_00ff-drawing.webp', [drawing]);
  const to = await fresh();
  const report = await take(to, [await toFile(first.finish(), 'one.zip'), await toFile(second.finish(), 'two.zip')]);
  assert.deepEqual([report.files.taken, report.leftOut.images, report.leftOut.files], [3, 1, 1]);
  assert.deepEqual(
    report.refused.map(({ fileName }) => fileName),
    ['two.zip'],
  );
  assert.deepEqual(await shape(to), [
    ['', [['file_00ff-drawing.webp', 'image/webp', encodeHex(drawing)]]],
    [
      'look',
      [
        ['photo.jpg', 'image/jpeg', encodeHex(photo)],
        ['paper.pdf', 'application/pdf', encodeHex(encodeUtf8('a paper'))],
      ],
    ],
  ]);
});

test('CL-283 a file that unpacks to more than it says is left out, and takes no room', async () => {
  const packedBytes = deflateRawSync(new Uint8Array(5_000_000));
  const content = encodeUtf8(
    JSON.stringify([
      {
        id: 'c',
        mapping: { a: { id: 'a', parent: null, message: message([picture('file-service://file-Bomb'), 'x']) } },
      },
    ]),
  );
  const zip = deflated([
    { name: 'conversations.json', packed: new Uint8Array(deflateRawSync(content)), bytes: content },
    { name: 'file-Bomb-x.png', packed: new Uint8Array(packedBytes), bytes: new Uint8Array(1000) },
  ]);
  const to = await fresh();
  const report = await take(to, [await toFile(new Blob([zip]))]);
  assert.deepEqual([report.ended, report.files.taken, report.leftOut.images], ['whole', 0, 1]);
  assert.deepEqual(to.sealed.names(), []);
});

/** A ZIP of deflated entries; `bytes` is what the directory says of size and check sum. */
function deflated(entries: readonly { name: string; packed: Bytes; bytes: Bytes }[]): Bytes {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, packed, bytes } of entries) {
    const header = Buffer.alloc(26);
    header.writeUInt16LE(20, 0);
    header.writeUInt16LE(8, 4);
    header.writeUInt32LE(crc32(bytes), 10);
    header.writeUInt32LE(packed.length, 14);
    header.writeUInt32LE(bytes.length, 18);
    header.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), header, Buffer.from(name)]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), header, more, Buffer.from(name)]));
    parts.push(local, packed);
    offset += local.length + packed.length;
  }
  const all = concatBytes(...directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(all.length, 12);
  end.writeUInt32LE(offset, 16);
  return concatBytes(...parts, all, end);
}

test('a file in pieces and the same at once have one check sum', () => {
  const bytes = random.bytes(1000);
  assert.equal(crc32(bytes), crc32(concatBytes(bytes.subarray(0, 500), bytes.subarray(500))));
  assert.ok(equalBytes(encodeUtf8('123456789'), encodeUtf8('123456789')));
  assert.equal(crc32(encodeUtf8('123456789')), 0xcbf43926);
});
