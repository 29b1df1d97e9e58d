/** Records as the server shows them, opened; the server is not believed (spec/vault.md "Records"). */
import { encodeHex, parseHex, SottoError } from '@sotto/bytes';
import type { StoredRecord } from '@sotto/ports';
import { type OpenedRecord, openRecordWithBytes, parseVisibleHeader } from '@sotto/vault';
import { digestOfBytes } from '@sotto/vault/heads';
import type { Keyring } from '../keyring.ts';
import type { Damage } from '../record-keeper.ts';

export interface OpeningOptions {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly keyring: Keyring;
}

export class Opening {
  readonly #options: OpeningOptions;
  readonly #onDamage: (recordId: string, damage: Damage) => void;
  /** Of what was opened just now. */
  readonly #digests = new WeakMap<OpenedRecord, string>();
  /** Sealed under a key that is not known yet. */
  readonly #unopened = new Map<string, StoredRecord>();

  /** @param onDamage told of each that does not open */
  constructor(options: OpeningOptions, onDamage: (recordId: string, damage: Damage) => void) {
    this.#options = options;
    this.#onDamage = onDamage;
  }

  /** Those that open, also of what came before and needed a key that has come now. */
  async openAll(records: readonly StoredRecord[], others: () => Iterable<OpenedRecord>): Promise<OpenedRecord[]> {
    const opened = new Map<string, OpenedRecord>();
    const openSome = async (some: readonly StoredRecord[]) => {
      for (const { recordId } of some) this.#unopened.delete(recordId);
      for (const record of await Promise.all(some.map((each) => this.open(each)))) {
        if (record !== undefined) opened.set(record.recordId, record);
      }
    };
    await openSome(records);
    const { keyring } = this.#options;
    while (await keyring.catchUp?.([...others(), ...opened.values()])) {
      await openSome([...this.#unopened.values()]);
    }
    return [...opened.values()];
  }

  /** CL-14: what does not open is counted, and takes nothing with it. */
  async open(record: StoredRecord): Promise<OpenedRecord | undefined> {
    const { recordId, envelope } = record;
    if (envelope === undefined) return undefined;
    const { keyring, accountId } = this.#options;
    try {
      const { epoch } = parseVisibleHeader(envelope);
      const epochKey = keyring.keyOf(epoch);
      // A copy of its own: one that waits for its key would keep the whole page that it came with.
      if (epochKey === undefined) this.#unopened.set(recordId, { ...record, envelope: envelope.slice() });
      const { record: opened, bytes } = await openRecordWithBytes({
        epochKey: epochKey ?? keyring.epochKey,
        envelope,
        expectedAccountId: accountId,
        expectedRecordId: parseHex(recordId, 16),
        // VA-08 refuses the record of an epoch whose key is not here.
        expectedEpoch: epochKey === undefined ? keyring.epoch : epoch,
      });
      this.#digests.set(opened, encodeHex(digestOfBytes(opened, bytes)));
      return opened;
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      this.#onDamage(recordId, { code: error.code, rule: error.rule });
      return undefined;
    }
  }

  /** Of a record that was opened here, as hex. */
  digestOf(record: OpenedRecord): string | undefined {
    return this.#digests.get(record);
  }

  close(): void {
    this.#unopened.clear();
  }
}
