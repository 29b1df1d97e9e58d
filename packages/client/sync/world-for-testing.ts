/**
 * A world of devices and one server, driven by a seed: writes, heads, removals, syncs that run into each other, times without a
 * network, clocks that are years off, crashes with both faults. It checks at every step what must hold at every step, and at the
 * end that everybody has the same and nothing is lost. No cryptography: envelopes are JSON, so that ten thousand worlds take seconds.
 * For tests only.
 */
import assert from 'node:assert/strict';
import { encodeUtf8, parseUtf8 } from '@sotto/bytes';
import type { SealedChange, StoredRecord } from '@sotto/ports';
import { createMemorySealedStore, type MemorySealedStore } from '@sotto/testkit';
import { buildConversations, compareVersions, nextClock, type OpenedRecord, type RecordContent } from '@sotto/vault';
import type { BatchAnswer, BatchWrite } from '@sotto/wire';
import { ClientError, type ClientErrorCode } from '../errors.ts';
import { createTurns } from '../watch/turns.ts';
import { Engine } from './engine.ts';
import type { OutgoingWrite, RemoteRecords, SyncedHistory } from './sync-types.ts';

const ACCOUNT = new Uint8Array(16).fill(1);
const START_MS = 1_800_000_000_000;
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const HEAD = 'head';

/** xorshift32: the same for ever from the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) | 1;
    for (let turn = 0; turn < 8; turn++) this.below(2);
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Value>(values: readonly Value[]): Value | undefined {
    return values[this.below(values.length || 1)];
  }

  id(): string {
    let id = '';
    while (id.length < 32) id += (this.below(0x10000) + 0x10000).toString(16).slice(1);
    return id;
  }
}

/** One text, one object: comparing and reading what was read before costs nothing. */
const decoded = new Map<string, OpenedRecord>();
const encode = (record: OpenedRecord) => encodeUtf8(JSON.stringify(record));
function decode(bytes: Uint8Array): OpenedRecord {
  const text = parseUtf8(bytes);
  const record = decoded.get(text) ?? (JSON.parse(text) as OpenedRecord);
  if (decoded.size > 5000) decoded.clear();
  decoded.set(text, record);
  return record;
}
const compare = (a: OpenedRecord, b: OpenedRecord) => (a === b ? 0 : compareVersions(a, b));
const isSame = (a: OpenedRecord, b: OpenedRecord) => compare(a, b) === 0;

/** What a head says, in the world: what its device removed, and what it wrote. */
interface HeadFields {
  readonly removed: readonly string[];
  readonly written: readonly OpenedRecord[];
}
const headOf = ({ content }: OpenedRecord): HeadFields | undefined =>
  content.type === 'unknown' && content.recordType === HEAD ? (content.fields as unknown as HeadFields) : undefined;

/** An honest server, which checks that its writers are. */
class World {
  readonly dice: Dice;
  readonly rows = new Map<string, StoredRecord>();
  newest = 0;
  /** Every write that a device was told is kept; by record, newest last. */
  readonly acknowledged = new Map<string, OpenedRecord[]>();
  /** Removals that a device was told are kept. */
  readonly removals = new Set<string>();

  constructor(dice: Dice) {
    this.dice = dice;
  }

  /** @param isGoing the writer has removed it since, and says so next: what it replaces meanwhile is of no account */
  write({ recordId, base, envelope }: BatchWrite, isGoing: boolean): number | 'record-conflict' {
    const before = this.rows.get(recordId);
    const isRepeated = before !== undefined && String(before.envelope) === String(envelope);
    if (isRepeated) return before.sequence;
    if (before !== undefined && before.sequence > base) return 'record-conflict';
    this.#check(recordId, isGoing ? undefined : before?.envelope, envelope);
    this.rows.delete(recordId);
    this.rows.set(recordId, { recordId, sequence: ++this.newest, envelope });
    return this.newest;
  }

  removedByHeads(): Set<string> {
    const heads = [...this.rows.values()].flatMap(({ envelope }) => (envelope ? (headOf(decode(envelope)) ?? []) : []));
    return new Set(heads.flatMap(({ removed }) => removed));
  }

  /** CL-209, CL-218: whoever reads at this moment must not see a head that speaks of what is not there, nor a step back. */
  #check(recordId: string, before: Uint8Array | undefined, envelope: Uint8Array | undefined): void {
    if (envelope === undefined) {
      assert.ok(this.removedByHeads().has(recordId), 'a record was removed before a head told it');
      return;
    }
    const written = decode(envelope);
    assert.ok(
      this.rows.get(recordId)?.envelope !== undefined || !this.removedByHeads().has(recordId),
      'a removed record came back',
    );
    if (before !== undefined)
      assert.ok(compare(decode(before), written) < 0, 'a version that lost replaced one that won');
    const head = headOf(written);
    if (head === undefined) return;
    const removed = new Set([...this.removedByHeads(), ...head.removed]);
    for (const listed of head.written.filter((each) => !removed.has(each.recordId))) {
      const shown = this.rows.get(listed.recordId)?.envelope;
      assert.ok(shown !== undefined, 'a head lists what the server does not have');
      assert.ok(compare(decode(shown), listed) >= 0, 'a head lists what the server has only older');
    }
  }
}

export interface WorldOptions {
  readonly steps?: number;
}

class Device implements SyncedHistory {
  readonly world: World;
  readonly deviceId: string;
  readonly #headId: string;
  readonly #skewMs: number;
  store: MemorySealedStore = createMemorySealedStore();
  engine!: Engine;
  held = new Map<string, OpenedRecord>();
  shown = new Map<string, OpenedRecord>();
  #clock = 0;
  #counter = 0;
  isOnline = true;
  /** Since the last head. */
  #unlisted: OpenedRecord[] = [];
  #removed: string[] = [];
  /** Counts starts: what an earlier one still has under way is dead. */
  #life = 0;

  constructor(world: World) {
    this.world = world;
    this.deviceId = world.dice.id();
    this.#headId = world.dice.id();
    this.#skewMs = world.dice.oneIn(3) ? (world.dice.below(21) - 10) * YEAR_MS : world.dice.below(5000);
  }

  /** After a start, a reload or a power cut: what the store holds is all there is. */
  async start(): Promise<void> {
    this.engine?.close();
    this.#life++;
    this.store = this.store.reopen();
    this.held = await this.#load('pack');
    this.shown = await this.#load('seen');
    const own = this.held.get(this.#headId);
    this.#removed = [...((own && headOf(own)?.removed) ?? [])];
    this.#unlisted = [...((own && headOf(own)?.written) ?? [])];
    for (const record of this.held.values()) this.#learn(record);
    this.engine = new Engine({
      accountId: ACCOUNT,
      store: this.store,
      seal: { seal: async (_, content) => new Uint8Array(content), open: async (_, sealed) => new Uint8Array(sealed) },
      remote: this.#remote(this.#life),
      history: this,
      clock: { nowMs: () => this.nowMs(), sleep: async () => undefined },
      takingTurns: createTurns(),
    });
    await this.engine.load();
  }

  nowMs(): number {
    return START_MS + this.#skewMs + this.world.newest;
  }

  // What a person does

  async writeMessage(): Promise<void> {
    const { dice } = this.world;
    const messages = [...this.held.values()].filter(({ content }) => content.type === 'message');
    const isRewrite = messages.length > 0 && dice.oneIn(3);
    const about = dice.pick(messages);
    const earlier = about?.content.type === 'message' ? about.content : undefined;
    await this.write(isRewrite && about ? about.recordId : dice.id(), (clock) => ({
      ...(isRewrite && earlier
        ? earlier
        : {
            type: 'message' as const,
            conversationId: earlier?.conversationId ?? dice.id(),
            parents: about === undefined || dice.oneIn(8) ? [] : [about.recordId],
            role: 'user' as const,
            status: 'complete' as const,
            createdAtMs: Math.max(0, this.nowMs()),
          }),
      clock,
      text: `${this.deviceId.slice(0, 4)} ${dice.below(1000)}`,
    }));
  }

  async writeHead(): Promise<void> {
    const fields = { removed: [...this.#removed], written: this.#unlisted.map((each) => ({ ...each })) };
    await this.write(this.#headId, (clock) => ({
      ...{ type: 'unknown', recordType: HEAD, clock, fields: fields as never },
    }));
  }

  async remove(): Promise<void> {
    const ids = [...this.held.values()]
      .filter(({ content }) => content.type === 'message')
      .map((each) => each.recordId);
    const recordId = this.world.dice.pick(ids);
    if (recordId === undefined) return;
    this.#removed.push(recordId);
    await this.writeHead();
    this.world.removals.add(recordId);
    await this.#takeAway([recordId], new Set([recordId]));
  }

  async write(recordId: string, contentOf: (clock: number) => RecordContent): Promise<void> {
    await this.engine.inTurn(async () => {
      this.#clock = nextClock(this.nowMs(), this.#clock);
      const record: OpenedRecord = {
        ...{ recordId, deviceId: this.deviceId, deviceCounter: ++this.#counter, epoch: 1 },
        content: contentOf(this.#clock),
      };
      const isHead = headOf(record) !== undefined;
      const pack = { name: `pack/${recordId}`, value: encode(record) };
      await this.#store([{ recordId, envelope: encode(record), isHead }], [pack]);
      this.held.set(recordId, record);
      if (isHead) return;
      this.#unlisted.push(record);
      this.world.acknowledged.set(recordId, [...(this.world.acknowledged.get(recordId) ?? []), record]);
    });
  }

  /** @param fromServer those that are to be removed there, too */
  async #takeAway(recordIds: readonly string[], fromServer: ReadonlySet<string>): Promise<void> {
    await this.engine.inTurn(async () => {
      const packs = recordIds.map((recordId) => ({ name: `pack/${recordId}`, value: undefined }));
      await this.#store(
        [...fromServer].map((recordId) => ({ recordId, envelope: undefined })),
        packs,
      );
      for (const recordId of recordIds) this.held.delete(recordId);
    });
  }

  async #store(writes: readonly OutgoingWrite[], changes: readonly SealedChange[]): Promise<void> {
    const enqueued = await this.engine.enqueue(writes);
    try {
      await this.store.write([...changes, ...enqueued.changes]);
    } catch (error) {
      enqueued.ended(false);
      throw error;
    }
    enqueued.ended(true);
  }

  // What the engine asks

  async apply(records: readonly StoredRecord[]) {
    const changes: SealedChange[] = [];
    const superseded: string[] = [];
    const staged: [string, OpenedRecord | undefined, OpenedRecord | undefined][] = [];
    for (const { recordId, envelope } of records) {
      const held = this.held.get(recordId);
      const opened = envelope === undefined ? undefined : decode(envelope);
      if (this.engine.isRemoving(recordId) && opened !== undefined) continue;
      const isNewer = opened !== undefined && (held === undefined || compare(held, opened) < 0);
      if (isNewer && this.engine.isWaiting(recordId)) superseded.push(recordId);
      const value = opened && encode(opened);
      changes.push({ name: `seen/${recordId}`, value });
      if (isNewer) changes.push({ name: `pack/${recordId}`, value });
      staged.push([recordId, opened, isNewer ? opened : held]);
    }
    const stored = () => {
      for (const [recordId, opened, wins] of staged) {
        if (wins !== undefined) this.held.set(recordId, wins);
        if (opened === undefined) this.shown.delete(recordId);
        else this.#learn(opened, this.shown);
      }
    };
    return { changes, superseded, stored };
  }

  async pulled() {
    const told = (heads: Iterable<OpenedRecord>) =>
      new Set([...heads].flatMap((record) => headOf(record)?.removed ?? []));
    const [gone, removed] = [told(this.held.values()), told(this.shown.values())];
    const here = [...this.held.keys()].filter((recordId) => gone.has(recordId));
    const stillShown = [...this.shown.keys()].filter(
      (recordId) => removed.has(recordId) && !this.engine.isWaiting(recordId),
    );
    const ids = [...new Set([...here, ...stillShown])];
    if (ids.length > 0) await this.#takeAway(ids, new Set(stillShown));
    return { removed: [...removed] };
  }

  restarted(): void {
    this.shown.clear();
  }

  shownIds(): Iterable<string> {
    return this.shown.keys();
  }

  async missing(recordIds: readonly string[]): Promise<void> {
    assert.deepEqual(recordIds, [], 'an honest server was suspected');
  }

  #learn(record: OpenedRecord, into: Map<string, OpenedRecord> = this.held): void {
    into.set(record.recordId, record);
    this.#clock = Math.max(this.#clock, record.content.clock);
    if (record.deviceId === this.deviceId) this.#counter = Math.max(this.#counter, record.deviceCounter);
  }

  async #load(area: string): Promise<Map<string, OpenedRecord>> {
    const found = await this.store.list(`${area}/`);
    return new Map(found.map(({ name, value }) => [name.slice(area.length + 1), decode(value)]));
  }

  /** The network between this device and the server. */
  #remote(life: number): RemoteRecords {
    const { world } = this;
    const travel = async () => {
      for (let turns = world.dice.below(6); turns > 0; turns--) await undefined;
      if (life !== this.#life) throw new ClientError('network-unreachable');
    };
    const mayFail = async (...codes: readonly ClientErrorCode[]) => {
      await travel();
      if (!this.isOnline) throw new ClientError('network-unreachable');
      const code = world.dice.pick(codes);
      if (this.isUnreliable && code !== undefined && world.dice.oneIn(8)) throw new ClientError(code);
    };
    return {
      page: async (after) => {
        await mayFail('network-unreachable', 'rate-limited');
        const newer = [...world.rows.values()].filter(({ sequence }) => sequence > after);
        const page = { records: newer.slice(0, 4), newest: world.newest, more: newer.length > 4 };
        await mayFail('network-unreachable', 'server-malformed');
        return page;
      },
      index: async (after) => {
        await mayFail('network-unreachable');
        const all = [...world.rows.values()].filter(
          ({ envelope, recordId }) => envelope !== undefined && recordId > after,
        );
        const entries = all.map(({ recordId, sequence }) => ({ recordId, sequence }));
        entries.sort((a, b) => (a.recordId < b.recordId ? -1 : 1));
        return { entries: entries.slice(0, 5), newest: world.newest, more: entries.length > 5 };
      },
      send: async (writes) => {
        await mayFail('network-unreachable', 'rate-limited', 'signed-out', 'store-full');
        const sequences: number[] = [];
        let refused: BatchAnswer['refused'];
        for (const write of writes) {
          const done = world.write(write, this.#removed.includes(write.recordId));
          if (done === 'record-conflict') refused = done;
          else if (this.isUnreliable && world.dice.oneIn(20)) refused = 'store-full';
          if (refused !== undefined) break;
          sequences.push(done as number);
        }
        // Applied, and reported as failed.
        await mayFail('network-unreachable');
        return { sequences, ...(refused && { refused }) };
      },
    };
  }

  isUnreliable = true;
}

/** Expected of a device whose store or network fails; anything else is a fault of the engine. */
const EXPECTED = new Set([
  'network-unreachable',
  'rate-limited',
  'signed-out',
  'account-full',
  'store-full',
  'store-unavailable',
  'server-malformed',
]);

async function tolerating(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError || !EXPECTED.has((error as { code?: string }).code ?? '')) throw error;
    return false;
  }
}

/** Runs one world. @throws AssertionError naming what did not hold */
export async function runWorld(seed: number, { steps = 12 }: WorldOptions = {}): Promise<void> {
  const dice = new Dice(seed);
  const world = new World(dice);
  const devices = Array.from({ length: 2 + dice.below(4) }, () => new Device(world));
  for (const device of devices) await device.start();

  for (let step = 0; step < steps; step++) {
    const acting = devices.filter(() => dice.oneIn(2));
    await Promise.all(acting.map((device) => act(device)));
  }

  for (const device of devices) {
    device.store.heal();
    device.isOnline = true;
    device.isUnreliable = false;
    await device.start();
  }
  for (let round = 0, quiet = 0; quiet < 2; round++) {
    assert.ok(round < 12, 'the devices do not come to rest');
    const before = world.newest;
    await Promise.all(devices.map((device) => device.engine.sync()));
    const isQuiet = world.newest === before && devices.every(({ engine }) => engine.state.pendingCount === 0);
    quiet = isQuiet ? quiet + 1 : 0;
  }
  await Promise.all(devices.map((device) => device.engine.reconcile()));
  judge(world, devices);
}

async function act(device: Device): Promise<void> {
  const { dice } = device.world;
  const what = dice.below(20);
  if (what < 7) await orRestart(device, () => device.writeMessage());
  else if (what < 9) await orRestart(device, () => device.writeHead());
  else if (what < 10) await orRestart(device, () => device.remove());
  else if (what < 14) await tolerating(() => device.engine.sync());
  else if (what < 15) await tolerating(() => device.engine.pull());
  else if (what < 16) await tolerating(() => device.engine.push());
  else if (what < 17) device.isOnline = !device.isOnline;
  else if (what < 18) await restart(device);
  else if (what < 19) {
    // The power goes somewhere in the middle of a sync.
    device.store.failWrites(dice.oneIn(2) ? 'power-cut' : 'power-cut-after', 1, dice.below(3));
    await tolerating(() => device.engine.sync());
    await restart(device);
  } else {
    const fault = dice.pick(['lost', 'applied', 'power-cut', 'power-cut-after', 'full'] as const);
    if (fault !== undefined) device.store.failWrites(fault, 1, dice.below(3));
  }
}

async function orRestart(device: Device, work: () => Promise<void>): Promise<void> {
  if (!(await tolerating(work))) await restart(device);
}

/** A write whose end is not known, or a crash: the device begins again from what its store holds. */
const restart = (device: Device) => device.start();

function judge(world: World, devices: readonly Device[]): void {
  const removed = world.removedByHeads();
  for (const recordId of world.removals)
    assert.ok(removed.has(recordId), 'a removal that was acknowledged is forgotten');
  const stored = new Map<string, OpenedRecord>();
  for (const [recordId, { envelope }] of world.rows) if (envelope !== undefined) stored.set(recordId, decode(envelope));
  for (const recordId of removed) assert.ok(!stored.has(recordId), 'a removed record is on the server');
  for (const [recordId, versions] of world.acknowledged) {
    if (removed.has(recordId)) continue;
    const kept = stored.get(recordId);
    assert.ok(kept !== undefined, 'an acknowledged message is lost');
    for (const version of versions) assert.ok(compare(kept, version) >= 0, 'a later version of a message is lost');
  }
  for (const { held } of devices) {
    assert.equal(held.size, stored.size, 'a device and the server hold different records');
    for (const [recordId, record] of held) {
      const other = stored.get(recordId);
      assert.ok(other !== undefined && isSame(record, other), 'a device and the server hold different versions');
    }
  }
  const [first, ...others] = devices.map(({ held }) => JSON.stringify(treesOf(held)));
  for (const other of others) assert.equal(other, first, 'two devices show different chats');
  const placed = new Set(treesOf((devices[0] as Device).held).flatMap(([, ids]) => ids as string[]));
  for (const [recordId, { content }] of stored) {
    if (content.type === 'message') assert.ok(placed.has(recordId), 'a message has no place in its chat');
  }
}

/** Every chat with its messages in the order of its tree. */
function treesOf(held: ReadonlyMap<string, OpenedRecord>): [string, readonly string[]][] {
  const trees = [...buildConversations(held.values()).values()].map(
    ({ conversationId, rootIds, messages }): [string, string[]] => {
      const walked: string[] = [];
      const waiting = [...rootIds];
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        walked.push(id);
        waiting.push(...(messages.get(id)?.childIds ?? []));
      }
      return [conversationId, walked];
    },
  );
  return trees.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Runs worlds until one does not hold.
 *
 * @returns the seed that failed and why; undefined when all held
 */
export async function firstFailure(from: number, count: number): Promise<{ seed: number; why: string } | undefined> {
  // The faults are thousands of errors that nobody reads.
  Error.stackTraceLimit = 0;
  for (let seed = from; seed < from + count; seed++) {
    try {
      await runWorld(seed);
    } catch (error) {
      return { seed, why: (error as Error).message };
    }
  }
  return undefined;
}
