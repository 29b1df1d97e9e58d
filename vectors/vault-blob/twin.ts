/**
 * A second, independent writer of blobs (spec/vault.md, "Blobs"), on Node's own crypto; it shares no line with `packages/vault`, and can
 * also write what the spec forbids.
 */
import { createCipheriv, hkdfSync } from 'node:crypto';

export interface TwinBlob {
  key: Uint8Array;
  blobId: Uint8Array;
  salt: Uint8Array;
  content: Uint8Array;
  magic?: string;
  version?: number;
  chunk: number;
  /** The length written inside, where it should be another than the true one. */
  statedLength?: number;
  /** The last byte of the padding. */
  paddingByte?: number;
  /** What the last chunk's nonce ends with; 1 unless said otherwise. */
  lastFlag?: number;
  /** Use this AAD instead of the prefix. */
  aad?: Uint8Array;
}

/** Padmé by its definition: keep the first S bits below the first. */
function padme(length: number): number {
  if (length < 2) return length;
  const e = length.toString(2).length - 1;
  const s = e === 0 ? 0 : e.toString(2).length;
  const mask = (1n << BigInt(Math.max(0, e - s))) - 1n;
  return Number((BigInt(length) + mask) & ~mask);
}

export function twinParts(blob: TwinBlob): Buffer[] {
  const header = Buffer.concat([
    Buffer.from(blob.magic ?? 'SVB', 'utf8'),
    Buffer.of(blob.version ?? 1, blob.chunk),
    blob.blobId,
  ]);
  const info = Buffer.concat([Buffer.from('sotto/vault/blob/v1', 'utf8'), header]);
  const keys = Buffer.from(hkdfSync('sha256', blob.key, blob.salt, info, 64));
  const prefix = Buffer.concat([header, blob.salt, keys.subarray(32)]);
  const inside = Buffer.alloc(Math.max(4096, padme(blob.content.length + 8)));
  inside.writeBigUInt64BE(BigInt(blob.statedLength ?? blob.content.length));
  inside.set(blob.content, 8);
  if (blob.paddingByte !== undefined) inside[inside.length - 1] = blob.paddingByte;
  const size = 2 ** blob.chunk;
  const count = Math.ceil(inside.length / size);
  return Array.from({ length: count }, (_, index) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = index === count - 1 ? (blob.lastFlag ?? 1) : 0;
    const cipher = createCipheriv('aes-256-gcm', keys.subarray(0, 32), nonce);
    cipher.setAAD(blob.aad ?? prefix);
    const plain = inside.subarray(index * size, (index + 1) * size);
    const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return index === 0 ? Buffer.concat([prefix, sealed]) : sealed;
  });
}
