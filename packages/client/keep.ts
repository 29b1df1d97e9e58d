/**
 * "Keep my chats": a guest's history moves into a new account. The guest is erased last: by then every record was stored,
 * read back and found equal (spec/client.md CL-13).
 */
import { equalBytes } from '@sotto/bytes';
import { encodeRecordContent, type OpenedRecord } from '@sotto/vault';
import { type AccountPorts, draftAccount, type NewAccount, type OpenAccount, registerAccount } from './account.ts';
import { openAccountHistory, openRemoteHistory } from './archive/open-history.ts';
import { ClientError } from './errors.ts';
import type { History } from './history.ts';

/** An answer that arrives in another tab changes a record about once a second; a round takes less. */
const ROUNDS = 8;

/** Remembers its draft, so that trying again after a lost connection goes on with the same account. */
export class Keeper {
  readonly #ports: AccountPorts;
  #draft: NewAccount | undefined;

  constructor(ports: AccountPorts) {
    this.#ports = ports;
  }

  /**
   * @param code a recovery code made by `createRecoveryCode`, which the person has written down
   * @param eraseGuest forgets the guest's key and records; called once everything of it is safe in the account
   * @throws ClientError `keep-incomplete` and whatever the server refused; the guest is untouched and this can be repeated
   */
  async keep(
    code: string,
    guest: History,
    eraseGuest: (account: OpenAccount) => Promise<void>,
  ): Promise<{ readonly account: OpenAccount; readonly history: History }> {
    if (this.#draft?.code !== code) this.#draft = await draftAccount(code, this.#ports.random);
    const account = await registerAccount(this.#ports, this.#draft);
    const target = await openRemoteHistory(this.#ports, account);
    // CL-13: another tab of this browser may have written since this one last looked, and the guest is erased for both.
    await guest.refresh();
    let history = target;
    for (let round = 0; round < ROUNDS && missingIn(history, guest.records()).length > 0; round++) {
      for (const record of missingIn(history, guest.records())) await target.importRecord(record);
      history = await openRemoteHistory(this.#ports, account);
      await guest.refresh();
    }
    const missing = missingIn(history, guest.records());
    // CL-13: what was not read back may never have been stored, and the guest's copy is the last one.
    if (missing.length > 0) throw new ClientError('keep-incomplete', { rule: 'CL-13' });
    await eraseGuest(account);
    this.#draft = undefined;
    await target.settled();
    const kept = await openAccountHistory(this.#ports, account);
    await kept.refresh();
    return { account, history: kept };
  }
}

/** Those of the wanted records that a history does not hold as they are. */
function missingIn(history: History, wanted: readonly OpenedRecord[]): OpenedRecord[] {
  const held = new Map(history.records().map((record) => [record.recordId, record.content]));
  return wanted.filter(({ recordId, content }) => {
    const copy = held.get(recordId);
    return copy === undefined || !equalBytes(encodeRecordContent(copy), encodeRecordContent(content));
  });
}
