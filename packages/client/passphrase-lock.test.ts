import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex, equalBytes } from '@sotto/bytes';
import { argon2id } from '@sotto/crypto/argon2';
import type { StretchRequest } from '@sotto/ports';
import {
  createManualClock,
  createMemoryDeviceStore,
  createMemorySealedStore,
  createSeededRandom,
} from '@sotto/testkit';
import { createAccountKey, createDeviceKeys, unsafeRevealSecret } from '@sotto/vault';
import type { OpenAccount } from './account.ts';
import { saveDevice } from './device-key.ts';
import type { ClientError } from './errors.ts';
import { keepLocks } from './kept-locks.ts';
import {
  hasPassphrase,
  type PassphrasePorts,
  passphraseTries,
  removePassphrase,
  setPassphrase,
  unlockWithPassphrase,
} from './passphrase-lock.ts';
import { forgetUnlocked, resumeUnlocked, staysUnlocked, stayUnlocked } from './stay-unlocked.ts';
import { createTurns } from './watch/turns.ts';

const PASSPHRASE = 'lantern under the stairs';
const codeOf = (code: string) => (error: ClientError) => error.code === code;

let seed = 0;

async function rig() {
  const random = createSeededRandom(`passphrase ${seed++}`);
  const asked: StretchRequest[] = [];
  const ports = {
    random,
    clock: createManualClock(),
    device: createMemoryDeviceStore(),
    sealed: createMemorySealedStore(),
    erasable: createMemoryDeviceStore(),
    takingTurns: createTurns(),
    stretch: async (request: StretchRequest) => {
      asked.push(request);
      // As strong as the real thing in kind, not in cost.
      return argon2id({ ...request, memoryKiB: 64 });
    },
  } satisfies PassphrasePorts;
  const account: OpenAccount = {
    accountId: random.bytes(16),
    accountKey: createAccountKey(random),
    device: await createDeviceKeys(random),
  };
  await saveDevice(ports, account);
  const accountId = encodeHex(account.accountId);
  await keepLocks(ports.sealed, {
    accountId,
    locks: [{ lockId: accountId, kind: 'recovery-code', lock: 'AAAA' }],
  });
  return { ports, account, asked, lockName: `passphrase/${accountId}` };
}

const sameKey = (a: OpenAccount, b: OpenAccount) =>
  equalBytes(unsafeRevealSecret(a.accountKey), unsafeRevealSecret(b.accountKey));

test('a passphrase opens the account on its device, however a keyboard spells it, and with the device’s own key', async () => {
  const { ports, account } = await rig();
  assert.equal(await hasPassphrase(ports, account.accountId), false);
  await setPassphrase(ports, account, 'Brücke im Nebel');
  assert.equal(await hasPassphrase(ports, account.accountId), true);
  const opened = await unlockWithPassphrase(ports, account.accountId, 'Bru\u0308cke im Nebel');
  assert.ok(sameKey(opened, account));
  assert.deepEqual(opened.device.deviceId, account.device.deviceId);
});

test('a changed passphrase opens, the one before does not; a removed one is gone from the device', async () => {
  const { ports, account, lockName } = await rig();
  await setPassphrase(ports, account, PASSPHRASE);
  await setPassphrase(ports, account, 'another sentence');
  await assert.rejects(unlockWithPassphrase(ports, account.accountId, PASSPHRASE), codeOf('passphrase-wrong'));
  assert.ok(sameKey(await unlockWithPassphrase(ports, account.accountId, 'another sentence'), account));
  await removePassphrase(ports, account.accountId);
  assert.equal(await ports.erasable.get(lockName), undefined);
  await assert.rejects(unlockWithPassphrase(ports, account.accountId, PASSPHRASE), codeOf('passphrase-missing'));
});

test('CL-335 lock and device secret lie in the store that erases, and nowhere else', async () => {
  const { ports, account, lockName } = await rig();
  const before = ports.sealed.names();
  await setPassphrase(ports, account, PASSPHRASE);
  const kept = (await ports.erasable.get(lockName)) as Uint8Array;
  assert.ok(!Buffer.from(kept).includes(PASSPHRASE));
  assert.deepEqual(ports.sealed.names(), before);
  assert.equal(await ports.device.get(lockName), undefined);
});

test('CL-335 without the device secret the passphrase opens nothing', async () => {
  const { ports, account, lockName } = await rig();
  await setPassphrase(ports, account, PASSPHRASE);
  const kept = (await ports.erasable.get(lockName)) as Uint8Array<ArrayBuffer>;
  await ports.erasable.set(lockName, kept.with(1, (kept[1] as number) ^ 1));
  await assert.rejects(unlockWithPassphrase(ports, account.accountId, PASSPHRASE), codeOf('passphrase-wrong'));
});

test('CL-336 a lock that asks for too little or too much is refused before anything is done', async () => {
  const { ports, account, asked, lockName } = await rig();
  await setPassphrase(ports, account, PASSPHRASE);
  const kept = (await ports.erasable.get(lockName)) as Uint8Array<ArrayBuffer>;
  // Version, device secret, length, then the lock's header up to its parameters.
  const at = 1 + 32 + 2 + 3 + 1 + 1 + 16 + 16 + 4 + 32 + 2;
  const withU32 = (offset: number, value: number) => {
    const changed = kept.slice();
    new DataView(changed.buffer).setUint32(at + offset, value);
    return changed;
  };
  const tries = asked.length;
  for (const [changed, code] of [
    [withU32(0, 1024), 'passphrase-too-cheap'],
    [withU32(4, 1), 'passphrase-too-cheap'],
    [withU32(0, 4 * 1024 * 1024), 'passphrase-too-costly'],
    [withU32(4, 1_000_000), 'passphrase-too-costly'],
  ] as const) {
    await ports.erasable.set(lockName, changed);
    await assert.rejects(unlockWithPassphrase(ports, account.accountId, PASSPHRASE), codeOf(code));
  }
  assert.equal(asked.length, tries);
  assert.equal((await passphraseTries(ports, account.accountId)).count, 0);
});

test('CL-337 wrong tries are counted before they are made, and wait longer and longer, also after a restart', async () => {
  const { ports, account } = await rig();
  await setPassphrase(ports, account, PASSPHRASE);
  const wrong = () => unlockWithPassphrase(ports, account.accountId, 'not this one');
  for (let i = 0; i < 5; i++) await assert.rejects(wrong(), codeOf('passphrase-wrong'));
  await assert.rejects(wrong(), codeOf('passphrase-wait'));
  await assert.rejects(unlockWithPassphrase(ports, account.accountId, PASSPHRASE), codeOf('passphrase-wait'));
  const again = { ...ports, takingTurns: createTurns() };
  await assert.rejects(unlockWithPassphrase(again, account.accountId, PASSPHRASE), codeOf('passphrase-wait'));
  await ports.clock.advance(30_000);
  await assert.rejects(wrong(), codeOf('passphrase-wrong'));
  await ports.clock.advance(30_000);
  await assert.rejects(wrong(), codeOf('passphrase-wait'));
  await ports.clock.advance(30_000);
  assert.ok(sameKey(await unlockWithPassphrase(ports, account.accountId, PASSPHRASE), account));
  assert.equal((await passphraseTries(ports, account.accountId)).count, 0);
});

test('CL-337 a try that is cut short counts', async () => {
  const { ports, account } = await rig();
  await setPassphrase(ports, account, PASSPHRASE);
  const closing = { ...ports, stretch: () => Promise.reject(new Error('the page was closed')) };
  await assert.rejects(unlockWithPassphrase(closing, account.accountId, 'a guess'));
  assert.equal((await passphraseTries(ports, account.accountId)).count, 1);
});

test('CL-337 a clock that is set back neither ends the wait nor makes it last', async () => {
  const { ports, account } = await rig();
  await setPassphrase(ports, account, PASSPHRASE);
  for (let i = 0; i < 5; i++) {
    await assert.rejects(unlockWithPassphrase(ports, account.accountId, 'a guess'), codeOf('passphrase-wrong'));
  }
  const earlier = createManualClock(ports.clock.nowMs() - 400 * 24 * 60 * 60 * 1000);
  const back = { ...ports, clock: earlier };
  await assert.rejects(unlockWithPassphrase(back, account.accountId, PASSPHRASE), codeOf('passphrase-wait'));
  await earlier.advance(30_000);
  assert.ok(sameKey(await unlockWithPassphrase(back, account.accountId, PASSPHRASE), account));
});

test('CL-337 five characters are too few, however many bytes they have', async () => {
  const { ports, account } = await rig();
  for (const short of ['', '12345', '🌲🌲🌲🌲🌲']) {
    await assert.rejects(setPassphrase(ports, account, short), codeOf('passphrase-too-short'));
  }
  await setPassphrase(ports, account, '123456');
});

test('CL-338 a passphrase is never the only lock', async () => {
  const { ports, account } = await rig();
  const { sealed: _, ...without } = ports;
  await assert.rejects(setPassphrase(without, account, PASSPHRASE), codeOf('passphrase-only-lock'));
  const another = { ...account, accountId: ports.random.bytes(16) };
  await assert.rejects(setPassphrase(ports, another, PASSPHRASE), codeOf('passphrase-only-lock'));
});

test('what another program did to the kept lock is refused, and nothing is opened', async () => {
  const { ports, account, lockName } = await rig();
  for (const damaged of [new Uint8Array(0), new Uint8Array(10), new Uint8Array(400).fill(1)]) {
    await ports.erasable.set(lockName, damaged);
    await assert.rejects(unlockWithPassphrase(ports, account.accountId, PASSPHRASE), /./);
  }
});

test('CL-345 an account stays unlocked only after it was asked for, and until it is forgotten', async () => {
  const { ports, account } = await rig();
  assert.equal(await staysUnlocked(ports), false);
  assert.equal(await resumeUnlocked(ports), undefined);
  await stayUnlocked(ports, account);
  assert.equal(await staysUnlocked(ports), true);
  const resumed = (await resumeUnlocked(ports)) as OpenAccount;
  assert.ok(sameKey(resumed, account));
  assert.deepEqual(resumed.accountId, account.accountId);
  assert.deepEqual(resumed.device.deviceId, account.device.deviceId);
  await forgetUnlocked(ports);
  assert.equal(await staysUnlocked(ports), false);
  assert.equal(await resumeUnlocked(ports), undefined);
});

test('CL-345 what was damaged leaves the account locked', async () => {
  const { ports } = await rig();
  for (const damaged of [
    new Uint8Array(0),
    new Uint8Array(49),
    new Uint8Array(48).fill(1),
    new Uint8Array(60).fill(1),
  ]) {
    await ports.erasable.set('unlocked', damaged);
    assert.equal(await resumeUnlocked(ports), undefined);
  }
});
