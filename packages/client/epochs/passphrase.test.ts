/** The passphrase of a browser, and staying unlocked, across a rotation (spec/client.md "Locks, devices, rotation"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { argon2id } from '@sotto/crypto/argon2';
import type { StretchRequest } from '@sotto/ports';
import {
  createManualClock,
  createMemoryDeviceStore,
  createMemorySealedStore,
  createSeededRandom,
} from '@sotto/testkit';
import { createAccountKey, createDeviceKeys, type OpenedRecord, unsafeRevealSecret } from '@sotto/vault';
import { signEpoch } from '@sotto/vault/rotation';
import { saveDevice } from '../device-key.ts';
import { keepLocks } from '../kept-locks.ts';
import {
  hasPassphrase,
  removePassphrase,
  rewrapPassphrase,
  setPassphrase,
  unlockWithPassphrase,
} from '../passphrase-lock.ts';
import { forgetUnlocked, renewUnlocked, resumeUnlocked, stayUnlocked } from '../stay-unlocked.ts';
import { createTurns } from '../watch/turns.ts';
import { openAccount } from './open-account.ts';

const random = createSeededRandom('passphrase epochs');

async function browser() {
  const ports = {
    random,
    clock: createManualClock(),
    device: createMemoryDeviceStore(),
    sealed: createMemorySealedStore(),
    erasable: createMemoryDeviceStore(),
    takingTurns: createTurns(),
    // As strong as the real thing in kind, not in cost.
    stretch: (request: StretchRequest) => argon2id({ ...request, memoryKiB: 64 }),
  };
  const [accountId, accountKey, device] = [random.bytes(16), createAccountKey(random), await createDeviceKeys(random)];
  await saveDevice(ports, { accountId, accountKey, device });
  const lockId = encodeHex(accountId);
  await keepLocks(ports.sealed, { accountId: lockId, locks: [{ lockId, kind: 'recovery-code', lock: 'AAAA' }] });
  const account = await openAccount(ports, accountId, { accountKey, epoch: 1 });
  return { ports, account };
}

/** A rotation, as far as this browser is concerned. */
async function rotated({ account }: Awaited<ReturnType<typeof browser>>) {
  const { device, accountId, epochs } = account;
  const deviceId = encodeHex(device.deviceId);
  const newKey = createAccountKey(random);
  const statement = {
    ...{ epoch: 2, places: new Map(), locks: new Map(), atMs: 1 },
    devices: new Map([[deviceId, device.publicKey]]),
    earlierKeys: [encodeHex(unsafeRevealSecret(account.accountKey))],
  };
  const content = await signEpoch(device, accountId, statement, 1);
  const record: OpenedRecord = { recordId: 'aa'.repeat(16), deviceId, deviceCounter: 1, epoch: 2, content };
  await epochs?.adopt(record, newKey);
  return newKey;
}

test('CL-323 the passphrase opens the new epoch without having been typed in between', async () => {
  const here = await browser();
  const { ports, account } = here;
  await setPassphrase(ports, account, 'lantern under the stairs');
  const newKey = await rotated(here);
  await rewrapPassphrase(ports, account);
  const opened = await unlockWithPassphrase(ports, account.accountId, 'lantern under the stairs');
  assert.deepEqual(unsafeRevealSecret(opened.accountKey), unsafeRevealSecret(newKey));
  assert.deepEqual([opened.epochs?.epoch, opened.device.deviceId], [2, account.device.deviceId]);
  await assert.rejects(unlockWithPassphrase(ports, account.accountId, 'lantern under the chairs'), {
    code: 'passphrase-wrong',
  });
});

test('CL-323 another program’s lock in the store is not handed the new key: the passphrase is removed', async () => {
  const [here, other] = [await browser(), await browser()];
  for (const { ports, account } of [here, other]) await setPassphrase(ports, account, 'lantern under the stairs');
  const nameOf = ({ account }: typeof here) => `passphrase/${encodeHex(account.accountId)}`;
  await here.ports.erasable.set(
    nameOf(here),
    (await other.ports.erasable.get(nameOf(other))) as Uint8Array<ArrayBuffer>,
  );
  await rotated(here);
  await rewrapPassphrase(here.ports, here.account);
  assert.equal(await hasPassphrase(here.ports, here.account.accountId), false);
});

test('an account that stays unlocked opens in the epoch in which it was left', async () => {
  const here = await browser();
  const { ports, account } = here;
  const newKey = await rotated(here);
  await stayUnlocked(ports, account);
  const resumed = await resumeUnlocked(ports);
  assert.equal(resumed?.epochs?.epoch, 2);
  assert.deepEqual(unsafeRevealSecret(resumed.accountKey), unsafeRevealSecret(newKey));
});

for (const what of ['stays unlocked', 'has a passphrase'] as const) {
  test(`CL-382 a rotation that arrives while an account that ${what} is locked brings nothing back`, async () => {
    const here = await browser();
    const { ports, account } = here;
    if (what === 'stays unlocked') await stayUnlocked(ports, account);
    else await setPassphrase(ports, account, 'lantern under the stairs');
    await rotated(here);
    const [renew, forget] =
      what === 'stays unlocked'
        ? [renewUnlocked, forgetUnlocked]
        : [rewrapPassphrase, (given: typeof ports) => removePassphrase(given, account.accountId)];
    const name = what === 'stays unlocked' ? 'unlocked' : `passphrase/${encodeHex(account.accountId)}`;
    // The store answers the renewal, and the person locks before it goes on.
    const read = Promise.withResolvers<void>();
    const get = ports.erasable.get.bind(ports.erasable);
    const slow = {
      ...ports,
      erasable: {
        ...ports.erasable,
        get: async (key: string) => {
          const value = await get(key);
          await read.promise;
          return value;
        },
      },
    };
    const renewing = renew(slow, account);
    await new Promise((resolve) => setImmediate(resolve));
    const forgetting = forget(ports);
    read.resolve();
    await Promise.all([renewing, forgetting]);
    assert.equal(await ports.erasable.get(name), undefined);
    await renew(ports, account);
    assert.equal(await ports.erasable.get(name), undefined, 'nor does a rotation after it');
  });
}
