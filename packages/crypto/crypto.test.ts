/** Node, web and noble must agree: the same tests over each, and wycheproof where the shared vectors are. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ed25519 as nobleEd25519, x25519 as nobleX25519 } from '@noble/curves/ed25519.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { encodeUtf8, parseHex } from '@sotto/bytes';
import * as aeadNode from './aead.node.ts';
import * as aeadWeb from './aead.web.ts';
import * as dhNode from './dh.node.ts';
import * as dhWeb from './dh.web.ts';
import { type Bytes, CryptoError } from './error.ts';
import * as hashNode from './hash.node.ts';
import * as hashWeb from './hash.web.ts';
import * as kdfNode from './kdf.node.ts';
import * as kdfWeb from './kdf.web.ts';
import * as kemNode from './kem.node.ts';
import * as kemWeb from './kem.web.ts';
import { primitives as nodePrimitives } from './primitives.node.ts';
import { primitives as webPrimitives } from './primitives.web.ts';
import * as signNode from './sign.node.ts';
import * as signWeb from './sign.web.ts';

const root = process.env.SOTTO_VECTORS ?? new URL('../../../shared/vectors', import.meta.url).pathname;
const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const refused = (code: string) => (error: unknown) => error instanceof CryptoError && error.code === code;

interface WycheproofFile {
  testGroups: (Record<string, unknown> & { tests: (Record<string, string> & { tcId: number })[] })[];
}

function wycheproof(name: string, run: (file: WycheproofFile) => Promise<void>): void {
  const path = `${root}/wycheproof/${name}`;
  const absent = !existsSync(path) && process.env.SOTTO_REQUIRE_VECTORS !== '1';
  test(`wycheproof ${name}`, { skip: absent && 'shared vectors absent' }, () =>
    run(JSON.parse(readFileSync(path, 'utf8'))),
  );
}

test('hash and HMAC agree and match FIPS 180 and RFC 4231', () => {
  const sha = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  for (const hash of [hashNode, hashWeb]) {
    assert.deepEqual(hash.sha256(encodeUtf8('a'), encodeUtf8('bc')), parseHex(sha));
    assert.equal(hash.sha512(encodeUtf8('abc')).length, 64);
    assert.equal(hash.sha384(encodeUtf8('abc')).length, 48);
    assert.equal(hash.unsafeSha1(encodeUtf8('abc')).length, 20);
    const mac = hash.hmacSha256(encodeUtf8('Jefe'), encodeUtf8('what do ya want '), encodeUtf8('for nothing?'));
    assert.deepEqual(mac, parseHex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'));
  }
  for (const length of [0, 1, 63, 64, 65, 500]) {
    const data = fill(length, length & 255);
    assert.deepEqual(hashNode.sha512(data), hashWeb.sha512(data));
    assert.deepEqual(hashNode.sha384(data), hashWeb.sha384(data));
    assert.deepEqual(hashNode.unsafeSha1(data), hashWeb.unsafeSha1(data));
    assert.deepEqual(hashNode.hmacSha256(data, data), hashWeb.hmacSha256(data, data));
  }
});

test('HMAC under one key is the same in Node and in browsers, one after the other and beside each other', () => {
  for (const keyBytes of [0, 1, 32, 63, 64, 65, 200]) {
    const key = fill(keyBytes, 7);
    const [inNode, inWeb, other] = [
      hashNode.keyHmacSha256(key.slice()),
      hashWeb.keyHmacSha256(key.slice()),
      hashWeb.keyHmacSha256(fill(32, 8)),
    ];
    for (const bytes of [0, 1, 23, 55, 56, 63, 64, 65, 128, 1000, 5000]) {
      const expected = hashNode.hmacSha256(key, fill(bytes, 1), fill(3, 2));
      for (const mac of [
        hashWeb.hmacSha256(key, fill(bytes, 1), fill(3, 2)),
        inNode.mac(fill(bytes, 1), fill(3, 2)),
        inWeb.mac(fill(bytes, 1), fill(3, 2)),
      ]) {
        assert.deepEqual(mac, expected);
      }
      assert.deepEqual(other.mac(fill(bytes, 1)), hashNode.hmacSha256(fill(32, 8), fill(bytes, 1)));
      assert.deepEqual(hashWeb.sha256(fill(bytes, 1), key), hashNode.sha256(fill(bytes, 1), key));
    }
    inWeb.erase();
    assert.throws(() => inWeb.mac(key));
  }
  assert.throws(() => hashWeb.sha256('text' as unknown as Uint8Array));
  assert.deepEqual(hashWeb.sha256(fill(9, 1)), hashNode.sha256(fill(9, 1)));
});

test('HKDF agrees, refuses too long an output, and takes an info above 1 KiB', () => {
  for (const length of [0, 1, 32, 64, 8160]) {
    const [a, b] = [kdfNode, kdfWeb].map((kdf) => kdf.hkdfSha256(fill(7, 1), fill(9, 2), fill(2000, 3), length));
    for (const kdf of [kdfNode, kdfWeb]) {
      assert.deepEqual(kdf.hkdfSha256Extract(fill(7, 1), fill(9, 2)).expand(fill(2000, 3), length), a);
    }
    assert.deepEqual(a, b);
    assert.equal(a?.length, length);
  }
  assert.throws(() => kdfNode.hkdfSha256(fill(1, 1), fill(0, 0), fill(0, 0), 8161), refused('crypto-bad-length'));
});

test('AES-256-GCM: what one seals the other opens, and nothing altered opens', async () => {
  const [key, nonce, aad, text] = [fill(32, 1), fill(12, 2), fill(5, 3), fill(100, 4)];
  const sealed = await aeadNode.sealAes256Gcm(key, nonce, text, aad);
  assert.deepEqual(sealed, await aeadWeb.sealAes256Gcm(key, nonce, text, aad));
  for (const aead of [aeadNode, aeadWeb]) {
    assert.deepEqual(await aead.openAes256Gcm(key, nonce, sealed, aad), text);
    for (let i = 0; i < sealed.length; i += 7) {
      const altered = sealed.slice();
      altered[i] = (altered[i] as number) ^ 1;
      await assert.rejects(aead.openAes256Gcm(key, nonce, altered, aad), refused('aead-open-failed'));
    }
    await assert.rejects(aead.openAes256Gcm(key, nonce, sealed, fill(5, 9)), refused('aead-open-failed'));
    await assert.rejects(aead.openAes256Gcm(key, nonce, fill(15, 0), aad), refused('aead-open-failed'));
    await assert.rejects(aead.sealAes256Gcm(fill(16, 1), nonce, text, aad), refused('crypto-bad-length'));
    await assert.rejects(aead.sealAes256Gcm(key, fill(8, 1), text, aad), refused('crypto-bad-length'));
    const held = await aead.createAead(key);
    assert.deepEqual(await held.open(nonce, await held.seal(nonce, text, aad), aad), text);
  }
});

test('X25519: node, web and noble agree; low-order points are refused', async () => {
  const lowOrder = [
    fill(32, 0),
    Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)),
    parseHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
    parseHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  ];
  const ours = fill(32, 5);
  const theirs = nobleX25519.getPublicKey(fill(32, 6));
  for (const dh of [dhNode, dhWeb]) {
    assert.deepEqual(await dh.x25519PublicKey(ours), nobleX25519.getPublicKey(ours));
    assert.deepEqual(await dh.x25519(ours, theirs), nobleX25519.getSharedSecret(ours, theirs));
    const pair = await dh.generateX25519();
    assert.deepEqual(await dh.x25519PublicKey(pair.privateKey), pair.publicKey);
    for (const point of lowOrder) await assert.rejects(dh.x25519(ours, point), refused('low-order-point'));
    await assert.rejects(dh.x25519(ours, fill(31, 1)), refused('crypto-bad-length'));
  }
});

test('Ed25519: node, web and noble agree; verification is total', async () => {
  const key = fill(32, 8);
  const message = encodeUtf8('message');
  const signature = nobleEd25519.sign(message, key);
  for (const sign of [signNode, signWeb]) {
    const publicKey = await sign.ed25519PublicKey(key);
    assert.deepEqual(publicKey, nobleEd25519.getPublicKey(key));
    assert.deepEqual(await sign.signEd25519(key, message), signature);
    assert.equal(await sign.verifyEd25519(publicKey, message, signature), true);
    assert.equal(await sign.verifyEd25519(publicKey, encodeUtf8('messagf'), signature), false);
    assert.equal(await sign.verifyEd25519(fill(32, 0xff), message, signature), false);
    assert.equal(await sign.verifyEd25519(fill(31, 1), message, signature), false);
    assert.equal(await sign.verifyEd25519(publicKey, message, fill(63, 1)), false);
    const pair = await sign.generateEd25519();
    assert.deepEqual(await sign.ed25519PublicKey(pair.privateKey), pair.publicKey);
  }
});

test('ML-KEM-768: node, web and noble agree; keys that are not canonical are refused', async () => {
  const seed = fill(64, 9);
  const noble = ml_kem768.keygen(seed);
  const outside = noble.publicKey.slice();
  outside[0] = 0x01; // first coefficient = 0xd01 = 3329
  outside[1] = ((outside[1] as number) & 0xf0) | 0x0d;
  for (const kem of [kemNode, kemWeb]) {
    const pair = await kem.mlKem768FromSeed(seed);
    assert.deepEqual(pair.publicKey, noble.publicKey);
    const { ciphertext, sharedSecret } = await kem.encapsulateMlKem768(pair.publicKey);
    assert.deepEqual(ml_kem768.decapsulate(ciphertext, noble.secretKey), sharedSecret);
    for (const other of [kemNode, kemWeb]) {
      assert.deepEqual(await other.decapsulateMlKem768(pair.privateKey, ciphertext), sharedSecret);
    }
    assert.equal(kem.isCanonicalMlKem768PublicKey(outside as Bytes), false);
    await assert.rejects(kem.encapsulateMlKem768(outside as Bytes), refused('kem-key-not-canonical'));
    await assert.rejects(kem.encapsulateMlKem768(fill(1183, 0)), refused('crypto-bad-length'));
    await assert.rejects(kem.decapsulateMlKem768(seed, fill(1087, 0)), refused('crypto-bad-length'));
    const altered = ciphertext.slice();
    altered[3] = (altered[3] as number) ^ 1;
    assert.notDeepEqual(await kem.decapsulateMlKem768(seed, altered), sharedSecret);
    assert.equal((await kem.generateMlKem768()).publicKey.length, kem.ML_KEM_768_PUBLIC_BYTES);
  }
});

test('the Noise primitives of Node answer at once, those of the web later, both alike', async () => {
  const key = nodePrimitives.dhPublicKey(fill(32, 3));
  assert.ok(key instanceof Uint8Array);
  assert.deepEqual(key, await webPrimitives.dhPublicKey(fill(32, 3)));
  assert.deepEqual(nodePrimitives.kemPublicKey(fill(64, 3)), await webPrimitives.kemPublicKey(fill(64, 3)));
  const [a, b] = [await nodePrimitives.importAead(key), await webPrimitives.importAead(key)];
  const sealed = await a.seal(fill(12, 1), fill(3, 1), fill(0, 0));
  assert.deepEqual(await b.open(fill(12, 1), sealed, fill(0, 0)), fill(3, 1));
});

wycheproof('aes_gcm_test.json', async (file) => {
  let run = 0;
  for (const group of file.testGroups) {
    if (group.keySize !== 256 || group.ivSize !== 96 || group.tagSize !== 128) continue;
    for (const one of group.tests) {
      const [key, iv, aad, msg, ct, tag] = ['key', 'iv', 'aad', 'msg', 'ct', 'tag'].map((k) => parseHex(one[k] ?? ''));
      const sealed = new Uint8Array([...(ct ?? []), ...(tag ?? [])]);
      for (const aead of [aeadNode, aeadWeb]) {
        const opened = await aead.openAes256Gcm(key as Bytes, iv as Bytes, sealed, aad as Bytes).catch(() => undefined);
        assert.deepEqual(opened, one.result === 'valid' ? msg : undefined, `case ${one.tcId}`);
      }
      run++;
    }
  }
  assert.ok(run > 50);
});

wycheproof('ed25519_test.json', async (file) => {
  for (const group of file.testGroups) {
    const key = parseHex((group.publicKey as { pk: string }).pk);
    for (const one of group.tests) {
      for (const sign of [signNode, signWeb]) {
        const verified = await sign.verifyEd25519(key, parseHex(one.msg ?? ''), parseHex(one.sig ?? ''));
        assert.equal(verified, one.result === 'valid', `case ${one.tcId}`);
      }
    }
  }
});

wycheproof('hkdf_sha256_test.json', async (file) => {
  for (const group of file.testGroups) {
    for (const one of group.tests) {
      const [ikm, salt, info] = ['ikm', 'salt', 'info'].map((name) => parseHex(one[name] ?? '')) as [
        Bytes,
        Bytes,
        Bytes,
      ];
      for (const kdf of [kdfNode, kdfWeb]) {
        const derive = () => kdf.hkdfSha256(ikm, salt, info, one.size as unknown as number);
        if (one.result === 'valid') assert.deepEqual(derive(), parseHex(one.okm ?? ''));
        else assert.throws(derive, CryptoError);
      }
    }
  }
});

wycheproof('x25519_test.json', async (file) => {
  for (const group of file.testGroups) {
    for (const one of group.tests) {
      const shared = parseHex(one.shared ?? '');
      const expected = shared.every((byte) => byte === 0) ? 'low-order-point' : shared;
      for (const dh of [dhNode, dhWeb]) {
        const got = await dh
          .x25519(parseHex(one.private ?? ''), parseHex(one.public ?? ''))
          .catch((error: CryptoError) => error.code);
        assert.deepEqual(got, expected, `case ${one.tcId}`);
      }
    }
  }
});
