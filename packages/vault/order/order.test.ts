/** Order keys, folders, where a chat stands, and settings: whatever arrives, in any order, from whichever device. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import { type OpenedRecord, parseRecordContent, settingsOf, VaultError } from '../index.ts';
import { buildConversations } from '../tree.ts';
import {
  arrangementOf,
  buildFolders,
  comparePlaced,
  encodeFolder,
  isOrderKey,
  normalTag,
  ORDER_KEY_LIMIT,
  orderKeyBetween,
  type Placed,
  parseFolder,
  place,
} from './index.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly records: readonly { recordId: string; deviceId: string; deviceCounter: number; content: string }[];
  readonly folders?: readonly object[];
  readonly conversations?: readonly object[];
  readonly settings?: Readonly<Record<string, unknown>>;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/vault/order.json', import.meta.url), 'utf8'),
) as readonly Vector[];

function opened({ content, ...known }: Vector['records'][number]): OpenedRecord {
  return { ...known, epoch: 1, content: parseRecordContent(new TextEncoder().encode(content)) };
}

/** Judges the vectors of a rule, in the order they are written in and backwards. */
function hold(rule: string): void {
  const held = vectors.filter((vector) => vector.rule === rule);
  assert.ok(held.length > 0, `no vector of ${rule}`);
  for (const { id, records, folders, conversations, settings } of held) {
    for (const shown of [records.map(opened), records.map(opened).reverse()]) {
      if (folders !== undefined) {
        const found = [...buildFolders(shown).values()].map(({ registers: _, files, ...folder }) => ({
          ...folder,
          files: [...files],
        }));
        assert.deepEqual(JSON.parse(JSON.stringify(found)), folders, id);
      }
      if (conversations !== undefined) {
        const found = [...buildConversations(shown).values()].map(({ registers }) => arrangementOf(registers));
        assert.deepEqual(found, conversations, id);
      }
      if (settings !== undefined) {
        const found = Object.fromEntries([...settingsOf(shown)].map(([name, { value }]) => [name, value]));
        assert.deepEqual(found, settings, id);
      }
    }
  }
}

test('VA-22 vectors: a folder, and a setting, of another form', () => hold('VA-22'));
test('VA-63 vectors: of each register of a folder, and of a setting, the last writer wins', () => hold('VA-63'));
test('VA-64 vectors: a folder that was deleted', () => hold('VA-64'));
test('CL-294 vectors: an odd record hides no folder', () => hold('CL-294'));
test('CL-295 vectors: order keys', () => hold('CL-295'));
test('CL-296 vectors: folders in a circle', () => hold('CL-296'));
test('CL-300 vectors: tags', () => hold('CL-300'));
test('CL-301 vectors: days', () => hold('CL-301'));

test('VA-24 a folder of a later version is written back as it was', () => {
  const content = vectors.find(({ id }) => id === 'folder-later-version')?.records[0];
  assert.ok(content);
  const record = opened(content);
  assert.ok(record.content.type === 'unknown');
  assert.deepEqual(encodeFolder(parseFolder(record.content)), record.content);
});

test('VA-22 a record of another type is no folder', () => {
  const vector = vectors.find(({ id }) => id === 'folder-later-version')?.records[0];
  assert.ok(vector);
  const { content } = opened(vector);
  assert.ok(content.type === 'unknown' && parseFolder(content));
  // A folder in everything but its type.
  assert.throws(() => parseFolder({ ...content, recordType: 'setting' }), {
    code: 'record-content-malformed',
    rule: 'VA-22',
  });
  assert.throws(() => parseFolder({ ...content, fields: {} }), VaultError);
});

test('CL-295 an order key is short, of digits and letters, and leaves room before it', () => {
  for (const key of ['V', 'z', '1', '0001', 'a0b', 'z'.repeat(ORDER_KEY_LIMIT)]) assert.ok(isOrderKey(key), key);
  for (const key of ['', '0', 'a0', 'a b', 'ä', '-', 1, null, undefined, 'z'.repeat(ORDER_KEY_LIMIT + 1)]) {
    assert.equal(isOrderKey(key), false, String(key));
  }
});

test('CL-297 between any two keys there is one, and it is between them', () => {
  const random = createSeededRandom('between');
  for (const [before, after] of [
    [undefined, undefined],
    [undefined, '0001'],
    [undefined, '00000000001'],
    ['z'.repeat(40), undefined],
    ['a', 'a1'],
    ['a', 'a0000000001'],
    ['Az', 'B'],
    ['A', 'Azzzzzzzzzz'],
  ] as const) {
    for (let i = 0; i < 200; i++) {
      const key = orderKeyBetween(before, after, random);
      assert.ok(isOrderKey(key) && (before ?? '') < key && (after === undefined || key < after), `${before} ${key}`);
    }
  }
  assert.equal(orderKeyBetween('b', 'a', random), undefined);
  assert.equal(orderKeyBetween('a', 'a', random), undefined);
  assert.equal(orderKeyBetween('a', `a${'0'.repeat(ORDER_KEY_LIMIT - 2)}1`, random), undefined);
});

/** A list as a device holds it: what is moved gets the keys that `place` says. */
class List {
  readonly keys = new Map<string, string>();
  readonly random;
  writes = 0;
  constructor(seed: string) {
    this.random = createSeededRandom(seed);
  }
  get order(): string[] {
    return this.#placed().map(({ id }) => id);
  }
  move(id: string, index: number): void {
    const others = this.#placed().filter((each) => each.id !== id);
    const changed = place(others, id, index, this.random);
    for (const [each, key] of changed) this.keys.set(each, key);
    this.writes += changed.size;
  }
  #placed(): Placed[] {
    return [...this.keys].map(([id, key]) => ({ id, key })).sort(comparePlaced);
  }
}

test('CL-297 a move rewrites one thing, whatever is moved where; keys stay short', () => {
  const names = Array.from({ length: 40 }, (_, i) => `item-${i}`);
  const strategies: Record<string, (list: List, i: number) => readonly [string, number]> = {
    'to the front': (_, i) => [names[i % 40] as string, 0],
    'to the end': (_, i) => [names[i % 40] as string, 39],
    'into one gap from behind': (list, i) => [list.order[39 - (i % 2)] as string, 1],
    'two that jump over each other': (list) => [list.order[2] as string, 1],
    anywhere: (list, i) => [names[i % 40] as string, (list.random.bytes(1)[0] as number) % 40],
  };
  for (const [strategy, next] of Object.entries(strategies)) {
    const list = new List(strategy);
    for (const [i, name] of names.entries()) list.move(name, i);
    assert.deepEqual(list.order, names);
    const model = [...names];
    const before = list.writes;
    for (let i = 0; i < 500; i++) {
      const [id, index] = next(list, i);
      model.splice(model.indexOf(id), 1);
      model.splice(index, 0, id);
      list.move(id, index);
      assert.deepEqual(list.order, model, `${strategy} ${i}`);
    }
    assert.equal(list.writes - before, 500, `${strategy}: one write a move`);
    const longest = Math.max(...[...list.keys.values()].map((key) => key.length));
    assert.ok(longest < ORDER_KEY_LIMIT, `${strategy}: ${longest}`);
  }
});

test('CL-297 where two have one key, or none, a move gives all of them new ones', () => {
  const random = createSeededRandom('ties');
  const tied: Placed[] = [
    { id: 'a', key: 'V' },
    { id: 'b', key: 'V' },
    { id: 'c', key: undefined },
  ];
  assert.deepEqual(tied.toReversed().sort(comparePlaced), tied, 'equal keys: by id; none: at the end');
  for (const index of [1, 3]) {
    const keys = place(tied, 'new', index, random);
    const expected = ['a', 'b', 'c'].toSpliced(index, 0, 'new');
    const order = [...keys].map(([id, key]) => ({ id, key })).sort(comparePlaced);
    assert.deepEqual(
      order.map(({ id }) => id),
      expected,
    );
  }
  assert.deepEqual([...place(tied, 'new', 0, random).keys()], ['new']);
});

test('CL-297 two devices that put something into one gap at once do not draw one key', () => {
  const [one, two] = [createSeededRandom('one'), createSeededRandom('two')];
  let equal = 0;
  for (let i = 0; i < 1000; i++) {
    if (orderKeyBetween('A', 'B', one) === orderKeyBetween('A', 'B', two)) equal++;
  }
  assert.ok(equal <= 3, `${equal} of 1000`);
});

test('CL-300 a tag has one spelling', () => {
  assert.equal(normalTag('  #Work   Plans '), 'work plans');
  assert.equal(normalTag('Cafe\u0301'), 'café');
  assert.equal(normalTag('# '), undefined);
  assert.equal(normalTag('\ud800'), '\ufffd');
  assert.equal([...(normalTag('😀'.repeat(60)) ?? '')].length, 40);
});
