/** Devices that write, sync and delete at once over one store, for tests of heads; the store may be made to lie. */
import { encodeHex } from '@sotto/bytes';
import { createSeededRandom } from '@sotto/testkit';
import { createDeviceKeys, type DeviceKeys, type RecordContent } from '../index.ts';
import {
  type Assembled,
  assembleLogs,
  compareLogs,
  type Finding,
  type HeadToStore,
  type KnownPlaces,
  type LogEntry,
  Manifest,
  OwnLog,
  type OwnLogState,
  placesOf,
  type ShownRecord,
  type VerifiedSegment,
  verifySegment,
  writeDigest,
} from './index.ts';

export const ACCOUNT = new Uint8Array(16).fill(7);

/** What the server keeps: records, and each device's segments; both whole and in order when it is honest. */
export interface Store {
  readonly records: Map<string, ShownRecord>;
  readonly heads: Map<string, HeadToStore['content']>;
}

export function emptyStore(): Store {
  return { records: new Map(), heads: new Map() };
}

/** A copy that an evil server can keep and show later. */
export function snapshot(store: Store): Store {
  return { records: new Map(store.records), heads: new Map(store.heads) };
}

export class World {
  readonly random: ReturnType<typeof createSeededRandom>;
  readonly devices = new Map<string, Uint8Array>();
  readonly #verified = new WeakMap<HeadToStore['content'], VerifiedSegment>();

  constructor(seed: string) {
    this.random = createSeededRandom(seed);
  }

  /** Each head is verified once, by whichever device sees it first: signatures are not what the simulation is about. */
  async verify(content: HeadToStore['content']): Promise<VerifiedSegment> {
    const verified = this.#verified.get(content) ?? (await verifySegment(content, ACCOUNT, this.devices));
    this.#verified.set(content, verified);
    return verified;
  }

  async addDevice(): Promise<Device> {
    const keys = await createDeviceKeys(this.random);
    this.devices.set(encodeHex(keys.deviceId), keys.publicKey);
    return new Device(this, keys);
  }
}

/** Writes go to the store at once; the head that lists them follows when `publish` is called, as in the product. */
export class Device {
  readonly id: string;
  readonly #world: World;
  readonly #keys: DeviceKeys;
  readonly #log: OwnLog;
  #counter = 0;
  #unlisted: LogEntry[] = [];
  #known: KnownPlaces = new Map();
  #logs: Assembled['logs'] = new Map();
  #manifest = new Manifest(new Map());
  readonly #gone = new Set<string>();
  #toRemove: string[] = [];

  constructor(world: World, keys: DeviceKeys, state?: OwnLogState) {
    this.#world = world;
    this.#keys = keys;
    this.id = encodeHex(keys.deviceId);
    this.#log = new OwnLog(keys, ACCOUNT, state);
  }

  /** The same device from a backup: two programs write one log. */
  clone(): Device {
    const copy = new Device(this.#world, this.#keys, this.#log.state);
    copy.#counter = this.#counter;
    return copy;
  }

  get logs(): Assembled['logs'] {
    return this.#logs;
  }

  write(store: Store, recordId = encodeHex(this.#world.random.bytes(16)), text = 'text'): string {
    this.#counter += 1;
    const content = { type: 'unknown', recordType: 'note', clock: this.#counter, fields: { text } } as RecordContent;
    const write = { recordId, deviceId: this.id, deviceCounter: this.#counter, content };
    const digest = encodeHex(writeDigest(write));
    this.#unlisted.push({ recordId, digest, replaces: this.#replaced(recordId) });
    store.records.set(recordId, { recordId, deviceId: this.id, deviceCounter: this.#counter, digest });
    return recordId;
  }

  /** A removal is told first and done afterwards (`publish` does both). */
  remove(recordId: string): void {
    this.#unlisted.push({ recordId, digest: null, replaces: this.#replaced(recordId) });
    this.#toRemove.push(recordId);
  }

  async publish(store: Store): Promise<void> {
    const seen = new Map([...placesOf(this.#logs)].filter(([id]) => id !== this.id));
    const details = { seen, covered: this.#counter, atMs: this.#counter, clock: this.#counter };
    for (const { index, content } of await this.#log.append(this.#unlisted, details)) {
      store.heads.set(`${this.id} ${index}`, content);
    }
    this.#unlisted = [];
  }

  finishRemovals(store: Store): void {
    for (const recordId of this.#toRemove) store.records.delete(recordId);
    this.#toRemove = [];
  }

  /** Compares everything that the store shows; what it knew only grows. */
  async sync(store: Store): Promise<readonly Finding[]> {
    const segments: VerifiedSegment[] = [];
    for (const content of store.heads.values()) segments.push(await this.#world.verify(content));
    const { logs, findings } = assembleLogs(segments);
    const manifest = new Manifest(logs);
    const all = [...findings, ...compareLogs(logs, this.#known), ...manifest.judge(store.records, this.#gone)];
    if (all.length === 0) {
      this.#logs = logs;
      this.#manifest = manifest;
      this.#known = placesOf(logs);
      for (const recordId of manifest.deleted()) if (!store.records.has(recordId)) this.#gone.add(recordId);
    }
    return all;
  }

  #replaced(recordId: string): string[] {
    const own = this.#unlisted.filter((entry) => entry.recordId === recordId && entry.digest !== null).at(-1);
    return own?.digest ? [own.digest, ...own.replaces].slice(0, 8) : this.#manifest.standing(recordId);
  }
}
