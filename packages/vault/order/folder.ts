/**
 * Folders (spec/vault.md, "Order"): records of type `folder`, one a device a folder, whose registers merge as a
 * conversation's do. A folder with instructions is a project. Written by the person's own devices, or by one that was removed.
 */
import { isJsonObject, type JsonObject } from '../canonical-json.ts';
import type { UnknownContent } from '../content.ts';
import { VaultError } from '../error.ts';
import { Fields, isId } from '../fields.ts';
import type { OpenedRecord } from '../record.ts';
import { compareText, encodeRegisters, mergeRegisters, parseRegisters, type Registers } from '../registers.ts';
import { newestVersions } from '../tree.ts';
import { comparePlaced, isOrderKey } from './order-key.ts';

export const FOLDER_TYPE = 'folder';
/** A register for each file, as for tags: what a message's `attachments` say of a blob, or false. */
export const FILE_PREFIX = 'file:';
const WORD = /^[a-z][a-z0-9-]{0,31}$/;

/** What one device says about a folder. */
export interface FolderContent {
  readonly clock: number;
  /** 16 bytes as hex. */
  readonly folderId: string;
  readonly createdAtMs: number;
  readonly registers: Registers;
  /** Once written it holds for ever. */
  readonly deleted?: true;
  readonly unknownFields?: JsonObject;
}

export interface Folder {
  readonly folderId: string;
  /** Empty where none was written. */
  readonly name: string;
  /** What the model is told in every chat of it; empty for a folder that is no project. */
  readonly instructions: string;
  /** Names of the app's own; a reader shows what it knows. */
  readonly colour: string | undefined;
  readonly icon: string | undefined;
  /** By blob id, in their order: what a message's `attachments` would say of each. */
  readonly files: ReadonlyMap<string, JsonObject>;
  /** The folder it stands in: one that is here, and not in this one. */
  readonly parentId: string | undefined;
  /** The order key. */
  readonly order: string | undefined;
  readonly createdAtMs: number;
  readonly registers: Registers;
}

export function encodeFolder({ clock, registers, unknownFields, ...known }: FolderContent): UnknownContent {
  const fields = { ...unknownFields, ...known, registers: encodeRegisters(registers) };
  return { type: 'unknown', recordType: FOLDER_TYPE, clock, fields };
}

/** @throws VaultError `record-content-malformed` */
export function parseFolder(content: UnknownContent): FolderContent {
  // VA-22: another type's fields would be shown as a folder
  if (content.recordType !== FOLDER_TYPE) throw new VaultError('record-content-malformed', 'VA-22');
  const fields = new Fields(content.fields);
  const folderId = fields.id('folderId');
  const createdAtMs = fields.integer('createdAtMs');
  const registers = parseRegisters(fields, 'registers');
  const deleted = fields.flag('deleted');
  for (const name of ['name', 'instructions']) {
    const value = registers[name]?.value;
    // VA-22: both are shown to a person, and one is sent to a model
    if (value !== undefined && typeof value !== 'string') throw new VaultError('record-content-malformed', 'VA-22');
  }
  const rest = fields.rest();
  return {
    clock: content.clock,
    folderId,
    createdAtMs,
    registers,
    ...(deleted ? { deleted: true } : {}),
    ...(Object.keys(rest).length === 0 ? {} : { unknownFields: rest }),
  };
}

/** The folders of a set of records that were not deleted, by id, in their order; any order of arrival gives the same. */
export function buildFolders(records: Iterable<OpenedRecord>): Map<string, Folder> {
  const said = Map.groupBy(
    [...newestVersions(records).values()].flatMap(({ content }) => readable(content) ?? []),
    ({ folderId }) => folderId,
  );
  // VA-64: as a chat's, a folder's removal holds whatever arrives later
  const standing = [...said].filter(([, all]) => !all.some(({ deleted }) => deleted === true));
  const merged = new Map(standing.map(([folderId, all]) => [folderId, merge(folderId, all)]));
  const parents = parentsOf(merged);
  const folders = [...merged.values()].map((folder): Folder => ({ ...folder, parentId: parents.get(folder.folderId) }));
  folders.sort((a, b) => comparePlaced({ id: a.folderId, key: a.order }, { id: b.folderId, key: b.order }));
  return new Map(folders.map((folder) => [folder.folderId, folder]));
}

function readable(content: OpenedRecord['content']): FolderContent | undefined {
  if (content.type !== 'unknown' || content.recordType !== FOLDER_TYPE) return undefined;
  try {
    return parseFolder(content);
  } catch (error) {
    // CL-294: one odd record must not hide the other folders
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

function merge(folderId: string, all: readonly FolderContent[]): Folder {
  const registers = all.reduce<Registers>((merged, next) => mergeRegisters(merged, next.registers), {});
  const word = (name: string) => {
    const value = registers[name]?.value;
    return typeof value === 'string' && WORD.test(value) ? value : undefined;
  };
  const order = registers.order?.value;
  return {
    folderId,
    name: String(registers.name?.value ?? ''),
    instructions: String(registers.instructions?.value ?? ''),
    colour: word('colour'),
    icon: word('icon'),
    files: filesOf(registers),
    parentId: undefined,
    order: isOrderKey(order) ? order : undefined,
    createdAtMs: all.reduce((least, { createdAtMs }) => Math.min(least, createdAtMs), Number.MAX_SAFE_INTEGER),
    registers,
  };
}

function filesOf(registers: Registers): Map<string, JsonObject> {
  const files = Object.entries(registers).flatMap(([name, { value }]) => {
    const blobId = name.slice(FILE_PREFIX.length);
    return name.startsWith(FILE_PREFIX) && isId(blobId) && isJsonObject(value) ? [[blobId, value] as const] : [];
  });
  return new Map(files.sort(([a], [b]) => compareText(a, b)));
}

/** Two devices may have put two folders into each other at once: the one with the least id of a circle stands on its own. */
function parentsOf(folders: ReadonlyMap<string, Folder>): Map<string, string> {
  const parents = new Map<string, string>();
  for (const { folderId, registers } of folders.values()) {
    const parentId = registers.parent?.value;
    if (isId(parentId) && folders.has(parentId)) parents.set(folderId, parentId);
  }
  for (const start of [...folders.keys()].sort(compareText)) {
    const seen = new Set<string>();
    for (let at = parents.get(start); at !== undefined && !seen.has(at); at = parents.get(at)) seen.add(at);
    // CL-296: a circle hangs in no folder that is shown, and its chats with it
    if (seen.has(start)) parents.delete(start);
  }
  return parents;
}
