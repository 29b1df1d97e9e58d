/** Locks of a passphrase, and locks wrapped anew without their secret (spec/vault.md, "Passphrase", "Sealed locks"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@sotto/testkit';
import {
  type AccountKey,
  createAccountKey,
  createPassphraseParameters,
  createRecoveryCode,
  encodePassphraseParameters,
  LockSecret,
  lockPublicKey,
  openSealedLock,
  parseLockHeader,
  parsePassphraseParameters,
  passphraseBytes,
  passphraseLockSecret,
  sealToLock,
  unsafeRevealSecret,
  unwrapAccountKey,
  wrapAccountKey,
} from './index.ts';

const random = createSeededRandom('locks');
const accountId = random.bytes(16);
const lockId = random.bytes(16);
const accountKey = createAccountKey(random);
const isSame = (key: AccountKey) => assert.deepEqual(unsafeRevealSecret(key), unsafeRevealSecret(accountKey));

const parameters = createPassphraseParameters(random);
const [stretched, deviceSecret] = [random.bytes(32), random.bytes(32)];
const passphraseLock = {
  accountKey,
  kind: 'device-passphrase',
  secret: passphraseLockSecret(stretched, deviceSecret),
  accountId,
  lockId,
  epoch: 1,
  parameters: encodePassphraseParameters(parameters),
  random,
} as const;

test('VA-160 a passphrase opens its lock on its device, and its parameters are under the seal', async () => {
  const lock = await wrapAccountKey(passphraseLock);
  const expected = {
    lock,
    secret: passphraseLock.secret,
    expectedKind: 'device-passphrase',
    expectedAccountId: accountId,
    expectedLockId: lockId,
    minimumEpoch: 1,
  } as const;
  isSame((await unwrapAccountKey(expected)).accountKey);
  assert.deepEqual(parsePassphraseParameters(parseLockHeader(lock).parameters), parameters);
  const other = passphraseLockSecret(stretched, random.bytes(32));
  await assert.rejects(unwrapAccountKey({ ...expected, secret: other }), { code: 'lock-commitment-mismatch' });
  const changed = lock.slice();
  changed[75] = (changed[75] as number) ^ 1;
  assert.notDeepEqual(parseLockHeader(changed).parameters, parseLockHeader(lock).parameters);
  await assert.rejects(unwrapAccountKey({ ...expected, lock: changed }), { code: 'lock-commitment-mismatch' });
  await assert.rejects(wrapAccountKey({ ...passphraseLock, parameters: new Uint8Array(3) }), { rule: 'VA-41' });
  assert.deepEqual(passphraseBytes('ﬁve'), passphraseBytes('five'));
});

const encoded = (change: object) => encodePassphraseParameters({ ...parameters, ...change });

test('VA-161 parameters below the floor are refused', () => {
  for (const change of [{ memoryKiB: 65_535 }, { passes: 2 }, { lanes: 0 }]) {
    assert.throws(() => parsePassphraseParameters(encoded(change)), { code: 'passphrase-too-cheap', rule: 'VA-161' });
  }
  assert.throws(() => parsePassphraseParameters(new Uint8Array(24)), { code: 'lock-malformed' });
});

test('VA-162 parameters above the ceiling are refused', () => {
  for (const change of [{ memoryKiB: 1_048_577 }, { passes: 17 }, { lanes: 5 }]) {
    assert.throws(() => parsePassphraseParameters(encoded(change)), { code: 'passphrase-too-costly', rule: 'VA-162' });
  }
});

test('VA-163 a passphrase opens nothing without the secret of its device', () => {
  for (const secret of [new Uint8Array(0), new Uint8Array(32), random.bytes(31)]) {
    assert.throws(() => passphraseLockSecret(stretched, secret), { code: 'key-malformed', rule: 'VA-163' });
  }
});

const { recovery } = createRecoveryCode(random);
const publicKey = await lockPublicKey(recovery.kek, accountId);
const toLock = {
  accountKey,
  kind: 'recovery-code',
  publicKey,
  accountId,
  lockId: recovery.lookupId,
  epoch: 2,
  credential: new Uint8Array(32),
  random,
} as const;
const sealed = await sealToLock(toLock);
const toOpen = {
  lock: sealed,
  secret: recovery.kek,
  expectedKind: 'recovery-code',
  expectedAccountId: accountId,
  expectedLockId: recovery.lookupId,
  minimumEpoch: 2,
} as const;

test('an account key that was sealed to a lock opens with the secret of that lock', async () => {
  const { accountKey: opened, epoch } = await openSealedLock(toOpen);
  isSame(opened);
  assert.equal(epoch, 2);
  assert.equal(parseLockHeader(sealed).kind, 'sealed-to-lock');
});

test('VA-164 a lock that could not be read again is not written', async () => {
  for (const change of [{ publicKey: publicKey.slice(1) }, { epoch: 0 }, { lockId: new Uint8Array(15) }]) {
    await assert.rejects(sealToLock({ ...toLock, ...change }), { code: 'lock-malformed', rule: 'VA-164' });
  }
});

test('VA-165 a lock of another kind underneath is refused', async () => {
  await assert.rejects(openSealedLock({ ...toOpen, expectedKind: 'passkey-prf' }), { rule: 'VA-165' });
  const plain = await wrapAccountKey({ ...toLock, secret: recovery.kek });
  await assert.rejects(openSealedLock({ ...toOpen, lock: plain }), { rule: 'VA-165' });
});

test('VA-35 a sealed lock of another account is refused', async () => {
  await assert.rejects(openSealedLock({ ...toOpen, expectedAccountId: new Uint8Array(16) }), {
    code: 'lock-account-mismatch',
  });
});

test('VA-36 a sealed lock under another name is refused', async () => {
  await assert.rejects(openSealedLock({ ...toOpen, expectedLockId: new Uint8Array(16) }), { code: 'lock-id-mismatch' });
});

test('VA-38 a sealed lock of an older epoch is refused', async () => {
  await assert.rejects(openSealedLock({ ...toOpen, minimumEpoch: 3 }), { code: 'lock-epoch-stale' });
});

test('VA-166 every byte of a sealed lock counts, and another secret does not open it', async () => {
  const other = new LockSecret(random.bytes(32));
  await assert.rejects(openSealedLock({ ...toOpen, secret: other }), {
    code: 'lock-commitment-mismatch',
    rule: 'VA-166',
  });
  const codes = new Set<string>();
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = sealed.slice();
    changed[at] = (changed[at] as number) ^ 0x20;
    await assert.rejects(
      openSealedLock({ ...toOpen, lock: changed }),
      (error: { code: string }) => codes.add(error.code) !== undefined,
    );
  }
  for (const code of codes) assert.match(code, /^lock-/);
});
