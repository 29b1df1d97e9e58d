/** Browsers without X25519, Ed25519 or ML-KEM in WebCrypto: the same modules, loaded anew with those taken away, on noble. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as dhNode from './dh.node.ts';
import { CryptoError } from './error.ts';
import * as kemNode from './kem.node.ts';
import * as signNode from './sign.node.ts';

const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
const refused = (code: string) => (error: unknown) => error instanceof CryptoError && error.code === code;

/** Loads a module while WebCrypto refuses every key, as it does for an algorithm it does not know. */
async function withoutNative<Module>(
  load: () => Promise<Module>,
  use: (module: Module) => Promise<void>,
): Promise<void> {
  const { subtle } = globalThis.crypto;
  const importKey = subtle.importKey;
  subtle.importKey = () => Promise.reject(new DOMException('unknown', 'NotSupportedError'));
  try {
    await use(await load());
  } finally {
    subtle.importKey = importKey;
  }
}

test('X25519 without WebCrypto agrees with Node, low-order points included', () =>
  withoutNative(
    () => import(`${'./dh.web.ts'}?without-native`) as Promise<typeof dhNode>,
    async (dh) => {
      assert.deepEqual(await dh.x25519PublicKey(fill(32, 1)), await dhNode.x25519PublicKey(fill(32, 1)));
      const theirs = await dhNode.x25519PublicKey(fill(32, 2));
      assert.deepEqual(await dh.x25519(fill(32, 1), theirs), await dhNode.x25519(fill(32, 1), theirs));
      await assert.rejects(dh.x25519(fill(32, 1), fill(32, 0)), refused('low-order-point'));
    },
  ));

test('ML-KEM without WebCrypto agrees with Node, keys that are not canonical included', () =>
  withoutNative(
    () => import(`${'./kem.web.ts'}?without-native`) as Promise<typeof kemNode>,
    async (kem) => {
      const pair = await kem.mlKem768FromSeed(fill(64, 3));
      assert.deepEqual(pair, await kemNode.mlKem768FromSeed(fill(64, 3)));
      const ours = await kem.encapsulateMlKem768(pair.publicKey);
      assert.deepEqual(await kemNode.decapsulateMlKem768(pair.privateKey, ours.ciphertext), ours.sharedSecret);
      const theirs = await kemNode.encapsulateMlKem768(pair.publicKey);
      assert.deepEqual(await kem.decapsulateMlKem768(pair.privateKey, theirs.ciphertext), theirs.sharedSecret);
      await assert.rejects(kem.encapsulateMlKem768(fill(1184, 255)), refused('kem-key-not-canonical'));
    },
  ));

test('Ed25519 without WebCrypto agrees with Node', () =>
  withoutNative(
    () => import(`${'./sign.web.ts'}?without-native`) as Promise<typeof signNode>,
    async (sign) => {
      const publicKey = await sign.ed25519PublicKey(fill(32, 4));
      assert.deepEqual(publicKey, await signNode.ed25519PublicKey(fill(32, 4)));
      const signature = await sign.signEd25519(fill(32, 4), fill(9, 1));
      assert.deepEqual(signature, await signNode.signEd25519(fill(32, 4), fill(9, 1)));
      assert.equal(await sign.verifyEd25519(publicKey, fill(9, 1), signature), true);
      assert.equal(await sign.verifyEd25519(publicKey, fill(9, 2), signature), false);
      assert.equal(await sign.verifyEd25519(fill(32, 0xff), fill(9, 1), signature), false);
    },
  ));
