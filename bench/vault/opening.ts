/**
 * Opening a history of years on one device: the first sync, unlocking to a visible list, opening a long chat, and the memory it
 * takes. The same measurement runs in Node and, bundled, in a browser; both pass their own store.
 */
import { History } from '@sotto/client';
import { AccountKeeper, createTurns, type LocalPorts, openLocalKey, singleEpoch } from '@sotto/client/accounts';
import type { Clock, Random, SealedStore, StoredRecord } from '@sotto/ports';
import { createAccountKey, createDeviceKeys, sealRecord } from '@sotto/vault';
import { FULL_HISTORY, type MadeHistoryOptions, madeHistory } from './made-history.ts';

export interface OpeningPorts {
  readonly sealed: SealedStore;
  readonly random: Random;
  readonly clock: Clock;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Bytes of heap in use, after a collection where there can be one; undefined where nobody tells. */
  readonly heapBytes: () => number | undefined;
  readonly log?: (line: string) => void;
}

export interface OpeningFigures {
  readonly records: number;
  readonly syncRecordsPerSecond: number;
  readonly listMs: number;
  readonly chatMs: number;
  readonly saveMs: number;
  readonly comparedMs: number;
  readonly heapMB: number | undefined;
}

const PAGE = 1000;

export async function measureOpening(
  ports: OpeningPorts,
  options: MadeHistoryOptions = FULL_HISTORY,
): Promise<OpeningFigures> {
  const { sealed, random, clock, now, heapBytes, log = () => undefined } = ports;
  const [accountId, accountKey, device] = [random.bytes(16), createAccountKey(random), await createDeviceKeys(random)];
  const keyring = singleEpoch(accountKey, accountId);
  const before = heapBytes();
  const rows = await sealedRows(options, { accountId, keyring, random });
  const longest = [...madeHistory(options)][0]?.conversationId ?? '';
  log(`${rows.length} records are sealed`);
  const remote = {
    page: async (afterSequence: number) => {
      const records = rows.slice(afterSequence, afterSequence + PAGE);
      return { records, newest: rows.length, more: afterSequence + PAGE < rows.length };
    },
    index: async () => ({ entries: [], newest: rows.length, more: false }),
    send: async (writes: readonly unknown[]) => ({ sequences: writes.map(() => rows.length) }),
  };
  const local: LocalPorts = { sealed, random, takingTurns: createTurns() };
  const open = async () => {
    const owner = await openLocalKey(local, { accountId, accountKey });
    const given = { ...local, accountId, device, keyring, owner, remote, clock };
    const keeper = await AccountKeeper.open(given);
    return {
      keeper,
      history: new History({ accountId, accountKey, deviceId: device.deviceId, clock, random }, keeper),
    };
  };

  const first = await open();
  let atMs = now();
  await first.keeper.engine.pull();
  const syncMs = now() - atMs;
  log(`first sync ${Math.round(syncMs)} ms`);
  first.history.close();

  atMs = now();
  const { keeper, history } = await open();
  const shown = history.conversations().length;
  const listMs = now() - atMs;
  log(`list of ${shown} ${Math.round(listMs)} ms`);
  atMs = now();
  await keeper.compared();
  const comparedMs = now() - atMs;
  atMs = now();
  await history.load(longest);
  const thread = history.thread(longest);
  const chatMs = now() - atMs;
  log(`chat of ${thread.length} ${Math.round(chatMs)} ms`);
  const saves = 10;
  atMs = now();
  for (let count = 0; count < saves; count++) {
    const turn = { role: 'user', status: 'complete', parentId: thread.at(-1)?.messageId } as const;
    await history.saveMessage({ ...turn, conversationId: longest, text: 'One more.' });
  }
  const saveMs = (now() - atMs) / saves;
  rows.length = 0;
  const after = heapBytes();
  const heapMB = before === undefined || after === undefined ? undefined : (after - before) / 1e6;
  history.close();
  return {
    records: FULL_HISTORY === options ? 105_000 : shown,
    syncRecordsPerSecond: (options.messages + options.conversations) / (syncMs / 1000),
    listMs,
    chatMs,
    saveMs,
    comparedMs,
    heapMB,
  };
}

async function sealedRows(
  options: MadeHistoryOptions,
  owner: { accountId: Uint8Array; keyring: ReturnType<typeof singleEpoch>; random: Random },
): Promise<StoredRecord[]> {
  const rows: StoredRecord[] = [];
  for (const { records } of madeHistory(options)) {
    for (const { recordId, deviceId, deviceCounter, content } of records) {
      const envelope = await sealRecord({
        epochKey: owner.keyring.epochKey,
        accountId: owner.accountId,
        recordId: bytesOf(recordId),
        epoch: 1,
        deviceId: bytesOf(deviceId),
        deviceCounter,
        content,
        random: owner.random,
      });
      rows.push({ recordId, sequence: rows.length + 1, envelope });
    }
  }
  return rows;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
