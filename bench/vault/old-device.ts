/**
 * A device that has written an account's history for years: its records and the heads that list them, sealed and sent to a server
 * as fast as it takes them. What a new device then fetches is what it would fetch of a person.
 */
import { encodeHex, parseHex } from '@sotto/bytes';
import type { ServerApi } from '@sotto/client';
import { singleEpoch } from '@sotto/client/accounts';
import type { Random } from '@sotto/ports';
import { type AccountKey, createDeviceKeys, type RecordContent, sealRecord } from '@sotto/vault';
import { announceDevice, type LogEntry, OwnLog, writeDigest } from '@sotto/vault/heads';
import { type BatchWrite, RECORD_BATCH_LIMIT_BYTES, RECORD_BATCH_LIMIT_COUNT } from '@sotto/wire';
import { type MadeHistoryOptions, madeHistory } from './made-history.ts';

interface Account {
  readonly accountId: Uint8Array;
  readonly accountKey: AccountKey;
}

/** Room for ids and lengths beside the envelopes of a batch. */
const BATCH_BYTES = RECORD_BATCH_LIMIT_BYTES - 64 * RECORD_BATCH_LIMIT_COUNT;

/** @param api signed in to the account @returns how many records it sent: those of the chats, and all of them */
export async function writeOldHistory(
  api: ServerApi,
  { accountId, accountKey }: Account,
  random: Random,
  options: MadeHistoryOptions,
): Promise<{ readonly chats: number; readonly all: number }> {
  const keys = await createDeviceKeys(random);
  const deviceId = encodeHex(keys.deviceId);
  const { epochKey } = singleEpoch(accountKey, accountId);
  let [batch, bytes, counter, all]: [BatchWrite[], number, number, number] = [[], 0, 0, 0];
  const flush = async () => {
    const { sequences } = await api.sendRecords(batch);
    if (sequences.length !== batch.length) throw new Error('the server did not take everything');
    all += batch.length;
    [batch, bytes] = [[], 0];
  };
  const send = async (recordId: string, deviceCounter: number, content: RecordContent) => {
    const bound = { accountId, recordId: parseHex(recordId, 16), epoch: 1, deviceId: keys.deviceId, deviceCounter };
    const envelope = await sealRecord({ ...bound, epochKey, content, random });
    if (batch.length === RECORD_BATCH_LIMIT_COUNT || bytes + envelope.length > BATCH_BYTES) await flush();
    batch.push({ recordId, base: 0, envelope });
    bytes += envelope.length;
  };
  const entries: LogEntry[] = [];
  for (const { records } of madeHistory({ ...options, deviceId })) {
    for (const record of records) {
      counter = record.deviceCounter;
      entries.push({ recordId: record.recordId, digest: encodeHex(writeDigest(record)), replaces: [] });
      await send(record.recordId, counter, record.content);
    }
  }
  const { endsAtMs: atMs = Date.UTC(2026, 10, 1) } = options;
  const covered = counter;
  const ofDevice = announceDevice(keys, atMs, atMs);
  const log = new OwnLog(keys, accountId);
  const contents = [
    ofDevice,
    ...(await log.append(entries, { seen: new Map(), covered, atMs, clock: atMs })).map(({ content }) => content),
  ];
  for (const content of contents) await send(encodeHex(random.bytes(16)), ++counter, content);
  await flush();
  return { chats: entries.length, all };
}
