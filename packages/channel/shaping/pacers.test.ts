/** Pacers by themselves, in virtual time: what leaves when, whatever waits. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createBalancedClientPacer, createStrictClientPacer } from './answering-pacer.ts';
import { PROFILE_COSTS } from './cost.ts';
import { drive } from './drive-for-testing.ts';
import type { Pacer } from './pacer.ts';
import { createBalancedNodePacer, createStrictNodePacer } from './ticking-pacer.ts';
import { uploadRecordsOf, uploadSizeOf, windowOf } from './windows.ts';

const every = (count: number, ms: number, fromMs = 0) => Array.from({ length: count }, (_, i) => fromMs + (i + 1) * ms);

test('windows and uploads are doublings', () => {
  assert.deepEqual(
    [0, 1, 320, 321, 640, 641].map((records) => windowOf(records, 320)),
    [320, 320, 320, 640, 640, 1280],
  );
  assert.deepEqual(
    [1, 4096, 4097, 9000, 16_384].map((bytes) => uploadSizeOf(bytes, 4096, 16_384)),
    [4096, 4096, 8192, 16_384, 16_384],
  );
  assert.deepEqual([1, 2, 3, 5, 8].map(uploadRecordsOf), [1, 2, 4, 8, 8]);
});

test('SH-10 a window is one record of one size each tick, with nothing to say and with much', () => {
  const shapes = [0, 10, 240].map((bytes) => {
    const pacer = createBalancedNodePacer(4);
    const world = drive(pacer);
    pacer.requestAccepted?.(1, 0);
    for (let ms = 10; ms < 5000; ms += 30) {
      world.until(ms);
      world.bytes += bytes;
      world.bytes = Math.min(world.bytes, 500);
    }
    pacer.streamOver?.(1);
    world.bytes = 0;
    world.until(60_000);
    return world.sent;
  });
  assert.deepEqual(
    shapes[0]?.map(({ atMs }) => atMs),
    every(320, 50),
  );
  assert.ok(shapes[0]?.every(({ bytes }) => bytes === 256));
  assert.deepEqual(shapes[1], shapes[0]);
  assert.deepEqual(shapes[2], shapes[0]);
});

test('SH-12 a window doubles until the answer has ended within it', () => {
  for (const [endMs, records] of [
    [100, 320],
    [15_990, 320],
    [16_010, 320],
    [16_060, 640],
    [31_000, 640],
    [33_000, 1280],
  ] as const) {
    const pacer = createBalancedNodePacer(4);
    const world = drive(pacer);
    pacer.requestAccepted?.(1, 0);
    world.until(endMs);
    pacer.streamOver?.(1);
    world.until(200_000);
    assert.equal(world.sent.length, records, `ended after ${endMs} ms`);
  }
});

test('SH-13 a request that was refused at once keeps its window', () => {
  const pacer = createBalancedNodePacer(4);
  const world = drive(pacer);
  pacer.requestAccepted?.(1, 0);
  pacer.streamOver?.(1);
  world.until(60_000);
  assert.deepEqual(world.times(), every(320, 50));
});

test('SH-14 windows that overlap share the ticks, and the last one ends them', () => {
  const pacer = createBalancedNodePacer(4);
  const world = drive(pacer);
  pacer.requestAccepted?.(1, 0);
  world.until(5010);
  pacer.requestAccepted?.(2, 5010);
  world.until(7000);
  pacer.streamOver?.(2);
  world.until(9000);
  pacer.streamOver?.(1);
  world.until(100_000);
  assert.deepEqual(world.times(), every(100 + 320, 50));
  const before = world.sent.length;
  pacer.requestAccepted?.(3, 100_000);
  pacer.streamOver?.(3);
  world.until(200_000);
  assert.equal(world.sent.length - before, 320);
});

test('SH-15 records grow when what waits would take more than 8 of them, to a power of two of such', () => {
  const pacer = createBalancedNodePacer(4);
  const world = drive(pacer);
  pacer.requestAccepted?.(1, 0);
  world.bytes = 8 * 256;
  world.until(1000);
  assert.deepEqual(new Set(world.sizes()), new Set([256]));
  world.bytes = 8 * 256 + 1;
  world.until(2000);
  assert.deepEqual(world.sizes().slice(20), [512, ...new Array(19).fill(256)]);
  world.bytes = 21 * 16_384;
  world.until(3000);
  assert.deepEqual(world.sizes().slice(40), new Array(20).fill(16_384));
  pacer.streamOver?.(1);
  world.until(60_000);
  assert.deepEqual(world.sizes().slice(40), [...new Array(32).fill(16_384), ...new Array(248).fill(256)]);
});

test('SH-16 late timers and jumping clocks change no count, and nothing is made up', () => {
  for (const lateMs of [0, 3, 49, 50, 120, 4000]) {
    const pacer = createBalancedNodePacer(4);
    const world = drive(pacer);
    world.lateMs = lateMs;
    pacer.requestAccepted?.(1, 0);
    pacer.streamOver?.(1);
    world.until(10_000_000);
    assert.equal(world.sent.length, 320, `${lateMs} ms late`);
    const times = world.times();
    for (const [i, atMs] of times.slice(1).entries()) assert.ok(atMs > (times[i] as number));
  }
  for (const jumpMs of [-3_600_000, 3_600_000]) {
    const pacer = createBalancedNodePacer(4);
    const world = drive(pacer);
    pacer.requestAccepted?.(1, 0);
    world.until(1000);
    world.nowMs += jumpMs;
    const jumpedMs = world.nowMs;
    pacer.streamOver?.(1);
    world.until(jumpedMs + 200);
    assert.ok([4, 5].includes(world.sent.length - 20), `${world.sent.length - 20} records in 200 ms`);
    world.until(jumpedMs + 60_000);
    assert.equal(world.sent.length, 320);
  }
});

test('SH-20 a request is one record of a doubling, or a power of two of full ones', () => {
  for (const [bytes, expected] of [
    [100, [4096]],
    [4096, [4096]],
    [4097, [8192]],
    [9000, [16_384]],
    [16_384, [16_384]],
    [16_385, [16_384, 16_384]],
    [40_000, [16_384, 16_384, 16_384, 16_384]],
    [70_000, Array.from({ length: 8 }, () => 16_384)],
  ] as const) {
    const pacer = createBalancedClientPacer();
    const world = drive(pacer);
    pacer.requestAccepted?.(1, 0);
    world.bytes = bytes;
    pacer.requestComplete?.(1);
    world.until(0);
    pacer.requestSent?.(1);
    world.until(10);
    assert.deepEqual(world.sizes(), expected, `${bytes} bytes`);
    pacer.requestAccepted?.(2, 20);
    pacer.requestComplete?.(2);
    world.bytes = 100;
    world.until(20);
    assert.equal(world.sent.at(-1)?.bytes, 4096, 'the next request begins anew');
  }
});

test('SH-21 a request that is written in parts leaves as one that is not', () => {
  const pacer = createBalancedClientPacer();
  const world = drive(pacer);
  pacer.requestAccepted?.(1, 0);
  for (let ms = 0; ms < 1000; ms += 100) {
    world.bytes += 300;
    world.until(ms);
    assert.equal(world.sent.length, 0);
  }
  pacer.requestComplete?.(1);
  world.until(1000);
  assert.deepEqual(world.sent, [{ atMs: 900, bytes: 4096 }]);
});

test('SH-21 a request that waits for credit is filled up when the rest has left', () => {
  const pacer = createBalancedClientPacer();
  const world = drive(pacer);
  pacer.requestAccepted?.(1, 0);
  world.bytes = 65_536;
  pacer.requestComplete?.(1);
  world.until(0);
  assert.equal(world.sent.length, 4);
  world.until(500);
  assert.equal(world.sent.length, 4);
  world.bytes = 20_000;
  world.until(600);
  assert.equal(world.sent.length, 6);
  pacer.requestSent?.(1);
  world.until(700);
  assert.deepEqual(
    world.sizes(),
    Array.from({ length: 8 }, () => 16_384),
  );
});

/** Records of the node, one each 50 ms. */
function receive(pacer: Pacer, world: ReturnType<typeof drive>, count: number): void {
  for (let i = 0; i < count; i++) {
    world.until(world.nowMs + 50);
    pacer.received?.(world.nowMs);
    world.until(world.nowMs);
  }
}

test('SH-22 one small record leaves for ten of the node’s, with nothing to say and with much', () => {
  const shapes = [0, 50, 400].map((bytes) => {
    const pacer = createBalancedClientPacer();
    const world = drive(pacer);
    for (let i = 0; i < 32; i++) {
      world.bytes += bytes;
      receive(pacer, world, 10);
    }
    return world.sent;
  });
  assert.equal(shapes[0]?.length, 32);
  assert.ok(shapes[0]?.every(({ bytes, atMs }, i) => bytes === 256 && atMs === (i + 1) * 500));
  assert.deepEqual(shapes[1], shapes[0]);
  assert.deepEqual(shapes[2], shapes[0]);
});

test('SH-23 what follows from reading makes no record of its own', () => {
  const pacer = createBalancedClientPacer();
  const world = drive(pacer);
  world.bytes = 100;
  world.until(20_000);
  assert.equal(world.sent.length, 0);
  receive(pacer, world, 9);
  assert.equal(world.sent.length, 0);
  receive(pacer, world, 1);
  assert.equal(world.sent.length, 1);
});

test('SH-24 what is prompt leaves at once between answers, and with the next record during one', () => {
  const pacer = createBalancedClientPacer();
  const world = drive(pacer);
  const ask = () => {
    world.bytes += 9;
    world.promptBytes += 9;
  };
  ask();
  world.until(0);
  assert.deepEqual(world.sent, [{ atMs: 0, bytes: 256 }]);
  receive(pacer, world, 5);
  ask();
  receive(pacer, world, 4);
  assert.equal(world.sent.length, 1);
  receive(pacer, world, 1);
  assert.equal(world.sent.length, 2);
  receive(pacer, world, 3);
  const lastMs = world.nowMs;
  ask();
  world.until(lastMs + 999);
  assert.equal(world.sent.length, 2);
  world.until(lastMs + 1000);
  assert.equal(world.sent.length, 3);
});

test('SH-25 after a silence what waits leaves', () => {
  for (const pacer of [createBalancedClientPacer(), createStrictClientPacer()]) {
    const world = drive(pacer);
    world.bytes = 30;
    world.until(30_000);
    assert.equal(world.sent.length, 0);
    pacer.silence?.();
    world.until(30_000);
    assert.equal(world.sent.length, 1);
    world.bytes = 30;
    world.until(40_000);
    assert.equal(world.sent.length, 1);
  }
});

test('SH-30 strict: the node’s records never stop and never grow', () => {
  const pacer = createStrictNodePacer(0);
  const world = drive(pacer);
  world.until(10_000);
  pacer.requestAccepted?.(1, 10_000);
  world.bytes = 1_000_000;
  world.until(20_000);
  pacer.streamOver?.(1);
  world.until(30_000);
  assert.deepEqual(world.times(), every(600, 50));
  assert.deepEqual(new Set(world.sizes()), new Set([256]));
});

test('SH-31 strict: the client sends one record for two, and requests ride in them', () => {
  const pacer = createStrictClientPacer();
  const world = drive(pacer);
  receive(pacer, world, 10);
  pacer.requestAccepted?.(1, world.nowMs);
  world.bytes = 3000;
  pacer.requestComplete?.(1);
  receive(pacer, world, 10);
  assert.deepEqual(world.times(), every(10, 100));
  assert.deepEqual(new Set(world.sizes()), new Set([1024]));
});

test('SH-32 strict: the cover has an end, and an answer under way a doubling', () => {
  const idle = createStrictNodePacer(0);
  const idleWorld = drive(idle);
  idleWorld.until(65_535 * 50);
  assert.equal(idle.isSpent, false);
  idleWorld.until(65_536 * 50);
  assert.equal(idle.isSpent, true);
  const busy = createStrictNodePacer(0);
  const busyWorld = drive(busy);
  busyWorld.until(65_000 * 50);
  busy.requestAccepted?.(1, busyWorld.nowMs);
  busyWorld.until(65_536 * 50);
  assert.equal(busy.isSpent, false);
  busy.streamOver?.(1);
  busyWorld.until(131_071 * 50);
  assert.equal(busy.isSpent, false);
  busyWorld.until(131_072 * 50);
  assert.equal(busy.isSpent, true);
});

test('SH-50 the paper’s costs are the code’s', () => {
  const paper = readFileSync(new URL('../../../spec/shaping.md', import.meta.url), 'utf8');
  const number = (value: number | undefined) => `${value?.toLocaleString('en')} bytes`;
  for (const { profile, answerBytes, requestBytes, bytesPerHour } of PROFILE_COSTS) {
    const row = paper.split('\n').find((line) => line.startsWith(`| ${profile} |`)) ?? '';
    for (const value of [answerBytes, requestBytes, bytesPerHour]) {
      if (value !== undefined) assert.ok(row.includes(number(value)), `${profile}: ${number(value)}`);
    }
  }
});
