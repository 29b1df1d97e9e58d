/**
 * Real histories, seals, logs and watches of several devices over one honest server: written, renamed, removed and synced in every
 * order, with times without a network, reloads and power cuts. Everybody comes to hold the same, nothing acknowledged is lost, and
 * nobody is alarmed. Fewer seeds than the worlds without cryptography (world-for-testing.ts), and all that lies between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Random } from '@sotto/ports';
import { createManualClock, createMemorySealedStore, createSeededRandom } from '@sotto/testkit';
import { type AccountKey, createAccountKey, createDeviceKeys, type DeviceKeys } from '@sotto/vault';
import { AccountKeeper } from '../archive/account-keeper.ts';
import { openLocalKey } from '../archive/local-key.ts';
import { createTestServer, type TestServer } from '../archive/server-for-testing.ts';
import { ClientError } from '../errors.ts';
import { History } from '../history.ts';
import { singleEpoch } from '../keyring.ts';
import { createTurns } from '../watch/turns.ts';
import type { RemoteRecords } from './sync-types.ts';
import { Dice } from './world-for-testing.ts';

const SEEDS = 40;
const STEPS = 14;

interface Account {
  readonly accountId: Uint8Array<ArrayBuffer>;
  readonly accountKey: AccountKey;
}

class Device {
  readonly #account: Account;
  readonly #keys: DeviceKeys;
  readonly #server: TestServer;
  readonly #dice: Dice;
  readonly #random: Random;
  readonly #clock = createManualClock();
  sealed = createMemorySealedStore();
  history!: History;
  keeper!: AccountKeeper;
  isOnline = true;
  /** By message id. */
  readonly acknowledged = new Map<string, string>();
  readonly removed = new Set<string>();

  constructor(account: Account, keys: DeviceKeys, server: TestServer, dice: Dice) {
    [this.#account, this.#keys, this.#server, this.#dice] = [account, keys, server, dice];
    this.#random = createSeededRandom(dice.id());
  }

  async open(): Promise<void> {
    this.history?.close();
    this.sealed = this.sealed.reopen();
    const ports = { sealed: this.sealed, random: this.#random, clock: this.#clock, takingTurns: createTurns() };
    const owner = await openLocalKey(ports, this.#account);
    const keyring = singleEpoch(this.#account.accountKey, this.#account.accountId);
    const { accountId } = this.#account;
    const given = { ...ports, accountId, device: this.#keys, keyring, owner, remote: this.#remote() };
    this.keeper = await AccountKeeper.open(given);
    this.history = new History({ ...this.#account, ...ports, deviceId: this.#keys.deviceId }, this.keeper);
  }

  async act(): Promise<void> {
    const what = this.#dice.below(16);
    if (what < 6) return this.#write();
    if (what < 7) return this.#rename();
    if (what < 8) return this.#remove();
    if (what < 12) return this.history.refresh();
    if (what < 13) return this.history.settled();
    if (what < 14) this.isOnline = !this.isOnline;
    else if (what < 15) return this.open();
    else {
      this.sealed.failWrites(this.#dice.oneIn(2) ? 'power-cut' : 'power-cut-after', 1, this.#dice.below(4));
      await this.history.settled().catch(() => undefined);
      await this.#write().catch(() => undefined);
      await this.open();
    }
  }

  async #write(): Promise<void> {
    const chats = this.history.conversations();
    const chat = this.#dice.pick(chats)?.conversationId;
    const text = `text ${this.#dice.below(1_000_000)}`;
    const conversationId =
      chat === undefined || this.#dice.oneIn(4) ? await this.history.createConversation(text) : chat;
    await this.history.load(conversationId);
    const last = this.history.thread(conversationId).at(-1);
    const isRewrite = last !== undefined && this.#dice.oneIn(3);
    const id = await this.history.saveMessage({
      ...{ conversationId, role: 'user', text, status: 'complete' },
      parentId: isRewrite ? last.parentId : last?.messageId,
      ...(isRewrite ? { messageId: last.messageId } : {}),
    });
    this.acknowledged.set(id, conversationId);
  }

  async #rename(): Promise<void> {
    const chat = this.#dice.pick(this.history.conversations());
    if (chat !== undefined) await this.history.rename(chat.conversationId, `title ${this.#dice.below(1000)}`);
  }

  async #remove(): Promise<void> {
    const chat = this.#dice.pick(this.history.conversations())?.conversationId;
    if (chat === undefined) return;
    await this.history.removeConversation(chat);
    this.removed.add(chat);
  }

  #remote(): RemoteRecords {
    const reach = async () => {
      for (let turns = this.#dice.below(4); turns > 0; turns--) await undefined;
      if (!this.isOnline) throw new ClientError('network-unreachable');
    };
    return {
      page: async (after) => reach().then(() => this.#server.page(after)),
      index: async (after) => reach().then(() => this.#server.index(after)),
      send: async (writes) => {
        await reach();
        const answer = await this.#server.send(writes);
        // Applied, and reported as failed.
        if (this.#dice.oneIn(10)) throw new ClientError('network-unreachable');
        return answer;
      },
    };
  }
}

async function shownBy(history: History): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const { conversationId, title, messageCount } of history.conversations()) {
    await history.load(conversationId);
    const texts = history.thread(conversationId).map(({ messageId, text, siblings }) => [messageId, text, siblings]);
    all.push([conversationId, title, messageCount, texts]);
  }
  return all;
}

test(`CL-218 honest devices over an honest server, seeds 0 to ${SEEDS - 1}: all hold the same, nothing is lost, nobody is alarmed`, async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const dice = new Dice(seed);
    const random = createSeededRandom(`honest ${seed}`);
    const server = createTestServer(5);
    const account = { accountId: random.bytes(16), accountKey: createAccountKey(random) };
    const devices: Device[] = [];
    for (let n = 2 + dice.below(3); n > 0; n--) {
      devices.push(new Device(account, await createDeviceKeys(random), server, dice));
    }
    for (const device of devices) await device.open();
    for (let step = 0; step < STEPS; step++) {
      await Promise.all(devices.filter(() => dice.oneIn(2)).map((device) => device.act().catch(() => device.open())));
      for (const [i, { history }] of devices.entries()) {
        assert.deepEqual(history.findings, [], `seed ${seed}, step ${step}: device ${i} is alarmed`);
      }
    }
    for (const device of devices) {
      device.sealed.heal();
      device.isOnline = true;
      await device.open();
    }
    for (let round = 0; round < 4; round++) for (const { history } of devices) await history.settled();
    for (const { keeper } of devices) await keeper.engine.reconcile();
    const [first, ...others] = await Promise.all(devices.map(({ history }) => shownBy(history)));
    for (const other of others) assert.deepEqual(other, first, `seed ${seed}: two devices show different chats`);
    const removed = new Set(devices.flatMap((device) => [...device.removed]));
    for (const [i, { history, keeper, acknowledged }] of devices.entries()) {
      assert.deepEqual(history.findings, [], `seed ${seed}: device ${i} is alarmed`);
      assert.equal(keeper.engine.state.pendingCount, 0, `seed ${seed}: device ${i} has not sent everything`);
      for (const [messageId, chat] of acknowledged) {
        assert.ok(removed.has(chat) || history.hasRecord(messageId), `seed ${seed}: a message is lost`);
      }
    }
    const codes = new Set(devices.map(({ history }) => history.compareCode));
    assert.equal(codes.size, 1, `seed ${seed}: the compare codes differ`);
  }
});
