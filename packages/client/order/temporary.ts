/**
 * A temporary chat (spec/client.md "Order"): a history like any other, sealed under a key that exists nowhere else, over a store
 * that is this object. Nothing of it is written anywhere; with the last reference it is gone.
 */
import type { Clock, Random, RecordStore, StoredRecord } from '@sotto/ports';
import { createAccountKey } from '@sotto/vault';
import { type History, openHistory } from '../history.ts';

export function openTemporaryHistory({ clock, random }: { clock: Clock; random: Random }): Promise<History> {
  const [accountId, deviceId] = [random.bytes(16), random.bytes(16)];
  return openHistory({ accountId, deviceId, accountKey: createAccountKey(random), store: inMemory(), clock, random });
}

function inMemory(): RecordStore {
  const records = new Map<string, StoredRecord>();
  let sequence = 0;
  const set = async (recordId: string, envelope: Uint8Array<ArrayBuffer> | undefined) => {
    records.set(recordId, { recordId, envelope, sequence: ++sequence });
    return { sequence };
  };
  return {
    list: async (afterSequence) => {
      const newer = [...records.values()].filter((record) => record.sequence > afterSequence);
      return { records: newer.sort((a, b) => a.sequence - b.sequence), nextSequence: sequence, more: false };
    },
    put: set,
    remove: (recordId) => set(recordId, undefined),
  };
}
