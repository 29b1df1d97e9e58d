/**
 * Folders, and what another program remembered, of a file: under which ids they are taken, and as which records (spec/client.md "Taking
 * chats along"). A folder that was deleted here stays deleted; its owner's next import of it makes a new one.
 */
import type { Clock } from '@sotto/ports';
import { encodeSetting, type JsonValue, SETTING_TYPE, settingsOf } from '@sotto/vault';
import { buildFolders, encodeFolder, FOLDER_TYPE, MEMORY_SETTING } from '@sotto/vault/order';
import type { History } from '../history.ts';
import type { ForeignChat, ForeignFolder, ForeignMemory, Source } from './foreign.ts';
import type { NewRecord } from './records.ts';

export type PlacesTarget = Pick<History, 'deriveImportedId' | 'deviceId' | 'nextClock' | 'recordsOfType'>;

/** Of a text in one record; a longer one becomes several. */
const MEMORY_CHARACTERS = 10_000;
const NAME_CHARACTERS = 120;
const INSTRUCTIONS_CHARACTERS = 10_000;

export class ImportedPlaces {
  readonly #target: PlacesTarget;
  readonly #clock: Clock;
  /** Folders that are here, and those that were deleted here. */
  readonly #here: Set<string>;
  readonly #deleted: Set<string>;
  readonly #memories: Set<string>;
  #unnamed = 0;

  constructor(target: PlacesTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    const records = target.recordsOfType(FOLDER_TYPE);
    this.#here = new Set(buildFolders(records).keys());
    const all = records.flatMap(({ content }) => (content.type === 'unknown' ? [String(content.fields.folderId)] : []));
    this.#deleted = new Set(all.filter((folderId) => !this.#here.has(folderId)));
    const settings = settingsOf(target.recordsOfType(SETTING_TYPE));
    this.#memories = new Set([...settings].filter(([, { value }]) => value !== null).map(([name]) => name));
  }

  /** A chat with its folder under the id it has here. */
  placed(chat: ForeignChat): ForeignChat {
    const clock = chat.registers.title?.clock ?? chat.createdAtMs;
    const imported = { value: this.#clock.nowMs(), clock };
    const folder = chat.folder === undefined ? {} : { folder: { value: this.#idOf(chat.source, chat.folder), clock } };
    return { ...chat, registers: { ...chat.registers, ...folder, imported } };
  }

  /** Empty where it is here already. */
  recordsOfFolder(folder: ForeignFolder): NewRecord[] {
    const { source, sourceId, registers = {}, createdAtMs } = folder;
    const folderId = this.#idOf(source, sourceId);
    // CL-287: a file that names a folder of this history would change it
    if (this.#here.has(folderId)) return [];
    this.#here.add(folderId);
    const clock = this.#target.nextClock();
    const { deviceId } = this.#target;
    const instructions = pieces(folder.instructions, INSTRUCTIONS_CHARACTERS);
    const { parent } = registers;
    const said: Record<string, JsonValue | undefined> = {
      ...Object.fromEntries(Object.entries(registers).map(([name, { value }]) => [name, value])),
      name: folder.name.slice(0, NAME_CHARACTERS).toWellFormed() || `Project ${++this.#unnamed}`,
      instructions: instructions[0] ?? '',
      parent: typeof parent?.value === 'string' ? this.#idOf(source, parent.value) : null,
    };
    const content = encodeFolder({
      clock,
      folderId,
      createdAtMs: Math.max(1, Math.min(createdAtMs, this.#clock.nowMs() - 1)),
      registers: Object.fromEntries(
        Object.entries(said).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, { value, clock, deviceId }]],
        ),
      ),
    });
    const recordId = this.#target.deriveImportedId(['folder-record', folderId, deviceId]);
    // Nothing is cut: what a folder does not hold stands beside it.
    const rest = instructions.slice(1).flatMap((text) => this.recordsOfMemory({ source, text }));
    return [{ recordId, content }, ...rest];
  }

  /** Empty where it is here already; one that was taken away here is taken again. */
  recordsOfMemory({ source, text, folder }: ForeignMemory): NewRecord[] {
    const about = folder === undefined ? {} : { folderId: this.#idOf(source, folder) };
    return pieces(text, MEMORY_CHARACTERS).flatMap((piece) => {
      const name = MEMORY_SETTING + this.#target.deriveImportedId([source, 'memory', piece]);
      if (this.#memories.has(name)) return [];
      this.#memories.add(name);
      const value = { source, text: piece, atMs: this.#clock.nowMs(), ...about };
      const recordId = this.#target.deriveImportedId(['memory-record', name, this.#target.deviceId]);
      return [{ recordId, content: encodeSetting(name, value, this.#target.nextClock()) }];
    });
  }

  #idOf(source: Source, sourceId: string): string {
    if (source === 'sotto' && this.#here.has(sourceId)) return sourceId;
    const derive = (round: number) => this.#target.deriveImportedId([source, 'folder', sourceId, String(round)]);
    let round = 0;
    // CL-290: as a chat that was removed
    while (this.#deleted.has(derive(round))) round++;
    return derive(round);
  }
}

function pieces(text: string, limit: number): string[] {
  const whole = text.toWellFormed().trim();
  const characters = [...whole];
  return Array.from({ length: Math.ceil(characters.length / limit) }, (_, i) =>
    characters.slice(i * limit, (i + 1) * limit).join(''),
  );
}
