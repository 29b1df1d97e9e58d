/**
 * The account's locks as this device last had them from the server (spec/client.md "Unlocking"): with them passkey and recovery
 * code open the account where the server cannot be reached. They are sealed as they are; what opens them is not here. The store
 * is another program's to change: what does not parse is as if it were not there, and a lock opens or does not.
 */
import { encodeUtf8, parseHex, SottoError } from '@sotto/bytes';
import type { SealedStore } from '@sotto/ports';
import { type LocksAnswer, parseJson, parseLocksAnswer } from '@sotto/wire';
import { localName } from './archive/local-key.ts';
import type { ServerApi } from './server-api.ts';

export type Lock = LocksAnswer['locks'][number];

/** A lock and the account it was kept for. */
export interface KeptLock {
  /** 32 hex digits. */
  readonly accountId: string;
  readonly lock: Lock;
}

const LIMIT_BYTES = 1024 * 1024;
const ACCOUNT = /^acct\/([0-9a-f]{32})\//;

/** Replaces what is kept: a lock that the account no longer has is no longer kept either. */
export async function keepLocks(sealed: SealedStore | undefined, answer: LocksAnswer): Promise<void> {
  const name = localName(parseHex(answer.accountId, 16), 'locks');
  await sealed?.write([{ name, value: encodeUtf8(JSON.stringify(answer)) }]);
}

/** After a change, and after every unlock that found the server: what it has now. Never fails, since nothing waits for it. */
export async function refreshKeptLocks(ports: {
  readonly api: ServerApi;
  readonly sealed?: SealedStore;
}): Promise<void> {
  try {
    const answer = await ports.api.locks();
    // No account is without a lock: whoever says so would take away what opens it offline.
    if (answer.locks.length > 0) await keepLocks(ports.sealed, answer);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
  }
}

/** Of every account that was opened in this browser. */
export async function keptLocks(sealed: SealedStore | undefined): Promise<readonly KeptLock[]> {
  if (sealed === undefined) return [];
  const names = (await accountsHere(sealed)).map((accountId) => localName(parseHex(accountId, 16), 'locks'));
  const values = await sealed.get(names);
  return values.flatMap((value, i) => (value === undefined ? [] : parseKept(names[i] as string, value)));
}

/** The accounts that keep anything here, by going from one to the next. */
async function accountsHere(sealed: SealedStore): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after = ''; ; ) {
    const [first] = await sealed.list('acct/', { after, limit: 1 });
    const accountId = first && ACCOUNT.exec(first.name)?.[1];
    if (accountId === undefined) return found;
    found.push(accountId);
    after = `acct/${accountId}/\uffff`;
  }
}

function parseKept(name: string, value: Uint8Array): readonly KeptLock[] {
  try {
    const { accountId, locks } = parseLocksAnswer(parseJson(value, LIMIT_BYTES));
    // CL-340: locks that stand under another account's name are nobody's.
    if (ACCOUNT.exec(name)?.[1] !== accountId) return [];
    return locks.map((lock) => ({ accountId, lock }));
  } catch {
    return [];
  }
}
