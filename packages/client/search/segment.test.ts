import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '@sotto/bytes';
import { buildSegment, mergeSegments } from './build.ts';
import { SearchError } from './error.ts';
import { blocksOf, matchSegment } from './match.ts';
import { parseQuery } from './query.ts';
import { encodeHead, parseHead } from './segment.ts';
import { encodeState, parseState } from './state.ts';
import { createDice, id, message } from './world-for-testing.ts';

const damaged = (error: unknown) => error instanceof SearchError && error.code === 'index-damaged';

function made(count: number, text = (number: number) => `common nr${number} common`) {
  const documents = Array.from({ length: count }, (_, number) => message(number, text(number)));
  return buildSegment([{ conversationId: id(1), covered: 'v1', documents }]);
}

test('a head is read as it was written, and refused when a byte is missing or one too many', () => {
  const { head } = made(40);
  const bytes = encodeHead(head);
  assert.deepEqual(parseHead(bytes), head);
  for (let length = 0; length < bytes.length; length++) assert.throws(() => parseHead(bytes.slice(0, length)), damaged);
  assert.throws(() => parseHead(Uint8Array.from([...bytes, 0])), damaged);
  assert.throws(() => parseHead(Uint8Array.from([2, ...bytes.slice(1)])), damaged);
});

test('CL-251 a head makes no room for more than its bytes hold', () => {
  for (const counts of [
    [0xffff_ffff, 1, 1],
    [1, 0xffff_ffff, 1],
    [1, 1, 0xffff_ffff],
    [16_385, 1, 1],
  ]) {
    const [documents = 0, conversations = 0, blocks = 0] = counts;
    const head = new ByteWriter().u8(1).u32(documents).u32(conversations).u32(blocks).zeros(400_000).finish();
    const before = process.memoryUsage().arrayBuffers;
    assert.throws(() => parseHead(head), damaged);
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
  }
});

test('a state is read as it was written, and nothing else is', () => {
  const segments = [{ id: id(7), documents: 3, conversations: 2, words: 90, blocks: 1 }];
  const state = { generation: 12, recheck: true, segments };
  const bytes = encodeState(state);
  assert.deepEqual(parseState(bytes), state);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => parseState(bytes.slice(0, length)), damaged);
  assert.throws(() => parseState(Uint8Array.from([...bytes, 0])), damaged);
});

test('blocks that are damaged end a search with that word, and never in another way', () => {
  const { head, blocks } = made(200);
  const phrases = parseQuery('"common nr17" comm*');
  const dice = createDice('blocks');
  const search = (harmed: readonly Uint8Array[]) =>
    matchSegment(
      head,
      phrases,
      (block) => harmed[block] as Uint8Array,
      () => true,
    );
  assert.deepEqual([...search(blocks).documents], [17]);
  let refused = 0;
  for (let round = 0; round < 2000; round++) {
    const harmed = blocks.map((block) => block.slice());
    const block = harmed[dice(harmed.length)] as Uint8Array;
    for (let left = 1 + dice(3); left > 0; left--) block[dice(block.length)] = dice(256);
    try {
      search(dice(2) === 0 ? harmed : harmed.map((one) => one.subarray(0, dice(one.length))));
    } catch (error) {
      assert.ok(damaged(error), String(error));
      refused++;
    }
  }
  assert.ok(refused > 100, `${refused}`);
});

test('a word of every message is cut into blocks, and read in as many as it has', () => {
  const segment = made(4000, (number) => Array.from({ length: 12 }, (_, at) => `common w${number}x${at}`).join(' '));
  const [from, to] = blocksOf(segment.head, { term: 'common', isPrefix: false, offset: 0 });
  assert.ok(to - from >= 2 && to - from < segment.blocks.length);
  assert.ok(segment.blocks.every(({ length }) => length < 70_000));
  const found = matchSegment(
    segment.head,
    parseQuery('common'),
    (block) => segment.blocks[block] as Uint8Array,
    () => true,
  );
  assert.equal(found.documents.length, 4000);
  assert.equal(found.occurrences[0], 12);
  const half = mergeSegments(
    [segment],
    (_, document) => document % 2 === 0,
    () => 'v1',
  );
  const rest = matchSegment(
    half.head,
    parseQuery('common'),
    (block) => half.blocks[block] as Uint8Array,
    () => true,
  );
  assert.equal(rest.documents.length, 2000);
});
