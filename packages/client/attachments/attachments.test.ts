/** Files that go with messages: what is kept, sent, fetched and removed, over a server that fails or lies and a device that loses power. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { concatBytes, equalBytes, parseHex } from '@sotto/bytes';
import {
  createManualClock,
  createMemoryRecordStore,
  createMemorySealedStore,
  createSeededRandom,
  type ManualClock,
  type MemorySealedStore,
} from '@sotto/testkit';
import { AccountKey, createAccountKey, type JsonValue } from '@sotto/vault';
import { BLOB_LIMIT_BYTES } from '@sotto/vault/blob';
import { ClientError } from '../errors.ts';
import { openHistory } from '../history.ts';
import { createTurns } from '../watch/turns.ts';
import {
  type Attachment,
  type AttachmentPorts,
  Attachments,
  encodeAttachments,
  type FileToAttach,
  LOCAL_LIMITS,
  type LocalLimits,
  parseAttachments,
  type RemoteBlobs,
} from './index.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const random = createSeededRandom('attachments');
/** Bytes of any length that differ from call to call. */
function bytesOf(length: number): Bytes {
  const seed = random.bytes(64);
  return new Uint8Array(length).map((_, i) => (seed[i % 64] as number) ^ (i >> 6));
}
const DAY_MS = 24 * 60 * 60 * 1000;
const CHAT = 'c'.repeat(32);

/** A server that keeps what it is sent, and can fail at any call. */
interface FakeRemote extends RemoteBlobs {
  readonly blobs: Map<string, { parts: Map<number, Bytes>; committed: boolean; writtenAtMs: number }>;
  /** Calls, in order: `put 0`, `commit`, … */
  readonly calls: string[];
  failing: ClientError | undefined;
  /** Fails once this many calls were answered; the call that fails is applied where `applies`. */
  failAfter(calls: number, error: ClientError, applies?: boolean): void;
}

function fakeRemote(clock: ManualClock): FakeRemote {
  const blobs: FakeRemote['blobs'] = new Map();
  let left = Number.POSITIVE_INFINITY;
  let planned: { error: ClientError; applies: boolean } | undefined;
  const call = async <Result>(name: string, work: () => Result): Promise<Result> => {
    remote.calls.push(name);
    if (remote.failing !== undefined) throw remote.failing;
    if (left-- <= 0 && planned !== undefined) {
      const { error, applies } = planned;
      planned = undefined;
      left = Number.POSITIVE_INFINITY;
      if (applies) work();
      throw error;
    }
    return work();
  };
  const of = (blobId: string) => {
    const found = blobs.get(blobId) ?? { parts: new Map(), committed: false, writtenAtMs: clock.nowMs() };
    blobs.set(blobId, found);
    return found;
  };
  const remote: FakeRemote = {
    blobs,
    calls: [],
    failing: undefined,
    failAfter: (calls, error, applies = false) => {
      left = calls;
      planned = { error, applies };
    },
    held: (blobId) =>
      call('held', () => {
        const { parts, committed } = blobs.get(blobId) ?? { parts: new Map(), committed: false };
        return { committed, parts: [...parts.keys()] };
      }),
    put: (blobId, part, bytes) => call(`put ${part}`, () => void of(blobId).parts.set(part, bytes.slice())),
    commit: (blobId, parts) =>
      call('commit', () => {
        if (of(blobId).parts.size !== parts) throw new ClientError('blob-incomplete');
        of(blobId).committed = true;
      }),
    get: (blobId, part) =>
      call(`get ${part}`, () => {
        const bytes = blobs.get(blobId)?.parts.get(part);
        if (bytes === undefined) throw new ClientError('blob-unknown');
        return bytes.slice();
      }),
    remove: (blobId) => call('remove', () => void blobs.delete(blobId)),
    list: (after) =>
      call('list', () => ({
        blobs: [...blobs]
          .filter(([blobId, { committed }]) => committed && blobId > after)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([blobId, { parts, writtenAtMs }]) => ({
            blobId,
            writtenAtMs,
            bytes: [...parts.values()].reduce((sum, { length }) => sum + length, 0),
          })),
        more: false,
        usedBytes: 1,
        allowedBytes: 2,
      })),
  };
  return remote;
}

interface Rig {
  readonly clock: ManualClock;
  readonly remote: FakeRemote;
  readonly sealed: MemorySealedStore;
  readonly ports: AttachmentPorts;
  readonly files: Attachments;
}

function rig(options: { limits?: Partial<LocalLimits>; guest?: boolean; sealed?: MemorySealedStore } = {}): Rig {
  const clock = createManualClock();
  const remote = fakeRemote(clock);
  const sealed = options.sealed ?? createMemorySealedStore();
  const ports: AttachmentPorts = {
    sealed,
    owner: { accountId: random.bytes(16), key: createAccountKey(random) },
    clock,
    random,
    takingTurns: createTurns(),
    ...(options.guest ? {} : { remote }),
    limits: { ...LOCAL_LIMITS, ...options.limits },
  };
  return { clock, remote, sealed, ports, files: new Attachments(ports) };
}

/** What the next start of the device finds. */
const again = ({ ports, sealed }: Rig, change: Partial<AttachmentPorts> = {}) =>
  new Attachments({ ...ports, sealed: sealed.reopen(), ...change });

function fileOf(content: Bytes, name = 'notes.txt'): FileToAttach {
  return {
    name,
    mediaType: 'text/plain',
    bytes: content.length,
    read: async function* () {
      for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
    },
  };
}

async function readWhole(files: Attachments, attachment: Attachment): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of files.open(attachment, CHAT)) pieces.push(piece);
  return concatBytes(...pieces);
}

async function keep(files: Attachments, content: Bytes, conversationId = CHAT): Promise<Attachment> {
  const attachment = await files.attach(fileOf(content));
  await files.keep(conversationId, [attachment]);
  return attachment;
}

const here = () => 'here' as const;
const unreachable = () => new ClientError('network-unreachable');

test('CL-270 what a message says of its files is read whole, and an odd entry hides neither message nor files', async () => {
  const { files } = rig();
  const thumbnail = { mediaType: 'image/jpeg', data: random.bytes(2000) };
  const attachment = { ...(await files.attach(fileOf(random.bytes(50), 'größe.txt'))), thumbnail };
  const [read] = parseAttachments(encodeAttachments([attachment], 10));
  assert.deepEqual({ ...read, key: undefined }, { ...attachment, key: undefined });
  assert.ok(equalBytes(await readWhole(files, read as Attachment), await readWhole(files, attachment)));
  const [good] = encodeAttachments([attachment], 10) as JsonValue[];
  const odd: JsonValue[] = [
    7,
    null,
    [],
    {},
    { ...(good as object), bytes: -1 },
    { ...(good as object), bytes: BLOB_LIMIT_BYTES + 1 },
    { ...(good as object), bytes: '5' },
    { ...(good as object), bytes: 0.5 },
    { ...(good as object), key: 'zz' },
    { ...(good as object), key: '0'.repeat(64) },
    { ...(good as object), blobId: '../x' },
    { ...(good as object), name: 'x'.repeat(256) },
  ];
  for (const one of odd) assert.deepEqual(parseAttachments([one]), [], JSON.stringify(one).slice(0, 80));
  assert.equal(parseAttachments([...odd.slice(0, 5), good as JsonValue]).length, 1);
  for (const value of [undefined, null, 'x', {}]) assert.deepEqual(parseAttachments(value as JsonValue), []);
  assert.equal(parseAttachments(Array.from({ length: 50 }, () => good as JsonValue)).length, 10);
});

test('CL-270 thumbnails go where the record has no room for them', async () => {
  const { files } = rig();
  const attachment = await files.attach(fileOf(random.bytes(5)));
  const many = Array.from({ length: 10 }, () => ({
    ...attachment,
    name: 'ü'.repeat(300),
    thumbnail: { mediaType: 'image/jpeg', data: random.bytes(6000) },
  }));
  const sizes = [100, 60_000].map((textBytes) => JSON.stringify(encodeAttachments(many, textBytes)).length + textBytes);
  for (const size of sizes) assert.ok(size < 65_000 + 5000, String(size));
  const history = await openHistory({
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    deviceId: random.bytes(16),
    store: createMemoryRecordStore(),
    clock: createManualClock(),
    random,
  });
  const conversationId = await history.createConversation('x');
  for (const length of [100, 20_000, 55_000]) {
    const text = 'x'.repeat(length);
    const message = { conversationId, parentId: undefined, role: 'user', text, status: 'complete' } as const;
    const messageId = await history.saveMessage({ ...message, attachments: encodeAttachments(many, length) });
    await history.saveMessage({ ...message, messageId });
    const kept = history.thread(conversationId, messageId).find((one) => one.messageId === messageId);
    assert.equal(parseAttachments(kept?.attachments).length, 10);
  }
});

test('CL-271 what the device keeps is sealed, and what another program changed keeps no other file from being sent', async () => {
  const it = rig();
  const content = new TextEncoder().encode('a very secret sentence '.repeat(500));
  const [first, second] = [await keep(it.files, content), await keep(it.files, content)];
  for (const name of it.sealed.names()) {
    assert.match(name, /^acct\/[0-9a-f]{32}\/blob\/(queue\/[0-9a-f]{32}|part\/[0-9a-f]{32}\/\d{5})$/);
    const [value] = await it.sealed.get([name]);
    assert.doesNotMatch(Buffer.from(value as Bytes).toString('latin1'), /secret|notes|text\/plain/);
  }
  it.sealed.damage(
    `${it.sealed.names()[0]?.split('/queue/')[0]?.split('/part/')[0]}/queue/${first.blobId}`,
    random.bytes(90),
  );
  await it.files.push();
  assert.equal(it.files.state.problem, undefined);
  assert.equal(it.remote.blobs.get(second.blobId)?.committed, true);
});

test('CL-272 files that wait have a limit, and one that does not fit leaves nothing behind', async () => {
  const it = rig({ limits: { queueBytes: 20_000 } });
  await keep(it.files, bytesOf(12_000));
  const names = it.sealed.names();
  await assert.rejects(it.files.attach(fileOf(random.bytes(9000))), { code: 'files-full', rule: 'CL-272' });
  assert.deepEqual(it.sealed.names(), names);
  await it.files.push();
  await it.files.attach(fileOf(random.bytes(9000)));
  const small = rig({ sealed: createMemorySealedStore({ capacityBytes: 300_000 }) });
  await assert.rejects(small.files.attach(fileOf(bytesOf(600_000))), { code: 'store-full' });
  assert.deepEqual(small.sealed.names(), []);
  const stop = new AbortController();
  const stopped = small.files.attach(fileOf(bytesOf(100_000)), { signal: stop.signal });
  stop.abort(new Error('removed'));
  await assert.rejects(stopped);
  assert.deepEqual(small.sealed.names(), []);
});

test('CL-273 a file is kept before its message is, and sent after any crash; a draft goes a day later', async () => {
  const it = rig();
  const content = bytesOf(700_000);
  const kept = await keep(it.files, content);
  const draft = await it.files.attach(fileOf(random.bytes(10)));
  // The page ends here.
  const next = again(it);
  await next.collect(here);
  await next.push();
  assert.equal(it.remote.blobs.get(kept.blobId)?.committed, true);
  assert.equal(it.remote.blobs.has(draft.blobId), false);
  assert.ok(equalBytes(await readWhole(next, kept), content));
  assert.ok(it.sealed.names().some((name) => name.includes(draft.blobId)));
  await it.clock.advance(DAY_MS + 1);
  await again(it).collect(here);
  assert.ok(!it.sealed.names().some((name) => name.includes(draft.blobId)));
  // A draft that is taken back goes at once, one that is kept does not.
  const gone = await next.attach(fileOf(random.bytes(10)));
  await next.discard(gone);
  await next.discard(kept);
  assert.ok(!it.sealed.names().some((name) => name.includes(gone.blobId)));
  assert.ok(equalBytes(await readWhole(next, kept), content));
});

test('CL-274 sending goes on where it stopped, whatever call failed, lost or applied, and the own copy goes only after the commit', async () => {
  const content = bytesOf(900_000);
  for (const applies of [false, true]) {
    for (let calls = 0; calls < 6; calls++) {
      const it = rig({ limits: { cacheBytes: 0 } });
      const attachment = await keep(it.files, content);
      it.remote.failAfter(calls, unreachable(), applies);
      await it.files.push();
      assert.equal(it.files.state.problem?.code, 'network-unreachable');
      assert.equal(it.files.state.waiting, 1);
      assert.ok(it.sealed.names().length > 1, 'the own copy was let go too early');
      const before = it.remote.calls.length;
      const next = again(it);
      await next.push();
      assert.deepEqual(next.state, { waiting: 0 });
      const puts = it.remote.calls.slice(before).filter((call) => call.startsWith('put')).length;
      const made = Math.max(0, Math.min(4, calls - 1 + (applies ? 1 : 0)));
      assert.equal(puts, calls === 0 ? 4 : 4 - made, `${calls} ${applies}`);
      assert.deepEqual(it.sealed.names(), [], 'nothing is cached here');
      assert.ok(equalBytes(await readWhole(next, attachment), content));
    }
  }
});

test('CL-274 a file that the server will never take is told, and keeps no other from being sent', async () => {
  const it = rig();
  const [first, second] = [await keep(it.files, bytesOf(10)), await keep(it.files, bytesOf(10))];
  it.remote.failAfter(1, new ClientError('blob-conflict'));
  await it.files.push();
  assert.deepEqual([it.files.state.problem?.code, it.files.state.waiting], ['blob-conflict', 1]);
  assert.deepEqual([it.remote.blobs.has(first.blobId), it.remote.blobs.get(second.blobId)?.committed], [false, true]);
  assert.equal((await readWhole(it.files, first)).length, 10);
});

test('CL-384 a part that the server says it has, and has lost, is sent anew with its file; what it never takes keeps no other from being sent', async () => {
  for (const isLostForEver of [false, true]) {
    const it = rig();
    const content = bytesOf(600_000);
    const [first, second] = [await keep(it.files, content), await keep(it.files, bytesOf(10))];
    // A row stands on the server for a part that its disk has lost.
    const { held } = it.remote;
    let isLost = true;
    it.remote.held = async (blobId) => {
      const answer = await held(blobId);
      return blobId === first.blobId && isLost ? { ...answer, parts: [...new Set([...answer.parts, 1])] } : answer;
    };
    const { remove } = it.remote;
    it.remote.remove = async (blobId) => {
      isLost = isLostForEver;
      await remove(blobId);
    };
    await it.files.push();
    assert.equal(it.remote.blobs.get(second.blobId)?.committed, true);
    if (isLostForEver) {
      assert.deepEqual([it.files.state.problem?.code, it.files.state.waiting], ['blob-incomplete', 1]);
    } else {
      assert.deepEqual(it.files.state, { waiting: 0 });
      assert.equal(it.remote.blobs.get(first.blobId)?.committed, true);
    }
    assert.ok(equalBytes(await readWhole(it.files, first), content), 'it is still whole here');
  }
});

test('CL-276 CL-384 a file of which this device lost a part before it was sent is told, until its chat is removed', async () => {
  const it = rig();
  const [first, second] = [await keep(it.files, bytesOf(600_000)), await keep(it.files, bytesOf(10))];
  const part = it.sealed.names().find((name) => name.endsWith(`${first.blobId}/00001`)) ?? '';
  await it.sealed.write([{ name: part, value: undefined }]);
  await it.files.push();
  assert.deepEqual(it.files.state, { waiting: 0, lost: 1 });
  assert.equal(it.remote.blobs.get(second.blobId)?.committed, true);
  const next = again(it);
  await next.push();
  assert.equal(next.state.lost, 1);
  await next.collect(() => 'here');
  assert.equal(next.state.lost, 1);
  await next.collect(() => 'removed');
  assert.deepEqual(next.state, { waiting: 0 });
  assert.deepEqual(
    it.sealed.names().filter((name) => name.includes('/lost/')),
    [],
  );
});

test('CL-385 what this device has whole, and the server no longer, is sent again when it is opened here', async () => {
  const it = rig();
  const content = bytesOf(600_000);
  const attachment = await keep(it.files, content);
  await it.files.push();
  await readWhole(it.files, attachment);
  const calls = it.remote.calls.length;
  it.remote.blobs.clear();
  assert.ok(equalBytes(await readWhole(it.files, attachment), content));
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(it.remote.calls.length > calls);
  assert.equal(it.remote.blobs.get(attachment.blobId)?.committed, true);
  assert.deepEqual(it.files.state, { waiting: 0 });
  const elsewhere = new Attachments({ ...it.ports, sealed: createMemorySealedStore() });
  assert.ok(equalBytes(await readWhole(elsewhere, attachment), content));
});

test('CL-275 what is changed here or on the server never opens as the file; what is whole on the server is fetched', async () => {
  const it = rig();
  const content = bytesOf(600_000);
  const attachment = await keep(it.files, content);
  await it.files.push();
  const part = it.sealed.names().find((name) => name.endsWith(`${attachment.blobId}/00001`)) ?? '';
  it.sealed.damage(part, bytesOf(262_160));
  assert.ok(equalBytes(await readWhole(it.files, attachment), content));
  assert.ok(it.remote.calls.includes('get 1'));
  const fetched = () => it.remote.calls.filter((call) => call.startsWith('get')).length;
  const before = fetched();
  assert.ok(equalBytes(await readWhole(it.files, attachment), content));
  assert.equal(fetched(), before, 'it was put back');

  const other = await keep(it.files, bytesOf(600_000));
  await it.files.push();
  const served = it.remote.blobs.get(attachment.blobId)?.parts as Map<number, Bytes>;
  const foreign = it.remote.blobs.get(other.blobId)?.parts as Map<number, Bytes>;
  const elsewhere = (change: Partial<AttachmentPorts> = {}) =>
    new Attachments({ ...it.ports, sealed: createMemorySealedStore(), ...change });
  for (const [what, lie] of [
    ['another file', () => served.set(0, foreign.get(0) as Bytes)],
    ['a part of another', () => served.set(1, foreign.get(1) as Bytes)],
    ['swapped', () => served.set(1, served.get(2) as Bytes)],
    ['cut', () => served.set(2, (served.get(2) as Bytes).slice(0, -1))],
    ['missing', () => served.delete(2)],
  ] as const) {
    const before = new Map(served);
    lie();
    const reader = elsewhere();
    await assert.rejects(readWhole(reader, attachment), { name: /VaultError|ClientError/ }, what);
    served.clear();
    for (const [at, bytes] of before) served.set(at, bytes);
    assert.ok(equalBytes(await readWhole(reader, attachment), content), `${what}: nothing false was kept`);
  }
  // A guest has no server to ask.
  const guest = rig({ guest: true });
  const own = await keep(guest.files, content);
  guest.sealed.damage(guest.sealed.names().find((name) => name.endsWith('00000')) ?? '', random.bytes(100));
  await assert.rejects(readWhole(guest.files, own), { name: 'VaultError' });
});

async function withHistory(t: TestContext | undefined, it: Rig) {
  void t;
  const store = createMemoryRecordStore();
  const options = {
    accountId: it.ports.owner.accountId,
    accountKey: it.ports.owner.key as AccountKey,
    deviceId: random.bytes(16),
    store,
    clock: it.clock,
    random,
  };
  const history = await openHistory(options);
  const follow = (one: typeof history, files: Attachments) => {
    one.beforeRemoval = (conversationId, messages) =>
      files.willRemove(
        conversationId,
        messages.flatMap(({ content }) =>
          content.type === 'message' ? parseAttachments(content.unknownFields?.attachments) : [],
        ),
      );
  };
  follow(history, it.files);
  const say = async (content: Bytes) => {
    const conversationId = await history.createConversation('with a file');
    const attachment = await keep(it.files, content, conversationId);
    const message = { conversationId, parentId: undefined, role: 'user', text: 'see', status: 'complete' } as const;
    await history.saveMessage({ ...message, attachments: encodeAttachments([attachment], 3) });
    return { conversationId, attachment };
  };
  return { history, store, say, follow, reopen: () => openHistory({ ...options }) };
}

test('CL-265 CL-276 files go with their chat: here, on the server, and on other devices, through a crash at any write', async (t) => {
  const it = rig();
  const { history, say } = await withHistory(t, it);
  const { conversationId, attachment } = await say(bytesOf(300_000));
  const kept = await say(random.bytes(10));
  await it.files.push();
  assert.equal(it.remote.blobs.size, 2);
  // Another device has it in its cache.
  const elsewhere = new Attachments({ ...it.ports, sealed: createMemorySealedStore() });
  for await (const _ of elsewhere.open(attachment, conversationId));
  await history.removeConversation(conversationId);
  const stateOf = (id: string) => history.conversationState(id);
  await it.files.collect(stateOf);
  await it.files.push();
  assert.deepEqual([...it.remote.blobs.keys()], [kept.attachment.blobId]);
  assert.ok(!it.sealed.names().some((name) => name.includes(attachment.blobId)));
  assert.equal(it.sealed.purges, 1);
  await elsewhere.collect(stateOf);
  it.remote.failing = unreachable();
  await assert.rejects(readWhole(elsewhere, attachment), { code: 'network-unreachable' });
});

test('CL-265 the files of a chat are purged together, also where one of them does not go; without any nothing is purged', async (t) => {
  const it = rig();
  const { history, say } = await withHistory(t, it);
  const chats = [await say(random.bytes(10)), await say(random.bytes(10)), await say(random.bytes(10))];
  await say(random.bytes(10));
  const stateOf = (id: string) => history.conversationState(id);
  await it.files.collect(stateOf);
  assert.equal(it.sealed.purges, 0);
  for (const { conversationId } of chats) await history.removeConversation(conversationId);
  it.sealed.failWrites('lost', 1, 3);
  await assert.rejects(it.files.collect(stateOf));
  assert.equal(it.sealed.purges, 1);
  await it.files.collect(stateOf);
  assert.equal(it.sealed.purges, 2);
  await it.files.collect(stateOf);
  assert.equal(it.sealed.purges, 2);
});

test('CL-276 a removal that a crash cut is finished later, or has not happened', async (t) => {
  for (let writes = 0; writes < 8; writes++) {
    const it = rig();
    const { history, say, reopen } = await withHistory(t, it);
    const { conversationId, attachment } = await say(random.bytes(1000));
    await it.files.push();
    it.sealed.failWrites('power-cut', 1, writes);
    await (async () => {
      await history.removeConversation(conversationId);
      await it.files.collect((id) => history.conversationState(id));
      await it.files.push();
    })().catch(() => undefined);
    const next = again(it);
    const found = await reopen();
    const stateOf = (id: string) => found.conversationState(id);
    await next.collect(stateOf);
    await next.push();
    const isThere = stateOf(conversationId) === 'here';
    assert.equal(it.remote.blobs.has(attachment.blobId), isThere, `${writes}`);
    if (isThere) assert.equal((await readWhole(next, attachment)).length, 1000);
    else
      assert.deepEqual(
        it.sealed
          .reopen()
          .names()
          .filter((name) => name.includes(attachment.blobId)),
        [],
      );
  }
});

test('CL-276 a chat that could not be told of its files is not removed', async (t) => {
  const it = rig();
  const { history, say } = await withHistory(t, it);
  const { conversationId } = await say(random.bytes(1000));
  it.sealed.failWrites('lost');
  await assert.rejects(history.removeConversation(conversationId), { code: 'store-unavailable' });
  assert.equal(history.conversationState(conversationId), 'here');
});

test('CL-277 a removal that did not come to pass keeps the files, and a file on the server without a message is kept for a month', async (t) => {
  const it = rig();
  const { history, say } = await withHistory(t, it);
  const { conversationId, attachment } = await say(random.bytes(1000));
  await it.files.push();
  await it.files.willRemove(conversationId, [attachment]);
  await it.files.push();
  assert.ok(it.remote.blobs.has(attachment.blobId), 'nothing goes before the chat is known to be removed');
  await it.files.collect((id) => history.conversationState(id));
  await it.files.push();
  assert.ok(it.remote.blobs.has(attachment.blobId));
  assert.equal((await readWhole(it.files, attachment)).length, 1000);
  // What looks while a removal is under way does not make it forgotten.
  await history.removeConversation(conversationId);
  await it.files.collect((id) => history.conversationState(id));
  await it.files.push();
  assert.ok(!it.remote.blobs.has(attachment.blobId));

  const unnamed = await keep(it.files, random.bytes(10));
  const waiting = await keep(it.files, random.bytes(10));
  await it.remote.put(unnamed.blobId, 0, random.bytes(10));
  await it.files.push();
  assert.ok(it.remote.blobs.has(waiting.blobId));
  const named = new Set([waiting.blobId]);
  assert.equal(await it.files.collectRemote(named), 0);
  await it.clock.advance(31 * DAY_MS);
  assert.equal(await it.files.collectRemote(named), 1);
  assert.deepEqual([...it.remote.blobs.keys()].sort(), [...named].sort());
});

test('CL-278 what is kept of fetched files has an end, the longest unused go first, and what waits to be sent never goes', async () => {
  const it = rig({ limits: { cacheBytes: 30_000 } });
  const contents = [0, 1, 2, 3].map(() => random.bytes(9000));
  const kept: Attachment[] = [];
  for (const content of contents) {
    kept.push(await keep(it.files, content));
    await it.files.push();
    await it.clock.advance(1000);
  }
  const isHere = (one: Attachment) => it.sealed.names().some((name) => name.includes(one.blobId));
  assert.deepEqual(kept.map(isHere), [false, true, true, true]);
  const [first, second] = kept as [Attachment, Attachment];
  await readWhole(it.files, second);
  await it.clock.advance(1000);
  assert.ok(equalBytes(await readWhole(it.files, first), contents[0] as Bytes));
  assert.deepEqual(kept.map(isHere), [true, true, false, true]);
  // A large one is opened, and not kept.
  const large = await keep(it.files, bytesOf(25_000));
  assert.ok(isHere(large));
  await it.files.push();
  const before = it.remote.calls.length;
  await readWhole(new Attachments({ ...it.ports, sealed: createMemorySealedStore() }), large);
  assert.ok(it.remote.calls.length > before);
  const offline = await keep(it.files, bytesOf(28_000));
  for (const one of [first, second]) await readWhole(it.files, one);
  assert.ok(isHere(offline));
});

test('CL-279 a guest’s files stay on the device, and go along when their chats are kept', async () => {
  const it = rig({ guest: true });
  const content = bytesOf(300_000);
  const attachment = await keep(it.files, content);
  await it.files.push();
  assert.deepEqual(it.files.state, { waiting: 0 });
  assert.equal(await it.files.usage(), undefined);
  assert.ok(equalBytes(await readWhole(it.files, attachment), content));
  const account = new Attachments({
    ...it.ports,
    owner: { accountId: random.bytes(16), key: new AccountKey(parseHex('7'.repeat(64))) },
    remote: it.remote,
  });
  for (let i = 0; i < 2; i++) await it.files.moveTo(account);
  await it.sealed.erase(`acct/${Buffer.from(it.ports.owner.accountId).toString('hex')}/`);
  assert.equal(account.state.waiting, 1);
  assert.ok(equalBytes(await readWhole(account, attachment), content));
  await account.push();
  assert.equal(it.remote.blobs.get(attachment.blobId)?.committed, true);
  assert.deepEqual(await account.usage().then((usage) => usage?.allowedBytes), 2);
});
