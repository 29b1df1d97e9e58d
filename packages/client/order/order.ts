/**
 * The order of a history (spec/client.md "Order"): folders and projects, and where each chat stands. Everything is written
 * through the history, sealed like every other record; the formats are the vault's.
 */
import type { Clock, Random } from '@sotto/ports';
import { encodeSetting, type JsonValue, type OpenedRecord, SETTING_TYPE, settingsOf } from '@sotto/vault';
import {
  buildFolders,
  comparePlaced,
  encodeFolder,
  FILE_PREFIX,
  FOLDER_TYPE,
  type Folder,
  type FolderContent,
  normalTag,
  parseFolder,
  place,
  type Retention,
  retentionOf,
  TAG_PREFIX,
} from '@sotto/vault/order';
import { ClientError } from '../errors.ts';
import { type ArrangedChat, arrangedChats, type OrderTarget } from './target.ts';

/** Of a name of a folder, in characters. */
export const NAME_LIMIT = 120;
/** Of a project's instructions: they are read by a model before every question. */
export const INSTRUCTIONS_LIMIT = 8000;
/** On one chat at a time. */
export const TAGS_AT_ONCE = 16;
const RETENTION = 'retention';

/** What a person says of a folder; null takes a word away. */
export interface FolderChange {
  readonly name?: string;
  readonly instructions?: string;
  readonly colour?: string | null;
  readonly icon?: string | null;
}

export interface OrderPorts {
  readonly history: OrderTarget;
  readonly clock: Clock;
  readonly random: Random;
}

export class Order {
  readonly #ports: OrderPorts;
  /** Writes of folders follow each other: each begins with what the one before wrote. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(ports: OrderPorts) {
    this.#ports = ports;
  }

  /** In their order; parents are among them. */
  folders(): ReadonlyMap<string, Folder> {
    return buildFolders(this.#ports.history.recordsOfType(FOLDER_TYPE));
  }

  /** Chats that were not removed, with where they stand. */
  chats(): ArrangedChat[] {
    return arrangedChats(this.#ports.history);
  }

  /** What the model is told in a chat of a project; undefined elsewhere. */
  instructionsFor(folderId: string | undefined): string | undefined {
    // CL-298: a folder that is gone says nothing
    const { instructions } = this.folders().get(folderId ?? '') ?? {};
    return instructions === '' ? undefined : instructions;
  }

  /** At the end of its parent. @returns the new folder's id, 16 bytes as hex */
  async createFolder(change: FolderChange, parentId?: string): Promise<string> {
    const folderId = this.#newId();
    const keys = place(this.#children(parentId), folderId, this.#children(parentId).length, this.#ports.random);
    await this.#write(folderId, {
      ...registersOf(change),
      parent: parentId ?? null,
      order: keys.get(folderId) ?? null,
    });
    return folderId;
  }

  changeFolder(folderId: string, change: FolderChange): Promise<void> {
    return this.#write(folderId, registersOf(change));
  }

  /** Into `parentId`, or to the top, at `index` among those there. One record, but for equal keys (CL-297). */
  async moveFolder(folderId: string, parentId: string | undefined, index: number): Promise<void> {
    if (this.#isWithin(parentId, folderId)) return;
    const others = this.#children(parentId).filter(({ id }) => id !== folderId);
    for (const [id, order] of place(others, folderId, clamp(index, others.length), this.#ports.random)) {
      await this.#write(id, id === folderId ? { order, parent: parentId ?? null } : { order });
    }
  }

  /**
   * Deletes a folder. Its chats stand in the list again and its folders where it stood; with `withChats` they go, too.
   * The mark comes last, so that a crash before it leaves a folder that can be deleted again.
   */
  async deleteFolder(folderId: string, withChats: boolean): Promise<void> {
    const { history } = this.#ports;
    const folder = this.folders().get(folderId);
    if (folder === undefined) return;
    for (const child of [...this.folders().values()].filter(({ parentId }) => parentId === folderId)) {
      if (withChats) await this.deleteFolder(child.folderId, true);
      else await this.#write(child.folderId, { parent: folder.parentId ?? null });
    }
    // CL-299: deleting a folder must not cost a person its chats
    if (withChats) for (const chat of this.#chatsOf(folderId)) await history.removeConversation(chat);
    const said = this.#said(folderId);
    await this.#write(folderId, undefined);
    await history.removeRecords(
      said.flatMap(({ recordId, deviceId }) => (deviceId === history.deviceId ? [] : [recordId])),
    );
  }

  /** @param file what a message's `attachments` say of the blob; undefined takes it out */
  setFile(folderId: string, blobId: string, file: JsonValue | undefined): Promise<void> {
    return this.#write(folderId, { [`${FILE_PREFIX}${blobId}`]: file ?? false });
  }

  /** Puts a chat into a folder, or back to the list. */
  moveChat(conversationId: string, folderId: string | undefined): Promise<void> {
    return this.#ports.history.setRegisters(conversationId, { folder: folderId ?? null });
  }

  /** @param index among the pinned ones; a pinned chat moves there */
  async pin(conversationId: string, index = 0): Promise<void> {
    const others = this.pinned().filter(({ id }) => id !== conversationId);
    for (const [id, pin] of place(others, conversationId, clamp(index, others.length), this.#ports.random)) {
      await this.#ports.history.setRegisters(id, { pin });
    }
  }

  unpin(conversationId: string): Promise<void> {
    return this.#ports.history.setRegisters(conversationId, { pin: null });
  }

  /** Pinned chats in their order. */
  pinned(): { id: string; key: string }[] {
    return this.chats()
      .flatMap(({ conversationId, pin }) => (pin === undefined ? [] : [{ id: conversationId, key: pin }]))
      .sort(comparePlaced);
  }

  archive(conversationId: string, archived: boolean): Promise<void> {
    return this.#ports.history.setRegisters(conversationId, { archived });
  }

  /** @throws ClientError `tags-full` */
  async tag(conversationId: string, text: string): Promise<void> {
    const tag = normalTag(text);
    const chat = this.chats().find((one) => one.conversationId === conversationId);
    if (tag === undefined || chat === undefined || chat.tags.includes(tag)) return;
    // CL-302: a record holds 64 registers, and one too many could not be written at all
    if (chat.tags.length >= TAGS_AT_ONCE) throw new ClientError('tags-full');
    await this.#ports.history.setRegisters(conversationId, { [TAG_PREFIX + tag]: true });
  }

  untag(conversationId: string, tag: string): Promise<void> {
    return this.#ports.history.setRegisters(conversationId, { [TAG_PREFIX + tag]: false });
  }

  /** When chats go by themselves, as the account says; undefined where it says nothing. */
  retention(): Retention | undefined {
    return retentionOf(settingsOf(this.#ports.history.recordsOfType(SETTING_TYPE)).get(RETENTION));
  }

  /** @param days 0 for never */
  setRetention(days: number): Promise<void> {
    return this.setSetting(RETENTION, days);
  }

  /** @param days 0 for never; undefined for as the account says */
  setChatRetention(conversationId: string, days: number | undefined): Promise<void> {
    return this.#ports.history.setRegisters(conversationId, { retention: days ?? null });
  }

  /** Writes this device's record of a setting. @param value null for no longer set */
  setSetting(name: string, value: JsonValue): Promise<void> {
    return this.#inTurn(async () => {
      const { history } = this.#ports;
      const records = history.recordsOfType(SETTING_TYPE);
      const own = records.find((record) => record.deviceId === history.deviceId && nameOf(record) === name);
      await history.writeRecord(encodeSetting(name, value, history.nextClock()), own?.recordId);
    });
  }

  #children(parentId: string | undefined) {
    return [...this.folders().values()]
      .filter((folder) => folder.parentId === parentId)
      .map(({ folderId: id, order: key }) => ({ id, key }));
  }

  #isWithin(folderId: string | undefined, outerId: string): boolean {
    const folders = this.folders();
    for (let at = folderId; at !== undefined; at = folders.get(at)?.parentId) if (at === outerId) return true;
    return false;
  }

  #chatsOf(folderId: string): string[] {
    const chats = this.chats().filter((chat) => chat.folderId === folderId);
    return chats.map(({ conversationId }) => conversationId);
  }

  /** Every device's record of a folder. */
  #said(folderId: string): OpenedRecord[] {
    return this.#ports.history
      .recordsOfType(FOLDER_TYPE)
      .filter(({ content }) => content.type === 'unknown' && content.fields.folderId === folderId);
  }

  /** @param values undefined marks the folder as deleted, and keeps nothing else */
  #write(folderId: string, values: Readonly<Record<string, JsonValue>> | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const { history, clock: time } = this.#ports;
      const { deviceId } = history;
      const said = this.#said(folderId);
      const own = said.find((record) => record.deviceId === deviceId);
      const earlier = own?.content.type === 'unknown' ? parseFolder(own.content) : undefined;
      const clock = history.nextClock();
      const registers = Object.entries(values ?? {}).map(([name, value]) => [name, { value, clock, deviceId }]);
      const content: FolderContent = {
        ...(earlier ?? { folderId, createdAtMs: time.nowMs() }),
        clock,
        registers: values === undefined ? {} : { ...earlier?.registers, ...Object.fromEntries(registers) },
        ...(values === undefined || earlier?.deleted ? { deleted: true } : {}),
      };
      await history.writeRecord(encodeFolder(content), own?.recordId);
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work, work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  #newId(): string {
    return [...this.#ports.random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

function registersOf({ name, instructions, colour, icon }: FolderChange): Record<string, JsonValue> {
  return {
    ...(name === undefined ? {} : { name: plain(name, NAME_LIMIT).trim().replace(/\s+/g, ' ') }),
    ...(instructions === undefined ? {} : { instructions: plain(instructions, INSTRUCTIONS_LIMIT).trim() }),
    ...(colour === undefined ? {} : { colour }),
    ...(icon === undefined ? {} : { icon }),
  };
}

const plain = (text: string, limit: number) => text.slice(0, limit).toWellFormed();
const clamp = (index: number, most: number) => Math.max(0, Math.min(most, Math.trunc(index)));
const nameOf = ({ content }: OpenedRecord) => (content.type === 'unknown' ? content.fields.name : undefined);
