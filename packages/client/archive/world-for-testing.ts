/** Devices of one account over one test server, with real seals and real watches. For tests only. */
import type { Clock } from '@sotto/ports';
import {
  createManualClock,
  createMemorySealedStore,
  createSeededRandom,
  type MemorySealedStore,
  settle,
} from '@sotto/testkit';
import { createAccountKey, createDeviceKeys, type DeviceKeys } from '@sotto/vault';
import { History } from '../history.ts';
import { singleEpoch } from '../keyring.ts';
import { createTurns, type TakingTurns } from '../watch/turns.ts';
import { AccountKeeper } from './account-keeper.ts';
import { openLocalKey } from './local-key.ts';
import { createTestServer, type TestServer } from './server-for-testing.ts';

export interface TestDevice {
  readonly keys: DeviceKeys;
  sealed: MemorySealedStore;
  readonly takingTurns: TakingTurns;
}

export interface OpenedDevice {
  readonly history: History;
  readonly keeper: AccountKeeper;
}

export interface TestPerson {
  readonly accountId: Uint8Array<ArrayBuffer>;
  readonly server: TestServer;
  readonly clock: Clock;
  newDevice(): Promise<TestDevice>;
  /** As a visit does: what is stored on the device is opened. Nothing is fetched. */
  open(device: TestDevice): Promise<OpenedDevice>;
}

export function newPerson(seed: string): TestPerson {
  const random = createSeededRandom(seed);
  const clock = createManualClock();
  const server = createTestServer();
  const [accountId, accountKey] = [random.bytes(16), createAccountKey(random)];
  return {
    accountId,
    server,
    clock,
    newDevice: async () => ({
      keys: await createDeviceKeys(random),
      sealed: createMemorySealedStore(),
      takingTurns: createTurns(),
    }),
    async open({ keys, sealed, takingTurns }) {
      const owner = await openLocalKey({ sealed, random, takingTurns }, { accountId, accountKey });
      const keyring = singleEpoch(accountKey, accountId);
      const ports = { sealed, remote: server, clock, random, takingTurns };
      const keeper = await AccountKeeper.open({ accountId, device: keys, keyring, owner, ...ports });
      const history = new History({ accountId, accountKey, deviceId: keys.deviceId, clock, random }, keeper);
      return { history, keeper };
    },
  };
}

/** A chat with one message. */
export async function say(history: History, text: string): Promise<{ chat: string; message: string }> {
  const chat = await history.createConversation(text);
  const turn = { conversationId: chat, status: 'complete', role: 'user', parentId: undefined } as const;
  return { chat, message: await history.saveMessage({ ...turn, text }) };
}

export async function textsOf(history: History, chat: string): Promise<string[]> {
  await history.load(chat);
  return history.thread(chat).map(({ text }) => text);
}

export { settle };
