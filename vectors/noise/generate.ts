/**
 * Writes vectors.json: a handful of Noise sessions for each modifier, in the words of `sotto conformance noise`, and what
 * must be refused. Computed by a twin of Noise that shares nothing with the product but the byte helpers: tokens are
 * written out per vector, secrets go through one straight line, on noble.
 *
 *   node vectors/noise/generate.ts
 */
import { writeFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x448 } from '@noble/curves/ed448.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concatBytes, encodeHex, encodeUtf8 } from '@sotto/bytes';

const HASHES = { SHA256: sha256, SHA512: sha512, BLAKE2s: blake2s, BLAKE2b: blake2b } as const;
const CIPHERS = { AESGCM: gcm, ChaChaPoly: chacha20poly1305 } as const;
const EMPTY = new Uint8Array(0);
const fill = (length: number, value: number) => new Uint8Array(length).fill(value);

function nonceOf(cipher: keyof typeof CIPHERS, counter: number): Uint8Array {
  const nonce = fill(12, 0);
  nonce[cipher === 'AESGCM' ? 11 : 4] = counter;
  return nonce;
}

/**
 * One session. Each step is one message: who sends it, and its tokens, with Diffie-Hellmans written initiator first.
 * `before` names keys that both knew: `I` or `R`, then `s` or `e`.
 */
function compute(name: string, before: string[], steps: string[], options: { prologue?: Uint8Array } = {}) {
  const [, pattern = '', groups = '', cipherName, hashName] = name.split('_');
  const [first, second] = groups.split('+');
  const curveOf = (group: string | undefined) => (group === '448' ? x448 : x25519);
  const [curve, other] = [curveOf(first), curveOf(second)];
  const cipher = cipherName as keyof typeof CIPHERS;
  const hashFunction = HASHES[hashName as keyof typeof HASHES];
  const hash = (...parts: Uint8Array[]) => hashFunction(concatBytes(...parts));
  const mac = (key: Uint8Array, ...parts: Uint8Array[]) =>
    hmac(hashFunction as typeof sha256, key, concatBytes(...parts));
  const size = curve === x448 ? 56 : 32;
  const otherSize = other === x448 ? 56 : 32;
  const secret: Record<string, Uint8Array> = {
    Ie: fill(size, 0x11),
    Is: fill(size, 0x12),
    Re: fill(size, 0x21),
    Rs: fill(size, 0x22),
    Ie1: second === 'MLKEM768' ? fill(64, 0x13) : fill(otherSize, 0x13),
    Re1: fill(otherSize, 0x23),
  };
  const seed = fill(32, 0x24);
  const isPsk = pattern.includes('psk');
  const psks = [...pattern.matchAll(/psk/g)].map((_, index) => fill(32, 0x31 + index));
  const prologue = options.prologue ?? encodeUtf8('a prologue');

  const label = encodeUtf8(name);
  let h =
    label.length > hashFunction.outputLen
      ? hash(label)
      : concatBytes(label, fill(hashFunction.outputLen - label.length, 0));
  let ck = h;
  let k: Uint8Array | undefined;
  let n = 0;
  const absorb = (bytes: Uint8Array) => {
    h = hash(h, bytes);
  };
  const expand = (input: Uint8Array) => {
    const temp = mac(ck, input);
    const one = mac(temp, Uint8Array.of(1));
    const two = mac(temp, one, Uint8Array.of(2));
    return [one, two, mac(temp, two, Uint8Array.of(3))] as const;
  };
  const mix = (input: Uint8Array) => {
    const [one, two] = expand(input);
    [ck, k, n] = [one, two.slice(0, 32), 0];
  };
  const sealed = (plaintext: Uint8Array) => {
    const out = k === undefined ? plaintext : CIPHERS[cipher](k, nonceOf(cipher, n++), h).encrypt(plaintext);
    absorb(out);
    return out;
  };
  const publicOf = (key: string) => curve.getPublicKey(secret[key] as Uint8Array);
  const ephemeral = (key: string) => {
    absorb(publicOf(key));
    if (isPsk) mix(publicOf(key));
    return publicOf(key);
  };

  absorb(prologue);
  for (const key of before) {
    if (key.endsWith('e')) ephemeral(key);
    else absorb(publicOf(key));
  }
  const waiting = [...psks];
  const messages: { payload: string; ciphertext: string }[] = [];
  let payload = 0x40;
  const emit = (payloadBytes: Uint8Array, ciphertext: Uint8Array) =>
    messages.push({ payload: encodeHex(payloadBytes), ciphertext: encodeHex(ciphertext) });
  const pair = second === 'MLKEM768' ? ml_kem768.keygen(secret.Ie1 as Uint8Array) : undefined;
  for (const step of steps) {
    const [side, ...tokens] = step.split(' ') as ['I' | 'R', ...string[]];
    const parts: Uint8Array[] = [];
    for (const token of tokens) {
      if (token === 'e') parts.push(ephemeral(`${side}e`));
      else if (token === 's') parts.push(sealed(publicOf(`${side}s`)));
      else if (token === 'e1') {
        parts.push(sealed(pair === undefined ? other.getPublicKey(secret[`${side}e1`] as Uint8Array) : pair.publicKey));
      } else if (token === 'ekem1') {
        const { cipherText, sharedSecret } = ml_kem768.encapsulate((pair as { publicKey: Uint8Array }).publicKey, seed);
        parts.push(sealed(cipherText));
        mix(sharedSecret);
      } else if (token === 'ee1') {
        mix(other.getSharedSecret(secret.Ie1 as Uint8Array, other.getPublicKey(secret.Re1 as Uint8Array)));
      } else if (token === 'psk') {
        const [one, two, three] = expand(waiting.shift() as Uint8Array);
        ck = one;
        absorb(two);
        [k, n] = [three.slice(0, 32), 0];
      } else mix(curve.getSharedSecret(secret[`I${token[0]}`] as Uint8Array, publicOf(`R${token[1]}`)));
    }
    const bytes = fill(5, payload++);
    emit(bytes, concatBytes(...parts, sealed(bytes)));
  }
  const [one, two] = expand(EMPTY);
  const begins = steps[0]?.[0] as 'I' | 'R';
  const isOneWay = pattern.replace(/psk.*/, '').length === 1;
  const counters = { I: 0, R: 0 };
  const offset = begins === 'R' ? 1 : 0;
  for (let index = steps.length; index < steps.length + 3; index++) {
    const side = isOneWay || (index + offset) % 2 === 0 ? 'I' : 'R';
    const key = (side === begins ? one : two).slice(0, 32);
    const bytes = fill(7, payload++);
    emit(bytes, CIPHERS[cipher](key, nonceOf(cipher, counters[side]++), EMPTY).encrypt(bytes));
  }
  const hex = (key: string) => encodeHex(secret[key] as Uint8Array);
  const all = steps.join(' ');
  return {
    protocol_name: name,
    init_prologue: encodeHex(prologue),
    resp_prologue: encodeHex(prologue),
    init_ephemeral: hex('Ie'),
    init_static: hex('Is'),
    ...(isOneWay ? {} : { resp_ephemeral: hex('Re') }),
    resp_static: hex('Rs'),
    init_remote_static: encodeHex(publicOf('Rs')),
    resp_remote_static: encodeHex(publicOf('Is')),
    ...(isPsk ? { init_psks: psks.map(encodeHex), resp_psks: psks.map(encodeHex) } : {}),
    ...(all.includes('ee1') ? { init_hybrid_ephemeral: hex('Ie1'), resp_hybrid_ephemeral: hex('Re1') } : {}),
    ...(all.includes('ekem1') ? { kem_i_seed_d_z: hex('Ie1'), encap_seed: encodeHex(seed) } : {}),
    messages,
    handshake_hash: encodeHex(h),
  };
}

const accepted: [id: string, note: string, name: string, before: string[], steps: string[]][] = [
  ['one-way', 'no modifier', 'Noise_X_25519_ChaChaPoly_BLAKE2s', ['Rs'], ['I e es s ss']],
  ['fundamental', 'group 448', 'Noise_XX_448_AESGCM_SHA512', [], ['I e', 'R e ee s es', 'I s se']],
  [
    'deferred',
    'both sides authenticate late',
    'Noise_X1X1_25519_AESGCM_SHA256',
    [],
    ['I e', 'R e ee s', 'I es s', 'R se'],
  ],
  [
    'deferred-known',
    'keys known before',
    'Noise_K1K1_25519_ChaChaPoly_SHA512',
    ['Is', 'Rs'],
    ['I e', 'R e ee es', 'I se'],
  ],
  ['psk0', 'before everything', 'Noise_NNpsk0_25519_ChaChaPoly_SHA256', [], ['I psk e', 'R e ee']],
  ['psk1', 'after the first message', 'Noise_Xpsk1_25519_AESGCM_BLAKE2b', ['Rs'], ['I e es s ss psk']],
  ['psk2', 'after the second', 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s', ['Rs'], ['I e es s ss', 'R e ee se psk']],
  ['psk3', 'after the third', 'Noise_XXpsk3_448_ChaChaPoly_SHA256', [], ['I e', 'R e ee s es', 'I s se psk']],
  ['psk4', 'after the fourth', 'Noise_X1Npsk4_25519_AESGCM_SHA256', [], ['I e', 'R e ee', 'I s', 'R se psk']],
  [
    'psk-several',
    'three keys, in order',
    'Noise_KKpsk0+psk1+psk2_25519_AESGCM_SHA512',
    ['Is', 'Rs'],
    ['I psk e es ss psk', 'R e ee se psk'],
  ],
  ['hfs-kem', 'the suite of sotto-1', 'Noise_NXhfs_25519+MLKEM768_AESGCM_SHA256', [], ['I e e1', 'R e ee ekem1 s es']],
  [
    'hfs-kem-after-dh',
    'e1 is encrypted',
    'Noise_IKhfs_25519+MLKEM768_ChaChaPoly_BLAKE2b',
    ['Rs'],
    ['I e es e1 s ss', 'R e ee ekem1 se'],
  ],
  [
    'hfs-kem-psk',
    'with a pre-shared key',
    'Noise_XXhfs+psk2_25519+MLKEM768_AESGCM_SHA512',
    [],
    ['I e e1', 'R e ee ekem1 s es psk', 'I s se'],
  ],
  ['hfs-dh', 'two groups', 'Noise_XXhfs_25519+448_ChaChaPoly_BLAKE2b', [], ['I e e1', 'R e e1 ee ee1 s es', 'I s se']],
  ['hfs-dh-known', 'e1 before es', 'Noise_NKhfs_448+25519_AESGCM_BLAKE2s', ['Rs'], ['I e e1 es', 'R e e1 ee ee1']],
];

type Input = ReturnType<typeof compute> & { fallback?: boolean };
const vectors: { id: string; rule: string; note: string; input: Input; expect: 'accept' | { code: string } }[] = [];
for (const [id, note, name, before, steps] of accepted) {
  vectors.push({ id, rule: 'CF-12', note, input: compute(name, before, steps), expect: 'accept' });
}

/** IK under a key that the responder no longer has; then XXfallback, which the responder begins. */
function fallback(modifier: string, ik: string, steps: string[]): Input {
  const rest = 'ChaChaPoly_SHA256';
  const later = compute(`Noise_XXfallback${modifier && `+${modifier}`}_25519_${rest}`, ['Ie'], steps);
  const stale = compute(`Noise_IK${modifier}_25519_${rest}`, ['Rs'], [ik, 'R e ee se']);
  return {
    ...later,
    fallback: true,
    messages: [stale.messages[0] as { payload: string; ciphertext: string }, ...later.messages],
  };
}
vectors.push(
  {
    id: 'fallback',
    rule: 'CF-12',
    note: 'from IK',
    input: fallback('', 'I e es s ss', ['R e ee s es', 'I s se']),
    expect: 'accept',
  },
  {
    id: 'fallback-psk',
    rule: 'CF-12',
    note: 'with a key',
    input: fallback('psk0', 'I psk e es s ss', ['R psk e ee s es', 'I s se']),
    expect: 'accept',
  },
);

const base = compute('Noise_XX_25519_AESGCM_SHA256', [], ['I e', 'R e ee s es', 'I s se']);
const flip = (hex: string, at: number) => {
  const byte = (Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ 1).toString(16).padStart(2, '0');
  return hex.slice(0, 2 * at) + byte + hex.slice(2 * at + 2);
};
function refuse(id: string, rule: string, note: string, code: string, change: Partial<Input>): void {
  vectors.push({ id, rule, note, input: { ...base, ...change }, expect: { code } });
}
for (const [index, message] of base.messages.entries()) {
  const messages = base.messages.with(index, { ...message, ciphertext: flip(message.ciphertext, index) });
  refuse(`flip-${index}`, 'CF-12', 'one bit of one message', 'ciphertext-mismatch', { messages });
}
const bare = base.messages.map(({ payload }) => ({ payload })) as Input['messages'];
refuse('hash', 'CF-13', 'one bit of the hash', 'handshake-hash-mismatch', {
  handshake_hash: flip(base.handshake_hash, 31),
});
refuse('prologue', 'CF-16', 'each side has its own', 'aead-open-failed', { messages: bare, resp_prologue: '00' });
refuse('remote-static', 'CF-14', 'another key was expected', 'remote-static-mismatch', {
  init_remote_static: base.resp_remote_static,
});
refuse('low-order', 'CF-16', 'a point of low order', 'low-order-point', {
  ...compute('Noise_NK_25519_AESGCM_SHA256', ['Rs'], ['I e es', 'R e ee']),
  init_remote_static: encodeHex(fill(32, 0)),
});
const long = [{ payload: '00'.repeat(65_504) }, ...bare.slice(1)] as Input['messages'];
refuse('too-long', 'CF-11', 'one byte more than Noise has', 'message-too-long', { messages: long });

const rekeys = (['AESGCM', 'ChaChaPoly'] as const).map((cipher) => {
  const nonce = concatBytes(fill(4, 0), fill(8, 0xff));
  return {
    cipher,
    key_hex: encodeHex(fill(32, 0x51)),
    next_hex: encodeHex(CIPHERS[cipher](fill(32, 0x51), nonce, EMPTY).encrypt(fill(32, 0)).slice(0, 32)),
  };
});
writeFileSync(new URL('vectors.json', import.meta.url), `${JSON.stringify({ vectors, rekeys }, null, 1)}\n`);
