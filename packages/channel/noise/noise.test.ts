/** The Noise core: our own vectors, three libraries against one another, every pattern, rekeying. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeHex, parseHex } from '@sotto/bytes';
import { createNoiseSuite as onNode } from '@sotto/crypto/noise';
import { createNoiseSuite as onNoble } from '@sotto/crypto/noise/noble';
import { createNoiseSuite as onWeb } from '@sotto/crypto/noise/web';
import { encapsulateFromSeed } from '@sotto/crypto/seeded-kem';
import { createSeededRandom } from '@sotto/testkit';
import { HandshakeState } from './handshake.ts';
import { NX_HFS } from './pattern.ts';
import { findPattern } from './pattern-table.ts';
import { type NoiseProtocol, parseProtocolName } from './protocol-name.ts';
import { rekey } from './rekey.ts';
import { type ReplayParty, replay } from './replay.ts';
import { run, runSync } from './steps.ts';

const LIBRARIES = { node: onNode, noble: onNoble, web: onWeb };
const PATTERNS =
  'N K X NN NK NX XN XK XX KN KK KX IN IK IX NK1 NX1 X1N X1K XK1 X1K1 X1X XX1 X1X1 K1N K1K KK1 K1K1 K1X KX1 K1X1 I1N I1K IK1 I1K1 I1X IX1 I1X1 XXfallback'.split(
    ' ',
  );
const empty = new Uint8Array(0);

function protocol(name: string): NoiseProtocol {
  const found = parseProtocolName(name);
  assert.ok(found, name);
  return found;
}

/** One session with keys from a seed, computed by one library. */
async function session(name: string, library: keyof typeof LIBRARIES, seed: string) {
  const { pattern, suiteName } = protocol(name);
  const suite = LIBRARIES[library](suiteName);
  if (suite === undefined) return undefined;
  const random = createSeededRandom(seed);
  const { dhBytes, hybridBytes } = suite.algorithms;
  const hybridKeyBytes = hybridBytes === 1184 ? 64 : hybridBytes;
  const draw = () => ({
    ephemeral: random.bytes(dhBytes),
    static: random.bytes(dhBytes),
    hybrid: random.bytes(hybridKeyBytes),
  });
  const [ours, theirs] = [draw(), draw()];
  const psks = Array.from({ length: 5 }, () => random.bytes(32));
  const prologue = random.bytes(9);
  const primitives = { ...suite.primitives, encapsulate: encapsulateFromSeed(random.bytes(32)) };
  const publicKey = async (key: Uint8Array) => primitives.dhPublicKey(key);
  const party = (own: typeof ours, peerStatic: Uint8Array): ReplayParty => ({
    prologue,
    keys: { ...own, peerStatic, psks },
  });
  const result = await replay({
    pattern,
    algorithms: suite.algorithms,
    primitives,
    initiator: party(ours, await publicKey(theirs.static)),
    responder: party(theirs, await publicKey(ours.static)),
    payloads: Array.from({ length: 7 }, (_, index) => random.bytes(index * 11)),
  });
  assert.deepEqual(result.handshakeHashes.initiator, result.handshakeHashes.responder, name);
  return [...result.messages, result.handshakeHashes.initiator].map(encodeHex);
}

test('CH-07 node:crypto, WebCrypto and noble agree on random sessions of every pattern', async () => {
  const [ciphers, hashes] = [
    ['AESGCM', 'ChaChaPoly'],
    ['SHA256', 'BLAKE2s', 'SHA512', 'BLAKE2b'],
  ];
  const names = PATTERNS.map((pattern, index) => {
    const modifiers = index % 3 === 1 ? '+psk0+psk1' : index % 3 === 2 && pattern.length > 1 ? '+psk0+psk2' : '';
    const joined = /fallback|^.$|\d$/.test(pattern) ? pattern : `${pattern}${modifiers.replace('+', '')}`;
    return `Noise_${joined}_${index % 8 === 5 ? 448 : 25519}_${ciphers[index % 2]}_${hashes[index % 4]}`;
  });
  names.push('Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256', 'Noise_IKhfs+psk2_25519+MLKEM768_ChaChaPoly_BLAKE2b');
  names.push('Noise_KKhfs_448+25519_AESGCM_SHA512', 'Noise_NXhfs_25519+448_ChaChaPoly_BLAKE2s');
  let inBrowsers = 0;
  for (const name of names) {
    const expected = await session(name, 'noble', name);
    assert.ok(expected, name);
    assert.deepEqual(await session(name, 'node', name), expected, name);
    const web = await session(name, 'web', name);
    if (web === undefined) assert.match(name, /448/);
    else {
      assert.deepEqual(web, expected, name);
      inBrowsers++;
    }
  }
  assert.ok(inBrowsers > 30);
});

test('a name that Noise or the library does not have is not guessed at', () => {
  const unknown =
    'NZ NNpsk3 NNpsk0+psk0 NNpsk XXhfs Xpsk2 XXfallback+hfs NN+ NN+psk NNpsk10 nn NN1 fallback XXfallbackhfs'.split(
      ' ',
    );
  for (const name of unknown) assert.equal(findPattern(name, 'none'), undefined, name);
  for (const name of ['NN', 'Nhfs', 'XXfallback+hfs']) assert.equal(findPattern(name, 'kem'), undefined, name);
  for (const name of [
    'Noise_NN_25519_AESGCM',
    'NoisePSK_NN_25519_AESGCM_SHA256',
    'Noise_NN_25519_AESGCM_SHA256_',
    '',
  ]) {
    assert.equal(parseProtocolName(name), undefined, name);
  }
  const suites =
    '25519_AESGCM_SHA3 25519_AES_SHA256 1_AESGCM_SHA256 25519+NewHope_AESGCM_SHA256 25519+448+448_AESGCM_SHA256'.split(
      ' ',
    );
  for (const name of [...suites, '25519_AESGCM_SHA256_', 'toString_AESGCM_SHA256', '']) {
    for (const create of Object.values(LIBRARIES)) assert.equal(create(name), undefined, name);
  }
  assert.equal(onWeb('448_AESGCM_SHA256'), undefined);
});

test('CH-07 with a KEM, e1 follows the first Diffie-Hellman after e; with two groups, e itself', () => {
  assert.deepEqual(findPattern('IKhfs', 'kem')?.messages, [
    ['e', 'es', 'e1', 's', 'ss'],
    ['e', 'ee', 'ekem1', 'se'],
  ]);
  assert.deepEqual(findPattern('IKhfs', 'dh')?.messages, [
    ['e', 'e1', 'es', 's', 'ss'],
    ['e', 'e1', 'ee', 'ee1', 'se'],
  ]);
  assert.deepEqual(findPattern('NXhfs', 'kem')?.messages, NX_HFS.messages);
});

test('a side that knows another prologue, pre-shared key or static key does not come to an end', async () => {
  const { pattern, suiteName } = protocol('Noise_KKpsk1_25519_AESGCM_SHA256');
  const suite = onNode(suiteName);
  assert.ok(suite);
  const { algorithms, primitives } = suite;
  const fill = (value: number) => new Uint8Array(32).fill(value);
  const publicKey = (value: number) => primitives.dhPublicKey(fill(value)) as Uint8Array;
  const replayWith = (change: { prologue?: Uint8Array; psks?: Uint8Array[]; peerStatic?: Uint8Array }) => {
    const { prologue = empty, ...keys } = change;
    return replay({
      pattern,
      algorithms,
      primitives,
      initiator: {
        prologue: empty,
        keys: { ephemeral: fill(1), static: fill(2), peerStatic: publicKey(4), psks: [fill(9)] },
      },
      responder: {
        prologue,
        keys: { ephemeral: fill(3), static: fill(4), peerStatic: publicKey(2), psks: [fill(9)], ...keys },
      },
      payloads: [empty, empty],
    });
  };
  await replayWith({});
  for (const change of [{ prologue: fill(1) }, { psks: [fill(8)] }, { peerStatic: publicKey(5) }]) {
    await assert.rejects(replayWith(change), { code: 'aead-open-failed' });
  }
});

test('rekeying encrypts zeros under the last nonce', async () => {
  const file = new URL('../../../vectors/noise/vectors.json', import.meta.url);
  const { rekeys } = JSON.parse(readFileSync(file, 'utf8')) as { rekeys: Record<string, string>[] };
  assert.equal(rekeys.length, 2);
  for (const { cipher, key_hex = '', next_hex } of rekeys) {
    for (const create of Object.values(LIBRARIES)) {
      const suite = create(`25519_${cipher}_SHA256`);
      assert.ok(suite);
      assert.equal(encodeHex(await run(rekey(parseHex(key_hex)), suite.primitives)), next_hex, cipher);
    }
  }
});

test('the synchronous runner refuses primitives that answer later', () => {
  const suite = onNode('25519+MLKEM768_AESGCM_SHA256');
  assert.ok(suite);
  const state = new HandshakeState({
    pattern: NX_HFS,
    algorithms: suite.algorithms,
    role: 'initiator',
    prologue: empty,
    keys: { ephemeral: new Uint8Array(32).fill(1), hybrid: new Uint8Array(64).fill(2) },
  });
  const later = { ...suite.primitives, dhPublicKey: async () => new Uint8Array(32) };
  assert.throws(() => runSync(state.writeMessage(empty), later), TypeError);
});
