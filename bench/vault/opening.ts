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
  /** Of the processor, in all. */
  readonly cpuMs?: () => number | Promise<number>;
  /** Bytes of heap in use, after a collection where there can be one; undefined where nobody tells. */
  readonly heapBytes: () => number | undefined | Promise<number | undefined>;
  readonly log?: (line: string) => void;
}

/** Milliseconds by the clock on the wall and, where it can be told, of the processor. */
export interface Cost {
  readonly ms: number;
  readonly cpuMs: number | undefined;
}

export interface OpeningFigures {
  readonly records: number;
  readonly firstSync: Cost;
  readonly list: Cost;
  readonly compared: Cost;
  readonly chat: Cost;
  /** One message of a chat of 500. */
  readonly save: Cost;
  readonly heapMB: number | undefined;
}

const PAGE = 1000;
const SAVES = 10;

export async function measureOpening(
  ports: OpeningPorts,
  options: MadeHistoryOptions = FULL_HISTORY,
): Promise<OpeningFigures> {
  const { sealed, random, clock, heapBytes, log = () => undefined } = ports;
  const [accountId, accountKey, device] = [random.bytes(16), createAccountKey(random), await createDeviceKeys(random)];
  const keyring = singleEpoch(accountKey, accountId);
  const rows = await sealedRows(options, { accountId, keyring, random });
  const records = rows.length;
  const longest = madeHistory(options).next().value?.conversationId ?? '';
  log(`${records} records are sealed`);
  const remote = {
    page: async (afterSequence: number) => {
      const page = rows.slice(afterSequence, afterSequence + PAGE);
      return { records: page, newest: rows.length, more: afterSequence + PAGE < rows.length };
    },
    index: async () => ({ entries: [], newest: rows.length, more: false }),
    send: async (writes: readonly unknown[]) => ({ sequences: writes.map(() => rows.length) }),
  };
  const local: LocalPorts = { sealed, random, takingTurns: createTurns() };
  const open = async () => {
    const owner = await openLocalKey(local, { accountId, accountKey });
    const keeper = await AccountKeeper.open({ ...local, accountId, device, keyring, owner, remote, clock });
    return {
      keeper,
      history: new History({ accountId, accountKey, deviceId: device.deviceId, clock, random }, keeper),
    };
  };
  const costOf = async (name: string, work: () => unknown): Promise<Cost> => {
    const atCpuMs = await ports.cpuMs?.();
    const atMs = ports.now();
    await work();
    const ms = ports.now() - atMs;
    const cpuMs = atCpuMs === undefined ? undefined : ((await ports.cpuMs?.()) ?? 0) - atCpuMs;
    const cost = { ms, cpuMs };
    log(`${name}: ${cost.ms.toFixed(0)} ms${cpuMs === undefined ? '' : `, processor ${cpuMs.toFixed(0)} ms`}`);
    return cost;
  };

  const first = await open();
  const firstSync = await costOf('first sync', () => first.keeper.engine.pull());
  first.history.close();
  rows.length = 0;

  const before = await heapBytes();
  let opened = first;
  const list = await costOf('list', async () => {
    opened = await open();
    opened.history.conversations();
  });
  const { keeper, history } = opened;
  const compared = await costOf('marks and comparison, behind', () => keeper.compared());
  let parentId: string | undefined;
  const chat = await costOf('chat of 500', async () => {
    await history.load(longest);
    parentId = history.thread(longest).at(-1)?.messageId;
  });
  const turn = { conversationId: longest, role: 'user', status: 'complete' } as const;
  const saves = await costOf(`${SAVES} messages saved`, async () => {
    for (let count = 0; count < SAVES; count++) {
      parentId = await history.saveMessage({ ...turn, parentId, text: 'One more.' });
    }
  });
  const save = { ms: saves.ms / SAVES, cpuMs: saves.cpuMs === undefined ? undefined : saves.cpuMs / SAVES };
  const after = await heapBytes();
  const heapMB = before === undefined || after === undefined ? undefined : (after - before) / 1e6;
  history.close();
  return { records, firstSync, list, compared, chat, save, heapMB };
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
