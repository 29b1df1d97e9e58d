/**
 * Removing chats (spec/client.md "Order"): one or several with time to undo, what is due by its age, or everything. A chat that is
 * being removed is marked first, for every device, and shown to nobody: a page that is closed meanwhile neither keeps it nor
 * loses what was undone.
 */
import type { Clock } from '@sotto/ports';
import { encodeSetting, SETTING_TYPE, settingName } from '@sotto/vault';
import { FOLDER_TYPE, type Retention } from '@sotto/vault/order';
import { judgeLook, parseLooks } from './looks.ts';
import { dueChats } from './retention.ts';
import { arrangedChats, type OrderTarget } from './target.ts';

/** Time to undo, on the device where it was done. */
export const UNDO_MS = 10_000;
/** What a page of this device, or another device, left in the middle is finished after this. */
const LOOKS = 'retention-seen';
const ABANDONED_HERE_MS = 60_000;
const ABANDONED_ELSEWHERE_MS = 3_600_000;

export interface RemovalPorts {
  readonly history: OrderTarget;
  readonly clock: Clock;
}

export class Removal {
  readonly #ports: RemovalPorts;
  /** Those that may still be undone here. */
  readonly #undoable = new Set<string>();

  constructor(ports: RemovalPorts) {
    this.#ports = ports;
  }

  /** Hides chats at once, for every device. They can be undone until `finish`. */
  async begin(conversationIds: readonly string[]): Promise<void> {
    const removing = this.#ports.clock.nowMs();
    await this.#each(conversationIds, async (conversationId) => {
      // CL-308: without a mark that is stored, a page that is closed would bring the chat back
      await this.#ports.history.setRegisters(conversationId, { removing });
      this.#undoable.add(conversationId);
    });
  }

  /** Shows them again. @returns how many: a chat that is gone by now stays gone */
  async undo(conversationIds: readonly string[]): Promise<number> {
    const here = conversationIds.filter((conversationId) => this.#undoable.delete(conversationId));
    await this.#each(here, (conversationId) => this.#ports.history.setRegisters(conversationId, { removing: null }));
    return here.length;
  }

  /** Removes them for good, but for those that were undone meanwhile. */
  async finish(conversationIds: readonly string[]): Promise<void> {
    const marked = new Set(
      arrangedChats(this.#ports.history).flatMap(({ conversationId, removingSinceMs }) =>
        removingSinceMs === undefined ? [] : [conversationId],
      ),
    );
    await this.#each(conversationIds, async (conversationId) => {
      // CL-309: what was undone, here or elsewhere, must not be lost to a clock that still runs
      if (!this.#undoable.delete(conversationId) || !marked.has(conversationId)) return;
      await this.#ports.history.removeConversation(conversationId);
    });
  }

  /** Finishes what a page of this device left a minute ago, and another device an hour ago. @returns how many */
  async finishAbandoned(): Promise<number> {
    const { history, clock } = this.#ports;
    let count = 0;
    for (const { conversationId, removingSinceMs, registers } of arrangedChats(history)) {
      if (removingSinceMs === undefined || this.#undoable.has(conversationId)) continue;
      const isOwn = registers.removing?.deviceId === history.deviceId;
      const patienceMs = isOwn ? ABANDONED_HERE_MS : ABANDONED_ELSEWHERE_MS;
      // CL-310: in another tab or on another device the person may be about to undo it
      if (Math.abs(clock.nowMs() - removingSinceMs) < patienceMs) continue;
      await history.removeConversation(conversationId);
      count++;
    }
    return count;
  }

  /** Removes what is ready to go by itself (`judgeClock` comes before), and remembers this look. @returns how many */
  async removeReady(account: Retention | undefined): Promise<number> {
    const { history, clock } = this.#ports;
    const nowMs = clock.nowMs();
    const name = `${LOOKS}:${history.deviceId}`;
    const own = history.recordsOfType(SETTING_TYPE).find((record) => settingName(record) === name);
    const looks = parseLooks(own?.content.type === 'unknown' ? own.content.fields.value : undefined);
    const { ready, next } = judgeLook(arrangedChats(history), account, looks, nowMs);
    if (next !== undefined) {
      await history.writeRecord(encodeSetting(name, { ...next }, history.nextClock()), own?.recordId);
    }
    await this.#each(
      ready.map(({ conversationId }) => conversationId),
      (conversationId) => history.removeConversation(conversationId),
    );
    return ready.length;
  }

  /** Removes everything that is due by its age: the person says so. @returns how many */
  async removeDue(account: Retention | undefined): Promise<number> {
    const { history, clock } = this.#ports;
    const { due } = dueChats(arrangedChats(history), account, clock.nowMs());
    await this.#each(
      due.map(({ conversationId }) => conversationId),
      (conversationId) => history.removeConversation(conversationId),
    );
    return due.length;
  }

  /** Removes every chat and every folder, one by one: what a failure leaves is removed by the next try. */
  async removeEverything(onProgress: (done: number, of: number) => void = () => undefined): Promise<number> {
    const { history } = this.#ports;
    const chats = history.conversations();
    let done = 0;
    await this.#each(
      chats.map(({ conversationId }) => conversationId),
      async (conversationId) => {
        onProgress(done++, chats.length);
        await history.removeConversation(conversationId);
      },
    );
    await history.removeRecords(history.recordsOfType(FOLDER_TYPE).map(({ recordId }) => recordId));
    onProgress(chats.length, chats.length);
    return chats.length;
  }

  /** One after another, told as one change: a list of thousands is drawn once. */
  #each(conversationIds: readonly string[], work: (conversationId: string) => Promise<void>): Promise<void> {
    return this.#ports.history.inOneChange(async () => {
      for (const conversationId of conversationIds) await work(conversationId);
    });
  }
}
