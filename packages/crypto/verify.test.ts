/** Signatures: published vectors, and the same answers in Node and on WebCrypto with and without its curves. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseHex } from '@sotto/bytes';
import { createTestKey } from '@sotto/testkit/certificates';
import * as node from './verify.node.ts';
import * as web from './verify.web.ts';
import { type PublicKey, parsePublicKey, type SignatureScheme } from './x509/public-key.ts';

const folder = process.env.SOTTO_VECTORS ?? new URL('../../../shared/vectors', import.meta.url).pathname;
const isAbsent = !existsSync(`${folder}/wycheproof`);
if (isAbsent && process.env.SOTTO_REQUIRE_VECTORS === '1') throw new Error('shared vectors absent');
const skip = isAbsent && 'shared vectors absent';

interface Wycheproof {
  testGroups: {
    publicKeyDer: string;
    tests: { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' | 'acceptable' }[];
  }[];
}

async function differences(file: string, scheme: SignatureScheme, form: 'der' | 'raw'): Promise<[number, string[]]> {
  const { testGroups } = JSON.parse(readFileSync(`${folder}/wycheproof/${file}`, 'utf8')) as Wycheproof;
  const wrong: string[] = [];
  let count = 0;
  for (const { publicKeyDer, tests } of testGroups) {
    const key = parsePublicKey(parseHex(publicKeyDer));
    for (const { tcId, comment, msg, sig, result } of tests) {
      count++;
      for (const [name, verify] of [
        ['node', node.verifySignature],
        ['web', web.verifySignature],
      ] as const) {
        const isGood = await verify(scheme, key, parseHex(msg), parseHex(sig), form);
        if (isGood !== (result !== 'invalid')) wrong.push(`${name} ${tcId} ${comment} ${result}`);
      }
    }
  }
  return [count, wrong];
}

test('EV-388 published ECDSA vectors in DER, in Node and on WebCrypto', { skip }, async (t) => {
  const [count, wrong] = await differences('ecdsa_secp256r1_sha256_test.json', 'ecdsa-sha256', 'der');
  t.diagnostic(`${count} cases`);
  assert.deepEqual(wrong, []);
});

test('EV-388 published ECDSA vectors as r and s, in Node and on WebCrypto', { skip }, async (t) => {
  const [count, wrong] = await differences('ecdsa_secp256r1_sha256_p1363_test.json', 'ecdsa-sha256', 'raw');
  t.diagnostic(`${count} cases`);
  assert.deepEqual(wrong, []);
});

test('EV-389 published RSA-PSS vectors, in Node and on WebCrypto', { skip }, async (t) => {
  const [count, wrong] = await differences('rsa_pss_4096_sha384_mgf1_48_test.json', 'rsa-pss-sha384', 'der');
  t.diagnostic(`${count} cases`);
  assert.deepEqual(wrong, []);
});

const message = Uint8Array.of(1, 2, 3);
const SCHEMES: SignatureScheme[] = [
  'ecdsa-sha256',
  'ecdsa-sha384',
  'rsa-pkcs1-sha256',
  'rsa-pkcs1-sha384',
  'rsa-pss-sha256',
  'rsa-pss-sha384',
];

/** Every implementation of one call; `noble` is the browser's without WebCrypto's curves. */
async function everywhere(scheme: SignatureScheme, key: PublicKey, signature: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto;
  const generateKey = subtle.generateKey;
  const onNode = await node.verifySignature(scheme, key, message, signature, 'raw');
  const onWeb = await web.verifySignature(scheme, key, message, signature, 'raw');
  subtle.generateKey = (() => Promise.reject(new DOMException('unknown', 'NotSupportedError'))) as never;
  try {
    const fallback = (await import(`${'./verify.web.ts'}?${Math.random()}`)) as typeof web;
    return [onNode, onWeb, await fallback.verifySignature(scheme, key, message, signature, 'raw')].join();
  } finally {
    subtle.generateKey = generateKey;
  }
}

test('EV-388 a signature as r and s of another length, or of another message, is refused everywhere', async () => {
  for (const [curve, scheme] of [
    ['P-256', 'ecdsa-sha256'],
    ['P-384', 'ecdsa-sha384'],
  ] as const) {
    const key = createTestKey('verify', curve);
    const good = key.sign(message);
    assert.equal(await everywhere(scheme, key.publicKey, good), 'true,true,true');
    for (const bad of [
      good.slice(1),
      new Uint8Array(good.length),
      new Uint8Array(),
      Uint8Array.of(...good, 0),
      good.with(5, (good[5] as number) ^ 1),
    ]) {
      assert.equal(await everywhere(scheme, key.publicKey, bad), 'false,false,false');
    }
    const offCurve = {
      ...key.publicKey,
      point: new Uint8Array(good.length + 1).fill(4),
      spki: key.publicKey.spki.slice(0, -1),
    };
    assert.equal(await everywhere(scheme, offCurve as PublicKey, good), 'false,false,false');
  }
});

test('EV-389 a scheme never passes with a key of the other kind, nor with another hash', async () => {
  const pair = await crypto.subtle.generateKey(
    { name: 'RSA-PSS', hash: 'SHA-384', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
    true,
    ['sign', 'verify'],
  );
  const rsa = parsePublicKey(new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey)));
  const sign = async (saltLength: number) =>
    new Uint8Array(await crypto.subtle.sign({ name: 'RSA-PSS', saltLength }, pair.privateKey, message));
  const pss = await sign(48);
  const ec = createTestKey('verify');
  for (const scheme of SCHEMES) {
    for (const { verifySignature } of [node, web]) {
      assert.equal(await verifySignature(scheme, rsa, message, pss), scheme === 'rsa-pss-sha384');
      assert.equal(
        await verifySignature(scheme, ec.publicKey, message, ec.sign(message), 'raw'),
        scheme === 'ecdsa-sha256',
      );
      assert.equal(await verifySignature(scheme, rsa, message, ec.sign(message), 'raw'), false);
      assert.equal(await verifySignature(scheme, rsa, message, await sign(32)), false);
      assert.equal(await verifySignature(scheme, rsa, message, pss.slice(1)), false);
    }
  }
});
