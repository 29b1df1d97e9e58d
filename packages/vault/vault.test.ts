/** Sealing, keys, locks, codes and devices, attacked: what the vectors cannot say as data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { concatBytes, encodeHex, encodeUtf8, equalBytes } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import { hkdfSha256 } from '@sotto/crypto/kdf';
import { createSeededRandom } from '@sotto/testkit';
import fc from 'fast-check';
import { encodeCanonicalJson, type JsonValue, parseCanonicalJson } from './canonical-json.ts';
import { type MessageContent, parseRecordContent, type RecordContent } from './content.ts';
import {
  createDeviceKeys,
  loadDeviceKeys,
  signDeviceRecord,
  unsafeRevealDeviceKey,
  verifyDeviceRecord,
} from './device.ts';
import { bucketFor, openEnvelope, parseVisibleHeader, sealEnvelope } from './envelope.ts';
import { VaultError } from './error.ts';
import { AccountKey, createAccountKey, deriveEpochKey, EpochKey, LockSecret, unsafeRevealSecret } from './keys.ts';
import { CONTENT_LIMIT_BYTES } from './limits.ts';
import { PASSKEY_PRF_INPUT, parseLockHeader, passkeyLockSecret, unwrapAccountKey, wrapAccountKey } from './lock.ts';
import { openRecord, sealRecord } from './record.ts';
import {
  createRecoveryCode,
  deriveRecovery,
  parseRecoveryCode,
  RecoverySecret,
  recoveryVerifier,
} from './recovery-code.ts';

const random = createSeededRandom('vault');
const id = () => random.bytes(16);
const accountId = id();
const accountKey = createAccountKey(random);
const epochKey = deriveEpochKey(accountKey, accountId, 1);
const deviceId = id();

const message: MessageContent = {
  type: 'message',
  clock: 5,
  conversationId: encodeHex(id()),
  parents: [encodeHex(id())],
  role: 'assistant',
  text: 'The answer is 42.',
  status: 'complete',
  model: 'starter',
  createdAtMs: 1_790_000_000_000,
};

function seal(recordId: Uint8Array, content: RecordContent = message, deviceCounter = 1) {
  return sealRecord({ epochKey, accountId, recordId, epoch: 1, deviceId, deviceCounter, content, random });
}

function open(
  recordId: Uint8Array,
  envelope: Uint8Array,
  change: { accountId?: Uint8Array; epochKey?: EpochKey; epoch?: number } = {},
) {
  return openRecord({
    epochKey: change.epochKey ?? epochKey,
    envelope,
    expectedAccountId: change.accountId ?? accountId,
    expectedRecordId: recordId,
    expectedEpoch: change.epoch ?? 1,
  });
}

/** Runs and returns the refusal; anything else than a VaultError fails. */
async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof VaultError, String(error));
    return `${error.code} ${error.rule}`;
  }
  return 'accepted';
}

test('a record comes back as it was sealed', async () => {
  const recordId = id();
  const opened = await open(recordId, await seal(recordId, message, 9));
  assert.deepEqual(opened, {
    recordId: encodeHex(recordId),
    deviceId: encodeHex(deviceId),
    deviceCounter: 9,
    epoch: 1,
    content: message,
  });
});

test('VA-09 every byte of an envelope, flipped, is refused with the code of its place', async () => {
  const recordId = id();
  const envelope = await seal(recordId);
  const expected = (at: number): string => {
    if (at < 3) return 'record-malformed VA-04';
    if (at < 4) return 'record-version-unsupported VA-05';
    if (at < 20) return 'record-account-mismatch VA-06';
    if (at < 36) return 'record-id-mismatch VA-07';
    if (at < 40) return 'record-epoch-mismatch VA-08';
    if (at < 128) return 'record-commitment-mismatch VA-09';
    return 'record-open-failed VA-10';
  };
  for (let at = 0; at < envelope.length; at++) {
    const changed = new Uint8Array(envelope);
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    assert.equal(await refusal(() => open(recordId, changed)), expected(at), `byte ${at}`);
  }
});

test('VA-03 every prefix of an envelope is refused', async () => {
  const recordId = id();
  const envelope = await seal(recordId);
  for (let length = 0; length < envelope.length; length++) {
    const code = await refusal(() => open(recordId, envelope.slice(0, length)));
    assert.equal(code, length === 256 ? 'record-open-failed VA-10' : 'record-malformed VA-03', `${length} bytes`);
  }
});

test('VA-06, VA-07, VA-08, VA-09 an envelope opens nowhere but in its own place', async () => {
  const [mine, other, account] = [id(), id(), id()];
  const envelope = await seal(mine);
  assert.equal(await refusal(() => open(other, envelope)), 'record-id-mismatch VA-07');
  assert.equal(await refusal(() => open(mine, envelope, { accountId: account })), 'record-account-mismatch VA-06');
  const epoch2 = deriveEpochKey(accountKey, accountId, 2);
  assert.equal(
    await refusal(() => open(mine, envelope, { epochKey: epoch2, epoch: 2 })),
    'record-epoch-mismatch VA-08',
  );
  assert.equal(await refusal(() => open(mine, envelope, { epochKey: epoch2 })), 'record-commitment-mismatch VA-09');
  const renamed = concatBytes(envelope.slice(0, 20), other, envelope.slice(36));
  assert.equal(await refusal(() => open(other, renamed)), 'record-commitment-mismatch VA-09');
  const [low, high] = [await seal(mine), await seal(mine)];
  const spliced = concatBytes(low.slice(0, 128), high.slice(128));
  assert.equal(await refusal(() => open(mine, spliced)), 'record-open-failed VA-10');
});

test('VA-14 what is too large is refused with its limit, and the largest fits', async () => {
  const input = { epochKey, accountId, recordId: id(), epoch: 1, deviceId, deviceCounter: 1, random };
  assert.equal((await sealEnvelope({ ...input, content: new Uint8Array(CONTENT_LIMIT_BYTES) })).length, 65_536);
  const error = await sealEnvelope({ ...input, content: new Uint8Array(CONTENT_LIMIT_BYTES + 1) }).catch(
    (e: unknown) => e,
  );
  assert.ok(error instanceof VaultError);
  assert.deepEqual(
    [error.code, error.action, error.message.includes('65,387')],
    ['record-too-large', 'fix-input', true],
  );
  assert.equal(await refusal(() => seal(id(), { ...message, text: 'x'.repeat(100_000) })), 'record-too-large VA-14');
});

test('VA-15 ids of another length, epoch 0 and counter 0 are not sealed', async () => {
  const input = {
    epochKey,
    accountId,
    recordId: id(),
    epoch: 1,
    deviceId,
    deviceCounter: 1,
    random,
    content: new Uint8Array(1),
  };
  const wrong = [
    { accountId: new Uint8Array(15) },
    { recordId: new Uint8Array(17) },
    { deviceId: new Uint8Array(0) },
    { epoch: 0 },
    { deviceCounter: 0 },
    // Two wrong lengths that add up to the right one.
    { accountId: new Uint8Array(15), recordId: new Uint8Array(17) },
  ];
  for (const change of wrong) {
    assert.equal(await refusal(() => sealEnvelope({ ...input, ...change })), 'record-malformed VA-15');
  }
});

test('VA-25 a store cannot read device or counter, nor tell devices apart', async () => {
  const recordId = id();
  const writes = await Promise.all([1, 2, 3].map((counter) => seal(recordId, message, counter)));
  for (const envelope of writes) {
    assert.equal(Buffer.from(envelope).includes(Buffer.from(deviceId)), false);
    assert.deepEqual(Object.keys(parseVisibleHeader(envelope)).sort(), ['accountId', 'epoch', 'recordId']);
  }
  const masked = new Set(writes.map((envelope) => encodeHex(envelope.slice(40, 64))));
  assert.equal(masked.size, writes.length);
  for (const at of [40, 48, 56]) assert.equal(new Set(writes.map((e) => encodeHex(e.slice(at, at + 8)))).size, 3);
});

test('VA-27 two writes of the same content share nothing but what is visible', async () => {
  const recordId = id();
  const [a, b] = [await seal(recordId), await seal(recordId)];
  assert.deepEqual(a.slice(0, 40), b.slice(0, 40));
  for (const [from, to] of [
    [40, 64],
    [64, 96],
    [96, 128],
    [128, 160],
  ] as const) {
    assert.equal(equalBytes(a.slice(from, to), b.slice(from, to)), false);
  }
});

test('VA-28 all contents of one bucket have one size, and every size is a bucket', async () => {
  const sizes = [0, 1, 107, 108, 363, 364, 5000, 32_619, 32_620, CONTENT_LIMIT_BYTES].map(bucketFor);
  assert.deepEqual(sizes, [256, 256, 256, 512, 512, 1024, 8192, 32_768, 65_536, 65_536]);
  const input = { epochKey, accountId, recordId: id(), epoch: 1, deviceId, deviceCounter: 1, random };
  for (const length of [0, 107, 108, 363, 364, 1387]) {
    assert.equal((await sealEnvelope({ ...input, content: new Uint8Array(length) })).length, bucketFor(length));
  }
});

test('VA-02 keys are 32 bytes and not zero', async () => {
  for (const length of [0, 16, 31, 33]) {
    assert.equal(await refusal(() => new AccountKey(random.bytes(length))), 'key-malformed VA-02');
    assert.equal(await refusal(() => passkeyLockSecret(random.bytes(length))), 'key-malformed VA-02');
  }
  assert.equal(await refusal(() => passkeyLockSecret(new Uint8Array(32))), 'key-malformed VA-02');
});

test('VA-01 keys differ for every account, epoch and account key', () => {
  const keys = [
    deriveEpochKey(accountKey, accountId, 1),
    deriveEpochKey(accountKey, accountId, 2),
    deriveEpochKey(accountKey, id(), 1),
    deriveEpochKey(createAccountKey(random), accountId, 1),
    accountKey,
  ].map((key) => encodeHex(unsafeRevealSecret(key)));
  assert.equal(new Set(keys).size, keys.length);
  const epoch = Uint8Array.of(0, 0, 0, 1);
  const drawn = hkdfSha256(
    unsafeRevealSecret(accountKey),
    accountId,
    concatBytes(encodeUtf8('sotto/vault/epoch-key/v1'), epoch),
    32,
  );
  assert.equal(keys[0], encodeHex(drawn));
});

test('VA-26 secrets show nothing when printed, turned into JSON or text, or cloned', async () => {
  const bytes = random.bytes(32);
  const device = await loadDeviceKeys(bytes);
  const secrets = [
    new AccountKey(bytes),
    new EpochKey(bytes),
    new LockSecret(bytes),
    new RecoverySecret(bytes.slice(0, 16)),
    device,
  ];
  const needles = [
    encodeHex(bytes.slice(0, 6)),
    Buffer.from(bytes.slice(0, 6)).toString('base64'),
    bytes.slice(0, 6).join(', '),
    bytes.slice(0, 6).join(','),
  ];
  for (const secret of secrets) {
    const shown = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect(secret, { showHidden: true, depth: 9 }),
      inspect({ secret }, { showHidden: true, depth: 9, getters: true }),
      inspect(structuredClone(secret), { showHidden: true, depth: 9 }),
      Object.values(secret).join(),
      new Error('x', { cause: secret }).toString(),
    ].join('\n');
    for (const needle of needles) assert.equal(shown.includes(needle), false, secret.constructor.name);
    assert.equal(structuredClone(secret) instanceof secret.constructor, false);
  }
  const copy = unsafeRevealSecret(secrets[0] as AccountKey);
  copy.fill(0);
  assert.deepEqual(unsafeRevealSecret(secrets[0] as AccountKey), bytes, 'what is handed out is a copy');
});

test('VA-17 canonical JSON: every value has one spelling, and only that one is read', () => {
  const json = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        tie('value'),
        { maxKeys: 4 },
      ),
    ),
  })).value;
  fc.assert(
    fc.property(fc.dictionary(fc.string({ maxLength: 8 }), json, { maxKeys: 4 }), (object) => {
      const value = JSON.parse(JSON.stringify(object));
      const bytes = encodeCanonicalJson(value);
      assert.deepEqual(parseCanonicalJson(bytes), value);
      assert.deepEqual(
        encodeCanonicalJson(Object.fromEntries(Object.entries(value as object).reverse()) as JsonValue),
        bytes,
      );
    }),
    { numRuns: 200 },
  );
  assert.deepEqual(parseCanonicalJson(encodeUtf8('{"__proto__":{"x":1}}')), JSON.parse('{"__proto__":{"x":1}}'));
});

test('VA-17 what the platform spells so is read only where it is the one spelling', async () => {
  const accepted = [
    '{"":1,"a":2}',
    '{"10":1,"9":2}',
    '{"1":1,"a":[{"b":0,"c":-1}]}',
    `{"a":${'['.repeat(15)}${']'.repeat(15)}}`,
  ];
  for (const text of accepted) assert.deepEqual(parseCanonicalJson(encodeUtf8(text)), JSON.parse(text));
  const others = ['{"9":2,"10":1}', '{"b":1,"a":2}', '{"a":{"c":1,"b":2}}', '{"a":1,"a":1}', '{"a":-0}', '{"a":[1.5]}'];
  others.push('{"a":1e+21}', '{"a":9007199254740992}', String.raw`{"a":"\ud83d"}`, String.raw`{"\ud83d":1}`);
  for (const text of others) {
    assert.match(String(await refusal(() => parseCanonicalJson(encodeUtf8(text)))), /^record-content-malformed/, text);
  }
});

test('VA-19 deep nesting up to the size of a record is refused, not recursed into', async () => {
  const deep = encodeUtf8(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
  assert.equal(await refusal(() => parseCanonicalJson(deep)), 'record-content-malformed VA-19');
});

test('VA-20 a value that is not JSON is refused before it is sealed', async () => {
  for (const value of [undefined, 1.5, Number.NaN, 2 ** 53, 1n, () => 1]) {
    const content = { type: 'unknown', recordType: 'x', clock: 1, fields: { value } } as unknown as RecordContent;
    assert.equal(await refusal(() => seal(id(), content)), 'record-content-malformed VA-20');
  }
});

test('VA-21 half a surrogate pair is refused in a title and replaced in a text', async () => {
  const recordId = id();
  const opened = await open(recordId, await seal(recordId, { ...message, text: 'cut \ud83d' }));
  assert.equal((opened.content as MessageContent).text, 'cut \ufffd');
  assert.equal(await refusal(() => seal(recordId, { ...message, model: '\ud83d' })), 'record-content-malformed VA-21');
});

test('VA-22 each field of each type is checked, whoever wrote it', async () => {
  const id32 = 'a'.repeat(32);
  const register = { value: 'x', clock: 1, deviceId: id32 };
  const conversation = {
    type: 'conversation',
    clock: 1,
    conversationId: id32,
    createdAtMs: 1,
    registers: { title: register },
  };
  const deviceKey = { type: 'device-key', clock: 1, privateKey: 'a'.repeat(64), createdAtMs: 1 };
  const wrong: JsonValue[] = [
    { ...message, conversationId: 7 },
    { ...message, parents: 'x' },
    { ...message, parents: [7] },
    { ...message, parents: Array(17).fill(id32) },
    { ...message, text: 7 },
    { ...message, model: 7 },
    { ...message, createdAtMs: -1 },
    { ...message, createdAtMs: '1' },
    { ...message, clock: 'x' },
    { ...message, type: 'Message' },
    { ...message, type: 'x'.repeat(33) },
    { ...conversation, registers: [] },
    { ...conversation, registers: { title: 7 } },
    { ...conversation, registers: { title: { ...register, value: 7 } } },
    { ...conversation, registers: { title: { ...register, clock: -1 } } },
    { ...conversation, registers: { title: { ...register, deviceId: 'x' } } },
    { ...conversation, registers: { pinned: { clock: 1, deviceId: id32 } } },
    { ...conversation, registers: { pinned: { ...register, a: 1, b: 2 } } },
    { ...conversation, registers: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`r${i}`, register])) },
    { ...conversation, deleted: false },
    { ...conversation, deleted: 1 },
    { ...deviceKey, privateKey: 'a'.repeat(63) },
    { ...deviceKey, privateKey: 'A'.repeat(64) },
  ] as JsonValue[];
  for (const value of wrong) {
    assert.equal(
      await refusal(() => parseRecordContent(encodeCanonicalJson(value))),
      'record-content-malformed VA-22',
      JSON.stringify(value),
    );
  }
  for (const value of [message, conversation, deviceKey])
    parseRecordContent(encodeCanonicalJson(value as unknown as JsonValue));
});

test('VA-24 unknown types, fields, registers and roles survive being read and written', async () => {
  const id32 = 'b'.repeat(32);
  const values: JsonValue[] = [
    { type: 'tombstone', clock: 3, subject: id32, deep: { a: [1, { b: null }] } },
    { ...message, role: 'tool', toolName: 'search' } as unknown as JsonValue,
    { ...message, status: 'refused' } as unknown as JsonValue,
    { ...message, attachments: [{ blob: id32, bytes: 12 }], receipt: 'x' } as unknown as JsonValue,
    {
      type: 'conversation',
      clock: 1,
      conversationId: id32,
      createdAtMs: 1,
      registers: { folder: { value: null, clock: 2, deviceId: id32 } },
      order: 'a0',
    },
  ];
  for (const value of values) {
    const recordId = id();
    const bytes = encodeCanonicalJson(value);
    const content = parseRecordContent(bytes);
    const envelope = await seal(recordId, content);
    const { content: raw } = await openEnvelope({
      epochKey,
      envelope,
      expectedAccountId: accountId,
      expectedRecordId: recordId,
      expectedEpoch: 1,
    });
    assert.deepEqual(raw, bytes);
  }
});

const lockId = id();
const credentialId = random.bytes(40);

async function passkeyLock(change: Record<string, unknown> = {}) {
  const secret = passkeyLockSecret(random.bytes(32));
  const lock = await wrapAccountKey({
    accountKey,
    kind: 'passkey-prf',
    secret,
    accountId,
    lockId,
    epoch: 1,
    credentialId,
    random,
    ...change,
  });
  const input = {
    lock,
    secret,
    expectedKind: 'passkey-prf',
    expectedAccountId: accountId,
    expectedLockId: lockId,
    expectedCredentialId: credentialId,
    minimumEpoch: 1,
  } as const;
  return { lock, input };
}

test('VA-39 every byte of a lock, flipped, is refused', async () => {
  const { lock, input } = await passkeyLock();
  const seen = new Set<string>();
  for (let at = 0; at < lock.length; at++) {
    const changed = new Uint8Array(lock);
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    const code = await refusal(() => unwrapAccountKey({ ...input, lock: changed }));
    assert.notEqual(code, 'accepted', `byte ${at}`);
    seen.add(code.split(' ')[0] as string);
  }
  assert.deepEqual([...seen].sort(), [
    'lock-account-mismatch',
    'lock-commitment-mismatch',
    'lock-credential-mismatch',
    'lock-id-mismatch',
    'lock-kind-unsupported',
    'lock-malformed',
    'lock-open-failed',
    'lock-version-unsupported',
  ]);
});

test('VA-31 every prefix of a lock is refused', async () => {
  const { lock, input } = await passkeyLock();
  for (let length = 0; length < lock.length; length++) {
    const code = await refusal(() => unwrapAccountKey({ ...input, lock: lock.slice(0, length) }));
    assert.ok(code.startsWith('lock-malformed'), `${length} bytes: ${code}`);
  }
});

test('VA-41 a lock that could not be read again is not made', async () => {
  for (const change of [{ lockId: new Uint8Array(15) }, { accountId: new Uint8Array(17) }, { epoch: 0 }]) {
    assert.equal(await refusal(() => passkeyLock(change)), 'lock-malformed VA-41');
  }
});

test('VA-37 a passkey lock names its passkey, and a recovery lock names none', async () => {
  const secret = passkeyLockSecret(random.bytes(32));
  const base = { accountKey, secret, accountId, lockId, epoch: 1, random };
  assert.equal(await refusal(() => wrapAccountKey({ ...base, kind: 'passkey-prf' })), 'lock-credential-mismatch VA-37');
  assert.equal(
    await refusal(() => wrapAccountKey({ ...base, kind: 'recovery-code', credentialId })),
    'lock-credential-mismatch VA-37',
  );
  const { input } = await passkeyLock();
  const other = await refusal(() => unwrapAccountKey({ ...input, expectedCredentialId: random.bytes(40) }));
  assert.equal(other, 'lock-credential-mismatch VA-37');
});

test('VA-49 the PRF input is a constant of the client', () => {
  assert.equal(new TextDecoder().decode(PASSKEY_PRF_INPUT), 'sotto/vault/passkey-prf-input/v1');
});

test('a lock can be listed without its secret, and one of a later kind as unknown', async () => {
  const { lock } = await passkeyLock();
  const header = parseLockHeader(lock);
  assert.deepEqual([header.kind, header.epoch, encodeHex(header.lockId)], ['passkey-prf', 1, encodeHex(lockId)]);
  const later = new Uint8Array(lock);
  later[4] = 200;
  assert.equal(parseLockHeader(later).kind, 'unknown');
});

test('a recovery code opens its lock years later, typed by hand', async () => {
  const { code, recovery } = createRecoveryCode(random);
  const base = { accountId, lockId, epoch: 1, random };
  const lock = await wrapAccountKey({ ...base, accountKey, kind: 'recovery-code', secret: recovery.kek });
  const typed = deriveRecovery(parseRecoveryCode(` ${code.toLowerCase().replaceAll('-', ' ')} `));
  assert.deepEqual(typed.lookupId, recovery.lookupId);
  const expected = {
    expectedKind: 'recovery-code',
    expectedAccountId: accountId,
    expectedLockId: lockId,
    minimumEpoch: 1,
  } as const;
  const opened = await unwrapAccountKey({ lock, secret: typed.kek, ...expected });
  assert.deepEqual(unsafeRevealSecret(opened.accountKey), unsafeRevealSecret(accountKey));
  const wrong = createRecoveryCode(random).recovery.kek;
  assert.equal(
    await refusal(() => unwrapAccountKey({ lock, secret: wrong, ...expected })),
    'lock-commitment-mismatch VA-39',
  );
  assert.equal(recoveryVerifier(typed.authenticator).length, 32);
});

test('VA-48 a recovery code has 128 random bits', async () => {
  for (const length of [0, 8, 15, 17, 32]) {
    assert.equal(await refusal(() => new RecoverySecret(random.bytes(length))), 'key-malformed VA-48');
  }
  const codes = new Set(Array.from({ length: 200 }, () => createRecoveryCode(random).code));
  assert.equal(codes.size, 200);
  for (const code of codes) assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/);
});

test('VA-45 any one or two wrong symbols of any code are noticed, and a single one is found', () => {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uniqueArray(fc.nat(27), { minLength: 1, maxLength: 2 }),
      fc.tuple(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 1, max: 31 })),
      (secret, places, shifts) => {
        const symbols = [...new RecoverySecret(secret).spell().replaceAll('-', '')];
        places.forEach((place, i) => {
          const value = alphabet.indexOf(symbols[place] as string) ^ (shifts[i] as number);
          symbols[place] = alphabet[value] as string;
        });
        assert.throws(
          () => parseRecoveryCode(symbols.join('')),
          (error) => {
            assert.ok(error instanceof VaultError && error.code === 'recovery-code-typo');
            if (places.length === 1) assert.equal(error.group, Math.floor((places[0] as number) / 4) + 1);
            return true;
          },
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('VA-46 and VA-47 every secret is spelled and read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const secret = new RecoverySecret(bytes);
      const again = parseRecoveryCode(secret.spell().toLowerCase());
      assert.deepEqual(again.derive().authenticator, secret.derive().authenticator);
    }),
    { numRuns: 200 },
  );
});

test('VA-55 a device id is a digest of its key', async () => {
  const keys = await createDeviceKeys(random);
  const again = await loadDeviceKeys(unsafeRevealDeviceKey(keys));
  assert.deepEqual(again.deviceId, keys.deviceId);
  assert.deepEqual(keys.deviceId, sha256(encodeUtf8('sotto/vault/device-id/v1'), keys.publicKey).slice(0, 16));
  const record = await signDeviceRecord({ keys, accountId, epoch: 1, createdAtMs: 5 });
  assert.deepEqual((await verifyDeviceRecord(record, { expectedAccountId: accountId })).deviceId, keys.deviceId);
  assert.notDeepEqual((await createDeviceKeys(random)).deviceId, keys.deviceId);
});

test('VA-54 every byte of a device record, flipped, is refused', async () => {
  const keys = await createDeviceKeys(random);
  const record = await signDeviceRecord({ keys, accountId, epoch: 1, createdAtMs: 5 });
  for (let at = 0; at < record.length; at++) {
    const changed = new Uint8Array(record);
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    assert.notEqual(
      await refusal(() => verifyDeviceRecord(changed, { expectedAccountId: accountId })),
      'accepted',
      `byte ${at}`,
    );
  }
});

test('whatever bytes or text arrive, parsing ends in a value or in a VaultError', async () => {
  const sized = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ minLength: 256, maxLength: 256 }),
    fc.uint8Array({ maxLength: 250 }).map((bytes) => concatBytes(encodeUtf8('SVL\x01\x01'), bytes)),
    fc.uint8Array({ maxLength: 250 }).map((bytes) => concatBytes(encodeUtf8('SVD\x01'), bytes)),
  );
  await fc.assert(
    fc.asyncProperty(sized, fc.oneof(fc.string({ unit: 'binary' }), fc.json()), async (bytes, text) => {
      await refusal(() => open(id(), bytes));
      await refusal(() => parseLockHeader(bytes));
      await refusal(() => verifyDeviceRecord(bytes, { expectedAccountId: accountId }));
      await refusal(() => parseRecordContent(bytes));
      await refusal(() => parseRecordContent(encodeUtf8(text)));
      await refusal(() => parseRecoveryCode(text));
    }),
    { numRuns: 500 },
  );
});
