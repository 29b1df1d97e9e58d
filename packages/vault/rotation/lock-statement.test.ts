/** What the vault keeps of locks, and the list of them that a server shows (spec/vault.md, "Locks in the vault"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { createDeviceKeys, type DeviceKeys, LOCK_PUBLIC_KEY_BYTES, type UnknownContent } from '../index.ts';
import { judgeLockList, type LockStatement, lockDigest, settleLocks, signLock, verifyLock } from './index.ts';

const random = createSeededRandom('lock statements');
const ACCOUNT = random.bytes(16);
const [kept, removed] = [await createDeviceKeys(random), await createDeviceKeys(random)];
const idOf = (keys: DeviceKeys) => encodeHex(keys.deviceId);
const devices = new Map([[idOf(kept), new Uint8Array(kept.publicKey)]]);
const lock: LockStatement = {
  lockId: encodeHex(random.bytes(16)),
  kind: 'recovery-code',
  credential: '00'.repeat(32),
  publicKey: random.bytes(LOCK_PUBLIC_KEY_BYTES),
  epoch: 1,
  atMs: 7,
};
const stated = (changes: Partial<LockStatement> = {}, keys = kept) =>
  signLock(keys, ACCOUNT, { ...lock, ...changes }, 1);
const withFields = (content: UnknownContent, changes: object): UnknownContent => ({
  ...content,
  fields: { ...content.fields, ...changes },
});

test('a lock that a device of the account states is believed', async () => {
  assert.deepEqual(await verifyLock(await stated(), ACCOUNT, devices), { ...lock, deviceId: idOf(kept) });
});

test('VA-168 a statement of another form is refused', async () => {
  const content = await stated();
  const cases = {
    lockId: 'aa',
    kind: 'device-passphrase',
    credential: '',
    publicKey: '00'.repeat(100),
    epoch: 0,
    atMs: -1,
    deviceId: null,
    signature: 'zz'.repeat(64),
  };
  for (const [name, value] of Object.entries(cases)) {
    const changed = withFields(content, { [name]: value });
    await assert.rejects(verifyLock(changed, ACCOUNT, devices), { rule: 'VA-168' }, name);
  }
  await assert.rejects(verifyLock({ ...content, recordType: 'setting' }, ACCOUNT, devices), { rule: 'VA-168' });
});

test('VA-145 a lock that only a removed device vouches for is not sealed to', async () => {
  const refused = { code: 'lock-key-signer-unknown', rule: 'VA-145' };
  await assert.rejects(verifyLock(await stated({}, removed), ACCOUNT, devices), refused);
});

test('VA-169 every field is under the signature, and the account', async () => {
  const content = await stated();
  const cases = {
    lockId: 'aa'.repeat(16),
    kind: 'recovery-phrase',
    credential: '11'.repeat(32),
    publicKey: '22'.repeat(LOCK_PUBLIC_KEY_BYTES),
    epoch: 2,
    atMs: 8,
    signature: '00'.repeat(64),
  };
  for (const [name, value] of Object.entries(cases)) {
    const changed = withFields(content, { [name]: value });
    await assert.rejects(verifyLock(changed, ACCOUNT, devices), { rule: 'VA-169' }, name);
  }
  await assert.rejects(verifyLock(content, new Uint8Array(16), devices), { rule: 'VA-169' });
});

test('VA-170 a device states its own key and no other device’s', async () => {
  const own = await stated({ kind: 'device-key', lockId: idOf(kept) });
  assert.equal((await verifyLock(own, ACCOUNT, devices)).lockId, idOf(kept));
  const others = await stated({ kind: 'device-key', lockId: idOf(removed) });
  await assert.rejects(verifyLock(others, ACCOUNT, devices), { rule: 'VA-170' });
});

test('VA-171 where two devices give one lock two keys, neither is used', async () => {
  const verified = { ...lock, deviceId: idOf(kept) };
  const other = { ...verified, deviceId: idOf(removed), atMs: 8 };
  assert.deepEqual(settleLocks([verified, other]).locks.get(lock.lockId), verified);
  const { locks, disputed } = settleLocks([verified, { ...other, publicKey: random.bytes(LOCK_PUBLIC_KEY_BYTES) }]);
  assert.deepEqual([locks.size, [...disputed]], [0, [lock.lockId]]);
});

const [one, two, third] = ['01', '02', '03'].map((byte) => byte.repeat(16)) as [string, string, string];
const blob = (text: string) => new TextEncoder().encode(text);
const epoch = {
  locks: new Map([
    [one, lockDigest(blob('one'))],
    [two, lockDigest(blob('two'))],
  ]),
};
const codes = (shown: readonly (readonly [string, string])[], added: string[] = []) =>
  judgeLockList(
    epoch,
    shown.map(([lockId, text]) => ({ lockId, lock: blob(text) })),
    new Set(added),
  ).map(({ code, rule, recordId }) => `${rule} ${code} ${recordId}`);

test('VA-138 an old wrap of a lock that remains is noticed', () => {
  assert.deepEqual(
    codes([
      [one, 'one'],
      [two, 'two'],
    ]),
    [],
  );
  assert.deepEqual(
    codes([
      [one, 'one'],
      [two, 'old'],
    ]),
    [`VA-138 lock-list-old ${two}`],
  );
});

test('VA-139 a lock that was removed is noticed, and one that was added since is not', () => {
  assert.deepEqual(
    codes([
      [one, 'one'],
      [two, 'two'],
      [third, 'three'],
    ]),
    [`VA-139 lock-unknown ${third}`],
  );
  assert.deepEqual(
    codes(
      [
        [one, 'one'],
        [two, 'two'],
        [third, 'three'],
      ],
      [third],
    ),
    [],
  );
});

test('VA-140 a lock that is not shown is noticed', () => {
  assert.deepEqual(codes([[two, 'two']]), [`VA-140 lock-withheld ${one}`]);
});
