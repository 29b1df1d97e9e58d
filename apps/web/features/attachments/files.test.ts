/** What goes on behind files: sending until it works, at once when asked, and nothing after the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientError, openHistory } from '@sotto/client';
import { encodeAttachments, type RemoteBlobs } from '@sotto/client/attachments';
import {
  createManualClock,
  createMemoryRecordStore,
  createMemorySealedStore,
  createSeededRandom,
  settle,
} from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { openFiles } from './files.ts';

const random = createSeededRandom('files behind');

async function rig() {
  const clock = createManualClock();
  const kept = new Set<string>();
  const removed: string[] = [];
  const state = { failing: undefined as ClientError | undefined, calls: 0 };
  const call = async <Result>(work: () => Result): Promise<Result> => {
    state.calls++;
    if (state.failing !== undefined) throw state.failing;
    return work();
  };
  const remote: RemoteBlobs = {
    held: (blobId) => call(() => ({ committed: kept.has(blobId), parts: [] })),
    put: () => call(() => undefined),
    commit: (blobId) => call(() => void kept.add(blobId)),
    get: () => Promise.reject(new ClientError('blob-unknown')),
    remove: (blobId) => call(() => void removed.push(blobId)),
    list: () => Promise.reject(new ClientError('network-unreachable')),
  };
  const owner = { accountId: random.bytes(16), key: createAccountKey(random) };
  const history = await openHistory({
    accountId: owner.accountId,
    accountKey: owner.key,
    deviceId: random.bytes(16),
    store: createMemoryRecordStore(),
    clock,
    random,
  });
  const ports = {
    sealed: createMemorySealedStore(),
    owner,
    clock,
    random,
    takingTurns: <R>(_: string, work: () => Promise<R>) => work(),
    remote,
  };
  const files = openFiles(ports, () => history);
  history.beforeRemoval = files.willRemove;
  const conversationId = await history.createConversation('with a file');
  const attachment = await files.attachments.attach({
    name: 'a.txt',
    mediaType: 'text/plain',
    bytes: 3,
    read: async function* () {
      yield Uint8Array.of(1, 2, 3);
    },
  });
  await files.attachments.keep(conversationId, [attachment]);
  const message = { conversationId, parentId: undefined, role: 'user', text: 't', status: 'complete' } as const;
  await history.saveMessage({ ...message, attachments: encodeAttachments([attachment], 1) });
  return { clock, kept, removed, state, files, history, conversationId, attachment };
}

test('sending is tried again, later and later, until it works', async () => {
  const { clock, kept, state, files, attachment } = await rig();
  state.failing = new ClientError('network-unreachable');
  files.wake();
  await settle();
  assert.equal(state.calls, 1);
  await clock.advance(2000);
  assert.equal(state.calls, 2);
  await clock.advance(2000);
  assert.equal(state.calls, 2, 'the second wait is longer');
  await clock.advance(2000);
  assert.equal(state.calls, 3);
  state.failing = undefined;
  // The line is back: what waits does not wait for its time.
  files.wake();
  await settle();
  assert.ok(kept.has(attachment.blobId));
  const { calls } = state;
  await clock.advance(10 * 60_000);
  assert.equal(state.calls, calls, 'nothing goes on when nothing waits');
});

test('what only the person can mend is not tried again by itself, and nothing goes on after the end', async () => {
  const { clock, state, files } = await rig();
  state.failing = new ClientError('store-full');
  files.wake();
  await settle();
  await clock.advance(10 * 60_000);
  assert.equal(state.calls, 1);
  assert.equal(files.attachments.state.problem?.code, 'store-full');
  state.failing = new ClientError('network-unreachable');
  files.wake();
  await settle();
  files.stop();
  await clock.advance(10 * 60_000);
  assert.equal(state.calls, 2);
});

test('a removed chat takes its files along', async () => {
  const { removed, files, history, conversationId, attachment } = await rig();
  files.wake();
  await settle();
  await history.removeConversation(conversationId);
  files.wake();
  await settle();
  assert.deepEqual(removed, [attachment.blobId]);
});
