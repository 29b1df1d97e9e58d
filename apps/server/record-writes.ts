/**
 * Writing sealed records: numbered per account in the order of their writes, whole or not at all, in one transaction. Who
 * writes is known; what it holds is not. spec/server.md §records.
 */
import { equalBytes } from '@sotto/bytes';
import type { BatchAnswer } from '@sotto/wire';
import type { Kysely } from 'kysely';
import type { Database } from './database/schema.ts';
import { ServerError } from './errors.ts';
import { isOlderThan } from './sealed-epoch.ts';
import type { Services, Writer } from './services.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface RecordWrite {
  /** 16 bytes as hex. */
  readonly recordId: string;
  /** Undefined removes. */
  readonly envelope: Bytes | undefined;
  /** The newest sequence that the writer has merged; undefined where it does not say. */
  readonly base?: number | undefined;
}

/**
 * Applies the writes in order, up to the first one that is refused (SV-62).
 *
 * @throws ServerError `bad-request` for an id of another form, `signed-out`; what the database throws leaves everything as it was (SV-23)
 */
export async function writeRecords(
  services: Services,
  { accountId, hold }: Writer,
  writes: readonly RecordWrite[],
): Promise<BatchAnswer> {
  if (writes.some(({ recordId }) => !/^[0-9a-f]{32}$/.test(recordId))) throw new ServerError('bad-request');
  const ids = new Set(writes.map(({ recordId }) => recordId));
  // SV-135: the second would be refused because of the first, and its writer told of another device.
  if (ids.size < writes.length) throw new ServerError('bad-request');
  const answer = await services.db.transaction().execute(async (transaction) => {
    await hold(transaction);
    return writeRecordsIn(services, transaction, accountId, writes);
  });
  const { newest, ...told } = answer;
  if (told.sequences.length > 0) services.onRecordsChanged(accountId, newest);
  return told;
}

/**
 * The same within the caller's transaction.
 *
 * @param oldestEpoch whose records are taken; the account's newest unless a rotation brings some for those who are in the one before
 */
export async function writeRecordsIn(
  { clock, limits }: Pick<Services, 'clock' | 'limits'>,
  transaction: Kysely<Database>,
  accountId: string,
  writes: readonly RecordWrite[],
  oldestEpoch?: number,
): Promise<BatchAnswer & { newest: number }> {
  // Written before it is read, so that another writer of this account waits here.
  const account = await transaction
    .updateTable('accounts')
    .set((eb) => ({ last_sequence: eb.ref('last_sequence') }))
    .where('account_id', '=', accountId)
    .returningAll()
    .executeTakeFirstOrThrow();
  let { last_sequence: newest, record_count: count, record_bytes: bytes } = account;
  const sequences: number[] = [];
  let refused: BatchAnswer['refused'];
  for (const { recordId, envelope, base } of writes) {
    const before = await storedRecord(transaction, accountId, recordId);
    const isRepeated = base !== undefined && before !== undefined && isSame(before.envelope, envelope);
    // SV-61: a write whose answer was lost would be a conflict with itself.
    if (isRepeated) {
      sequences.push(before.sequence);
      continue;
    }
    const isConflict = base !== undefined && before !== undefined && before.sequence > base;
    // SV-60: a writer that has not seen the newest version would replace it without merging it.
    if (isConflict) refused = 'record-conflict';
    const moreCount = count + (before === undefined ? 1 : 0);
    const moreBytes = bytes + (envelope?.length ?? 0) - (before?.envelope?.length ?? 0);
    const isOverCap =
      moreCount > limits.recordsPerAccount ||
      (envelope !== undefined && moreBytes + account.blob_bytes > limits.bytesPerAccount);
    // SV-21: one account must not fill the disk for all.
    if (isOverCap) refused ??= 'store-full';
    const isStale = envelope !== undefined && isOlderThan(oldestEpoch ?? account.epoch, envelope);
    // SV-107: a device that has not heard of the rotation would write what every other device refuses.
    if (isStale) refused ??= 'epoch-stale';
    // SV-62: a write that stands behind a refused one may speak of it, as a head does.
    if (refused !== undefined) break;
    [newest, count, bytes] = [newest + 1, moreCount, moreBytes];
    const row = { sequence: newest, envelope: envelope ?? null, written_at_ms: clock.nowMs() };
    await transaction
      .insertInto('records')
      .values({ account_id: accountId, record_id: recordId, ...row })
      .onConflict((conflict) => conflict.columns(['account_id', 'record_id']).doUpdateSet(row))
      .execute();
    sequences.push(newest);
  }
  await transaction
    .updateTable('accounts')
    .set({ last_sequence: newest, record_count: count, record_bytes: bytes })
    .where('account_id', '=', accountId)
    .execute();
  return { sequences, newest, ...(refused === undefined ? {} : { refused }) };
}

async function storedRecord(db: Kysely<Database>, accountId: string, recordId: string) {
  return db
    .selectFrom('records')
    .select(['sequence', 'envelope'])
    .where('account_id', '=', accountId)
    .where('record_id', '=', recordId)
    .executeTakeFirst();
}

function isSame(stored: Uint8Array | null, given: Uint8Array | undefined): boolean {
  return stored === null || given === undefined ? stored === (given ?? null) : equalBytes(stored, given);
}
