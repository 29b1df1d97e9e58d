/**
 * Writes the vectors of rotation and recovery phrases: `node vectors/vault/generate-rotation.ts`. Deterministic; made by the twin,
 * never by the code under test. One failure each.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
// The list is data, and the same for both writers.
import { WORDS } from '@sotto/vault/phrase';
import { twinRecovery, twinRecoveryCode } from './twin.ts';
import {
  type TwinEpoch,
  type TwinLockStatement,
  type TwinSealedLock,
  twinDevice,
  twinDeviceSecret,
  twinEpoch,
  twinLockPublicKey,
  twinLockStatement,
  twinPhrase,
  twinSealedLock,
} from './twin-rotation.ts';

const seeded = (seed: string, length: number): Buffer => {
  const blocks: Buffer[] = [];
  for (let i = 0; blocks.length * 32 < length; i++) blocks.push(createHash('sha256').update(`${seed}/${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const flipped = (bytes: Buffer, at: number): Buffer => {
  const changed = Buffer.from(bytes);
  changed[at < 0 ? changed.length + at : at] = (changed.at(at) as number) ^ 1;
  return changed;
};
type Expect = 'accept' | { readonly code: string; readonly group?: number };

const accountId = seeded('rotation account', 16);
const accountKey = seeded('rotation account key', 32);
const [kept, removed, stranger] = ['kept', 'removed', 'stranger'].map((name) => twinDevice(seeded(name, 32))) as [
  ReturnType<typeof twinDevice>,
  ReturnType<typeof twinDevice>,
  ReturnType<typeof twinDevice>,
];

// Sealed locks

const recoverySecret = seeded('rotation recovery', 16);
const recovery = twinRecovery(recoverySecret);
const codeLock: TwinSealedLock = {
  accountKey,
  secret: recovery.kek,
  kind: 2,
  accountId,
  lockId: recovery.lookupId,
  epoch: 2,
  credential: Buffer.alloc(32),
  salt: seeded('sealed salt', 32),
  ephemeral: seeded('ephemeral', 32),
  message: seeded('encapsulation', 32),
};
const passkeyLock: TwinSealedLock = {
  ...codeLock,
  kind: 1,
  secret: seeded('prf', 32),
  lockId: seeded('passkey lock', 16),
  credential: createHash('sha256').update(seeded('credential', 20)).digest(),
};
const deviceLock: TwinSealedLock = {
  ...codeLock,
  kind: 7,
  secret: twinDeviceSecret(kept),
  lockId: Buffer.from(kept.id, 'hex'),
};
const sealed = (
  id: string,
  rule: string,
  note: string,
  lock: Buffer,
  of: TwinSealedLock,
  expect: Expect,
  given = {},
) => ({
  kind: 'sealed-lock',
  id,
  rule,
  note,
  lock: lock.toString('base64'),
  secret: hex(of.secret),
  expectedKind: { 1: 'passkey-prf', 2: 'recovery-code', 3: 'recovery-phrase', 7: 'device-key' }[of.kind],
  expectedAccountId: hex(accountId),
  expectedLockId: hex(of.lockId),
  minimumEpoch: 2,
  ...given,
  ...(expect === 'accept'
    ? { accountKey: hex(accountKey), publicKey: hex(twinLockPublicKey(of.secret, accountId)) }
    : {}),
  expect,
});
const of = (lock: TwinSealedLock) => twinSealedLock(lock);
const phraseLock = { ...codeLock, kind: 3 };
const sealedLocks = [
  sealed('code', 'VA-166', 'sealed to a recovery code', of(codeLock), codeLock, 'accept'),
  sealed('phrase', 'VA-166', 'sealed to a recovery phrase', of(phraseLock), phraseLock, 'accept'),
  sealed('passkey', 'VA-166', 'sealed to a passkey', of(passkeyLock), passkeyLock, 'accept'),
  sealed('device', 'VA-166', 'sealed to a device', of(deviceLock), deviceLock, 'accept'),
  sealed('kind', 'VA-165', 'a phrase’s, where a code’s is expected', of(phraseLock), codeLock, {
    code: 'lock-kind-unsupported',
  }),
  sealed(
    'account',
    'VA-35',
    'of another account',
    of({ ...codeLock, accountId: seeded('other account', 16) }),
    codeLock,
    { code: 'lock-account-mismatch' },
  ),
  sealed('id', 'VA-36', 'another lock', of({ ...codeLock, lockId: seeded('other lock', 16) }), codeLock, {
    code: 'lock-id-mismatch',
  }),
  sealed('stale', 'VA-38', 'of the epoch before', of({ ...codeLock, epoch: 1 }), codeLock, {
    code: 'lock-epoch-stale',
  }),
  sealed(
    'secret',
    'VA-166',
    'another secret',
    of(codeLock),
    codeLock,
    { code: 'lock-commitment-mismatch' },
    {
      secret: hex(seeded('other secret', 32)),
    },
  ),
  sealed('encapsulation', 'VA-166', 'a bit of the encapsulation', flipped(of(codeLock), 400), codeLock, {
    code: 'lock-commitment-mismatch',
  }),
  sealed('seal', 'VA-40', 'a bit of the seal', flipped(of(codeLock), -1), codeLock, { code: 'lock-open-failed' }),
  sealed('cut', 'VA-31', 'the last byte is missing', of(codeLock).subarray(0, -1), codeLock, {
    code: 'lock-malformed',
  }),
];

// The beginning of an epoch

const devicesBefore = { [kept.id]: hex(kept.publicKey), [removed.id]: hex(removed.publicKey) };
const statement: TwinEpoch = {
  epoch: 2,
  devices: { [kept.id]: hex(kept.publicKey) },
  places: {
    [kept.id]: { count: 3, hash: hex(seeded('place', 32)) },
    [removed.id]: { count: 1, hash: hex(seeded('other place', 32)) },
  },
  locks: { [hex(recovery.lookupId)]: hex(createHash('sha256').update(of(codeLock)).digest()) },
  earlierKeys: [hex(seeded('first account key', 32))],
  atMs: 1790000000000,
};
const begun = twinEpoch(kept, accountId, statement);
const epoch = (id: string, rule: string, note: string, fields: object, expect: Expect, recordEpoch = 2) => ({
  kind: 'epoch',
  id,
  rule,
  note,
  accountId: hex(accountId),
  recordEpoch,
  before: { epoch: 1, devices: devicesBefore },
  fields,
  expect,
});
const malformed = { code: 'epoch-malformed' } as const;
const unknown = { code: 'epoch-signer-unknown' } as const;
const unsigned = { code: 'epoch-signature-invalid' } as const;
const order = { code: 'epoch-order' } as const;
const epochs = [
  epoch('begun', 'VA-134', 'begun by a device that remains', begun, 'accept'),
  epoch('field-missing', 'VA-130', 'without a time', { ...begun, atMs: null }, malformed),
  epoch('key-count', 'VA-130', 'without the earlier key', { ...begun, earlierKeys: [] }, malformed),
  epoch(
    'device-id',
    'VA-130',
    'a device under another id',
    { ...begun, devices: { [removed.id]: hex(kept.publicKey) } },
    malformed,
  ),
  epoch(
    'skipped',
    'VA-131',
    'the third after the first',
    twinEpoch(kept, accountId, { ...statement, epoch: 3, earlierKeys: [...statement.earlierKeys, hex(accountKey)] }),
    order,
    3,
  ),
  epoch('other-key', 'VA-131', 'under the key of the epoch before', begun, order, 1),
  epoch(
    'stranger',
    'VA-132',
    'by a device that was never there',
    twinEpoch(stranger, accountId, { ...statement, devices: { [stranger.id]: hex(stranger.publicKey) } }),
    unknown,
  ),
  epoch('leaving', 'VA-132', 'by the device that leaves', twinEpoch(removed, accountId, statement), unknown),
  epoch(
    'joining',
    'VA-133',
    'with a device that was not there',
    twinEpoch(kept, accountId, {
      ...statement,
      devices: { ...statement.devices, [stranger.id]: hex(stranger.publicKey) },
    }),
    unknown,
  ),
  epoch('places', 'VA-134', 'a place that was not signed', { ...begun, places: {} }, unsigned),
  epoch('locks', 'VA-134', 'a lock that was not signed', { ...begun, locks: {} }, unsigned),
  epoch(
    'account',
    'VA-134',
    'signed for another account',
    twinEpoch(kept, seeded('other account', 16), statement),
    unsigned,
  ),
];

// Locks in the vault

const lock: TwinLockStatement = {
  lockId: hex(recovery.lookupId),
  kind: 'recovery-code',
  kindNumber: 2,
  credential: '00'.repeat(32),
  publicKey: twinLockPublicKey(recovery.kek, accountId),
  epoch: 1,
  atMs: 1790000000000,
};
const stated = twinLockStatement(kept, accountId, lock);
const statementOf = (id: string, rule: string, note: string, fields: object, expect: Expect) => ({
  kind: 'lock-key',
  id,
  rule,
  note,
  accountId: hex(accountId),
  devices: { [kept.id]: hex(kept.publicKey) },
  fields,
  expect,
});
const ownLock = { ...lock, kind: 'device-key', kindNumber: 7, lockId: kept.id };
const lockStatements = [
  statementOf('stated', 'VA-169', 'stated by a device of the account', stated, 'accept'),
  statementOf('own', 'VA-170', 'a device’s own key', twinLockStatement(kept, accountId, ownLock), 'accept'),
  statementOf(
    'kind',
    'VA-168',
    'of a passphrase',
    { ...stated, kind: 'device-passphrase' },
    { code: 'lock-key-malformed' },
  ),
  statementOf('key-short', 'VA-168', 'a short key', { ...stated, publicKey: '00' }, { code: 'lock-key-malformed' }),
  statementOf('removed', 'VA-145', 'stated by a device that was removed', twinLockStatement(removed, accountId, lock), {
    code: 'lock-key-signer-unknown',
  }),
  statementOf(
    'key',
    'VA-169',
    'another key',
    { ...stated, publicKey: hex(seeded('other key', 1216)) },
    {
      code: 'lock-key-signature-invalid',
    },
  ),
  statementOf('epoch', 'VA-169', 'another epoch', { ...stated, epoch: 2 }, { code: 'lock-key-signature-invalid' }),
  statementOf(
    'others',
    'VA-170',
    'another device’s own key',
    twinLockStatement(kept, accountId, { ...ownLock, lockId: removed.id }),
    {
      code: 'lock-key-signer-unknown',
    },
  ),
];

// Recovery phrases

const code = twinRecoveryCode(recoverySecret);
const phrase = twinPhrase(code, WORDS).split(' ');
const spelled = (id: string, rule: string, note: string, text: string, expect: Expect) => ({
  kind: 'phrase',
  id,
  rule,
  note,
  text,
  ...(expect === 'accept' ? { code } : {}),
  expect,
});
const typo = WORDS[(WORDS.indexOf(phrase[4] as string) + 1) % 1024] as string;
const phrases = [
  spelled('as-shown', 'VA-155', 'as it is shown', phrase.join(' '), 'accept'),
  spelled(
    'numbered',
    'VA-151',
    'numbered, in upper case',
    phrase.map((word, i) => `${i + 1}. ${word.toUpperCase()}`).join('\n'),
    'accept',
  ),
  spelled(
    'beginnings',
    'VA-151',
    'four letters of each word',
    phrase.map((word) => word.slice(0, 4)).join(','),
    'accept',
  ),
  spelled('huge', 'VA-150', '513 characters', phrase.join(' ').padEnd(513, ' '), { code: 'recovery-phrase-length' }),
  spelled('unknown', 'VA-152', 'a word that is none of the list', phrase.with(2, 'sotto').join(' '), {
    code: 'recovery-phrase-word',
    group: 3,
  }),
  spelled('short', 'VA-153', 'a word is missing', phrase.slice(1).join(' '), { code: 'recovery-phrase-length' }),
  spelled('typo', 'VA-154', 'another word of the list', phrase.with(4, typo).join(' '), {
    code: 'recovery-phrase-typo',
  }),
];

const path = new URL('./rotation.json', import.meta.url);
const text = `${JSON.stringify([...sealedLocks, ...epochs, ...lockStatements, ...phrases], null, 1)}\n`;
if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) throw new Error('rotation.json is not what the generator writes');
