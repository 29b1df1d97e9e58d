/** The secrets of one run: canaries that look like what people write, and every key that the run has made. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  type AccountKey,
  deriveEpochKey,
  deriveRecovery,
  parseRecoveryCode,
  unsafeRevealSecret,
  unwrapAccountKey,
} from '@sotto/vault';
import type { Page } from 'playwright-core';
import type { Needle } from './search.ts';

const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Random text with everything that escaping changes. `name` says where it was written. */
export function canary(name: string): Needle & { readonly text: string } {
  const word = () => randomBytes(6).toString('hex');
  const text = `${word()} Grüße "${word()}" \\ /${word()}/ 'tschüß' ${word()}`;
  return { name, text, bytes: Buffer.from(text), kind: 'text' };
}

export const keyNeedle = (name: string, bytes: Uint8Array): Needle => ({
  name,
  bytes: Buffer.from(bytes),
  kind: 'key',
});

/** A guest's keys, from where the browser keeps them. @param whose said in their names */
export async function guestSecrets(page: Page, whose: string): Promise<Needle[]> {
  const bytes = Buffer.from(
    await page.evaluate(async () => {
      // As adapters/browser/erasable-store.ts keeps it: a file named by the key's hex.
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('erasable').catch(() => undefined);
      const file = await folder?.getFileHandle('6775657374').catch(() => undefined);
      if (file !== undefined) return [...new Uint8Array(await (await file.getFile()).arrayBuffer())];
      throw new Error('this browser holds no guest');
    }),
  );
  const { AccountKey: Key } = await import('@sotto/vault');
  const key = new Key(bytes.subarray(32));
  return [
    keyNeedle(`${whose} key`, bytes.subarray(32)),
    keyNeedle(`${whose} epoch key`, unsafeRevealSecret(deriveEpochKey(key, bytes.subarray(0, 16), 1))),
  ];
}

/** Everything that a recovery code opens, with the lock as it lies in the server's database. */
export async function accountSecrets(code: string, serverDataDir: string): Promise<Needle[]> {
  const recovery = deriveRecovery(parseRecoveryCode(code));
  const lockId = Buffer.from(recovery.lookupId).toString('hex');
  const database = new DatabaseSync(path.join(serverDataDir, 'sotto.sqlite'), { readOnly: true });
  const row = database.prepare('select account_id, lock from locks where lock_id = ?').get(lockId);
  database.close();
  if (row === undefined) throw new Error('the recovery lock is not in the database');
  const accountId = Buffer.from(String(row.account_id), 'hex');
  const { accountKey } = await unwrapAccountKey({
    lock: new Uint8Array(row.lock as Uint8Array),
    secret: recovery.kek,
    expectedKind: 'recovery-code',
    expectedAccountId: accountId,
    expectedLockId: recovery.lookupId,
    minimumEpoch: 1,
  });
  const text = (name: string, value: string): Needle => ({ name, bytes: Buffer.from(value), kind: 'text' });
  return [
    text('recovery code', code),
    text('recovery code without hyphens', code.replaceAll('-', '')),
    keyNeedle('recovery secret', secretOf(code)),
    keyNeedle('recovery lock secret', unsafeRevealSecret(recovery.kek)),
    keyNeedle('account key', unsafeRevealSecret(accountKey)),
    keyNeedle('epoch key', unsafeRevealSecret(deriveEpochKey(accountKey as AccountKey, accountId, 1))),
  ];
}

/** The 16 bytes that the code spells: 26 symbols of 5 bits, of which the last 128 bits count. */
function secretOf(code: string): Buffer {
  const symbols = [...code.replaceAll('-', '')].slice(0, 26);
  const value = symbols.reduce((bits, symbol) => (bits << 5n) | BigInt(CODE_ALPHABET.indexOf(symbol)), 0n);
  return Buffer.from((value & ((1n << 128n) - 1n)).toString(16).padStart(32, '0'), 'hex');
}
