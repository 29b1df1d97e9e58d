/** Our vectors (vectors/shaping): sessions against a real responder, schedules against the pacers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, parseHex } from '@sotto/bytes';
import { settle } from '@sotto/testkit';
import { assertEnded, attackResponder } from '../hostile/victims-for-testing.ts';
import { createBalancedClientPacer } from './answering-pacer.ts';
import { drive } from './drive-for-testing.ts';
import { createBalancedNodePacer } from './ticking-pacer.ts';

interface Case {
  readonly id: string;
  readonly rule: string;
}

interface SessionCase extends Case {
  readonly records: readonly (readonly string[])[];
  readonly expect: 'accept' | { readonly code: string };
}

interface NodeCase extends Case {
  readonly events: readonly { atMs: number; what: 'accepted' | 'over'; stream: number }[];
  readonly expect: { firstMs: number; everyMs: number; records: number; bytes: number };
}

interface ClientCase extends Case {
  readonly bytes: number;
  readonly expect: { readonly sizes: readonly number[] };
}

const load = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../vectors/shaping/${name}`, import.meta.url), 'utf8'));
const { cases } = load('sessions.json') as { cases: SessionCase[] };
const { node, client } = load('schedules.json') as { node: NodeCase[]; client: ClientCase[] };

async function sessions(rule: string): Promise<void> {
  const chosen = cases.filter((one) => one.rule === rule);
  assert.ok(chosen.length > 0);
  for (const { id, records, expect } of chosen) {
    const attacked = await attackResponder();
    for (const frames of records) await attacked.peer.sendPlaintext(concatBytes(...frames.map((hex) => parseHex(hex))));
    if (expect === 'accept') {
      const ended = await Promise.race([attacked.closed, settle().then(() => undefined)]);
      assert.equal(ended, undefined, id);
      await attacked.peer.send({ kind: 'close', reason: 0 });
    } else await assertEnded(attacked, expect.code);
  }
}

test('SH-01 shape is said once, after verified and before any request', () => sessions('SH-01'));
test('SH-02 there are three profiles', () => sessions('SH-02'));

test('SH-12 SH-14 windows, as the vectors have them', () => {
  for (const { id, events, expect } of node) {
    const pacer = createBalancedNodePacer(4);
    const world = drive(pacer);
    for (const { atMs, what, stream } of events) {
      world.until(atMs);
      if (what === 'accepted') pacer.requestAccepted?.(stream, atMs);
      else pacer.streamOver?.(stream);
    }
    world.until(1_000_000);
    const expected = Array.from({ length: expect.records }, (_, i) => expect.firstMs + i * expect.everyMs);
    assert.deepEqual(world.times(), expected, id);
    assert.deepEqual(new Set(world.sizes()), new Set([expect.bytes]), id);
  }
});

test('SH-20 uploads, as the vectors have them', () => {
  for (const { id, bytes, expect } of client) {
    const pacer = createBalancedClientPacer();
    const world = drive(pacer);
    pacer.requestAccepted?.(1, 0);
    world.bytes = bytes;
    pacer.requestComplete?.(1);
    world.until(0);
    pacer.requestSent?.(1);
    world.until(1);
    assert.deepEqual(world.sizes(), expect.sizes, id);
  }
});
