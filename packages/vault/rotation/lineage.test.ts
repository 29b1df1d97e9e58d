/** Epoch after epoch: who may begin one, which devices and records count in it (spec/vault.md, "Rotation"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { assembleLogs, type LogEntry, OwnLog, placesOf, verifySegment, writeDigest } from '../heads/index.ts';
import {
  createAccountKey,
  createDeviceKeys,
  type DeviceKeys,
  lockPublicKey,
  type OpenedRecord,
  openSealedLock,
  sealToLock,
  unsafeRevealSecret,
} from '../index.ts';
import {
  type Announced,
  assertContinues,
  believedByEpochs,
  deviceLockSecret,
  devicesOf,
  type EpochStatement,
  encodeNextKey,
  judgeByEpochs,
  parseEpoch,
  parseNextKey,
  signEpoch,
  verifyLineage,
} from './index.ts';

const random = createSeededRandom('lineage');
const ACCOUNT = random.bytes(16);
const [kept, removed, later] = [
  await createDeviceKeys(random),
  await createDeviceKeys(random),
  await createDeviceKeys(random),
];
const keys = [createAccountKey(random), createAccountKey(random)] as const;
const hexOf = (index: 0 | 1) => encodeHex(unsafeRevealSecret(keys[index]));
const idOf = (device: DeviceKeys) => encodeHex(device.deviceId);
const mapOf = (...all: DeviceKeys[]) => new Map(all.map((device) => [idOf(device), new Uint8Array(device.publicKey)]));
const announcedIn = (epoch: number, ...all: DeviceKeys[]): Announced[] =>
  all.map((device) => ({ deviceId: idOf(device), publicKey: new Uint8Array(device.publicKey), epoch }));
const announced = [...announcedIn(1, kept, removed), ...announcedIn(2, later)];

async function logsOf(lines: ReadonlyMap<DeviceKeys, readonly number[]>) {
  const segments = [];
  for (const [device, bytes] of lines) {
    for (const { content } of await new OwnLog(device, ACCOUNT).append(
      bytes.map((byte) => lineOf(byte)),
      { seen: new Map(), covered: 9, atMs: 1, clock: 1 },
    )) {
      segments.push(await verifySegment(content, ACCOUNT, mapOf(kept, removed, later)));
    }
  }
  return assembleLogs(segments).logs;
}
const hexId = (byte: number) => encodeHex(new Uint8Array(16).fill(byte));
const digestOf = (byte: number) => encodeHex(new Uint8Array(32).fill(byte));
function lineOf(byte: number): LogEntry {
  return { recordId: hexId(byte), digest: digestOf(byte), replaces: [] };
}
const atFirst = await logsOf(
  new Map([
    [kept, [1]],
    [removed, [2]],
  ]),
);

const second: EpochStatement = {
  epoch: 2,
  devices: mapOf(kept),
  places: placesOf(atFirst),
  locks: new Map(),
  earlierKeys: [hexOf(0)],
  atMs: 5,
};
const third: EpochStatement = { ...second, epoch: 3, devices: mapOf(kept, later), earlierKeys: [hexOf(0), hexOf(1)] };

async function recordOf(statement: EpochStatement, device = kept, clock = 9): Promise<OpenedRecord> {
  const content = await signEpoch(device, ACCOUNT, statement, clock);
  const recordId = encodeHex(random.bytes(16));
  return { recordId, deviceId: idOf(device), deviceCounter: 1, epoch: statement.epoch, content };
}
const [begun, again] = [await recordOf(second), await recordOf(third, later)];
const judged = (records: readonly OpenedRecord[], remembered = new Map<number, string>(), from = announced) =>
  verifyLineage(records, ACCOUNT, from, remembered);

test('epochs are believed in their order, also when a device that joined between begins the next', async () => {
  const { epochs, findings, digests } = await judged([again, begun]);
  assert.deepEqual([epochs.map(({ epoch }) => epoch), findings.length], [[2, 3], 0]);
  assert.equal(digests.get(3), encodeHex(writeDigest(again)));
  assert.deepEqual(parseEpoch(begun), { ...second, signerId: idOf(kept) });
});

test('VA-131 a statement under another key than its own is not read', () => {
  assert.throws(() => parseEpoch({ ...begun, epoch: 1 }), { code: 'epoch-order', rule: 'VA-131' });
});

test('an epoch that this device has verified before counts, whatever is withheld', async () => {
  const { digests } = await judged([begun, again]);
  const { epochs, findings } = await judged([begun, again], new Map(digests), []);
  assert.deepEqual([epochs.length, findings], [2, []]);
});

test('VA-141 an epoch that does not hold the key this device knows is refused', () => {
  assertContinues(third, 1, keys[0]);
  assertContinues(third, 2, keys[1]);
  for (const [statement, epoch, key] of [
    [third, 2, keys[0]],
    [second, 2, keys[1]],
  ] as const) {
    assert.throws(() => assertContinues(statement, epoch, key), { code: 'epoch-unrelated', rule: 'VA-141' });
  }
});

test('VA-142 an epoch that this device has seen begin does not begin otherwise', async () => {
  const { digests } = await judged([begun]);
  const other = await recordOf({ ...second, atMs: 6 }, kept, 1);
  assert.deepEqual((await judged([other])).findings, []);
  const { epochs, findings } = await judged([other], new Map(digests));
  assert.deepEqual(
    [epochs.length, findings.map(({ rule, code }) => `${rule} ${code}`)],
    [0, ['VA-142 epoch-replaced']],
  );
  assert.equal((await judged([begun, other])).findings[0]?.rule, 'VA-142');
});

test('VA-132 a device that was removed before begins no epoch, and the line ends there', async () => {
  const forged = await recordOf({ ...third, devices: mapOf(kept, removed) }, removed);
  const { epochs, findings } = await judged([begun, forged]);
  assert.deepEqual([epochs.length, findings.map(({ rule, code }) => `${rule} ${code}`)], [1, ['VA-132 epoch-refused']]);
});

test('VA-143 a device that announces itself under an older key does not belong to the account', () => {
  assert.deepEqual([...devicesOf(undefined, announced).keys()], [kept, removed, later].map(idOf));
  assert.deepEqual([...devicesOf(second, announced).keys()], [kept, later].map(idOf));
});

test('VA-144 what is not a key for the next epoch is refused', () => {
  const next = { epoch: 2, deviceId: idOf(kept), lock: random.bytes(40) };
  const content = encodeNextKey(next, 3);
  assert.deepEqual(parseNextKey(content), next);
  for (const change of [{ epoch: 1 }, { deviceId: '' }, { lock: 'abc' }, { lock: '' }, { lock: '00'.repeat(9000) }]) {
    const fields = { ...content.fields, ...change };
    assert.throws(() => parseNextKey({ ...content, fields }), { code: 'epoch-malformed', rule: 'VA-144' });
  }
  assert.throws(() => parseNextKey({ ...content, recordType: 'head' }), { rule: 'VA-144' });
});

test('a device that remains opens what was sealed to its own key, and no other device does', async () => {
  const publicKey = await lockPublicKey(deviceLockSecret(kept), ACCOUNT);
  const header = { kind: 'device-key', accountId: ACCOUNT, lockId: kept.deviceId, epoch: 2 } as const;
  const lock = await sealToLock({
    ...header,
    accountKey: keys[1],
    publicKey,
    credential: new Uint8Array(32),
    random,
  });
  const toOpen = {
    lock,
    expectedKind: 'device-key',
    expectedAccountId: ACCOUNT,
    expectedLockId: kept.deviceId,
    minimumEpoch: 2,
  } as const;
  const { accountKey } = await openSealedLock({ ...toOpen, secret: deviceLockSecret(kept) });
  assert.deepEqual(unsafeRevealSecret(accountKey), unsafeRevealSecret(keys[1]));
  await assert.rejects(openSealedLock({ ...toOpen, secret: deviceLockSecret(removed) }), {
    code: 'lock-commitment-mismatch',
  });
});

test('VA-135 what stands under an older key and stood in no log is outside, also two epochs later', async () => {
  const { epochs } = await judged([begun, again]);
  const logs = await logsOf(
    new Map([
      [kept, [1, 3]],
      [removed, [2]],
    ]),
  );
  const record = (byte: number, epoch: number) => ({
    recordId: hexId(byte),
    deviceId: idOf(kept),
    deviceCounter: 1,
    digest: digestOf(byte),
    epoch,
  });
  const { outside, findings } = judgeByEpochs(
    epochs,
    logs,
    [1, 2, 3].map((byte) => record(byte, 1)),
  );
  assert.deepEqual([[...outside], findings.map(({ rule }) => rule)], [[hexId(3)], ['VA-135']]);
  assert.deepEqual([...judgeByEpochs(epochs, logs, [record(3, 2), record(4, 3)]).outside], [hexId(3)]);
  assert.deepEqual([...judgeByEpochs([], logs, [record(9, 1)]).outside], []);
});

test('VA-135 one record is judged as all of them are, as soon as the logs go through the places of every statement', async () => {
  const { epochs } = await judged([begun, again]);
  const logs = await logsOf(
    new Map([
      [kept, [1, 3]],
      [removed, [2]],
    ]),
  );
  const believes = believedByEpochs(epochs, logs);
  const isBelieved = (byte: number, epoch: number) => believes?.({ digest: digestOf(byte), epoch });
  assert.deepEqual(
    [1, 2, 3].map((byte) => isBelieved(byte, 1)),
    [true, true, false],
  );
  assert.deepEqual([isBelieved(2, 2), isBelieved(3, 2), isBelieved(9, 3)], [true, false, true]);
  assert.equal(believedByEpochs(epochs, await logsOf(new Map([[kept, [1]]]))), undefined);
  assert.equal(believedByEpochs([], logs)?.({ digest: digestOf(9), epoch: 1 }), true);
});

test('VA-136 the log of a removed device is cut for ever', async () => {
  const { epochs } = await judged([begun, again]);
  const logs = await logsOf(
    new Map([
      [kept, [1]],
      [removed, [2, 5]],
    ]),
  );
  const { logs: cut, findings } = judgeByEpochs(epochs, logs, []);
  assert.deepEqual([cut.get(idOf(removed))?.entries.length, findings.map(({ rule }) => rule)], [1, ['VA-136']]);
});
