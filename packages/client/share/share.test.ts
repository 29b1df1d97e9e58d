/** Sharing by link: over a real history, with a server that keeps what it is given, fails, or loses answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createMemoryRecordStore, createSeededRandom } from '@sotto/testkit';
import { createAccountKey } from '@sotto/vault';
import { ClientError } from '../errors.ts';
import { openHistory } from '../history.ts';
import { Order } from '../order/index.ts';
import { copyOf, openShared, shareChat, sharedLinks, takeBack } from './index.ts';

async function world(seed: string) {
  const random = createSeededRandom(seed);
  const clock = createManualClock();
  const store = createMemoryRecordStore();
  const owner = { accountId: random.bytes(16), accountKey: createAccountKey(random) };
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const asked: string[] = [];
  let fault: 'none' | 'fails' | 'loses-answer' = 'none';
  const api = {
    origin: 'https://sotto.example',
    putShare: async (shareId: string, _days: number, sealed: Uint8Array<ArrayBuffer>) => {
      assert.equal(
        sharedLinks(first).some((link) => link.shareId === shareId),
        true,
        'it is listed before it is there',
      );
      if (fault === 'fails') throw new ClientError('network-unreachable');
      kept.set(shareId, sealed);
      if (fault === 'loses-answer') throw new ClientError('network-unreachable');
    },
    removeShare: async (shareId: string) => {
      if (fault === 'fails') throw new ClientError('network-unreachable');
      kept.delete(shareId);
    },
    share: async (shareId: string) => {
      asked.push(shareId);
      const sealed = kept.get(shareId);
      if (sealed === undefined) throw new ClientError('share-unknown');
      return sealed;
    },
  };
  const device = async () => {
    const history = await openHistory({ ...owner, deviceId: random.bytes(16), store, clock, random });
    return { api, history, order: new Order({ history, clock, random }), clock, random };
  };
  const first = await device();
  const { history } = first;
  const conversationId = await history.createConversation('Swifts');
  const say = (parentId: string | undefined, role: 'user' | 'assistant' | 'system', text: string) =>
    history.saveMessage({
      conversationId,
      parentId,
      role,
      text,
      status: 'complete',
      ...(role === 'assistant' ? { model: 'm' } : {}),
    });
  const rule = await say(undefined, 'system', 'secret rules');
  const question = await say(rule, 'user', 'Where do they sleep?');
  await say(question, 'assistant', 'an answer that was not kept');
  await clock.advance(10);
  await say(question, 'assistant', 'On the wing.');
  return { ports: first, device, kept, asked, conversationId, fail: (how: typeof fault) => (fault = how) };
}
const partOf = (url: string) => url.split('#share=')[1] ?? '';

test('CL-370 a copy holds what is shown, and nothing else', async () => {
  const { ports, conversationId } = await world('copy');
  const { messages, title } = await copyOf(ports, conversationId);
  assert.equal(title, 'Swifts');
  assert.deepEqual(
    messages.map(({ createdAtMs: _, ...message }) => message),
    [
      { role: 'user', text: 'Where do they sleep?' },
      { role: 'assistant', text: 'On the wing.', model: 'm' },
    ],
  );
});

test('CL-371 every link is listed on every device before its copy is anywhere, until it is taken back or ends', async () => {
  const { ports, device, kept, conversationId } = await world('list');
  const made = await shareChat(ports, conversationId, 7);
  const other = await device();
  assert.deepEqual(sharedLinks(other), [made]);
  assert.deepEqual([...kept.keys()], [made.shareId]);
  assert.equal((await openShared(ports.api, partOf(made.url))).messages[1]?.text, 'On the wing.');
  await takeBack(other, made.shareId);
  await ports.history.refresh();
  assert.deepEqual([sharedLinks(ports), [...kept]], [[], []]);
  await assert.rejects(openShared(ports.api, partOf(made.url)), { code: 'share-unknown' });
  await shareChat(ports, conversationId, 1);
  await ports.clock.advance(86_400_001);
  assert.deepEqual(sharedLinks(ports), []);
});

test('CL-371 where the server fails there is no link; where taking back fails it stays listed', async () => {
  const { ports, conversationId, fail } = await world('faults');
  for (const how of ['fails', 'loses-answer'] as const) {
    fail(how);
    await assert.rejects(shareChat(ports, conversationId, 7), { code: 'network-unreachable' });
    assert.deepEqual(sharedLinks(ports), []);
  }
  fail('none');
  const { shareId } = await shareChat(ports, conversationId, 7);
  fail('fails');
  await assert.rejects(takeBack(ports, shareId), { code: 'network-unreachable' });
  assert.equal(sharedLinks(ports).length, 1);
});

test('CL-372 the server is asked for an id, and told nothing of the key', async () => {
  const { ports, conversationId, asked } = await world('asked');
  const { url, shareId } = await shareChat(ports, conversationId, 7);
  await openShared(ports.api, partOf(url));
  assert.deepEqual(asked, [shareId]);
  assert.equal(new URL(url).pathname + new URL(url).search, '/');
  await assert.rejects(openShared(ports.api, `${partOf(url)}x`), { code: 'share-malformed' });
  assert.equal(asked.length, 1, 'a broken link asks nobody');
});
