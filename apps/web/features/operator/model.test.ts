import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '@sotto/testkit';
import type { Json } from '../../shell/services.ts';
import { createOperatorModel, ledgerOf } from './model.ts';

test('every table and every column is shown, also ones nobody has heard of', () => {
  const view: Json = {
    subject: { kind: 'guest', id: 'ab' },
    tables: [
      {
        name: 'records',
        columns: ['record_id', 'envelope'],
        rowCount: 3,
        rows: [{ record_id: 'r1', envelope: { bytes: 256, firstBytesHex: 'f0' }, prompt: 'plaintext!' }],
      },
      { name: 'credentials', columns: ['id'], rowCount: 0, rows: [] },
    ],
    relay: [{ timeMs: 1, sizeBytes: 272 }],
    log: ['a line'],
  };
  assert.deepEqual(ledgerOf(view), [
    { name: 'subject', columns: ['kind', 'id'], rows: [['guest', 'ab']], rowCount: 1 },
    {
      name: 'records',
      columns: ['record_id', 'envelope', 'prompt'],
      rows: [['r1', 'bytes 256, firstBytesHex f0', 'plaintext!']],
      rowCount: 3,
    },
    { name: 'credentials', columns: ['id'], rows: [], rowCount: 0 },
    { name: 'relay', columns: ['timeMs', 'sizeBytes'], rows: [['1', '272']], rowCount: 1 },
    { name: 'log', columns: ['value'], rows: [['a line']], rowCount: 1 },
  ]);
});

test('the ledger is read again while it is open, and no longer', async () => {
  const clock = createManualClock();
  let reads = 0;
  const operator = createOperatorModel({
    clock,
    operatorView: async () => {
      reads++;
      return {};
    },
  });
  operator.open();
  await clock.advance(4000);
  assert.equal(reads, 3);
  operator.close();
  await clock.advance(10_000);
  assert.equal(reads, 3);
});
