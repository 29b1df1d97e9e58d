/**
 * A second, independent writer of what a rotation writes (spec/vault.md, "Sealed locks", "Recovery phrase", "Rotation"): on Node's
 * own crypto, and ML-KEM of a library; it shares no line with `packages/vault`.
 */
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  sign,
} from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hkdf = (key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length));
const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

function number(value: number, bytes: 1 | 2 | 4 | 8): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigUInt64BE(BigInt(value));
  else buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

const label = (text: string): Buffer => Buffer.concat([number(text.length, 2), utf8(text)]);

function pkcs8(algorithm: 'ed25519' | 'x25519', raw: Uint8Array) {
  const oid = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' }[algorithm];
  return createPrivateKey({ key: Buffer.concat([Buffer.from(oid, 'hex'), raw]), format: 'der', type: 'pkcs8' });
}

function publicOf(algorithm: 'ed25519' | 'x25519', raw: Uint8Array): Buffer {
  return createPublicKey(pkcs8(algorithm, raw)).export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** A device as the vectors name it. */
export interface TwinDevice {
  readonly privateKey: Buffer;
  readonly publicKey: Buffer;
  /** 16 bytes as hex. */
  readonly id: string;
}

export function twinDevice(privateKey: Buffer): TwinDevice {
  const publicKey = publicOf('ed25519', privateKey);
  return { privateKey, publicKey, id: hex(sha256(utf8('sotto/vault/device-id/v1'), publicKey).subarray(0, 16)) };
}

/** The lock secret of a device's own lock. */
export function twinDeviceSecret({ privateKey }: TwinDevice): Buffer {
  return hkdf(privateKey, Buffer.alloc(0), utf8('sotto/vault/device-lock/v1'), 32);
}

function pairOf(secret: Uint8Array, accountId: Uint8Array) {
  const both = hkdf(secret, accountId, utf8('sotto/vault/lock-key/v1'), 96);
  return { dh: both.subarray(0, 32), kem: ml_kem768.keygen(new Uint8Array(both.subarray(32))) };
}

export function twinLockPublicKey(secret: Uint8Array, accountId: Uint8Array): Buffer {
  const { dh, kem } = pairOf(secret, accountId);
  return Buffer.concat([publicOf('x25519', dh), kem.publicKey]);
}

export interface TwinSealedLock {
  accountKey: Uint8Array;
  /** Of the lock underneath. */
  secret: Uint8Array;
  kind: number;
  accountId: Uint8Array;
  lockId: Uint8Array;
  epoch: number;
  credential: Uint8Array;
  salt: Uint8Array;
  ephemeral: Uint8Array;
  /** 32 bytes that ML-KEM encapsulates with. */
  message: Uint8Array;
}

export function twinSealedLock(lock: TwinSealedLock): Buffer {
  const { dh, kem } = pairOf(lock.secret, lock.accountId);
  const header = Buffer.concat([
    utf8('SVL'),
    Buffer.of(1, 6),
    lock.accountId,
    lock.lockId,
    number(lock.epoch, 4),
    lock.credential,
    Buffer.of(0, 1, lock.kind),
  ]);
  const peer = createPublicKey(pkcs8('x25519', dh));
  const shared = diffieHellman({ privateKey: pkcs8('x25519', lock.ephemeral), publicKey: peer });
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(kem.publicKey, new Uint8Array(lock.message));
  const encapsulation = Buffer.concat([publicOf('x25519', lock.ephemeral), cipherText]);
  const keys = hkdf(Buffer.concat([shared, sharedSecret, encapsulation]), lock.salt, header, 64);
  const front = Buffer.concat([header, lock.salt, keys.subarray(32)]);
  const cipher = createCipheriv('aes-256-gcm', keys.subarray(0, 32), Buffer.alloc(12));
  cipher.setAAD(front);
  const sealed = Buffer.concat([cipher.update(lock.accountKey), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([front, encapsulation, sealed]);
}

export interface TwinLockStatement {
  lockId: string;
  kind: string;
  kindNumber: number;
  credential: string;
  publicKey: Uint8Array;
  epoch: number;
  atMs: number;
}

/** The fields of a record of type `lock-key`. */
export function twinLockStatement(device: TwinDevice, accountId: Uint8Array, lock: TwinLockStatement) {
  const signed = Buffer.concat([
    label('sotto/vault/lock-statement/v1'),
    accountId,
    Buffer.from(device.id, 'hex'),
    Buffer.from(lock.lockId, 'hex'),
    Buffer.of(lock.kindNumber),
    Buffer.from(lock.credential, 'hex'),
    number(lock.epoch, 4),
    number(lock.atMs, 8),
    lock.publicKey,
  ]);
  const { kindNumber: _, ...fields } = lock;
  const signature = hex(sign(null, signed, pkcs8('ed25519', device.privateKey)));
  return { ...fields, publicKey: hex(lock.publicKey), deviceId: device.id, signature };
}

export interface TwinEpoch {
  epoch: number;
  devices: Record<string, string>;
  places: Record<string, { count: number; hash: string }>;
  locks: Record<string, string>;
  earlierKeys: string[];
  atMs: number;
}

/** The fields of a record of type `epoch`. */
export function twinEpoch(device: TwinDevice, accountId: Uint8Array, statement: TwinEpoch) {
  const list = <T>(map: Record<string, T>, each: (id: string, value: T) => Buffer): Buffer[] => [
    number(Object.keys(map).length, 2),
    ...Object.keys(map)
      .sort()
      .map((id) => each(id, map[id] as T)),
  ];
  const bytes = (text: string): Buffer => Buffer.from(text, 'hex');
  const signed = Buffer.concat([
    label('sotto/vault/epoch/v1'),
    accountId,
    number(statement.epoch, 4),
    bytes(device.id),
    number(statement.atMs, 8),
    ...list(statement.devices, (id, key) => Buffer.concat([bytes(id), bytes(key)])),
    ...list(statement.places, (id, { count, hash }) => Buffer.concat([bytes(id), number(count, 8), bytes(hash)])),
    ...list(statement.locks, (id, digest) => Buffer.concat([bytes(id), bytes(digest)])),
    number(statement.earlierKeys.length, 2),
    ...statement.earlierKeys.map((key) => sha256(utf8('sotto/vault/epoch/v1'), bytes(key))),
  ]);
  const signature = hex(sign(null, signed, pkcs8('ed25519', device.privateKey)));
  return { ...statement, signerId: device.id, signature };
}

/** A recovery code's symbols, two and two, as words of the list. */
export function twinPhrase(code: string, words: readonly string[]): string {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const pairs = code.replaceAll('-', '').match(/../g) as string[];
  return pairs
    .map((pair) => words[alphabet.indexOf(pair[0] as string) * 32 + alphabet.indexOf(pair[1] as string)])
    .join(' ');
}
