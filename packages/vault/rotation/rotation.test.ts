/** Rotation: a removed device, and the account key that it kept, say nothing any more (spec/vault.md, "Rotation"). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { assembleLogs, type LogEntry, OwnLog, placesOf, verifySegment } from '../heads/index.ts';
import { createDeviceKeys, type DeviceKeys, type OpenedRecord } from '../index.ts';
import { cutLogs, type EpochStatement, judgeOldRecord, rootOf, signEpoch, verifyEpoch } from './index.ts';

const random = createSeededRandom('rotation');
const ACCOUNT = new Uint8Array(16).fill(7);
const [kept, removed, stranger] = [
  await createDeviceKeys(random),
  await createDeviceKeys(random),
  await createDeviceKeys(random),
];
const idOf = (keys: DeviceKeys) => encodeHex(keys.deviceId);
const mapOf = (...all: DeviceKeys[]) => new Map(all.map((keys) => [idOf(keys), new Uint8Array(keys.publicKey)]));
const before = { epoch: 1, devices: mapOf(kept, removed) };
const lineOf = (byte: number): LogEntry => ({
  recordId: encodeHex(new Uint8Array(16).fill(byte)),
  digest: encodeHex(new Uint8Array(32).fill(byte)),
  replaces: [],
});
const details = { seen: new Map(), covered: 1, atMs: 1, clock: 1 };

/** The logs of both devices: `kept` wrote 1 and 2, `removed` wrote 3, then whatever `later` says. */
async function logsWith(...later: LogEntry[]) {
  const segments = [];
  for (const [keys, lines] of [
    [kept, [lineOf(1), lineOf(2)]],
    [removed, [lineOf(3), ...later]],
  ] as const) {
    for (const { content } of await new OwnLog(keys, ACCOUNT).append(lines, details)) {
      segments.push(await verifySegment(content, ACCOUNT, before.devices));
    }
  }
  return assembleLogs(segments).logs;
}

const statement: EpochStatement = {
  epoch: 2,
  devices: mapOf(kept),
  places: placesOf(await logsWith()),
  locks: new Map([['aa'.repeat(16), 'bb'.repeat(32)]]),
  earlierKeys: ['cc'.repeat(32)],
  atMs: 5,
};

async function recordOf(changes: Partial<EpochStatement> = {}, keys = kept, epoch = 2): Promise<OpenedRecord> {
  const content = await signEpoch(keys, ACCOUNT, { ...statement, ...changes }, 9);
  return { recordId: 'dd'.repeat(16), deviceId: idOf(keys), deviceCounter: 1, epoch, content };
}

function withFields(record: OpenedRecord, changes: object): OpenedRecord {
  assert.equal(record.content.type, 'unknown');
  const content = record.content as Extract<OpenedRecord['content'], { type: 'unknown' }>;
  return { ...record, content: { ...content, fields: { ...content.fields, ...changes } } };
}

const refused = (record: OpenedRecord, rule: string) => assert.rejects(verifyEpoch(record, ACCOUNT, before), { rule });

test('an epoch that a remaining device begins is believed', async () => {
  const verified = await verifyEpoch(await recordOf(), ACCOUNT, before);
  assert.deepEqual(verified, { ...statement, signerId: idOf(kept) });
});

test('VA-130 a statement of another form is refused', async () => {
  const record = await recordOf();
  const cases = {
    epoch: '2',
    devices: { [idOf(kept)]: 'ee'.repeat(32) },
    places: { [idOf(kept)]: { count: -1, hash: '00'.repeat(32) } },
    locks: { xx: 'bb'.repeat(32) },
    earlierKeys: [],
    atMs: -1,
    signerId: 'kept',
    signature: '',
  };
  for (const [name, value] of Object.entries(cases)) {
    await assert.rejects(verifyEpoch(withFields(record, { [name]: value }), ACCOUNT, before), { rule: 'VA-130' }, name);
  }
  await refused(withFields(record, { locks: { ['aa'.repeat(16)]: 'b' } }), 'VA-130');
  await refused({ ...record, content: { type: 'unknown', recordType: 'head', clock: 1, fields: {} } }, 'VA-130');
});

test('VA-131 an epoch follows the one before it, under its own key', async () => {
  await refused(await recordOf({}, kept, 1), 'VA-131');
  await refused(await recordOf({ epoch: 3, earlierKeys: ['cc'.repeat(32), 'cd'.repeat(32)] }, kept, 3), 'VA-131');
  await assert.rejects(verifyEpoch(await recordOf(), ACCOUNT, { ...before, epoch: 2 }), { rule: 'VA-131' });
});

test('VA-132 a device that is unknown, or that is being removed, begins no epoch', async () => {
  await refused(await recordOf({ devices: mapOf(stranger) }, stranger), 'VA-132');
  await refused(await recordOf({}, removed), 'VA-132');
});

test('VA-133 a rotation adds no device', async () => {
  await refused(await recordOf({ devices: mapOf(kept, stranger) }), 'VA-133');
});

test('VA-134 every field is under the signature', async () => {
  const record = await recordOf();
  const cases = {
    devices: Object.fromEntries([...mapOf(kept, removed)].map(([id, key]) => [id, encodeHex(key)])),
    places: {},
    locks: {},
    earlierKeys: ['dd'.repeat(32)],
    atMs: 6,
    signature: '00'.repeat(64),
  };
  for (const [name, value] of Object.entries(cases)) {
    await assert.rejects(verifyEpoch(withFields(record, { [name]: value }), ACCOUNT, before), { rule: 'VA-134' }, name);
  }
  await assert.rejects(verifyEpoch(record, new Uint8Array(16), before), { rule: 'VA-134' });
});

test('VA-135 a record under an older key counts only if it stood there when the key was given up', async () => {
  const epoch = await verifyEpoch(await recordOf(), ACCOUNT, before);
  const root = rootOf(epoch, await logsWith(lineOf(4)));
  const codes = [1, 2, 3, 4].map(
    (byte) => judgeOldRecord(root, lineOf(byte) as { recordId: string; digest: string })[0]?.code,
  );
  assert.deepEqual(codes, [undefined, undefined, undefined, 'record-outside-root']);
});

test('VA-136 what a removed device adds to its log is not believed', async () => {
  const epoch = await verifyEpoch(await recordOf(), ACCOUNT, before);
  assert.deepEqual(cutLogs(epoch, await logsWith()).findings, []);
  const { logs, findings } = cutLogs(epoch, await logsWith(lineOf(4)));
  assert.deepEqual(
    findings.map(({ code, rule }) => [code, rule]),
    [['removed-device-writes', 'VA-136']],
  );
  assert.deepEqual(logs.get(idOf(removed))?.entries, [lineOf(3)]);
});

test('VA-137 logs that do not go through the places of the statement are noticed', async () => {
  const logs = await logsWith();
  const places = new Map(statement.places).set(idOf(kept), { count: 2, hash: '11'.repeat(32) });
  const epoch = await verifyEpoch(await recordOf({ places }), ACCOUNT, before);
  assert.deepEqual(
    cutLogs(epoch, logs).findings.map(({ code, rule }) => [code, rule]),
    [['history-forked', 'VA-137']],
  );
  assert.equal(cutLogs(epoch, new Map()).findings.length, 2);
});
