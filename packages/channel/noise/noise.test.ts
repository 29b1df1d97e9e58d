/** The Noise core against published vectors: NX (cacophony), NXhfs with 448 (noise-c), XXhfs with ML-KEM-768. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { algorithmsForTesting, primitivesForTesting } from '@sotto/crypto/noise-for-testing';
import type { Primitives } from '@sotto/crypto/primitives';
import { HandshakeState } from './handshake.ts';
import { type HandshakePattern, NX_HFS } from './pattern.ts';
import { run, runAsync, runSync } from './steps.ts';

const root = process.env.SOTTO_VECTORS ?? new URL('../../../../shared/vectors', import.meta.url).pathname;

function shared(name: string, body: (text: string) => Promise<void>, title: string): void {
  const path = `${root}/noise/${name}`;
  const absent = !existsSync(path) && process.env.SOTTO_REQUIRE_VECTORS !== '1';
  test(title, { skip: absent && 'shared vectors absent' }, () => body(readFileSync(path, 'utf8')));
}

const PATTERNS: Record<string, HandshakePattern> = {
  NN: { name: 'NN', messages: [['e'], ['e', 'ee']] },
  NX: { name: 'NX', messages: [['e'], ['e', 'ee', 's', 'es']] },
  XX: { name: 'XX', messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
  // noise-c writes f and ff for e1 and ee1, and sends the responder's before `ee`.
  NXhfs448: {
    name: 'NXhfs',
    messages: [
      ['e', 'e1'],
      ['e', 'e1', 'ee', 'ee1', 's', 'es'],
    ],
  },
  XXhfsKem: {
    name: 'XXhfs',
    messages: [
      ['e', 'e1'],
      ['e', 'ee', 'ekem1', 's', 'es'],
      ['s', 'se'],
    ],
  },
};

interface Vector {
  protocol_name?: string;
  name?: string;
  init_prologue: string;
  resp_prologue: string;
  init_ephemeral: string;
  resp_ephemeral: string;
  init_static?: string;
  resp_static?: string;
  init_hybrid_ephemeral?: string;
  resp_hybrid_ephemeral?: string;
  handshake_hash: string;
  messages: { payload: string; ciphertext: string }[];
}

const optional = (name: string, hex: string | undefined) => (hex === undefined ? {} : { [name]: parseHex(hex) });

async function reproduce(vector: Vector, pattern: HandshakePattern, primitives: Primitives): Promise<void> {
  const [, , ...parts] = (vector.protocol_name ?? vector.name ?? '').split('_');
  const algorithms = algorithmsForTesting(parts.join('_'));
  const side = (role: 'initiator' | 'responder', prefix: 'init' | 'resp') =>
    new HandshakeState({
      pattern,
      algorithms,
      role,
      prologue: parseHex(vector[`${prefix}_prologue`]),
      keys: {
        ephemeral: parseHex(vector[`${prefix}_ephemeral`]),
        ...optional('static', vector[`${prefix}_static`]),
        ...optional('hybrid', vector[`${prefix}_hybrid_ephemeral`]),
      },
    });
  const sides = [side('initiator', 'init'), side('responder', 'resp')] as const;
  const handshakes = pattern.messages.length;
  for (const [index, { payload, ciphertext }] of vector.messages.slice(0, handshakes).entries()) {
    const [from, to] = index % 2 === 0 ? sides : [sides[1], sides[0]];
    const message = await run(from.writeMessage(parseHex(payload)), primitives);
    assert.equal(encodeHex(message), ciphertext, `message ${index}`);
    assert.equal(encodeHex(await run(to.readMessage(message), primitives)), payload);
  }
  for (const one of sides) assert.equal(encodeHex(one.handshakeHash), vector.handshake_hash);
  const keys = sides.map((one) => one.split());
  assert.deepEqual(keys[0], keys[1]);
  const counters = [0, 0];
  for (const [index, { payload, ciphertext }] of vector.messages.entries()) {
    if (index < handshakes) continue;
    const key = index % 2 === 0 ? keys[0]?.fromInitiator : keys[0]?.fromResponder;
    const aead = await primitives.importAead(key as Uint8Array);
    const nonce = algorithms.nonce(counters[index % 2] ?? 0);
    counters[index % 2] = (counters[index % 2] ?? 0) + 1;
    assert.equal(encodeHex(await aead.seal(nonce, parseHex(payload), new Uint8Array(0))), ciphertext);
  }
}

shared(
  'cacophony.txt',
  async (text) => {
    let run = 0;
    for (const vector of (JSON.parse(text) as { vectors: Vector[] }).vectors) {
      const [, pattern, ...parts] = (vector.protocol_name ?? '').split('_');
      const table = PATTERNS[pattern ?? ''];
      if (table === undefined) continue;
      await reproduce(vector, table, primitivesForTesting(parts.join('_')));
      run++;
    }
    assert.equal(run, 48);
  },
  'CH-07 the core reproduces the NN, NX and XX rows of cacophony, every group, cipher and hash',
);

shared(
  'noise-c-hybrid.448.shared.json',
  async (text) => {
    const rows = (JSON.parse(text) as { vectors: Vector[] }).vectors.filter((one) => one.name?.includes('_NXhfs_'));
    for (const vector of rows) {
      const parts = (vector.name ?? '').split('_').slice(2).join('_');
      await reproduce(vector, PATTERNS.NXhfs448 as HandshakePattern, primitivesForTesting(parts));
    }
    assert.equal(rows.length, 7);
  },
  'CH-07 the core reproduces the NXhfs rows of noise-c with a second group',
);

shared(
  'xxhfs-mlkem768-v1.json',
  async (text) => {
    for (const vector of (JSON.parse(text) as { vectors: Record<string, string>[] }).vectors) {
      const get = (name: string) => parseHex(vector[name] as string);
      const name = '25519+MLKEM768_ChaChaPoly_SHA256';
      const side = (role: 'initiator' | 'responder', suffix: 'i' | 'r') =>
        new HandshakeState({
          pattern: PATTERNS.XXhfsKem as HandshakePattern,
          algorithms: algorithmsForTesting(name),
          role,
          prologue: new Uint8Array(0),
          keys: {
            ephemeral: get(`ephemeral_dh_${suffix}_private`),
            static: get(`static_${suffix}_private`),
            ...(suffix === 'i' ? { hybrid: get('kem_i_seed_d_z') } : {}),
          },
        });
      const [initiator, responder] = [side('initiator', 'i'), side('responder', 'r')];
      const primitives = primitivesForTesting(name, get('encap_seed'));
      const empty = new Uint8Array(0);
      for (const [index, field] of ['msg_a', 'msg_b', 'msg_c'].entries()) {
        const [from, to] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
        const message = await runAsync(from.writeMessage(empty), primitives);
        assert.equal(encodeHex(message), vector[field], field);
        await runAsync(to.readMessage(message), primitives);
      }
      assert.equal(encodeHex(initiator.handshakeHash), vector.handshake_hash);
      const { fromInitiator, fromResponder } = responder.split();
      assert.equal(encodeHex(fromInitiator), vector.cs1_k);
      assert.equal(encodeHex(fromResponder), vector.cs2_k);
    }
  },
  'CH-07 the core reproduces XXhfs with ML-KEM-768: ee, then ekem1, its ciphertext encrypted and hashed',
);

test('the synchronous runner refuses primitives that answer later', () => {
  const name = '25519+MLKEM768_AESGCM_SHA256';
  const state = new HandshakeState({
    pattern: NX_HFS,
    algorithms: algorithmsForTesting(name),
    role: 'initiator',
    prologue: encodeUtf8(''),
    keys: { ephemeral: new Uint8Array(32).fill(1), hybrid: new Uint8Array(64).fill(2) },
  });
  const later = { ...primitivesForTesting(name), dhPublicKey: async () => new Uint8Array(32) };
  assert.throws(() => runSync(state.writeMessage(new Uint8Array(0)), later), TypeError);
});
