/**
 * What a device says of a lock that it has made or used (spec/vault.md, "Locks in the vault"): the public key to which a
 * rotation seals. The content of a record of type `lock-key`, signed by the device, because whoever holds the account key
 * could write such a record, and a key of somebody else's would be handed the next account key.
 */
import { ByteWriter, encodeHex, encodeUtf8, parseHex } from '@sotto/bytes';
import { verifyEd25519 } from '@sotto/crypto/sign';
import type { JsonValue } from '../canonical-json.ts';
import type { UnknownContent } from '../content.ts';
import type { DeviceKeys } from '../device.ts';
import { VaultError } from '../error.ts';
import { isHash, isId } from '../fields.ts';
import { KIND_NUMBERS, type LockKind } from '../lock.ts';
import { LOCK_PUBLIC_KEY_BYTES } from '../sealed-lock.ts';

export const LOCK_KEY_TYPE = 'lock-key';
const LABEL = encodeUtf8('sotto/vault/lock-statement/v1');
/** A lock of a person's own words is sealed to on its device alone and has no statement here. */
const KINDS = ['passkey-prf', 'recovery-code', 'recovery-phrase', 'device-key'] as const satisfies LockKind[];

export type StatedKind = (typeof KINDS)[number];

export interface LockStatement {
  /** 16 bytes as hex; of a device key, the id of the device. */
  readonly lockId: string;
  readonly kind: StatedKind;
  /** SHA-256 of the passkey's credential id as hex; zeros where there is no passkey. */
  readonly credential: string;
  /** `lockPublicKey`, 1,216 bytes. */
  readonly publicKey: Uint8Array;
  /** In which it is stated: a lock that a later epoch does not name was removed. */
  readonly epoch: number;
  readonly atMs: number;
}

/** A statement whose signer is a device of the account. */
export interface VerifiedLock extends LockStatement {
  readonly deviceId: string;
}

/** @param clock of the write (registers.ts) */
export async function signLock(
  keys: DeviceKeys,
  accountId: Uint8Array,
  lock: LockStatement,
  clock: number,
): Promise<UnknownContent> {
  const deviceId = encodeHex(keys.deviceId);
  const signature = await keys.sign(signedBytes(accountId, { ...lock, deviceId }));
  const fields = { ...lock, publicKey: encodeHex(lock.publicKey), deviceId, signature: encodeHex(signature) };
  return { type: 'unknown', recordType: LOCK_KEY_TYPE, clock, fields };
}

/**
 * @param devices public keys (32 bytes) of the devices that belong to the account now, by device id
 * @throws VaultError `lock-key-malformed`, `lock-key-signer-unknown`, `lock-key-signature-invalid`
 */
export async function verifyLock(
  content: UnknownContent,
  accountId: Uint8Array,
  devices: ReadonlyMap<string, Uint8Array>,
): Promise<VerifiedLock> {
  const { lock, signature } = parseLockStatement(content);
  const signer = devices.get(lock.deviceId);
  // VA-145: a device that was removed could have left a key of its own, and would be handed the next account key
  if (signer === undefined) throw new VaultError('lock-key-signer-unknown', 'VA-145');
  const isSigned = await verifyEd25519(signer, signedBytes(accountId, lock), signature);
  // VA-169: every holder of the account key could write such a record
  if (!isSigned) throw new VaultError('lock-key-signature-invalid', 'VA-169');
  const isOwn = lock.kind !== 'device-key' || lock.lockId === lock.deviceId;
  // VA-170: a device that speaks for another's key would be handed what is meant for that one
  if (!isOwn) throw new VaultError('lock-key-signer-unknown', 'VA-170');
  return lock;
}

/**
 * The locks that a rotation can seal to, by lock id. Where two devices give one lock two keys one of them is wrong, and which
 * cannot be told: the lock is in `disputed` and not in `locks`.
 */
export function settleLocks(statements: Iterable<VerifiedLock>): {
  readonly locks: Map<string, VerifiedLock>;
  readonly disputed: Set<string>;
} {
  const locks = new Map<string, VerifiedLock>();
  const disputed = new Set<string>();
  for (const lock of [...statements].sort((a, b) => a.atMs - b.atMs)) {
    const held = locks.get(lock.lockId);
    const isSame = held === undefined || bindingOf(held) === bindingOf(lock);
    // VA-171: the wrong one of two keys is somebody's who wants the next account key
    if (!isSame) disputed.add(lock.lockId);
    if (held === undefined) locks.set(lock.lockId, lock);
  }
  for (const lockId of disputed) locks.delete(lockId);
  return { locks, disputed };
}

function bindingOf({ kind, credential, publicKey }: LockStatement): string {
  return `${kind} ${credential} ${encodeHex(publicKey)}`;
}

function signedBytes(accountId: Uint8Array, lock: VerifiedLock): Uint8Array {
  return new ByteWriter()
    .vector16(LABEL)
    .raw(accountId)
    .raw(parseHex(lock.deviceId, 16))
    .raw(parseHex(lock.lockId, 16))
    .u8(KIND_NUMBERS[lock.kind])
    .raw(parseHex(lock.credential, 32))
    .u32(lock.epoch)
    .u64(lock.atMs)
    .raw(lock.publicKey)
    .finish();
}

function parseLockStatement({ recordType, fields }: UnknownContent): { lock: VerifiedLock; signature: Uint8Array } {
  const { lockId, kind, credential, publicKey, epoch, atMs, deviceId, signature } = fields;
  const isWhole =
    recordType === LOCK_KEY_TYPE &&
    isId(lockId) &&
    isKind(kind) &&
    isHash(credential) &&
    isHex(publicKey, LOCK_PUBLIC_KEY_BYTES) &&
    typeof epoch === 'number' &&
    epoch >= 1 &&
    epoch <= 0xffff_ffff &&
    typeof atMs === 'number' &&
    atMs >= 0 &&
    isId(deviceId) &&
    isHex(signature, 64);
  // VA-168: a statement with a field of another form could be read in two ways
  if (!isWhole) throw new VaultError('lock-key-malformed', 'VA-168');
  const key = parseHex(publicKey, LOCK_PUBLIC_KEY_BYTES);
  return {
    lock: { lockId, kind, credential, publicKey: key, epoch, atMs, deviceId },
    signature: parseHex(signature, 64),
  };
}

function isKind(value: JsonValue | undefined): value is StatedKind {
  return KINDS.some((kind) => kind === value);
}

function isHex(value: JsonValue | undefined, lengthBytes: number): value is string {
  return typeof value === 'string' && value.length === 2 * lengthBytes && /^[0-9a-f]*$/.test(value);
}
