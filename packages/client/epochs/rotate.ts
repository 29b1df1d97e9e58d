/**
 * Rotation (spec/client.md "Rotation"): a new account key, wrapped for every lock and device that remains, and the server's one
 * step. The new key is in memory alone until the server has everything; whatever happens then, this device gets it back as
 * every other one does, through what was sealed to its own key. So there is nothing that a crash could leave half done.
 */
import { encodeBase64, encodeHex, parseBase64, parseBase64Url, parseHex } from '@sotto/bytes';
import { sha256 } from '@sotto/crypto/hash';
import type { Random } from '@sotto/ports';
import {
  type AccountKey,
  createAccountKey,
  deriveEpochKey,
  type OpenedRecord,
  type RecordContent,
  sealRecord,
  sealToLock,
  unsafeRevealSecret,
} from '@sotto/vault';
import { encodeNextKey, lockDigest, parseEpoch, signEpoch, type VerifiedLock } from '@sotto/vault/rotation';
import { DEVICE_LIMIT_COUNT, type LocksAnswer, type PasskeysAnswer, type RotationRequest } from '@sotto/wire';
import type { AccountPorts, OpenAccount } from '../account-types.ts';
import { ClientError } from '../errors.ts';
import type { History } from '../history.ts';
import type { Standing } from '../record-keeper.ts';
import type { AccountEpochs } from './account-epochs.ts';
import { type LockBook, readLockBook, stateLocks } from './lock-book.ts';
import { noteRemoved } from './unsent.ts';

/** Another device may write or rotate at the same moment; each try begins from what it left. */
const ROUNDS = 8;

/** What is found of the server's list of locks: a rotation does not go by that list, and ends it. */
const LOCK_FINDINGS: ReadonlySet<string> = new Set(['lock-list-old', 'lock-unknown', 'lock-withheld']);

/** What is removed with a rotation; nothing for a new key alone. */
export interface RotationPlan {
  readonly removeLocks?: ReadonlySet<string>;
  readonly removeDevices?: ReadonlySet<string>;
  /** Passkeys that sign in and open nothing. */
  readonly removePasskeys?: ReadonlySet<string>;
}

/** A lock cannot be carried over: no device that remains has stated its key, or two gave it two keys. */
export class LockKeyMissing extends ClientError {
  readonly lockIds: readonly string[];

  constructor(lockIds: readonly string[]) {
    super('lock-key-missing', { rule: 'CL-328' });
    this.lockIds = lockIds;
  }
}

interface Draft {
  readonly accountKey: AccountKey;
  readonly statement: OpenedRecord;
  readonly request: RotationRequest;
}

/**
 * Begins a new epoch without what the plan removes. The account and its history go on with the new key.
 *
 * @throws ClientError `lock-last`, `history-doubtful`, `network-unreachable` (it may have been done: the next sync knows);
 *   `LockKeyMissing` with the locks that the plan must also remove
 */
export async function rotate(
  ports: AccountPorts,
  account: OpenAccount & { readonly epochs: AccountEpochs },
  history: History,
  plan: RotationPlan = {},
): Promise<void> {
  const { epochs } = account;
  await stateLocks(account, history, ports.clock);
  await noteRemoved(history, plan.removeDevices ?? []);
  const goal = epochs.epoch + 1;
  for (let round = 0; ; round++) {
    const standing = await history.standing();
    // CL-326: where the try before was applied and its answer lost, this device has come to know its own key by now.
    if (round > 0 && epochs.epoch >= goal && isDone(epochs, plan)) return;
    // CL-327: a statement over logs that do not agree would make the server's lie the beginning for every device.
    if (history.findings.some(({ code }) => !LOCK_FINDINGS.has(code)))
      throw new ClientError('history-doubtful', { rule: 'CL-327' });
    const draft = await draftRotation(ports, account, history, standing, plan);
    try {
      await ports.api.rotate(draft.request);
    } catch (error) {
      const isConflict =
        error instanceof ClientError && (error.code === 'epoch-conflict' || error.code === 'record-conflict');
      const isUnknown = error instanceof ClientError && error.code === 'network-unreachable';
      if ((!isConflict && !isUnknown) || round >= ROUNDS) throw error;
      continue;
    }
    await epochs.adopt(draft.statement, draft.accountKey);
    await history.refresh();
    return;
  }
}

/** Whoever rotated: what was to be removed is not there any more. */
function isDone({ newest }: AccountEpochs, { removeLocks, removeDevices }: RotationPlan): boolean {
  const has = (ids: ReadonlySet<string> | undefined, map: ReadonlyMap<string, unknown> | undefined) =>
    [...(ids ?? [])].some((id) => map?.has(id));
  return newest !== undefined && !has(removeLocks, newest.locks) && !has(removeDevices, newest.devices);
}

async function draftRotation(
  { api, random, clock }: AccountPorts,
  account: OpenAccount & { readonly epochs: AccountEpochs },
  history: History,
  standing: Standing,
  plan: RotationPlan,
): Promise<Draft> {
  const { accountId, device, epochs } = account;
  const book = await readLockBook(account, history, plan.removeDevices);
  const devices = newestWriters(book.devices, history, encodeHex(device.deviceId));
  const [{ locks: shown }, passkeys] = [await api.locks(), await api.passkeys()];
  const epoch = epochs.epoch + 1;
  const accountKey = createAccountKey(random);
  const seal = sealing(random, accountId, accountKey, epoch);
  const locks = await Promise.all(
    remainingLocks(book, shown, passkeys, plan).map(async ({ credentialId, kind, ...each }) => ({
      ...{ lockId: each.lockId, kind, lock: encodeBase64(await seal.lock({ ...each, kind })) },
      ...(credentialId === undefined ? {} : { credentialId }),
    })),
  );
  const atMs = Math.max(0, Math.trunc(clock.nowMs()));
  const content = await signEpoch(
    device,
    accountId,
    {
      epoch,
      devices,
      places: standing.places,
      locks: new Map(locks.map(({ lockId, lock }) => [lockId, lockDigest(parseBase64(lock))])),
      earlierKeys: [...epochs.earlierKeys().toReversed(), epochs.accountKey].map((key) =>
        encodeHex(unsafeRevealSecret(key)),
      ),
      atMs,
    },
    history.nextClock(),
  );
  const own = { deviceId: encodeHex(device.deviceId), deviceCounter: standing.deviceCounter };
  const statement: OpenedRecord = { recordId: encodeHex(random.bytes(16)), ...own, epoch, content };
  // What no device could read must not become the beginning of an epoch.
  parseEpoch(statement);
  const nextKeys = await Promise.all(
    [...devices.keys()]
      .flatMap((deviceId) => book.locks.get(deviceId) ?? [])
      .map(async (each): Promise<OpenedRecord> => {
        const next = { epoch, deviceId: each.lockId, lock: await seal.lock(each) };
        const record = encodeNextKey(next, history.nextClock());
        return { recordId: encodeHex(random.bytes(16)), ...own, epoch: epochs.epoch, content: record };
      }),
  );
  const underOld = sealing(random, accountId, epochs.accountKey, epochs.epoch);
  const records = [
    ...(await Promise.all(nextKeys.map((record) => underOld.record(record)))),
    await seal.record(statement),
    // What is under way stands in no log yet, and under the old key it would count nowhere from now on (CL-329).
    ...(await Promise.all(standing.unlisted.map((record) => seal.record(record)))),
  ];
  const request: RotationRequest = {
    epoch,
    baseSequence: standing.sequence,
    epochRecordId: statement.recordId,
    locks,
    credentials: remainingPasskeys(passkeys, book, shown, plan),
    devices: [...devices.values()].map((key) => encodeBase64(new Uint8Array(key))),
    records,
  };
  return { accountKey, statement, request };
}

/** A statement names so many at most; a device that wrote longest ago makes itself a new key when it comes back (VA-146, VA-147). */
function newestWriters(
  devices: ReadonlyMap<string, Uint8Array>,
  history: Pick<History, 'devices'>,
  ownId: string,
): Map<string, Uint8Array> {
  const wrote = new Map(history.devices().map(({ deviceId, atMs }) => [deviceId, atMs]));
  const lastOf = (deviceId: string) => (deviceId === ownId ? Number.POSITIVE_INFINITY : (wrote.get(deviceId) ?? 0));
  return new Map([...devices].sort(([a], [b]) => lastOf(b) - lastOf(a)).slice(0, DEVICE_LIMIT_COUNT));
}

type LockToSeal = VerifiedLock & {
  readonly kind: Exclude<VerifiedLock['kind'], 'device-key'>;
  readonly credentialId: string | undefined;
};

/**
 * The locks that remain, each with the key to seal to.
 *
 * From the second epoch on they are those that this device knows of, whatever the server lists: a removed lock that it
 * shows again is not carried over, and one that it hides is (CL-330).
 */
function remainingLocks(
  book: LockBook,
  shown: LocksAnswer['locks'],
  passkeys: PasskeysAnswer['passkeys'],
  { removeLocks = new Set() }: RotationPlan,
): LockToSeal[] {
  const all = [...(book.current ?? shown.map(({ lockId }) => lockId))];
  const remaining = all.filter((lockId) => !removeLocks.has(lockId));
  // CL-331: an account without a lock is one that nobody opens again
  if (remaining.length === 0) throw new ClientError('lock-last', { rule: 'CL-331' });
  const idOf = new Map(passkeys.map(({ credentialId }) => [credentialDigest(credentialId), credentialId]));
  const found = remaining.map((lockId): LockToSeal | undefined => {
    const stated = book.locks.get(lockId);
    if (stated === undefined || stated.kind === 'device-key') return undefined;
    const credentialId = idOf.get(stated.credential);
    if (stated.kind === 'passkey-prf' && credentialId === undefined) return undefined;
    return { ...stated, kind: stated.kind, credentialId };
  });
  const missing = remaining.filter((_, i) => found[i] === undefined);
  // CL-328: left out in silence, a way in would be gone when it is needed
  if (missing.length > 0) throw new LockKeyMissing(missing);
  return found.filter((each) => each !== undefined);
}

function credentialDigest(credentialId: string): string {
  return encodeHex(sha256(parseBase64Url(credentialId)));
}

function remainingPasskeys(
  passkeys: PasskeysAnswer['passkeys'],
  book: LockBook,
  shown: LocksAnswer['locks'],
  { removeLocks = new Set(), removePasskeys = new Set() }: RotationPlan,
): string[] {
  const gone = new Set([
    ...shown
      .filter(({ lockId }) => removeLocks.has(lockId))
      .map(({ credentialId = '' }) => credentialDigest(credentialId)),
    ...[...removeLocks].flatMap((lockId) => book.locks.get(lockId)?.credential ?? []),
  ]);
  return passkeys
    .map(({ credentialId }) => credentialId)
    .filter((credentialId) => !gone.has(credentialDigest(credentialId)) && !removePasskeys.has(credentialId));
}

/** Seals under one account key. */
function sealing(random: Random, accountId: Uint8Array, accountKey: AccountKey, epoch: number) {
  const epochKey = deriveEpochKey(accountKey, accountId, epoch);
  return {
    lock: ({ lockId, kind, credential, publicKey }: VerifiedLock) =>
      sealToLock({
        ...{ accountKey, kind, publicKey, accountId, epoch, random },
        lockId: parseHex(lockId, 16),
        credential: parseHex(credential, 32),
      }),
    record: async (record: OpenedRecord & { readonly content: RecordContent }) => {
      const { recordId, deviceId, deviceCounter, content } = record;
      const envelope = await sealRecord({
        epochKey,
        accountId,
        recordId: parseHex(recordId, 16),
        epoch,
        deviceId: parseHex(deviceId, 16),
        deviceCounter,
        content,
        random,
      });
      return { recordId, envelope: encodeBase64(envelope) };
    },
  };
}
