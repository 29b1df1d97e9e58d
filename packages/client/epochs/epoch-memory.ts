/**
 * What a device remembers of an account's epochs between visits (spec/client.md "Rotation"): how far they have come, in clear,
 * so that a lock of an older one is refused before anything is opened; and their statements, sealed under the newest key. The
 * device's storage is another program's to change; the server's word never changes it.
 */
import { ByteReader, BytesError, ByteWriter, encodeHex, encodeUtf8, parseUtf8, SottoError } from '@sotto/bytes';
import type { DeviceStore, Random } from '@sotto/ports';
import { type AccountKey, type OpenedRecord, openLocal, sealLocal } from '@sotto/vault';

/** Statements are kept as records, which is what their digests and signatures are over. */
export interface EpochMemory {
  /** Of the epoch whose key seals this; absent in the first. Holds the keys of the epochs before. */
  readonly adopted?: OpenedRecord;
  /** Statements whose signatures were checked on this device, from the second epoch on. */
  readonly verified: readonly OpenedRecord[];
  /** Of the passphrase lock of this device, so that a rotation can wrap it anew (`passphrase-lock.ts`). */
  readonly passphrase?: { readonly lockId: string; readonly publicKey: string };
}

export const NO_MEMORY: EpochMemory = { verified: [] };
const NAME = 'epochs';

export interface KeptEpochs {
  readonly epoch: number;
  open(accountKey: AccountKey): Promise<EpochMemory | undefined>;
}

/** What is kept; undefined where nothing is, or what is there says nothing. */
export async function keptEpochs(device: DeviceStore, accountId: Uint8Array): Promise<KeptEpochs | undefined> {
  const kept = await device.get(storeKey(accountId));
  if (kept === undefined) return undefined;
  try {
    const reader = new ByteReader(kept);
    const epoch = reader.u32();
    const sealed = new Uint8Array(reader.rest());
    return { epoch, open: (accountKey) => openMemory({ accountId, key: accountKey }, epoch, sealed) };
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}

/** The newest epoch that this device has seen of an account; 1 where it keeps nothing. */
export async function knownEpoch(device: DeviceStore, accountId: Uint8Array): Promise<number> {
  return (await keptEpochs(device, accountId))?.epoch ?? 1;
}

/** @param accountKey of `epoch` */
export async function keepEpochs(
  ports: { readonly device: DeviceStore; readonly random: Random },
  accountId: Uint8Array,
  epoch: number,
  accountKey: AccountKey,
  memory: EpochMemory,
): Promise<void> {
  // Another tab may have come further: what it keeps must not become older.
  if ((await knownEpoch(ports.device, accountId)) > epoch) return;
  const content = encodeUtf8(JSON.stringify(memory));
  const sealed = await sealLocal({ accountId, key: accountKey }, nameOf(epoch), content, ports.random);
  await ports.device.set(storeKey(accountId), new ByteWriter().u32(epoch).raw(sealed).finish());
}

/** Erases what this device remembers: only its person decides that, and begins anew with what the server says. */
export function forgetEpochs(device: DeviceStore, accountId: Uint8Array): Promise<void> {
  return device.delete(storeKey(accountId));
}

async function openMemory(
  owner: { readonly accountId: Uint8Array; readonly key: AccountKey },
  epoch: number,
  sealed: Uint8Array,
): Promise<EpochMemory | undefined> {
  try {
    return JSON.parse(parseUtf8(await openLocal(owner, nameOf(epoch), sealed))) as EpochMemory;
  } catch (error) {
    if (error instanceof SottoError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The number in clear is under the seal as well. */
function nameOf(epoch: number): string {
  return `${NAME}/${epoch}`;
}

function storeKey(accountId: Uint8Array): string {
  return `epochs/${encodeHex(accountId)}`;
}
