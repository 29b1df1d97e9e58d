import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SearchIndex } from './engine.ts';
import { type NaiveDocument, naiveSearch } from './naive-for-testing.ts';
import type { DocumentKind } from './segment.ts';
import type { ConversationChange, SearchFilters, SearchRequest } from './types.ts';
import {
  createDice,
  createWorld,
  DAY_MS,
  type Dice,
  idOf,
  KINDS,
  NOW_MS,
  search,
  type World,
} from './world-for-testing.ts';

/** Few, so that they meet: accents, case, scripts without spaces, letters of two code units, long ones. */
const WORDS = [
  ...[
    'the',
    'The',
    'of',
    'privat',
    'private',
    'privacy',
    'Café',
    'cafe',
    'naïve',
    'Straße',
    'STRASSE',
    'Ελλάς',
    'ελλας',
  ],
  ...[
    '我们',
    '我',
    '们好',
    '東京都',
    'ガラス',
    'ｶﾞﾗｽ',
    '한국어',
    '𐐷𐐨',
    '𝔘nicode',
    '𠮷野家',
    'node.js',
    "don't",
    'x'.repeat(150),
    '42',
  ],
];

function madeDocument(dice: Dice, conversationId: string, id: string): NaiveDocument {
  const word = () => WORDS[Math.floor((dice(1000) / 1000) ** 2 * WORDS.length)] as string;
  const text = Array.from({ length: dice(20) }, word).join(dice(5) === 0 ? '' : ' ');
  const fileNames = dice(6) === 0 ? [`${word()}.pdf`] : [];
  const createdAtMs = NOW_MS - dice(60) * DAY_MS - dice(1000);
  return { id, conversationId, kind: KINDS[dice(4)] as DocumentKind, createdAtMs, text, fileNames };
}

function madeRequest(dice: Dice, conversationIds: readonly string[]): Omit<SearchRequest, 'limit'> {
  const word = () => WORDS[dice(WORDS.length)] as string;
  const part = () => {
    const form = dice(6);
    if (form === 0) return `"${word()} ${word()}"`;
    if (form === 1) return `${word().slice(0, 1 + dice(3))}*`;
    if (form === 2) return word().slice(dice(2), 2 + dice(4));
    return word();
  };
  const filters: SearchFilters = {
    ...(dice(6) === 0 ? { kinds: [KINDS[dice(4)] as DocumentKind] } : {}),
    ...(dice(6) === 0 ? { fromMs: NOW_MS - dice(60) * DAY_MS } : {}),
    ...(dice(6) === 0 ? { toMs: NOW_MS - dice(60) * DAY_MS } : {}),
    ...(dice(6) === 0 ? { conversationIds: conversationIds.filter(() => dice(2) === 0) } : {}),
    ...(dice(8) === 0 ? { hasFile: dice(2) === 0 } : {}),
  };
  return { text: Array.from({ length: 1 + dice(3) }, part).join(' '), asTyped: dice(2) === 0, filters };
}

async function assertAgrees(world: World, index: SearchIndex, request: Omit<SearchRequest, 'limit'>) {
  const expected = naiveSearch([...world.documents.values()], request, NOW_MS);
  const { hits, total } = await search(index, request);
  const title = JSON.stringify(request);
  assert.equal(total, expected.length, title);
  assert.deepEqual(new Set(hits.map(({ id }) => id)), new Set(expected.map(({ id }) => id)), title);
  const scores = new Map(expected.map(({ id, score }) => [id, score]));
  for (const [at, { id, score }] of hits.entries()) {
    assert.ok(Math.abs(score - (scores.get(id) as number)) < 1e-9, title);
    assert.ok(Math.abs(score - (expected[at]?.score as number)) < 1e-9, title);
  }
}

/** One step in the life of a history. */
function madeChange(world: World, dice: Dice, conversationIds: string[]): ConversationChange {
  if (conversationIds.length < 3 || dice(8) === 0) conversationIds.push(idOf(dice));
  const conversationId = conversationIds[dice(conversationIds.length)] as string;
  const held = [...world.documents.values()].filter((one) => one.conversationId === conversationId);
  const removed = held.filter(() => dice(8) === 0).map(({ id }) => id);
  const rewritten = held.filter(({ id }) => !removed.includes(id) && dice(6) === 0).map(({ id }) => id);
  const fresh = [...rewritten, ...Array.from({ length: dice(6) }, () => idOf(dice))];
  const documents = fresh.map((id) => madeDocument(dice, conversationId, id));
  for (const id of removed) world.documents.delete(id);
  for (const document of documents) world.documents.set(document.id, document);
  const isWhole = dice(3) === 0;
  const whole = [...world.documents.values()].filter((one) => one.conversationId === conversationId);
  const version = `v${dice(60_000)}`;
  return { conversationId, version, isWhole, removed, documents: isWhole ? whole : documents };
}

test('CL-262 finds what reading every message finds, in the same order, while messages come, change and go', async (t) => {
  let asked = 0;
  let found = 0;
  for (const seed of ['one', 'two', 'three']) {
    const dice = createDice(seed);
    const world = createWorld(seed);
    let index = await world.open();
    const conversationIds: string[] = [];
    for (let step = 0; step < 40; step++) {
      await index.update(Array.from({ length: 1 + dice(4) }, () => madeChange(world, dice, conversationIds)));
      if (dice(3) === 0) await index.maintain();
      if (dice(10) === 0) index = await world.open();
      if (dice(10) === 0) {
        const gone = conversationIds.filter(() => dice(8) === 0);
        await index.forget(gone);
        for (const [id, { conversationId }] of world.documents)
          if (gone.includes(conversationId)) world.documents.delete(id);
      }
      assert.equal(index.documentCount, world.documents.size);
      for (let query = 0; query < 18; query++) {
        const request = madeRequest(dice, conversationIds);
        await assertAgrees(world, index, request);
        asked++;
        found += naiveSearch([...world.documents.values()], request, NOW_MS).length > 0 ? 1 : 0;
      }
    }
  }
  t.diagnostic(`${asked} queries, ${found} of them found something`);
  assert.ok(found > asked / 4);
});
