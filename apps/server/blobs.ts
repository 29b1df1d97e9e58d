/**
 * Sealed files (spec/server.md "Files"): rows here, bytes in the blob store. A part is durable in the store before its row is written, and
 * its row is gone before it is removed there: a row always has its part, and a part without a row is left over and collected. What
 * writes and removes takes its account's turn, from the first question to the last row.
 */
import { encodeHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { BlobStore } from '@sotto/ports';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './database/schema.ts';
import { wasRemoved } from './deleted-accounts.ts';
import { ServerError } from './errors.ts';
import type { Services, Writer } from './services.ts';

/** A part is in the store for a moment before its row is written. */
const LEFT_OVER_MS = 60 * 60 * 1000;

type BlobServices = Pick<Services, 'db' | 'clock' | 'limits' | 'blobs' | 'blobTurns'>;
type Bytes = Uint8Array<ArrayBuffer>;

/** @returns bytes of the file that are kept. @throws ServerError `blob-digest-mismatch`, `blob-conflict`, `store-full` */
export function putPart(services: BlobServices, writer: Writer, ...part: Part): Promise<number> {
  return services.blobTurns.take(writer.accountId, () => putPartInTurn(services, writer, ...part));
}

type Part = [blobId: string, part: number, bytes: Bytes, expectedDigest: string];

async function putPartInTurn(
  services: BlobServices,
  { accountId, hold }: Writer,
  ...[blobId, part, bytes, expectedDigest]: Part
): Promise<number> {
  const { db, blobs } = services;
  const digest = encodeHex(sha256(bytes));
  // SV-71: a part that was spoiled on the way would be found out when the file is needed, and the first copy is gone
  if (digest !== expectedDigest) throw new ServerError('blob-digest-mismatch');
  const row = { account_id: accountId, blob_id: blobId, part, digest, bytes: bytes.length };
  const isThere = await db.transaction().execute(async (transaction) => {
    await hold(transaction);
    return judge(services, transaction, row);
  });
  if (!isThere) {
    await blobs.put({ ownerId: accountId, blobId, part }, bytes);
    await db.transaction().execute(async (transaction) => {
      await hold(transaction);
      if (await judge(services, transaction, row)) return;
      const blob = { account_id: accountId, blob_id: blobId, written_at_ms: services.clock.nowMs() };
      await transaction
        .insertInto('blobs')
        .values({ ...blob, committed: 0 })
        .onConflict((conflict) => conflict.columns(['account_id', 'blob_id']).doUpdateSet(blob))
        .execute();
      await transaction.insertInto('blob_parts').values(row).execute();
      await count(transaction, accountId, bytes.length);
    });
  }
  return sizeOf(db, accountId, blobId);
}

/** Whether the part is kept already. @throws ServerError `blob-conflict`, `store-full` */
async function judge(
  { limits }: BlobServices,
  db: Transaction<Database>,
  { account_id, blob_id, part, digest, bytes }: Database['blob_parts'],
): Promise<boolean> {
  const mine = db.selectFrom('blobs').where('account_id', '=', account_id);
  const blob = await mine.select('committed').where('blob_id', '=', blob_id).executeTakeFirst();
  const held = await db
    .selectFrom('blob_parts')
    .select('digest')
    .where('account_id', '=', account_id)
    .where('blob_id', '=', blob_id)
    .where('part', '=', part)
    .executeTakeFirst();
  if (held?.digest === digest) return true;
  // SV-71: a second writer would mix two sealings into one file that nobody can open
  if (held !== undefined || blob?.committed === 1) throw new ServerError('blob-conflict');
  const account = await db
    .selectFrom('accounts')
    .select(['record_bytes', 'blob_bytes'])
    .where('account_id', '=', account_id)
    .executeTakeFirstOrThrow();
  const total = account.record_bytes + account.blob_bytes + bytes;
  // SV-73: one account must not fill the disk for all
  if (total > limits.bytesPerAccount) throw new ServerError('store-full');
  const files = await mine.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  // SV-73: as above, with the smallest of files
  if (blob === undefined && files.count >= limits.blobsPerAccount) throw new ServerError('store-full');
  const all = db.selectFrom('blob_parts').where('account_id', '=', account_id);
  const parts = await all.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  // SV-73: as above, with the smallest of parts: the disk gives each a block and a name
  if (parts.count >= limits.blobPartsPerAccount) throw new ServerError('store-full');
  return false;
}

/** @returns bytes of the file. @throws ServerError `blob-unknown`, `blob-incomplete`, `blob-conflict` */
export function commitBlob(services: BlobServices, writer: Writer, blobId: string, parts: number): Promise<number> {
  return services.blobTurns.take(writer.accountId, () => commitInTurn(services, writer, blobId, parts));
}

async function commitInTurn(
  { db, clock, blobs }: BlobServices,
  { accountId, hold }: Writer,
  blobId: string,
  parts: number,
): Promise<number> {
  const rows = await db
    .selectFrom('blob_parts')
    .select(['part', 'bytes'])
    .where('account_id', '=', accountId)
    .where('blob_id', '=', blobId)
    .orderBy('part')
    .execute();
  if (rows.length === 0) throw new ServerError('blob-unknown');
  const stored = await blobs.sizes(accountId, blobId);
  const isWhole = rows.length === parts && rows.every(({ part, bytes }, i) => part === i && stored.get(part) === bytes);
  // SV-72: a device that is told "kept" forgets its own copy
  if (!isWhole) throw new ServerError('blob-incomplete');
  await db.transaction().execute(async (transaction) => {
    await hold(transaction);
    await transaction
      .updateTable('blobs')
      .set({ committed: 1, written_at_ms: clock.nowMs() })
      .where('account_id', '=', accountId)
      .where('blob_id', '=', blobId)
      .where('committed', '=', 0)
      .execute();
  });
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A part of a whole file. @throws ServerError `blob-unknown` */
export async function readPart(
  { db, blobs }: BlobServices,
  accountId: string,
  blobId: string,
  part: number,
): Promise<Bytes> {
  const blob = await db
    .selectFrom('blobs')
    .select('committed')
    .where('account_id', '=', accountId)
    .where('blob_id', '=', blobId)
    .executeTakeFirst();
  // SV-72: half a file is not handed out as a file
  if (blob?.committed !== 1) throw new ServerError('blob-unknown');
  const bytes = await blobs.get({ ownerId: accountId, blobId, part });
  if (bytes === undefined) throw new ServerError('blob-unknown');
  return bytes;
}

/** Done where there is none. */
export function removeBlob(services: BlobServices, { accountId, hold }: Writer, blobId: string): Promise<void> {
  return services.blobTurns.take(accountId, () => removeInTurn(services, accountId, blobId, hold));
}

/** Within the account's turn. @param hold of whoever asks for it; the server's own cleaning needs no session */
export async function removeInTurn(
  { db, blobs }: BlobServices,
  accountId: string,
  blobId: string,
  hold: Writer['hold'] = async () => undefined,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await hold(transaction);
    await forget(transaction, accountId, blobId);
  });
  await blobs.remove(accountId, blobId);
}

async function forget(db: Transaction<Database>, accountId: string, blobId: string): Promise<void> {
  await count(db, accountId, -(await sizeOf(db, accountId, blobId)));
  await db.deleteFrom('blobs').where('account_id', '=', accountId).where('blob_id', '=', blobId).execute();
}

/** Removes what was begun and not finished, and parts that no row names: of removed files and accounts, and of writes that a crash cut. */
export async function collectBlobs(services: BlobServices): Promise<number> {
  const { db, clock, limits, blobs, blobTurns } = services;
  const oldestMs = clock.nowMs() - limits.unfinishedBlobMs;
  let removed = 0;
  const unfinished = await db
    .selectFrom('blobs')
    .select(['account_id', 'blob_id'])
    .where('committed', '=', 0)
    .where('written_at_ms', '<', oldestMs)
    .execute();
  for (const { account_id, blob_id } of unfinished) {
    const isGone = await blobTurns.take(account_id, async () => {
      const blob = await blobRow(db, account_id, blob_id);
      // SV-75: while others were removed its device may have gone on with it, or finished it
      if (blob === undefined || blob.committed === 1 || blob.written_at_ms >= oldestMs) return false;
      await removeInTurn(services, account_id, blob_id);
      return true;
    });
    if (isGone) removed++;
  }
  for await (const { ownerId, blobId, writtenAtMs } of blobs.list()) {
    if (clock.nowMs() - writtenAtMs < LEFT_OVER_MS) continue;
    const isGone = await blobTurns.take(ownerId, async () => {
      if ((await blobRow(db, ownerId, blobId)) !== undefined) return false;
      await blobs.remove(ownerId, blobId);
      return true;
    });
    if (isGone) removed++;
  }
  return removed;
}

/** True where the store holds files and the database knows no account, nor a removed one: the two do not belong together. */
export async function isForeignStore(db: Kysely<Database>, blobs: BlobStore): Promise<boolean> {
  if ((await db.selectFrom('accounts').select('account_id').limit(1).executeTakeFirst()) !== undefined) return false;
  for await (const { ownerId } of blobs.list()) if (!(await wasRemoved({ db }, ownerId))) return true;
  return false;
}

async function blobRow(db: Kysely<Database>, accountId: string, blobId: string) {
  const mine = db.selectFrom('blobs').selectAll().where('account_id', '=', accountId);
  return mine.where('blob_id', '=', blobId).executeTakeFirst();
}

async function sizeOf(db: Kysely<Database>, accountId: string, blobId: string): Promise<number> {
  const { bytes } = await db
    .selectFrom('blob_parts')
    .select((eb) => eb.fn.sum<number | null>('bytes').as('bytes'))
    .where('account_id', '=', accountId)
    .where('blob_id', '=', blobId)
    .executeTakeFirstOrThrow();
  return Number(bytes ?? 0);
}

async function count(db: Transaction<Database>, accountId: string, bytes: number): Promise<void> {
  await db
    .updateTable('accounts')
    .set((eb) => ({ blob_bytes: eb('blob_bytes', '+', bytes) }))
    .where('account_id', '=', accountId)
    .execute();
}
