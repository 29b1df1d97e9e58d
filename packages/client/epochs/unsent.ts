/**
 * What a device had not sent when a rotation left it out (spec/vault.md VA-147, VA-148). It is set aside before what the device
 * kept is erased, and decided once the history is here: a statement names 64 devices at most, and whom it left out for that
 * alone loses no word; of a device that the person removed nothing more is taken.
 *
 *     name  = acct/<account>/unsent/<device that it was>/<the rest of its name in the outbox>
 *     value = sealed under the local key and this name, as in the outbox
 */
import { encodeHex, parseHex, SottoError } from '@sotto/bytes';
import type { Random, SealedStore } from '@sotto/ports';
import {
  conversationOf,
  encodeSetting,
  type OpenedRecord,
  openRecord,
  parseVisibleHeader,
  SETTING_TYPE,
  settingsOf,
} from '@sotto/vault';
import { DEVICE_TYPE } from '@sotto/vault/heads';
import { LOCK_KEY_TYPE } from '@sotto/vault/rotation';
import { DEVICE_LIMIT_COUNT } from '@sotto/wire';
import type { OpenAccount } from '../account-types.ts';
import { type LocalArea, localName, openLocalKey } from '../archive/local-key.ts';
import type { History } from '../history.ts';
import { type LocalSeal, localSeal } from '../sync/local-seal.ts';
import { parseWaiting } from '../sync/outbox.ts';
import { createTurns, type TakingTurns } from '../watch/turns.ts';
import type { AccountEpochs } from './account-epochs.ts';

export interface UnsentPorts {
  readonly random: Random;
  readonly sealed?: SealedStore;
  readonly takingTurns?: TakingTurns;
}

type Account = OpenAccount & { readonly epochs: AccountEpochs };

/** What a device keeps of the history; locks, local key, files, and what was set aside before stay. */
const HISTORY_AREAS: readonly LocalArea[] = ['watch', 'list', 'marks', 'pack', 'cursor', 'search', 'outbox'];
const PAGE = 200;
/** They speak for the device that it was. */
const ITS_OWN: readonly string[] = [DEVICE_TYPE, LOCK_KEY_TYPE];
const REMOVED = 'device-removed';

/** Takes what waits out of the outbox, and erases what else the device keeps of the history. @param deviceId the device that it was */
export async function setUnsentAside(
  ports: UnsentPorts,
  account: Pick<Account, 'accountId' | 'accountKey' | 'epochs'>,
  deviceId: string,
): Promise<void> {
  const { sealed, random, takingTurns = createTurns() } = ports;
  if (sealed === undefined) return;
  const { accountId } = account;
  const seal = await sealOf({ sealed, random, takingTurns }, account);
  const [from, to] = [`${localName(accountId, 'outbox')}/`, `${localName(accountId, 'unsent')}/${deviceId}/`];
  await takingTurns(`sync/${encodeHex(accountId)}`, async () => {
    for (;;) {
      const page = await sealed.list(from, { limit: PAGE });
      if (page.length === 0) break;
      const moved = page.map(async ({ name, value }) => {
        const place = to + name.slice(from.length);
        const opened = await tried(() => seal.open(name, value));
        return opened === undefined ? [] : [{ name: place, value: await seal.seal(place, opened) }];
      });
      const gone = page.map(({ name }) => ({ name, value: undefined }));
      await sealed.write([...(await Promise.all(moved)).flat(), ...gone]);
    }
    for (const area of HISTORY_AREAS) await sealed.erase(localName(accountId, area));
  });
}

/** Before a rotation that the person asked for: what these devices have not sent is not taken when they come back. */
export async function noteRemoved(history: History, deviceIds: Iterable<string>): Promise<void> {
  for (const deviceId of deviceIds) {
    if (wasRemoved(history, deviceId)) continue;
    await history.writeRecord(encodeSetting(`${REMOVED}:${deviceId}`, true, history.nextClock()));
  }
}

/** Writes what was set aside as this device's own, or erases it. To be called when a history has settled. */
export async function sendUnsent(ports: UnsentPorts, account: Account, history: History): Promise<void> {
  const { sealed, random, takingTurns = createTurns() } = ports;
  if (sealed === undefined) return;
  const prefix = `${localName(account.accountId, 'unsent')}/`;
  for (;;) {
    const [first] = await sealed.list(prefix, { limit: 1 });
    if (first === undefined) return;
    const deviceId = first.name.slice(prefix.length).split('/')[0] as string;
    const statement = account.epochs.leftOutBy(deviceId);
    const isCompared = history.devices().length > 0 && history.findings.length === 0;
    // CL-380: what the server keeps back may be the word that the person removed the device
    if (!isCompared || statement === undefined) return;
    const own = `${prefix}${deviceId}/`;
    const isRemoved = statement.devices.size < DEVICE_LIMIT_COUNT || wasRemoved(history, deviceId);
    // VA-148: whoever took a device can write on it for as long as it is offline
    if (isRemoved) await sealed.erase(own);
    // CL-265: the browser’s files would go on holding what the removed device wrote
    if (isRemoved) await sealed.purge();
    const seal = await sealOf({ sealed, random, takingTurns }, account);
    await history.inOneChange(() => writeAgain(sealed, seal, own, account, history));
    await sealed.erase(own);
  }
}

async function writeAgain(sealed: SealedStore, seal: LocalSeal, prefix: string, account: Account, history: History) {
  for (let after = ''; ; ) {
    const page = await sealed.list(prefix, { after, limit: PAGE });
    for (const { name, value } of page) {
      const { kind, recordId } = parseWaiting(name.slice(prefix.length)) ?? {};
      const envelope = await tried(() => seal.open(name, value));
      if (recordId === undefined || envelope === undefined) continue;
      if (kind === 'removal' && history.hasRecord(recordId)) await history.removeRecord(recordId);
      if (kind !== 'write') continue;
      const record = await tried(() => opened(account, recordId, envelope));
      // VA-147: its person was told that it is kept
      if (record !== undefined && (await isWanted(history, record))) await history.importRecord(record);
    }
    after = page.at(-1)?.name ?? after;
    if (page.length < PAGE) return;
  }
}

async function opened({ accountId, epochs }: Account, recordId: string, envelope: Uint8Array): Promise<OpenedRecord> {
  const { epoch } = parseVisibleHeader(envelope);
  return openRecord({
    epochKey: epochs.keyOf(epoch) ?? epochs.epochKey,
    envelope,
    expectedAccountId: accountId,
    expectedRecordId: parseHex(recordId, 16),
    expectedEpoch: epoch,
  });
}

/** Not in place of something newer, and not into a chat that another device removed meanwhile. */
async function isWanted(history: History, record: OpenedRecord): Promise<boolean> {
  const { recordId, content } = record;
  const conversationId = conversationOf(record);
  const type = content.type === 'unknown' ? content.recordType : content.type;
  if (ITS_OWN.includes(type)) return false;
  if (conversationId !== undefined && history.conversationState(conversationId) === 'removed') return false;
  const others =
    conversationId === undefined
      ? history.recordsOfType(type)
      : ((await history.wholeConversation(conversationId))?.records ?? []);
  const held = others.find((other) => other.recordId === recordId);
  // VA-65: written again, an older version would replace the newer one
  return held === undefined || held.content.clock < content.clock;
}

function wasRemoved(history: Pick<History, 'recordsOfType'>, deviceId: string): boolean {
  return settingsOf(history.recordsOfType(SETTING_TYPE)).get(`${REMOVED}:${deviceId}`)?.value === true;
}

async function sealOf(ports: Required<UnsentPorts>, account: Pick<Account, 'accountId' | 'accountKey' | 'epochs'>) {
  return localSeal(await openLocalKey(ports, account, async () => account.epochs.earlierKeys()), ports.random);
}

/** What another program spoiled is as if it were gone. */
async function tried<Value>(open: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof SottoError) return undefined;
    throw error;
  }
}
