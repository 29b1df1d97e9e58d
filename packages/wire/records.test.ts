import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@sotto/bytes';
import * as wire from './index.ts';

const A = 'aa'.repeat(16);
const B = 'bb'.repeat(16);
const bytes = (length: number) => new Uint8Array(length).fill(7);
const page: wire.RecordBulkPage = {
  records: [
    { recordId: B, sequence: 3, envelope: bytes(300) },
    { recordId: A, sequence: 9, envelope: undefined },
  ],
  newest: 12,
  more: true,
};
const index: wire.RecordIndexPage = {
  entries: [
    { recordId: A, sequence: 9 },
    { recordId: B, sequence: 3 },
  ],
  newest: 12,
  more: false,
};
const batch: wire.BatchWrite[] = [
  { recordId: A, base: 0, envelope: bytes(256) },
  { recordId: B, base: 2 ** 53 - 1, envelope: undefined },
];

const forms: [string, Uint8Array<ArrayBuffer>, (given: Uint8Array) => unknown, unknown][] = [
  ['page', wire.encodeRecordPage(page), wire.parseRecordPage, page],
  ['index', wire.encodeRecordIndex(index), wire.parseRecordIndex, index],
  ['batch', wire.encodeRecordBatch(batch), wire.parseRecordBatch, batch],
];

test('bodies of records read back as they were written', () => {
  for (const [name, encoded, parse, value] of forms) assert.deepEqual(parse(encoded), value, name);
  assert.equal(wire.parseLiveMessage(wire.encodeLiveMessage(77)), 77);
  assert.deepEqual(wire.parseRecordBatch(wire.encodeRecordBatch([])), []);
});

test('WI-08 a body of records that is cut is refused, wherever it is cut inside an entry', () => {
  for (const [name, encoded, parse] of forms) {
    const cut = encoded.subarray(0, encoded.length - 1);
    assert.throws(() => parse(cut), { code: 'wire-truncated', rule: 'WI-08' }, name);
    assert.throws(() => parse(encoded.subarray(0, 3)), { code: 'wire-truncated' }, name);
    assert.throws(() => parse(new Uint8Array()), { code: 'wire-truncated' }, name);
  }
  assert.throws(() => wire.parseLiveMessage(bytes(7)), { code: 'wire-truncated', rule: 'WI-08' });
});

test('WI-05 a number of a body of records is at most 2^53-1, and nothing follows it', () => {
  assert.throws(() => wire.parseLiveMessage(new Uint8Array(8).fill(255)), { code: 'wire-malformed', rule: 'WI-05' });
  const encoded = wire.encodeRecordPage(page).fill(255, 4, 12);
  assert.throws(() => wire.parseRecordPage(encoded), { code: 'wire-malformed', rule: 'WI-05' });
});

test('WI-09 bodies of records of another version are refused', () => {
  for (const [name, encoded, parse] of forms) {
    const other = encoded.slice().fill(2, 3, 4);
    assert.throws(() => parse(other), { code: 'wire-version', rule: 'WI-09', action: 'update' }, name);
  }
});

test('WI-30 a body of records of another kind is refused', () => {
  for (const [name, , parse] of forms) {
    for (const [other, encoded] of forms.filter(([each]) => each !== name)) {
      assert.throws(() => parse(encoded), { rule: 'WI-30' }, `${other} as ${name}`);
    }
  }
});

test('WI-28 what is out of order is refused', () => {
  const swapped = { ...page, records: page.records.toReversed() };
  assert.throws(() => wire.parseRecordPage(wire.encodeRecordPage(swapped)), { rule: 'WI-28' });
  const beyond = { ...page, newest: 8 };
  assert.throws(() => wire.parseRecordPage(wire.encodeRecordPage(beyond)), { rule: 'WI-28' });
  const twice = { ...index, entries: [...index.entries, { recordId: B, sequence: 4 }] };
  assert.throws(() => wire.parseRecordIndex(wire.encodeRecordIndex(twice)), { rule: 'WI-28' });
});

test('WI-29 an empty page or index that says there is more is refused', () => {
  const more = { newest: 4, more: true };
  assert.throws(() => wire.parseRecordPage(wire.encodeRecordPage({ ...more, records: [] })), { rule: 'WI-29' });
  assert.throws(() => wire.parseRecordIndex(wire.encodeRecordIndex({ ...more, entries: [] })), { rule: 'WI-29' });
});

test('WI-31 a flag that is neither 0 nor 1 is refused', () => {
  assert.throws(() => wire.parseRecordPage(wire.encodeRecordPage(page).fill(2, 12, 13)), { rule: 'WI-31' });
});

test('WI-01 bodies of records above their caps are refused', () => {
  const many = Array.from({ length: wire.RECORD_BATCH_LIMIT_COUNT + 1 }, () => batch[1] as wire.BatchWrite);
  assert.throws(() => wire.parseRecordBatch(wire.encodeRecordBatch(many)), { rule: 'WI-01' });
  const large = Array.from({ length: 16 }, () => ({ recordId: A, base: 0, envelope: bytes(128 * 1024) }));
  assert.throws(() => wire.parseRecordBatch(wire.encodeRecordBatch(large)), { rule: 'WI-01' });
  const long = [{ recordId: A, base: 0, envelope: bytes(128 * 1024 + 1) }];
  assert.throws(() => wire.parseRecordBatch(wire.encodeRecordBatch(long)), { code: 'wire-too-large', rule: 'WI-01' });
  const removals = Array.from({ length: wire.RECORD_PAGE_LIMIT_COUNT + 1 }, (_, i) => ({
    ...{ recordId: A, sequence: i + 1, envelope: undefined },
  }));
  const full = wire.encodeRecordPage({ records: removals, newest: 99_999, more: false });
  assert.throws(() => wire.parseRecordPage(full), { code: 'wire-too-large', rule: 'WI-01' });
  assert.throws(() => wire.parseRecordIndex(concatBytes(wire.encodeRecordIndex(index), bytes(24 * 32_768))), {
    rule: 'WI-01',
  });
});
