/** A throw-away history in memory, and the operator of the store it lies in. Nothing of the person's own is touched. */
import type { ClientPorts, History, HistoryOptions } from '@sotto/client';
import { createTurns, watchOver } from '@sotto/client/accounts';
import type { DeviceStore, RecordStore, StoredRecord } from '@sotto/ports';
import { createAccountKey, createDeviceKeys } from '@sotto/vault';

type Sealed = Uint8Array<ArrayBuffer>;

/** A store whose operator keeps every version it was ever given, and hands out what it likes. */
export interface EvilStore extends RecordStore {
  /** Returns one record's sealed content under the id of the other. */
  swap(one: string, other: string): void;
  /** Returns the first version of a record again. */
  bringBack(recordId: string): void;
}

export function createEvilStore(): EvilStore {
  const records = new Map<string, StoredRecord>();
  const first = new Map<string, Sealed>();
  let sequence = 0;
  const keep = (recordId: string, envelope: Sealed | undefined) => {
    records.set(recordId, { recordId, sequence: ++sequence, envelope });
    return { sequence };
  };
  return {
    list: async (after) => ({
      records: [...records.values()].filter((one) => one.sequence > after).sort((a, b) => a.sequence - b.sequence),
      nextSequence: sequence,
      more: false,
    }),
    put: async (recordId, envelope) => {
      if (!first.has(recordId)) first.set(recordId, envelope);
      return keep(recordId, envelope);
    },
    remove: async (recordId) => keep(recordId, undefined),
    swap: (one, other) => {
      const [a, b] = [records.get(one)?.envelope, records.get(other)?.envelope];
      keep(one, b);
      keep(other, a);
    },
    bringBack: (recordId) => void keep(recordId, first.get(recordId)),
  };
}

/** Options of a history that nobody will ever open again. */
export async function throwAway({ clock, random }: ClientPorts, store: RecordStore): Promise<HistoryOptions> {
  const [accountKey, device] = [createAccountKey(random), await createDeviceKeys(random)];
  const owner = { accountId: random.bytes(16), accountKey, clock, random };
  const watch = watchOver({ ...owner, device, deviceStore: inMemory(), takingTurns: createTurns() });
  return { ...owner, deviceId: device.deviceId, store, watch };
}

function inMemory(): DeviceStore {
  const values = new Map<string, Sealed>();
  return {
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

/** A chat of one message; returns what it takes to write the message again. */
export async function writeChat(history: History, text: string) {
  const conversationId = await history.createConversation(text);
  const message = { conversationId, parentId: undefined, role: 'user' as const, status: 'complete' as const };
  const messageId = await history.saveMessage({ ...message, text });
  return { ...message, messageId };
}
