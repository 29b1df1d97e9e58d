/** The vectors of vectors/vault, made by an independent writer: every one must be judged as it says, by its rule. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeHex, parseBase64, parseHex, parseUtf8 } from '@sotto/bytes';
import { encodeRecordContent } from './content.ts';
import { loadDeviceKeys, signDeviceRecord, verifyDeviceRecord } from './device.ts';
import { bucketFor } from './envelope.ts';
import { VaultError } from './error.ts';
import { AccountKey, deriveEpochKey, LockSecret, unsafeRevealSecret } from './keys.ts';
import { type LockKind, unwrapAccountKey } from './lock.ts';
import { openRecord, sealRecord } from './record.ts';
import { deriveRecovery, parseRecoveryCode } from './recovery-code.ts';

interface Vector {
  readonly id: string;
  readonly rule: string;
  readonly expect: 'accept' | { readonly code: string; readonly group?: number };
}

const loaded = new Map<string, readonly Vector[]>();
function load(name: string): readonly Vector[] {
  const path = new URL(`../../vectors/vault/${name}.json`, import.meta.url);
  const vectors = loaded.get(name) ?? (JSON.parse(readFileSync(path, 'utf8')) as readonly Vector[]);
  loaded.set(name, vectors);
  return vectors;
}

const held = new Set<string>();

/** Judges the vectors of one rule; on refusal code, rule and (where given) group must be the stated ones. */
async function hold<V extends Vector>(name: string, rule: string, judge: (vector: V) => Promise<void>): Promise<void> {
  const vectors = load(name).filter((vector) => vector.rule === rule) as V[];
  assert.ok(vectors.length > 0, `no vector of ${rule}`);
  held.add(`${name} ${rule}`);
  for (const vector of vectors) {
    if (vector.expect === 'accept') {
      await judge(vector);
      continue;
    }
    const { code, group } = vector.expect;
    await assert.rejects(
      async () => judge(vector),
      (error) => {
        assert.ok(error instanceof VaultError, `${vector.id}: ${String(error)}`);
        assert.deepEqual({ code: error.code, rule: error.rule }, { code, rule }, vector.id);
        if (group !== undefined) assert.equal(error.group, group, vector.id);
        return true;
      },
      vector.id,
    );
  }
}

interface EnvelopeVector extends Vector {
  readonly accountKey: string;
  readonly expectedAccountId: string;
  readonly expectedRecordId: string;
  readonly epoch: number;
  readonly expectedType?: string;
  readonly envelope: string;
  readonly deviceId: string;
  readonly deviceCounter: number;
  readonly content: string;
}

const envelopes = (rule: string) =>
  hold<EnvelopeVector>('envelopes', rule, async (vector) => {
    const opened = await openRecord({
      epochKey: deriveEpochKey(
        new AccountKey(parseHex(vector.accountKey)),
        parseHex(vector.expectedAccountId),
        vector.epoch,
      ),
      envelope: parseBase64(vector.envelope),
      expectedAccountId: parseHex(vector.expectedAccountId),
      expectedRecordId: parseHex(vector.expectedRecordId),
      expectedEpoch: vector.epoch,
      ...(vector.expectedType === undefined ? {} : { expectedType: vector.expectedType }),
    });
    const { recordId, deviceId, deviceCounter } = opened;
    assert.deepEqual(
      { recordId, deviceId, deviceCounter },
      { recordId: vector.expectedRecordId, deviceId: vector.deviceId, deviceCounter: vector.deviceCounter },
    );
    assert.equal(parseUtf8(encodeRecordContent(opened.content)), vector.content, 'written back as it was');
  });

test('VA-03 vectors: sizes', () => envelopes('VA-03'));
test('VA-04 vectors: magic', () => envelopes('VA-04'));
test('VA-05 vectors: version', () => envelopes('VA-05'));
test('VA-06 vectors: another account', () => envelopes('VA-06'));
test('VA-07 vectors: another record', () => envelopes('VA-07'));
test('VA-08 vectors: another epoch', () => envelopes('VA-08'));
test('VA-09 vectors: commitment', () => envelopes('VA-09'));
test('VA-10 vectors: the seal', () => envelopes('VA-10'));
test('VA-11 vectors: encoding', () => envelopes('VA-11'));
test('VA-12 vectors: true length', () => envelopes('VA-12'));
test('VA-13 vectors: padding', () => envelopes('VA-13'));
test('VA-14 vectors: the longest content', () => envelopes('VA-14'));
test('VA-16 vectors: device counter', () => envelopes('VA-16'));
test('VA-17 vectors: one spelling', () => envelopes('VA-17'));
test('VA-18 vectors: an object', () => envelopes('VA-18'));
test('VA-19 vectors: depth', () => envelopes('VA-19'));
test('VA-20 vectors: numbers', () => envelopes('VA-20'));
test('VA-21 vectors: well-formed text', () => envelopes('VA-21'));
test('VA-22 vectors: fields', () => envelopes('VA-22'));
test('VA-23 vectors: expected type', () => envelopes('VA-23'));
test('VA-24 vectors: what is not known is kept', () => envelopes('VA-24'));
test('VA-63 vectors: registers', () => envelopes('VA-63'));
test('VA-64 vectors: deleted', () => envelopes('VA-64'));

test('VA-01 VA-15 VA-25: our own writer writes the vectors byte for byte', async () => {
  for (const vector of load('envelopes') as readonly EnvelopeVector[]) {
    const envelope = parseBase64(vector.envelope);
    if (vector.expect !== 'accept' || envelope.length !== bucketFor(new TextEncoder().encode(vector.content).length))
      continue;
    const opening = {
      epochKey: deriveEpochKey(
        new AccountKey(parseHex(vector.accountKey)),
        parseHex(vector.expectedAccountId),
        vector.epoch,
      ),
      expectedAccountId: parseHex(vector.expectedAccountId),
      expectedRecordId: parseHex(vector.expectedRecordId),
      expectedEpoch: vector.epoch,
    };
    const opened = await openRecord({ ...opening, envelope });
    const again = await sealRecord({
      epochKey: opening.epochKey,
      accountId: opening.expectedAccountId,
      recordId: opening.expectedRecordId,
      epoch: vector.epoch,
      deviceId: parseHex(vector.deviceId),
      deviceCounter: vector.deviceCounter,
      content: opened.content,
      random: { bytes: () => envelope.slice(64, 96) },
    });
    assert.deepEqual(again, envelope, vector.id);
  }
});

interface LockVector extends Vector {
  readonly expectedKind: LockKind;
  readonly expectedAccountId: string;
  readonly expectedLockId: string;
  readonly credentialId?: string;
  readonly minimumEpoch: number;
  readonly secret: string;
  readonly lock: string;
  readonly accountKey: string;
  readonly epoch: number;
}

const locks = (rule: string) =>
  hold<LockVector>('locks', rule, async (vector) => {
    const { accountKey, epoch } = await unwrapAccountKey({
      lock: parseBase64(vector.lock),
      secret: new LockSecret(parseHex(vector.secret)),
      expectedKind: vector.expectedKind,
      expectedAccountId: parseHex(vector.expectedAccountId),
      expectedLockId: parseHex(vector.expectedLockId),
      ...(vector.credentialId === undefined ? {} : { expectedCredentialId: parseHex(vector.credentialId) }),
      minimumEpoch: vector.minimumEpoch,
    });
    assert.equal(encodeHex(unsafeRevealSecret(accountKey)), vector.accountKey);
    assert.equal(epoch, vector.epoch);
  });

test('VA-30 vectors: length of a lock', () => locks('VA-30'));
test('VA-31 vectors: form of a lock', () => locks('VA-31'));
test('VA-32 vectors: magic of a lock', () => locks('VA-32'));
test('VA-33 vectors: version of a lock', () => locks('VA-33'));
test('VA-34 vectors: kind of a lock', () => locks('VA-34'));
test('VA-35 vectors: lock of another account', () => locks('VA-35'));
test('VA-36 vectors: another lock', () => locks('VA-36'));
test('VA-37 vectors: another passkey', () => locks('VA-37'));
test('VA-38 vectors: stale lock', () => locks('VA-38'));
test('VA-39 vectors: commitment of a lock', () => locks('VA-39'));
test('VA-40 vectors: the seal of a lock', () => locks('VA-40'));

interface CodeVector extends Vector {
  readonly text: string;
  readonly code: string;
  readonly lookupId: string;
  readonly authenticator: string;
  readonly kek: string;
}

const codes = (rule: string) =>
  hold<CodeVector>('recovery-codes', rule, async (vector) => {
    const secret = parseRecoveryCode(vector.text);
    const { lookupId, authenticator, kek } = deriveRecovery(secret);
    const derived = [lookupId, authenticator, unsafeRevealSecret(kek)].map(encodeHex);
    assert.deepEqual(derived, [vector.lookupId, vector.authenticator, vector.kek], vector.id);
    assert.equal(secret.spell(), vector.code, vector.id);
  });

test('VA-42 vectors: bounded text', () => codes('VA-42'));
test('VA-43 vectors: stray characters', () => codes('VA-43'));
test('VA-44 vectors: length of a code', () => codes('VA-44'));
test('VA-45 vectors: typing errors, with the group', () => codes('VA-45'));
test('VA-46 vectors: code of a later version', () => codes('VA-46'));
test('VA-47 vectors: forgiven spellings and what a code derives', () => codes('VA-47'));

interface DeviceVector extends Vector {
  readonly expectedAccountId: string;
  readonly record: string;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly deviceId: string;
  readonly epoch: number;
  readonly createdAtMs: number;
}

const devices = (rule: string) =>
  hold<DeviceVector>('devices', rule, async (vector) => {
    const record = parseBase64(vector.record);
    const accountId = parseHex(vector.expectedAccountId);
    const verified = await verifyDeviceRecord(record, { expectedAccountId: accountId });
    assert.equal(encodeHex(verified.deviceId), vector.deviceId);
    assert.equal(encodeHex(verified.publicKey), vector.publicKey);
    assert.deepEqual([verified.epoch, verified.createdAtMs], [vector.epoch, vector.createdAtMs]);
    const keys = await loadDeviceKeys(parseHex(vector.privateKey));
    const again = await signDeviceRecord({ keys, accountId, epoch: vector.epoch, createdAtMs: vector.createdAtMs });
    if (vector.id === 'self-signed') assert.deepEqual(again, record);
  });

test('VA-50 vectors: form of a device record', () => devices('VA-50'));
test('VA-51 vectors: version of a device record', () => devices('VA-51'));
test('VA-52 vectors: device of another account', () => devices('VA-52'));
test('VA-53 vectors: unknown signer', () => devices('VA-53'));
test('VA-54 vectors: signature', () => devices('VA-54'));

test('every vector stands under a rule that was held above, and is what the generator writes', {
  concurrency: false,
}, () => {
  const all = ['envelopes', 'locks', 'recovery-codes', 'devices'].flatMap((name) =>
    load(name).map((v) => `${name} ${v.rule}`),
  );
  if (held.size > 1)
    assert.deepEqual(
      [...new Set(all)].filter((key) => !held.has(key)),
      [],
    );
  const generator = fileURLToPath(new URL('../../vectors/vault/generate.ts', import.meta.url));
  execFileSync(process.execPath, [generator, '--check'], { stdio: 'pipe' });
});
