/**
 * A second, independent writer of the vault's formats (spec/vault.md), on Node's own crypto and shares no line with
 * `packages/vault`. It can also write what the spec forbids, one fault at a time: vectors and tests are made with it.
 */
import { createCipheriv, createHash, hkdfSync } from 'node:crypto';

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8');
const hkdf = (key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length));

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function gcm(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

export interface TwinRecord {
  accountKey: Uint8Array;
  accountId: Uint8Array;
  recordId: Uint8Array;
  epoch: number;
  deviceId: Uint8Array;
  deviceCounter: bigint;
  salt: Uint8Array;
  /** Canonical JSON, as text. */
  content: string;
  magic?: string;
  version?: number;
  encoding?: number;
  /** The length written inside, where it should be another than the true one. */
  statedLength?: number;
  /** Size of the whole envelope, where it should be another than the smallest that fits. */
  size?: number;
  /** A byte of the padding that is not zero. */
  paddingByte?: number;
  /** Use this AAD instead of the header. */
  aad?: Uint8Array;
}

/** Writes an envelope, right or wrong in exactly the ways asked for. */
export function twinEnvelope(record: TwinRecord): Buffer {
  const epochKey = hkdf(
    record.accountKey,
    record.accountId,
    Buffer.concat([utf8('sotto/vault/epoch-key/v1'), u32(record.epoch)]),
    32,
  );
  const visible = Buffer.concat([
    utf8(record.magic ?? 'SVR'),
    Buffer.of(record.version ?? 1),
    record.accountId,
    record.recordId,
    u32(record.epoch),
  ]);
  const device = Buffer.concat([record.deviceId, u64(record.deviceCounter)]);
  const header = Buffer.concat([visible, device]);
  const keys = hkdf(epochKey, record.salt, header, 64);
  const mask = hkdf(epochKey, record.salt, utf8('sotto/vault/device-mask/v1'), 24);
  const masked = device.map((byte, index) => byte ^ (mask[index] as number));
  const content = utf8(record.content);
  let size = 256;
  while (size < content.length + 149) size *= 2;
  const inside = Buffer.alloc((record.size ?? size) - 144);
  inside[0] = record.encoding ?? 1;
  inside.writeUInt32BE(record.statedLength ?? content.length, 1);
  content.copy(inside, 5);
  if (record.paddingByte !== undefined) inside[inside.length - 1] = record.paddingByte;
  const commitment = keys.subarray(32);
  const aad = record.aad ?? Buffer.concat([header, record.salt, commitment]);
  return Buffer.concat([visible, masked, record.salt, commitment, gcm(keys.subarray(0, 32), inside, aad)]);
}

export interface TwinLock {
  accountKey: Uint8Array;
  secret: Uint8Array;
  kind: number;
  accountId: Uint8Array;
  lockId: Uint8Array;
  epoch: number;
  credentialId?: Uint8Array;
  salt: Uint8Array;
  magic?: string;
  version?: number;
  parameters?: Uint8Array;
  aad?: Uint8Array;
  /** Bytes after the end. */
  trailing?: Uint8Array;
}

export function twinLock(lock: TwinLock): Buffer {
  const parameters = lock.parameters ?? Buffer.alloc(0);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(parameters.length);
  const credential =
    lock.credentialId === undefined ? Buffer.alloc(32) : createHash('sha256').update(lock.credentialId).digest();
  const header = Buffer.concat([
    utf8(lock.magic ?? 'SVL'),
    Buffer.of(lock.version ?? 1, lock.kind),
    lock.accountId,
    lock.lockId,
    u32(lock.epoch),
    credential,
    length,
    parameters,
  ]);
  const keys = hkdf(lock.secret, lock.salt, header, 64);
  const front = Buffer.concat([header, lock.salt, keys.subarray(32)]);
  const sealed = gcm(keys.subarray(0, 32), lock.accountKey, lock.aad ?? front);
  return Buffer.concat([front, sealed, lock.trailing ?? Buffer.alloc(0)]);
}

/** GF(32) multiplication, digit by digit: the slow way. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 5; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 8; bit >= 5; bit--) if ((product >> bit) & 1) product ^= 0b100101 << (bit - 5);
  return product;
}

/** Spells a recovery code; tries all pairs of check symbols until both sums are zero. */
export function twinRecoveryCode(secret: Uint8Array, version = 0): string {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const bits =
    version.toString(2).padStart(2, '0') + [...secret].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const data = (bits.match(/.{5}/g) as string[]).map((five) => Number.parseInt(five, 2));
  for (let first = 0; first < 32; first++) {
    for (let second = 0; second < 32; second++) {
      const symbols = [...data, first, second];
      let sum = 0;
      let weighted = 0;
      let power = 1;
      for (const symbol of symbols) {
        sum ^= symbol;
        weighted ^= multiply(symbol, power);
        power = multiply(power, 2);
      }
      if (sum === 0 && weighted === 0) {
        return (
          symbols
            .map((symbol) => alphabet[symbol])
            .join('')
            .match(/.{4}/g) as string[]
        ).join('-');
      }
    }
  }
  throw new Error('no check symbols fit');
}

export function twinRecovery(secret: Uint8Array): { lookupId: Buffer; authenticator: Buffer; kek: Buffer } {
  const derive = (use: string, length: number) =>
    hkdf(secret, Buffer.alloc(0), utf8(`sotto/vault/recovery-${use}/v1`), length);
  return { lookupId: derive('lookup', 16), authenticator: derive('authenticator', 32), kek: derive('kek', 32) };
}
