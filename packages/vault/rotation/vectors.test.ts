/** The vectors of rotation and recovery phrases, made by an independent writer: each must be judged as it says, by its rule. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeHex, parseBase64, parseHex } from '@sotto/bytes';
import type { JsonObject } from '../canonical-json.ts';
import {
  LockSecret,
  loadDeviceKeys,
  lockPublicKey,
  type OpenSealedLockInput,
  openSealedLock,
  unsafeRevealSecret,
  VaultError,
} from '../index.ts';
import { parseRecoveryPhrase, spellPhrase } from '../phrase/index.ts';
import { deviceLockSecret, type LockStatement, signEpoch, signLock, verifyEpoch, verifyLock } from './index.ts';

interface Vector {
  readonly kind: 'sealed-lock' | 'epoch' | 'lock-key' | 'phrase';
  readonly id: string;
  readonly rule: string;
  readonly expect: 'accept' | { readonly code: string; readonly group?: number };
  readonly fields?: JsonObject;
}
type SealedLockVector = Vector &
  Record<'lock' | 'secret' | 'expectedAccountId' | 'expectedLockId' | 'accountKey' | 'publicKey', string> & {
    readonly expectedKind: OpenSealedLockInput['expectedKind'];
    readonly minimumEpoch: number;
  };
type EpochVector = Vector & {
  readonly fields: JsonObject;
  readonly accountId: string;
  readonly recordEpoch: number;
  readonly before: { readonly epoch: number; readonly devices: Readonly<Record<string, string>> };
};
type LockKeyVector = Vector & {
  readonly fields: JsonObject;
  readonly accountId: string;
  readonly devices: Readonly<Record<string, string>>;
};

const path = new URL('../../../vectors/vault/rotation.json', import.meta.url);
const all = JSON.parse(readFileSync(path, 'utf8')) as readonly Vector[];
const held = new Set<string>();
const keysOf = (devices: Readonly<Record<string, string>>) =>
  new Map(Object.entries(devices).map(([id, key]) => [id, parseHex(key, 32)]));
/** As the generator seeds it. */
const kept = async () => {
  const { createHash } = await import('node:crypto');
  return loadDeviceKeys(new Uint8Array(createHash('sha256').update('kept/0').digest()));
};

const JUDGES: Readonly<Record<Vector['kind'], (vector: never) => Promise<void>>> = {
  'sealed-lock': async (vector: SealedLockVector) => {
    const [secret, expectedAccountId] = [
      new LockSecret(parseHex(vector.secret, 32)),
      parseHex(vector.expectedAccountId, 16),
    ];
    const { accountKey } = await openSealedLock({
      lock: parseBase64(vector.lock),
      secret,
      expectedKind: vector.expectedKind,
      expectedAccountId,
      expectedLockId: parseHex(vector.expectedLockId, 16),
      minimumEpoch: vector.minimumEpoch,
    });
    assert.equal(encodeHex(unsafeRevealSecret(accountKey)), vector.accountKey);
    assert.equal(encodeHex(await lockPublicKey(secret, expectedAccountId)), vector.publicKey);
  },
  epoch: async ({ fields, accountId, recordEpoch, before }: EpochVector) => {
    const content = { type: 'unknown', recordType: 'epoch', clock: 1, fields } as const;
    const record = {
      recordId: 'aa'.repeat(16),
      deviceId: 'bb'.repeat(16),
      deviceCounter: 1,
      epoch: recordEpoch,
      content,
    };
    const verified = await verifyEpoch(record, parseHex(accountId, 16), {
      epoch: before.epoch,
      devices: keysOf(before.devices),
    });
    const again = await signEpoch(await kept(), parseHex(accountId, 16), verified, 1);
    assert.deepEqual(again.fields, fields);
  },
  'lock-key': async ({ fields, accountId, devices }: LockKeyVector) => {
    const content = { type: 'unknown', recordType: 'lock-key', clock: 1, fields } as const;
    const { deviceId: _, ...lock } = await verifyLock(content, parseHex(accountId, 16), keysOf(devices));
    const again = await signLock(await kept(), parseHex(accountId, 16), lock satisfies LockStatement, 1);
    assert.deepEqual(again.fields, fields);
  },
  phrase: async ({ id, text, code }: Vector & { readonly text: string; readonly code: string }) => {
    const secret = parseRecoveryPhrase(text);
    assert.equal(secret.spell(), code);
    if (id === 'as-shown') assert.equal(spellPhrase(secret), text);
  },
};

async function hold(rule: string): Promise<void> {
  const vectors = all.filter((vector) => vector.rule === rule);
  assert.ok(vectors.length > 0, `no vector of ${rule}`);
  held.add(rule);
  for (const vector of vectors) {
    const judge = () => JUDGES[vector.kind](vector as never);
    if (vector.expect === 'accept') {
      await judge();
      continue;
    }
    const { code, group } = vector.expect;
    await assert.rejects(judge, (error) => {
      assert.ok(error instanceof VaultError, `${vector.id}: ${String(error)}`);
      assert.deepEqual([error.code, error.rule, error.group], [code, rule, group], vector.id);
      return true;
    });
  }
}

for (const [rule, title] of [
  ['VA-31', 'form of a sealed lock'],
  ['VA-35', 'a sealed lock of another account'],
  ['VA-36', 'another sealed lock'],
  ['VA-38', 'a stale sealed lock'],
  ['VA-40', 'the seal of a sealed lock'],
  ['VA-165', 'the kind underneath'],
  ['VA-166', 'commitment of a sealed lock'],
  ['VA-130', 'form of a statement'],
  ['VA-131', 'the order of epochs'],
  ['VA-132', 'who begins an epoch'],
  ['VA-133', 'a device that joins by a rotation'],
  ['VA-134', 'the signature of a statement'],
  ['VA-145', 'a lock that a removed device states'],
  ['VA-168', 'form of a lock’s statement'],
  ['VA-169', 'the signature of a lock’s statement'],
  ['VA-170', 'another device’s own key'],
  ['VA-150', 'length of a phrase'],
  ['VA-151', 'what is forgiven in a phrase'],
  ['VA-152', 'a word that is unknown'],
  ['VA-153', 'number of words'],
  ['VA-154', 'check of a phrase'],
  ['VA-155', 'a phrase and its code'],
] as const) {
  test(`${rule} vectors: ${title}`, () => hold(rule));
}

test('every vector stands under a rule that was held above, and is what the generator writes', () => {
  if (held.size > 1)
    assert.deepEqual(
      [...new Set(all.map(({ rule }) => rule))].filter((rule) => !held.has(rule)),
      [],
    );
  const generator = fileURLToPath(new URL('../../../vectors/vault/generate-rotation.ts', import.meta.url));
  execFileSync(process.execPath, [generator, '--check'], { stdio: 'pipe' });
});

test('the secret of a device’s own lock is the twin’s', async () => {
  const vector = all.find(({ kind, id }) => kind === 'sealed-lock' && id === 'device') as SealedLockVector;
  assert.equal(encodeHex(unsafeRevealSecret(deviceLockSecret(await kept()))), vector.secret);
});
