/**
 * Writes the vectors of the vault: `node vectors/vault/generate.ts`. Deterministic; made by the twin, never by the code
 * under test. One failure each.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TwinLock, type TwinRecord, twinEnvelope, twinLock, twinRecovery, twinRecoveryCode } from './twin.ts';

const seeded = (seed: string, length: number): Buffer => {
  const blocks: Buffer[] = [];
  for (let i = 0; blocks.length * 32 < length; i++) blocks.push(createHash('sha256').update(`${seed}/${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
};
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const accountKey = seeded('account key', 32);
const accountId = seeded('account', 16);
const recordId = seeded('record', 16);
const conversationId = hex(seeded('conversation', 16));
const parent = hex(seeded('parent', 16));
const deviceId = seeded('device', 16);

const message = `{"clock":1790000000000,"conversationId":"${conversationId}","createdAtMs":1790000000000,"parents":["${parent}"],"role":"user","status":"complete","text":"Grüße, 世界 👋","type":"message"}`;
const withText = (text: string): string => message.replace('Grüße, 世界 👋', text);
const conversation = `{"clock":1790000000001,"conversationId":"${conversationId}","createdAtMs":1790000000000,"registers":{"title":{"clock":1790000000001,"deviceId":"${hex(deviceId)}","value":"Plans"}},"type":"conversation"}`;

const good: TwinRecord = {
  accountKey,
  accountId,
  recordId,
  epoch: 1,
  deviceId,
  deviceCounter: 7n,
  salt: seeded('salt', 32),
  content: message,
};

interface Case {
  id: string;
  rule: string;
  note: string;
  make?: Partial<TwinRecord>;
  change?: (envelope: Buffer) => Uint8Array;
  expectedAccountId?: Uint8Array;
  expectedRecordId?: Uint8Array;
  epoch?: number;
  expectedType?: string;
  expect: 'accept' | { code: string };
}

const flip = (at: number) => (envelope: Buffer) => {
  const changed = Buffer.from(envelope);
  changed[at < 0 ? changed.length + at : at] = (changed.at(at) as number) ^ 1;
  return changed;
};
const content = (id: string, rule: string, note: string, text: string): Case => ({
  id,
  rule,
  note,
  make: { content: text },
  expect: { code: 'record-content-malformed' },
});
const room = 65_387;

const envelopes: Case[] = [
  { id: 'message', rule: 'VA-10', note: 'a message in the smallest envelope that holds it', expect: 'accept' },
  {
    id: 'conversation',
    rule: 'VA-63',
    note: 'registers of a conversation',
    make: { content: conversation },
    expect: 'accept',
  },
  {
    id: 'deleted',
    rule: 'VA-64',
    note: 'a deleted conversation',
    make: { content: conversation.replace('"registers"', '"deleted":true,"registers"') },
    expect: 'accept',
  },
  {
    id: 'unknown-type',
    rule: 'VA-24',
    note: 'a type of a later version is kept',
    make: { content: '{"clock":1,"epochs":[1,2],"type":"key-chain"}' },
    expect: 'accept',
  },
  {
    id: 'unknown-field',
    rule: 'VA-24',
    note: 'a field of a later version is kept',
    make: { content: message.replace('"clock"', '"attachments":[{"name":"a"}],"clock"') },
    expect: 'accept',
  },
  {
    id: 'larger-bucket',
    rule: 'VA-03',
    note: 'more padding than needed is allowed',
    make: { size: 4096 },
    expect: 'accept',
  },
  {
    id: 'fullest',
    rule: 'VA-14',
    note: 'the longest content: 65,387 bytes',
    make: { content: withText('x'.repeat(room - Buffer.byteLength(withText('')))) },
    expect: 'accept',
  },
  {
    id: 'last-epoch',
    rule: 'VA-08',
    note: 'epoch 2^32-1',
    make: { epoch: 0xffffffff },
    epoch: 0xffffffff,
    expect: 'accept',
  },
  {
    id: 'empty',
    rule: 'VA-03',
    note: 'no byte at all',
    change: () => Buffer.alloc(0),
    expect: { code: 'record-malformed' },
  },
  {
    id: 'cut-by-one',
    rule: 'VA-03',
    note: 'the last byte is missing',
    change: (e) => e.subarray(0, -1),
    expect: { code: 'record-malformed' },
  },
  {
    id: 'one-more',
    rule: 'VA-03',
    note: 'a byte after the end',
    change: (e) => Buffer.concat([e, Buffer.alloc(1)]),
    expect: { code: 'record-malformed' },
  },
  {
    id: 'half',
    rule: 'VA-10',
    note: 'cut to the next smaller bucket',
    change: (e) => e.subarray(0, e.length / 2),
    expect: { code: 'record-open-failed' },
  },
  {
    id: 'too-small',
    rule: 'VA-03',
    note: '128 bytes',
    change: (e) => e.subarray(0, 128),
    expect: { code: 'record-malformed' },
  },
  {
    id: 'too-large',
    rule: 'VA-03',
    note: '131,072 bytes',
    make: { size: 131_072 },
    expect: { code: 'record-malformed' },
  },
  {
    id: 'magic',
    rule: 'VA-04',
    note: 'the magic of a lock',
    make: { magic: 'SVL' },
    expect: { code: 'record-malformed' },
  },
  {
    id: 'version',
    rule: 'VA-05',
    note: 'version 2',
    make: { version: 2 },
    expect: { code: 'record-version-unsupported' },
  },
  {
    id: 'account',
    rule: 'VA-06',
    note: 'another account expected',
    expectedAccountId: seeded('other account', 16),
    expect: { code: 'record-account-mismatch' },
  },
  {
    id: 'record',
    rule: 'VA-07',
    note: 'another record expected',
    expectedRecordId: seeded('other record', 16),
    expect: { code: 'record-id-mismatch' },
  },
  {
    id: 'epoch',
    rule: 'VA-08',
    note: 'an older epoch than expected',
    epoch: 2,
    expect: { code: 'record-epoch-mismatch' },
  },
  {
    id: 'renamed-record',
    rule: 'VA-09',
    note: 'the record id in the header was changed to the expected one',
    make: { recordId: seeded('other record', 16) },
    change: (e) => {
      recordId.copy(e, 20);
      return e;
    },
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'renamed-account',
    rule: 'VA-09',
    note: 'the account id in the header was changed to the expected one',
    make: { accountId: seeded('other account', 16) },
    change: (e) => {
      accountId.copy(e, 4);
      return e;
    },
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'other-key',
    rule: 'VA-09',
    note: 'sealed under another account key',
    make: { accountKey: seeded('other key', 32) },
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'device',
    rule: 'VA-09',
    note: 'a bit of the device id',
    change: flip(40),
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'counter',
    rule: 'VA-09',
    note: 'a bit of the device counter',
    change: flip(63),
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'salt',
    rule: 'VA-09',
    note: 'a bit of the salt',
    change: flip(64),
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'commitment',
    rule: 'VA-09',
    note: 'a bit of the commitment',
    change: flip(127),
    expect: { code: 'record-commitment-mismatch' },
  },
  {
    id: 'first-byte',
    rule: 'VA-10',
    note: 'a bit of the first sealed byte',
    change: flip(128),
    expect: { code: 'record-open-failed' },
  },
  { id: 'tag', rule: 'VA-10', note: 'a bit of the tag', change: flip(-1), expect: { code: 'record-open-failed' } },
  {
    id: 'aad',
    rule: 'VA-10',
    note: 'sealed without the header as additional data',
    make: { aad: Buffer.alloc(0) },
    expect: { code: 'record-open-failed' },
  },
  {
    id: 'encoding',
    rule: 'VA-11',
    note: 'encoding 2',
    make: { encoding: 2 },
    expect: { code: 'record-encoding-unsupported' },
  },
  {
    id: 'length',
    rule: 'VA-12',
    note: 'a length beyond the end',
    make: { statedLength: 0xffffffff },
    expect: { code: 'record-content-malformed' },
  },
  {
    id: 'padding',
    rule: 'VA-13',
    note: 'padding that is not zero',
    make: { paddingByte: 1 },
    expect: { code: 'record-content-malformed' },
  },
  {
    id: 'counter-zero',
    rule: 'VA-16',
    note: 'device counter 0',
    make: { deviceCounter: 0n },
    expect: { code: 'record-malformed' },
  },
  {
    id: 'counter-huge',
    rule: 'VA-16',
    note: 'device counter 2^53',
    make: { deviceCounter: 2n ** 53n },
    expect: { code: 'record-malformed' },
  },
  content('no-content', 'VA-17', 'no content', ''),
  content('white-space', 'VA-17', 'a space after a colon', message.replace('"clock":', '"clock": ')),
  content('order', 'VA-17', 'names out of order', `{"type":"x","clock":1}`),
  content('duplicate', 'VA-17', 'a name twice', '{"clock":1,"clock":1,"type":"x"}'),
  content('number-spelling', 'VA-17', '1e3 for 1000', '{"clock":1e3,"type":"x"}'),
  content('escape-spelling', 'VA-17', 'an escape where none is needed', '{"clock":1,"type":"\\u0078"}'),
  content('array', 'VA-18', 'an array instead of an object', '[1]'),
  content('deep', 'VA-19', '20 levels', `{"clock":1,"deep":${'['.repeat(20)}${']'.repeat(20)},"type":"x"}`),
  content('fraction', 'VA-20', 'a fraction', '{"clock":1,"half":0.5,"type":"x"}'),
  content('huge-number', 'VA-20', '2^53', '{"clock":9007199254740992,"type":"x"}'),
  content('half-surrogate', 'VA-21', 'half a surrogate pair', '{"clock":1,"text":"\\ud800","type":"x"}'),
  content('no-type', 'VA-22', 'no type', '{"clock":1}'),
  content('no-clock', 'VA-22', 'no clock', '{"type":"x"}'),
  content('type-spelling', 'VA-22', 'a type in capitals', '{"clock":1,"type":"Message"}'),
  content('negative-clock', 'VA-22', 'a clock below zero', '{"clock":-1,"type":"x"}'),
  content(
    'conversation-id',
    'VA-22',
    'a conversation id in capitals',
    message.replace(conversationId, conversationId.toUpperCase()),
  ),
  content('parent-id', 'VA-22', 'a parent that is no id', message.replace(parent, 'x')),
  content(
    'many-parents',
    'VA-22',
    '17 parents',
    message.replace(`"${parent}"`, Array(17).fill(`"${parent}"`).join(',')),
  ),
  content('text-missing', 'VA-22', 'a message without text', message.replace('"text":"Grüße, 世界 👋",', '')),
  content('title-number', 'VA-22', 'a title that is a number', conversation.replace('"Plans"', '7')),
  content(
    'deleted-false',
    'VA-22',
    'deleted: false',
    conversation.replace('"registers"', '"deleted":false,"registers"'),
  ),
  content('register-empty', 'VA-22', 'a register without a value', conversation.replace(',"value":"Plans"', '')),
  {
    id: 'type',
    rule: 'VA-23',
    note: 'a message where a conversation is expected',
    expectedType: 'conversation',
    expect: { code: 'record-type-mismatch' },
  },
];

const envelopeVectors = envelopes.map(({ id, rule, note, make, change, expect, ...given }) => {
  const record = { ...good, ...make };
  const envelope = (change ?? ((e: Buffer) => e))(twinEnvelope(record));
  return {
    id,
    rule,
    note,
    accountKey: hex(accountKey),
    expectedAccountId: hex(given.expectedAccountId ?? accountId),
    expectedRecordId: hex(given.expectedRecordId ?? recordId),
    epoch: given.epoch ?? 1,
    ...(given.expectedType === undefined ? {} : { expectedType: given.expectedType }),
    envelope: base64(envelope),
    expect,
    ...(expect === 'accept' ? { deviceId: hex(deviceId), deviceCounter: 7, content: record.content } : {}),
  };
});

/** The first seed whose code holds every symbol that is forgiven. */
const recoverySecret = Array.from({ length: 500 }, (_, i) => seeded(`recovery ${i}`, 16)).find((secret) =>
  ['0', '1', 'V'].every((symbol) => twinRecoveryCode(secret).includes(symbol)),
) as Buffer;
const recovery = twinRecovery(recoverySecret);
const credentialId = seeded('credential', 48);
const prf = seeded('prf', 32);
const lockId = seeded('lock', 16);
const codeLock: TwinLock = {
  accountKey,
  secret: recovery.kek,
  kind: 2,
  accountId,
  lockId,
  epoch: 3,
  salt: seeded('lock salt', 32),
};
const passkeyLock: TwinLock = { ...codeLock, kind: 1, secret: prf, credentialId };

interface LockCase {
  id: string;
  rule: string;
  note: string;
  lock: TwinLock;
  change?: (lock: Buffer) => Uint8Array;
  given?: Record<string, unknown>;
  expect: 'accept' | { code: string };
}
const lockCases: LockCase[] = [
  { id: 'recovery-code', rule: 'VA-40', note: 'a recovery code lock', lock: codeLock, expect: 'accept' },
  { id: 'passkey', rule: 'VA-40', note: 'a passkey lock', lock: passkeyLock, expect: 'accept' },
  {
    id: 'newer-epoch',
    rule: 'VA-38',
    note: 'newer than what the device has seen',
    lock: codeLock,
    given: { minimumEpoch: 2 },
    expect: 'accept',
  },
  {
    id: 'empty',
    rule: 'VA-31',
    note: 'no byte at all',
    lock: codeLock,
    change: () => Buffer.alloc(0),
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'cut',
    rule: 'VA-31',
    note: 'the last byte is missing',
    lock: codeLock,
    change: (l) => l.subarray(0, -1),
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'trailing',
    rule: 'VA-31',
    note: 'a byte after the end',
    lock: { ...codeLock, trailing: Buffer.alloc(1) },
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'parameters',
    rule: 'VA-31',
    note: 'parameters where the kind has none',
    lock: { ...codeLock, parameters: Buffer.of(1) },
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'parameters-long',
    rule: 'VA-31',
    note: '513 bytes of parameters',
    lock: { ...codeLock, kind: 9, parameters: Buffer.alloc(513) },
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'large',
    rule: 'VA-30',
    note: '8,193 bytes, of a kind of a later version',
    lock: { ...codeLock, kind: 9 },
    change: (l) => Buffer.concat([l, Buffer.alloc(8193 - l.length)]),
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'epoch-zero',
    rule: 'VA-31',
    note: 'epoch 0',
    lock: { ...codeLock, epoch: 0 },
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'magic',
    rule: 'VA-32',
    note: 'the magic of a record',
    lock: { ...codeLock, magic: 'SVR' },
    expect: { code: 'lock-malformed' },
  },
  {
    id: 'version',
    rule: 'VA-33',
    note: 'version 2',
    lock: { ...codeLock, version: 2 },
    expect: { code: 'lock-version-unsupported' },
  },
  {
    id: 'kind-unknown',
    rule: 'VA-34',
    note: 'a kind of a later version',
    lock: { ...codeLock, kind: 9 },
    expect: { code: 'lock-kind-unsupported' },
  },
  {
    id: 'kind-other',
    rule: 'VA-34',
    note: 'a passkey lock, opened as a recovery code lock',
    lock: { ...passkeyLock, secret: recovery.kek },
    given: { expectedKind: 'recovery-code', credentialId: undefined, secret: hex(recovery.kek) },
    expect: { code: 'lock-kind-unsupported' },
  },
  {
    id: 'account',
    rule: 'VA-35',
    note: 'the lock of another account',
    lock: { ...codeLock, accountId: seeded('other account', 16) },
    expect: { code: 'lock-account-mismatch' },
  },
  {
    id: 'lock-id',
    rule: 'VA-36',
    note: 'another lock under this name',
    lock: { ...codeLock, lockId: seeded('other lock', 16) },
    expect: { code: 'lock-id-mismatch' },
  },
  {
    id: 'credential',
    rule: 'VA-37',
    note: 'the lock of another passkey',
    lock: { ...passkeyLock, credentialId: seeded('other credential', 48) },
    expect: { code: 'lock-credential-mismatch' },
  },
  {
    id: 'stale',
    rule: 'VA-38',
    note: 'a lock of an older epoch than one seen',
    lock: codeLock,
    given: { minimumEpoch: 4 },
    expect: { code: 'lock-epoch-stale' },
  },
  {
    id: 'wrong-secret',
    rule: 'VA-39',
    note: 'another recovery code',
    lock: { ...codeLock, secret: seeded('other secret', 32) },
    expect: { code: 'lock-commitment-mismatch' },
  },
  {
    id: 'raised-epoch',
    rule: 'VA-39',
    note: 'the epoch in the header was raised',
    lock: codeLock,
    change: (l) => {
      l.writeUInt32BE(4, 37);
      return l;
    },
    given: { minimumEpoch: 4 },
    expect: { code: 'lock-commitment-mismatch' },
  },
  {
    id: 'salt',
    rule: 'VA-39',
    note: 'a bit of the salt',
    lock: codeLock,
    change: flip(-112),
    expect: { code: 'lock-commitment-mismatch' },
  },
  {
    id: 'sealed',
    rule: 'VA-40',
    note: 'a bit of the sealed key',
    lock: codeLock,
    change: flip(-48),
    expect: { code: 'lock-open-failed' },
  },
  {
    id: 'tag',
    rule: 'VA-40',
    note: 'a bit of the tag',
    lock: codeLock,
    change: flip(-1),
    expect: { code: 'lock-open-failed' },
  },
  {
    id: 'aad',
    rule: 'VA-40',
    note: 'sealed without the header as additional data',
    lock: { ...codeLock, aad: Buffer.alloc(0) },
    expect: { code: 'lock-open-failed' },
  },
];
const lockVectors = lockCases.map(({ id, rule, note, lock, change, given, expect }) => {
  const passkey = lock.credentialId !== undefined;
  return {
    id,
    rule,
    note,
    expectedKind: passkey ? 'passkey-prf' : 'recovery-code',
    expectedAccountId: hex(accountId),
    expectedLockId: hex(lockId),
    ...(passkey ? { credentialId: hex(credentialId) } : {}),
    minimumEpoch: 1,
    secret: passkey ? hex(prf) : hex(recovery.kek),
    ...given,
    lock: base64((change ?? ((l: Buffer) => l))(twinLock(lock))),
    expect,
    ...(expect === 'accept' ? { accountKey: hex(accountKey), epoch: lock.epoch } : {}),
  };
});

const code = twinRecoveryCode(recoverySecret);
const derived = {
  secret: hex(recoverySecret),
  lookupId: hex(recovery.lookupId),
  authenticator: hex(recovery.authenticator),
  kek: hex(recovery.kek),
};
const accept = (id: string, note: string, text: string) => ({
  id,
  rule: 'VA-47',
  note,
  text,
  expect: 'accept',
  code,
  ...derived,
});
const refuse = (id: string, rule: string, note: string, text: string, code: string, group?: number) => ({
  id,
  rule,
  note,
  text,
  expect: { code: `recovery-code-${code}`, ...(group === undefined ? {} : { group }) },
});
/** Another symbol at one place. */
const mistype = (index: number): string => {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const symbols = [...code.replaceAll('-', '')];
  symbols[index] = alphabet[(alphabet.indexOf(symbols[index] as string) + 5) % 32] as string;
  return symbols.join('');
};
const swap = (index: number): string => {
  const symbols = [...code.replaceAll('-', '')];
  [symbols[index], symbols[index + 1]] = [symbols[index + 1] as string, symbols[index] as string];
  return symbols.join('');
};
const codeVectors = [
  accept('as-shown', 'as it is shown', code),
  accept('lower-case', 'lower case', code.toLowerCase()),
  accept('no-hyphens', 'without hyphens', code.replaceAll('-', '')),
  accept('spaces', 'spaces, a tab and a line break', ` ${code.replaceAll('-', ' \t').replace(' ', '\n')} `),
  accept('dashes', 'long dashes, as word processors write them', code.replaceAll('-', ' – ')),
  accept(
    'look-alikes',
    'O for 0, I for 1, U for V',
    code.replaceAll('0', 'O').replaceAll('1', 'i').replaceAll('V', 'u'),
  ),
  accept('look-alike-l', 'l for 1, o for 0', code.replaceAll('0', 'o').replaceAll('1', 'l')),
  accept(
    'full-width',
    'full-width letters',
    [...code].map((c) => (c === '-' ? c : String.fromCodePoint((c.codePointAt(0) as number) + 0xfee0))).join(''),
  ),
  accept('invisible', 'a zero-width space and a soft hyphen', `${code.slice(0, 3)}\u200b\u00ad${code.slice(3)}`),
  refuse('huge', 'VA-42', 'a pasted book', 'A'.repeat(4000), 'length'),
  refuse('padded', 'VA-42', '257 characters', `${code}${' '.repeat(257 - code.length)}`, 'length'),
  refuse('character', 'VA-43', 'an exclamation mark', `!${code.slice(1)}`, 'character'),
  refuse('empty', 'VA-44', 'nothing', '', 'length'),
  refuse('short', 'VA-44', 'the last symbol is missing', code.slice(0, -1), 'length'),
  refuse('long', 'VA-44', 'a symbol twice', `${code}${code.at(-1)}`, 'length'),
  ...Array.from({ length: 28 }, (_, i) =>
    refuse(`typo-${i + 1}`, 'VA-45', `symbol ${i + 1} is wrong`, mistype(i), 'typo', Math.floor(i / 4) + 1),
  ),
  ...Array.from({ length: 27 }, (_, i) => i)
    .filter((i) => swap(i) !== code.replaceAll('-', ''))
    .map((i) => refuse(`swap-${i + 1}`, 'VA-45', `symbols ${i + 1} and ${i + 2} are swapped`, swap(i), 'typo')),
  refuse('version', 'VA-46', 'a code of version 1', twinRecoveryCode(recoverySecret, 1), 'unsupported'),
];

const devicePrivate = seeded('device key', 32);
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), devicePrivate]);
const deviceKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
const devicePublic = createPublicKey(deviceKey).export({ format: 'der', type: 'spki' }).subarray(-32);
const idOf = (publicKey: Uint8Array): Buffer =>
  createHash('sha256').update('sotto/vault/device-id/v1').update(publicKey).digest().subarray(0, 16);

function deviceRecord(
  fault: {
    magic?: string;
    version?: number;
    account?: Buffer;
    signer?: Buffer;
    label?: string;
    parameters?: Buffer;
  } = {},
): Buffer {
  const parameters = fault.parameters ?? Buffer.alloc(0);
  const numbers = Buffer.alloc(14);
  numbers.writeUInt32BE(1, 0);
  numbers.writeBigUInt64BE(1790000000000n, 4);
  numbers.writeUInt16BE(parameters.length, 12);
  const signed = Buffer.concat([
    Buffer.from(fault.magic ?? 'SVD'),
    Buffer.of(fault.version ?? 1),
    fault.account ?? accountId,
    numbers.subarray(0, 4),
    devicePublic,
    numbers.subarray(4),
    parameters,
    fault.signer ?? idOf(devicePublic),
  ]);
  const label = Buffer.from(fault.label ?? 'sotto/vault/device-record/v1');
  return Buffer.concat([signed, sign(null, Buffer.concat([label, signed]), deviceKey)]);
}
const device = (id: string, rule: string, note: string, record: Uint8Array, expect: 'accept' | { code: string }) => ({
  id,
  rule,
  note,
  expectedAccountId: hex(accountId),
  record: base64(record),
  expect,
  ...(expect === 'accept'
    ? {
        privateKey: hex(devicePrivate),
        publicKey: hex(devicePublic),
        deviceId: hex(idOf(devicePublic)),
        epoch: 1,
        createdAtMs: 1790000000000,
      }
    : {}),
});
const deviceVectors = [
  device('self-signed', 'VA-54', 'a device about itself', deviceRecord(), 'accept'),
  device(
    'parameters',
    'VA-54',
    'with parameters of a later version',
    deviceRecord({ parameters: Buffer.of(1, 2, 3) }),
    'accept',
  ),
  device('empty', 'VA-50', 'no byte at all', Buffer.alloc(0), { code: 'device-malformed' }),
  device('cut', 'VA-50', 'the last byte is missing', deviceRecord().subarray(0, -1), { code: 'device-malformed' }),
  device('trailing', 'VA-50', 'a byte after the end', Buffer.concat([deviceRecord(), Buffer.of(0)]), {
    code: 'device-malformed',
  }),
  device('magic', 'VA-50', 'the magic of a record', deviceRecord({ magic: 'SVR' }), { code: 'device-malformed' }),
  device('parameters-long', 'VA-50', '2,049 bytes of parameters', deviceRecord({ parameters: Buffer.alloc(2049) }), {
    code: 'device-malformed',
  }),
  device('version', 'VA-51', 'version 2', deviceRecord({ version: 2 }), { code: 'device-version-unsupported' }),
  device('account', 'VA-52', 'a device of another account', deviceRecord({ account: seeded('other account', 16) }), {
    code: 'device-account-mismatch',
  }),
  device(
    'signer',
    'VA-53',
    'signed by a device that is not known',
    deviceRecord({ signer: seeded('other device', 16) }),
    { code: 'device-signer-unknown' },
  ),
  device('label', 'VA-54', 'a signature made for another purpose', deviceRecord({ label: 'sotto/other/v1' }), {
    code: 'device-signature-invalid',
  }),
  device('signature', 'VA-54', 'a bit of the signature', flip(-1)(deviceRecord()), {
    code: 'device-signature-invalid',
  }),
  device('created', 'VA-54', 'a bit of the time', flip(63)(deviceRecord()), { code: 'device-signature-invalid' }),
];

const files = { envelopes: envelopeVectors, locks: lockVectors, 'recovery-codes': codeVectors, devices: deviceVectors };
for (const [name, vectors] of Object.entries(files)) {
  const path = new URL(`./${name}.json`, import.meta.url);
  const text = `${JSON.stringify(vectors, null, 1)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) throw new Error(`${name}.json is not what the generator writes`);
}
