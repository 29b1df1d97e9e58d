/** Sealing and opening records beside AES-256-GCM of node:crypto with a key imported once. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';

import { RecordCipher } from '@sotto/channel/transcript';
import { primitives } from '@sotto/crypto/primitives';
import { round } from '../statistics.ts';
import { quickest } from './timing.ts';

const BATCH = 30;

/** @param size a record's plaintext */
export async function measureRecords(size: number): Promise<Record<string, number>> {
  const key = randomBytes(32);
  const held = createSecretKey(key);
  const plaintext = new Uint8Array(randomBytes(size));
  const cipher = () => RecordCipher.create(primitives, new Uint8Array(key), 2 ** 40, 0, 2 ** 40);
  const [sending, receiving] = [await cipher(), await cipher()];
  let count = 0;
  const nonce = () => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt32BE(count++, 8);
    return bytes;
  };
  const rawSeal = (iv: Buffer) => {
    const aes = createCipheriv('aes-256-gcm', held, iv);
    const sealed = aes.update(plaintext);
    aes.final();
    return { sealed, tag: aes.getAuthTag() };
  };
  const iv = nonce();
  const { sealed, tag } = rawSeal(iv);
  let records: Uint8Array[] = [];
  const times = await quickest(
    {
      rawSeal: () => rawSeal(nonce()),
      seal: () => records.push(sending.seal(plaintext) as Uint8Array),
      rawOpen: () => {
        const aes = createDecipheriv('aes-256-gcm', held, iv);
        aes.setAuthTag(tag);
        aes.update(sealed);
        aes.final();
      },
      // The records that the same round has sealed, in order.
      open: () => {
        void receiving.open(records.shift() as Uint8Array);
      },
    },
    { rounds: 300, batch: BATCH },
  );
  records = [];
  return {
    'raw seal µs': round(times.rawSeal),
    'seal µs': round(times.seal),
    'raw open µs': round(times.rawOpen),
    'open µs': round(times.open),
    'seal ratio': round(times.rawSeal / times.seal),
    'open ratio': round(times.rawOpen / times.open),
    'raw MB/s': Math.round(size / times.rawSeal),
  };
}
