/** What lies on the device, byte for byte: written, read, and another version told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenedRecord } from '@sotto/vault';
import { type Entry, encodeEntries, parseEntries } from './entries.ts';
import { encodeGroup, encodeMarks, type Mark, parseMarks } from './marks.ts';
import { encodePack, parsePack } from './pack.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(16);
const versionOf = (recordId: string, counter: number) => ({
  ...{ recordId, deviceId: id(9), deviceCounter: counter, epoch: 2 },
  digest: id(counter % 256).repeat(2),
});
const entry: Entry = {
  groupId: id(1),
  page: 3,
  packs: [7, 0, 9],
  summary: {
    ...{ conversationId: id(1), title: 'a', createdAtMs: 1, updatedAtMs: 2, messageCount: 3, clock: 4 },
    registers: { title: { value: 'a', clock: 4, deviceId: id(9) } },
  },
  state: 'here',
  unfinished: true,
};
const same = versionOf(id(2), 5);
const marks: Mark[] = [
  { recordId: id(2), groupId: id(1), held: same, shown: same },
  { recordId: id(3), groupId: id(1), held: versionOf(id(3), 6), shown: versionOf(id(3), 4) },
  { recordId: id(4), groupId: id(1), held: versionOf(id(4), 8), shown: undefined },
  { recordId: id(5), groupId: 'heads', held: undefined, shown: versionOf(id(5), 2 ** 48) },
];
const record: OpenedRecord = {
  ...{ recordId: id(2), deviceId: id(9), deviceCounter: 5, epoch: 2 },
  content: { type: 'unknown', recordType: 'note', clock: 4, fields: { text: 'a', list: [1, null] } },
};
const pageOfMarks = () => {
  const groups = [...Map.groupBy(marks, ({ groupId }) => groupId)];
  return encodeMarks(11, new Map(groups.map(([groupId, all]) => [groupId, encodeGroup(all)])));
};

test('list, marks and packs are read as they were written', () => {
  assert.deepEqual(parseEntries(encodeEntries(11, [entry]), 3, 11), [entry]);
  assert.deepEqual(parsePack(encodePack(11, [record]), 11), [record]);
  const read = parseMarks(pageOfMarks(), 11) ?? [];
  assert.deepEqual(read, marks);
  assert.equal(read[0]?.held, read[0]?.shown, 'one object where they are the same');
});

test('CL-233 another version of a page or a pack is not read', () => {
  for (const version of [10, 12]) {
    assert.equal(parseEntries(encodeEntries(11, [entry]), 3, version), undefined);
    assert.equal(parseMarks(pageOfMarks(), version), undefined);
    assert.equal(parsePack(encodePack(11, [record]), version), undefined);
  }
});
