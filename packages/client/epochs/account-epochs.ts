/**
 * The epochs of an unlocked account (spec/client.md "Rotation"): the key of each, how a device that was away comes to know a new
 * one, and what the statements say of records, logs and devices. What the server shows is hostile; what this device remembers
 * is its own.
 */
import { encodeHex, parseBase64, parseHex, SottoError } from '@sotto/bytes';
import type { DeviceStore, Random } from '@sotto/ports';
import {
  AccountKey,
  type DeviceKeys,
  deriveEpochKey,
  type EpochKey,
  type OpenedRecord,
  openRecord,
  openSealedLock,
  type UnknownContent,
  VaultError,
} from '@sotto/vault';
import { announcedKey, type DeviceLog, type Finding, type ShownRecord, writeDigest } from '@sotto/vault/heads';
import {
  type Announced,
  assertContinues,
  believedByEpochs,
  deviceLockSecret,
  devicesOf,
  EPOCH_TYPE,
  type EpochStatement,
  type JudgedByEpochs,
  judgeByEpochs,
  NEXT_KEY_TYPE,
  parseEpoch,
  parseNextKey,
  verifyLineage,
} from '@sotto/vault/rotation';
import type { EpochAnswer } from '@sotto/wire';
import { ClientError } from '../errors.ts';
import { FIRST_EPOCH, type Keyring } from '../keyring.ts';
import { type EpochMemory, keepEpochs, keptEpochs, NO_MEMORY } from './epoch-memory.ts';

export interface EpochPorts {
  readonly device: DeviceStore;
  readonly random: Random;
}

/** What a lock gave. */
export interface OpenedKey {
  readonly accountKey: AccountKey;
  readonly epoch: number;
}

/** What a comparison needs of the epochs. */
export interface EpochView {
  readonly findings: readonly Finding[];
  /** False for an announcement that adds nobody (VA-143). */
  admits(announcement: OpenedRecord): boolean;
  judge(logs: ReadonlyMap<string, DeviceLog>, records: Iterable<ShownRecord>): JudgedByEpochs;
  /** Of one record, before a comparison; undefined where these logs do not say. */
  believing(logs: ReadonlyMap<string, DeviceLog>): ReturnType<typeof believedByEpochs>;
  /** The newest epoch of which a statement is known. */
  readonly epoch: number;
}

/**
 * Opens what this device remembers with the key that a lock gave, and checks that the one continues the other.
 *
 * @param fetchStatement of the newest epoch, from the server; asked only where the lock is of an epoch that is not known here
 * @throws VaultError `epoch-unrelated` for a key that does not continue the one this device knows, `lock-epoch-stale`
 */
export async function openAccountEpochs(
  ports: EpochPorts,
  accountId: Uint8Array,
  opened: OpenedKey,
  fetchStatement: () => Promise<EpochAnswer>,
): Promise<AccountEpochs> {
  const kept = await keptEpochs(ports.device, accountId);
  // VA-38: what opened this is older than what this device has seen
  if (kept !== undefined && opened.epoch < kept.epoch) throw new VaultError('lock-epoch-stale', 'VA-38');
  if (kept !== undefined && kept.epoch === opened.epoch) {
    const memory = await kept.open(opened.accountKey);
    // CL-320: another key under the number of the epoch that this device knows is somebody else's
    if (memory === undefined) throw new VaultError('epoch-unrelated', 'CL-320');
    return new AccountEpochs(ports, accountId, opened, memory);
  }
  if (opened.epoch === FIRST_EPOCH) return begun(ports, accountId, opened, NO_MEMORY);
  const adopted = await openStatement(accountId, opened, await fetchStatement());
  if (kept === undefined) return begun(ports, accountId, opened, { ...NO_MEMORY, adopted });
  const earlier = parseEpoch(adopted).earlierKeys[kept.epoch - 1];
  const memory = earlier === undefined ? undefined : await kept.open(new AccountKey(parseHex(earlier, 32)));
  // VA-141: who made this epoch without the key that this device had was not of the account
  if (memory === undefined) throw new VaultError('epoch-unrelated', 'VA-141');
  return begun(ports, accountId, opened, { ...memory, adopted });
}

async function begun(ports: EpochPorts, accountId: Uint8Array, opened: OpenedKey, memory: EpochMemory) {
  await keepEpochs(ports, accountId, opened.epoch, opened.accountKey, memory);
  return new AccountEpochs(ports, accountId, opened, memory);
}

async function openStatement(accountId: Uint8Array, opened: OpenedKey, answer: EpochAnswer): Promise<OpenedRecord> {
  const { statement } = answer;
  if (statement === undefined || answer.epoch !== opened.epoch) throw new ClientError('epoch-withheld');
  const record = await openRecord({
    epochKey: deriveEpochKey(opened.accountKey, accountId, opened.epoch),
    envelope: parseBase64(statement.envelope),
    expectedAccountId: accountId,
    expectedRecordId: parseHex(statement.recordId, 16),
    expectedEpoch: opened.epoch,
    expectedType: EPOCH_TYPE,
  });
  parseEpoch(record);
  return record;
}

/** Owned by one open account, and shared by everything that seals or opens for it. */
export class AccountEpochs implements Keyring {
  readonly #ports: EpochPorts;
  readonly #accountId: Uint8Array;
  readonly #keys = new Map<number, AccountKey>();
  readonly #epochKeys = new Map<number, EpochKey>();
  #memory: EpochMemory;
  #epoch: number;
  /** What the server's list of locks says otherwise than the vault (manage.ts). */
  lockFindings: readonly Finding[] = [];
  #device: DeviceKeys | undefined;
  readonly #listeners = new Set<() => Promise<void>>();

  /** Use `openAccountEpochs`. */
  constructor(ports: EpochPorts, accountId: Uint8Array, { accountKey, epoch }: OpenedKey, memory: EpochMemory) {
    this.#ports = ports;
    this.#accountId = accountId;
    this.#memory = memory;
    this.#epoch = epoch;
    this.#learn(epoch, accountKey, memory.adopted);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get accountKey(): AccountKey {
    return this.#keys.get(this.#epoch) as AccountKey;
  }

  get epochKey(): EpochKey {
    return this.keyOf(this.#epoch) as EpochKey;
  }

  keyOf(epoch: number): EpochKey | undefined {
    const accountKey = this.#keys.get(epoch);
    if (accountKey === undefined) return undefined;
    const derived = this.#epochKeys.get(epoch) ?? deriveEpochKey(accountKey, this.#accountId, epoch);
    this.#epochKeys.set(epoch, derived);
    return derived;
  }

  /** Of the epochs before the newest, the newest of them first. */
  earlierKeys(): readonly AccountKey[] {
    return [...this.#keys]
      .filter(([epoch]) => epoch < this.#epoch)
      .sort(([a], [b]) => b - a)
      .map(([, key]) => key);
  }

  /** What the newest epoch began with; undefined in the first. */
  get newest(): EpochStatement | undefined {
    return this.#memory.adopted === undefined ? undefined : parseEpoch(this.#memory.adopted);
  }

  /** Whose own key the next account keys are sealed to. */
  useDevice(device: DeviceKeys): void {
    this.#device = device;
  }

  /** Of the passphrase lock of this device. */
  get passphrase(): EpochMemory['passphrase'] {
    return this.#memory.passphrase;
  }

  async rememberPassphrase(passphrase: EpochMemory['passphrase']): Promise<void> {
    const { passphrase: _, ...memory } = this.#memory;
    await this.#keep({ ...memory, ...(passphrase && { passphrase }) });
  }

  /** Called after a newer epoch was adopted: what is sealed under the account key is sealed anew. Returns the way to stop. */
  onAdopted(listener: () => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Goes on to newer epochs with what the server shows: the key that was sealed to this device, then the statement that stands
   * under it. What does not open, or continues nothing, is passed over.
   *
   * @param records of types `key-chain` and `epoch` that opened so far
   * @returns true where a key was learnt: records that did not open may open now
   */
  async catchUp(records: readonly OpenedRecord[]): Promise<boolean> {
    const ofType = (type: string) =>
      records.filter(({ content }) => content.type === 'unknown' && content.recordType === type);
    const learnt = await this.#openNextKeys(ofType(NEXT_KEY_TYPE));
    for (const record of ofType(EPOCH_TYPE).sort((a, b) => a.epoch - b.epoch)) {
      if (record.epoch === this.#epoch + 1) await this.#tryToAdopt(record);
    }
    return learnt;
  }

  /** Takes an epoch that this device has itself begun, once the server has confirmed it. */
  async adopt(record: OpenedRecord, accountKey: AccountKey): Promise<void> {
    this.#learn(record.epoch, accountKey, record);
    await this.#adopt(record);
    // Its own signature needs no checking: what is forged under the old key is known as such from this moment on.
    const { verified } = this.#memory;
    if (verified.length === record.epoch - 2) await this.#remember([...verified, record]);
  }

  /** What the statements say, those that the server shows and those that this device remembers. */
  async view(shown: readonly OpenedRecord[], announcements: readonly OpenedRecord[]): Promise<EpochView> {
    const announced = announcements.flatMap(toAnnounced);
    const known = new Map(this.#memory.verified.map((record) => [record.epoch, record]));
    const others = shown.filter((record) => !known.has(record.epoch) || !isSame(record, known.get(record.epoch)));
    const remembered = new Map([...known].map(([epoch, record]) => [epoch, encodeHex(writeDigest(record))]));
    const { epochs, findings } = await verifyLineage(
      [...known.values(), ...others],
      this.#accountId,
      announced,
      remembered,
    );
    const isWhole = findings.length === 0 && epochs.length > known.size;
    if (isWhole) await this.#remember([...known.values(), ...others]);
    const newest = epochs.at(-1);
    return {
      findings: [...findings, ...this.lockFindings],
      admits: (announcement) =>
        newest === undefined ||
        newest.places.has(announcement.deviceId) ||
        devicesOf(newest, toAnnounced(announcement)).has(announcement.deviceId),
      judge: (logs, records) => judgeByEpochs(epochs, logs, records),
      believing: (logs) => believedByEpochs(epochs, logs),
      epoch: newest?.epoch ?? FIRST_EPOCH,
    };
  }

  /** The first statement, of those that this device has verified, that leaves a device out. */
  leftOutBy(deviceId: string): EpochStatement | undefined {
    const statements = this.#memory.verified.toSorted((a, b) => a.epoch - b.epoch).map(parseEpoch);
    return statements.find(({ places, devices }) => places.has(deviceId) && !devices.has(deviceId));
  }

  /** The devices that belong to the account now, by id. @param announcements of the newest and earlier epochs */
  devices(announcements: readonly OpenedRecord[]): Map<string, Uint8Array> {
    return devicesOf(this.newest, announcements.flatMap(toAnnounced));
  }

  async #openNextKeys(chain: readonly OpenedRecord[]): Promise<boolean> {
    const device = this.#device;
    if (device === undefined) return false;
    let learnt = false;
    const deviceId = encodeHex(device.deviceId);
    for (const { content, epoch } of chain.toSorted((a, b) => a.epoch - b.epoch)) {
      try {
        const next = parseNextKey(content as UnknownContent);
        if (next.deviceId !== deviceId || this.#keys.has(next.epoch)) continue;
        const isNext = epoch === this.#epoch && next.epoch === epoch + 1;
        // CL-321: whoever kept an older key could seal keys under it for ever
        if (!isNext) continue;
        const { accountKey } = await openSealedLock({
          lock: next.lock,
          secret: deviceLockSecret(device),
          expectedKind: 'device-key',
          expectedAccountId: this.#accountId,
          expectedLockId: device.deviceId,
          minimumEpoch: next.epoch,
        });
        this.#keys.set(next.epoch, accountKey);
        learnt = true;
      } catch (error) {
        if (!(error instanceof SottoError)) throw error;
      }
    }
    return learnt;
  }

  async #tryToAdopt(record: OpenedRecord): Promise<void> {
    try {
      assertContinues(parseEpoch(record), this.#epoch, this.accountKey);
    } catch (error) {
      if (error instanceof SottoError) return;
      throw error;
    }
    await this.#adopt(record);
  }

  async #adopt(record: OpenedRecord): Promise<void> {
    this.#learn(record.epoch, this.#keys.get(record.epoch) as AccountKey, record);
    this.#epoch = record.epoch;
    await this.#keep({ ...this.#memory, adopted: record });
    for (const listener of this.#listeners) await listener();
  }

  async #remember(verified: readonly OpenedRecord[]): Promise<void> {
    await this.#keep({ ...this.#memory, verified: verified.filter(({ epoch }) => epoch <= this.#epoch) });
  }

  async #keep(memory: EpochMemory): Promise<void> {
    this.#memory = memory;
    await keepEpochs(this.#ports, this.#accountId, this.#epoch, this.accountKey, memory);
  }

  #learn(epoch: number, accountKey: AccountKey, adopted: OpenedRecord | undefined): void {
    this.#keys.set(epoch, accountKey);
    if (adopted === undefined) return;
    parseEpoch(adopted).earlierKeys.forEach((key, index) => {
      this.#keys.set(index + 1, new AccountKey(parseHex(key, 32)));
    });
  }
}

function isSame(record: OpenedRecord, known: OpenedRecord | undefined): boolean {
  return known !== undefined && encodeHex(writeDigest(record)) === encodeHex(writeDigest(known));
}

/** Nothing for what announces nobody; whoever reads heads says so. */
function toAnnounced({ content, deviceId, epoch }: OpenedRecord): Announced[] {
  try {
    return [{ deviceId, publicKey: announcedKey(content as UnknownContent, deviceId), epoch }];
  } catch (error) {
    if (error instanceof SottoError) return [];
    throw error;
  }
}
