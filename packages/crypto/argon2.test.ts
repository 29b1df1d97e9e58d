import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js';
import { createSeededRandom } from '@sotto/testkit';
import * as node from './argon2.node.ts';
import * as web from './argon2.web.ts';

const both = { node, web };

test('Argon2id is the same in Node, in WebAssembly and in noble', async () => {
  const random = createSeededRandom('argon2');
  for (let i = 0; i < 12; i++) {
    const [message, salt] = [random.bytes(1 + i * 7), random.bytes(16)];
    const [memoryKiB, passes, lanes] = [32 + i * 13, 1 + (i % 4), 1 + (i % 3)];
    const expected = nobleArgon2id(message, salt, { m: memoryKiB, t: passes, p: lanes, dkLen: 32, version: 0x13 });
    for (const [name, { argon2id }] of Object.entries(both)) {
      assert.deepEqual(await argon2id({ message, salt, memoryKiB, passes, lanes }), expected, `${name} ${i}`);
    }
  }
});

test('Argon2id agrees at the size that is used', async (t) => {
  const input = { message: new Uint8Array(24).fill(7), salt: new Uint8Array(16).fill(9), memoryKiB: 65_536, passes: 3 };
  const tags: Uint8Array[] = [];
  for (const [name, { argon2id }] of Object.entries(both)) {
    const start = performance.now();
    tags.push(await argon2id({ ...input, lanes: 1 }));
    t.diagnostic(`${name}: ${Math.round(performance.now() - start)} ms for 64 MiB and 3 passes`);
  }
  assert.deepEqual(tags[0], tags[1]);
});

test('a salt of another length is refused', async () => {
  const input = { message: new Uint8Array(3), salt: new Uint8Array(8), memoryKiB: 64, passes: 1, lanes: 1 };
  for (const { argon2id } of Object.values(both)) {
    await assert.rejects(async () => argon2id(input), { code: 'crypto-bad-length' });
  }
});
