/**
 * Takes chats from files into an open history (spec/client.md "Taking chats along"). A file may be anybody's: it can add chats, and
 * change none that is here.
 */
import { parseUtf8, SottoError } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import { ClientError } from '../errors.ts';
import type { History } from '../history.ts';
import type { AttachFiles } from './attach-imported.ts';
import { lookBeside } from './beside.ts';
import { TransferError, type TransferErrorCode } from './error.ts';
import {
  type FindFile,
  type ForeignChat,
  type ForeignFolder,
  type ForeignItems,
  type ForeignMemory,
  LEFT_OUT_KINDS,
  type LeaveOut,
  type LeftOutKind,
  type Source,
} from './foreign.ts';
import { TRANSFER_LIMITS, type TransferLimits } from './limits.ts';
import { parseItems, WANTED } from './parse.ts';
import { ImportedPlaces } from './places.ts';
import { type NewRecord, type RecordNames, toRecords } from './records.ts';
import { type ImportFile, openZip } from './zip-reader.ts';

/** What an import needs of a `History`. */
export type ImportTarget = Pick<
  History,
  | 'eachConversation'
  | 'hasRecord'
  | 'conversationState'
  | 'deviceId'
  | 'deriveImportedId'
  | 'importRecord'
  | 'inOneChange'
  | 'nextClock'
  | 'recordsOfType'
  | 'refresh'
  | 'settled'
>;

export interface ImportOptions {
  readonly clock: Clock;
  /** Stops between two writes; what was taken stays, and the same files can be imported again. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly limits?: TransferLimits;
  /** Keeps the files of a message (`attachImported`); without it they are counted and left out. */
  readonly attach?: AttachFiles;
}

export interface ImportProgress {
  /** Files finished, of all. */
  readonly files: number;
  readonly ofFiles: number;
  /** Chats looked at so far, in all files. */
  readonly chats: number;
  /** Messages stored so far. */
  readonly messages: number;
}

export interface ImportReport {
  readonly chats: {
    /** With at least one message, or its name, that was not here. */
    readonly taken: number;
    /** Whole here already. */
    readonly known: number;
    /** Nothing in them could be taken. */
    readonly empty: number;
  };
  /** `divided`: too long for one record, taken as several. */
  readonly messages: { readonly taken: number; readonly known: number; readonly divided: number };
  /** Pictures and files that went with the messages. */
  readonly files: { readonly taken: number };
  readonly leftOut: Readonly<Record<LeftOutKind, number>>;
  readonly refused: readonly {
    readonly fileName: string;
    readonly code: TransferErrorCode;
    readonly rule: string | undefined;
  }[];
  readonly folders: { readonly taken: number; readonly known: number };
  /** What the other program remembered of the person, as texts. */
  readonly memories: { readonly taken: number; readonly known: number };
  /** Something came from there, where it still is. */
  readonly isFromChatGpt: boolean;
  readonly isFromClaude: boolean;
  readonly ended: 'whole' | 'stopped' | 'failed';
  /** What the store said, where it failed: what follows was not taken. */
  readonly failure?: SottoError;
}

const LANES = 8;
/** Writes between two heads: a list of what is not yet in the log is kept, and grows slow. */
const SETTLE_AFTER = 128;

/** Never throws for what a file holds; files are read one by one, in their order. */
export function importChats(
  target: ImportTarget,
  files: readonly ImportFile[],
  options: ImportOptions,
): Promise<ImportReport> {
  return target.inOneChange(() => new Import(target, options).run(files));
}

class Import {
  readonly #target: ImportTarget;
  readonly #options: ImportOptions;
  readonly #limits: TransferLimits;
  /** Record ids that are here. */
  /** Taken by this import. */
  readonly #taken = new Set<string>();
  readonly #counts = {
    chats: { taken: 0, known: 0, empty: 0 },
    messages: { taken: 0, known: 0, divided: 0 },
    files: { taken: 0 },
    folders: { taken: 0, known: 0 },
    memories: { taken: 0, known: 0 },
  };
  readonly #places: ImportedPlaces;
  #findFile: FindFile = () => undefined;
  readonly #leftOut = Object.fromEntries(LEFT_OUT_KINDS.map((kind) => [kind, 0])) as Record<LeftOutKind, number>;
  readonly #from = new Set<Source>();
  #unsettled = 0;

  constructor(target: ImportTarget, options: ImportOptions) {
    this.#target = target;
    this.#options = options;
    this.#limits = options.limits ?? TRANSFER_LIMITS;
    this.#places = new ImportedPlaces(target, options.clock);
  }

  async run(files: readonly ImportFile[]): Promise<ImportReport> {
    const refused: { fileName: string; code: TransferErrorCode; rule: string | undefined }[] = [];
    const end = (ended: ImportReport['ended'], failure?: SottoError): ImportReport => ({
      ...this.#counts,
      leftOut: this.#leftOut,
      refused,
      isFromChatGpt: this.#from.has('chatgpt'),
      isFromClaude: this.#from.has('claude'),
      ended,
      ...(failure === undefined ? {} : { failure }),
    });
    try {
      await this.#target.refresh();
      if (this.#options.attach !== undefined) this.#findFile = await lookBeside(files, this.#limits);
      for (const [i, file] of files.entries()) {
        let groups: readonly ForeignItems[] = [];
        try {
          groups = await this.#read(file);
        } catch (cause) {
          const error =
            cause instanceof TransferError ? cause : new TransferError('import-unreadable', 'CL-285', cause);
          refused.push({ fileName: file.name, code: error.code, rule: error.rule });
        }
        for (const { folders, memories, chats } of groups) {
          await this.#takePlaces(folders, memories);
          for (const chat of chats) await this.#take(chat, i, files.length);
        }
        this.#progress(i + 1, files.length);
      }
      await this.#target.settled();
      return end('whole');
    } catch (cause) {
      if (cause instanceof Stopped) return end('stopped');
      return end('failed', cause instanceof SottoError ? cause : new ClientError('store-unavailable', { cause }));
    }
  }

  async #read(file: ImportFile): Promise<ForeignItems[]> {
    const start = await file.read(0, Math.min(4, file.sizeBytes));
    if (start[0] !== 0x50 || start[1] !== 0x4b) {
      // CL-282: it is read into memory whole
      if (file.sizeBytes > this.#limits.textBytes) throw new TransferError('import-too-large', 'CL-282');
      return [this.#parse(await file.read(0, file.sizeBytes))];
    }
    const items = await openZip(file, (name) => WANTED.test(name), this.#limits);
    // CL-285: a ZIP of something else is said to be that, not an import of nothing
    if (items.length === 0) throw new TransferError('import-unknown', 'CL-285');
    const groups: ForeignItems[] = [];
    for (const item of items) groups.push(this.#parse(await item.read()));
    return groups;
  }

  /** Counts what it leaves out only when the whole text was understood. */
  #parse(bytes: Uint8Array): ForeignItems {
    let value: unknown;
    try {
      value = JSON.parse(parseUtf8(bytes).replace(/^\ufeff/, ''));
    } catch (cause) {
      throw new TransferError('import-unreadable', 'CL-285', cause);
    }
    const left: [LeftOutKind, number][] = [];
    const leaveOut: LeaveOut = (kind, count = 1) => void left.push([kind, count]);
    const items = parseItems(value, leaveOut, this.#limits, this.#findFile);
    for (const [kind, count] of left) this.#leftOut[kind] += count;
    for (const { source } of [...items.chats, ...items.folders, ...items.memories]) this.#from.add(source);
    return items;
  }

  async #takePlaces(folders: readonly ForeignFolder[], memories: readonly ForeignMemory[]): Promise<void> {
    const { folders: folderCounts, memories: memoryCounts } = this.#counts;
    for (const folder of folders) {
      const records = this.#places.recordsOfFolder(folder);
      await this.#write(records);
      if (records.length > 0) folderCounts.taken++;
      else folderCounts.known++;
    }
    for (const memory of memories) {
      const records = this.#places.recordsOfMemory(memory);
      await this.#write(records);
      if (records.length > 0) memoryCounts.taken++;
      else memoryCounts.known++;
    }
  }

  async #take(chat: ForeignChat, file: number, ofFiles: number): Promise<void> {
    const names = this.#nameIt(chat);
    const { description, messages, divided } = toRecords(
      this.#places.placed(chat),
      names,
      this.#options.clock.nowMs(),
      (kind, count = 1) => {
        this.#leftOut[kind] += count;
        return undefined;
      },
    );
    const { chats, messages: counts } = this.#counts;
    const isNamed = this.#target.conversationState(names.conversationId) === 'here';
    // A chat of another program in which nothing can be shown is no chat.
    if (messages.length === 0 && (chat.source !== 'sotto' || description === undefined)) {
      chats.empty++;
    } else {
      const wanted = [...(isNamed || description === undefined ? [] : [description]), ...messages];
      const missing = wanted.filter(({ recordId }) => {
        // CL-287: a file that names a message of this history would write over it
        if (this.#taken.has(recordId) || this.#target.hasRecord(recordId)) return false;
        // Twice in one chat is once.
        this.#taken.add(recordId);
        return true;
      });
      counts.known += messages.filter((record) => !missing.includes(record)).length;
      await this.#write(missing);
      if (missing.length > 0) counts.divided += divided;
      if (missing.length > 0) chats.taken++;
      else chats.known++;
    }
    this.#progress(file, ofFiles);
  }

  /** The chat's own id where it is here under it, else one derived from it; after it was removed here, the next one. */
  #nameIt({ source, sourceId }: ForeignChat): RecordNames {
    const derive = (...rest: (string | number)[]) =>
      this.#target.deriveImportedId([source, sourceId, ...rest.map(String)]);
    const { deviceId } = this.#target;
    const own = this.#target.conversationState(sourceId);
    if (source === 'sotto' && own !== undefined && own !== 'removed') {
      const idOf = (id: string, part: number) =>
        part === 0 && this.#target.hasRecord(id) ? id : derive('again', id, part);
      return { conversationId: sourceId, deviceId, descriptionId: derive('title', deviceId), idOf };
    }
    let round = 0;
    // CL-290: a removed chat stays removed whatever arrives; its owner asks for it anew
    while (this.#target.conversationState(derive(round)) === 'removed') round++;
    const conversationId = derive(round);
    const idOf = (id: string, part: number) => derive(round, 'message', id, part);
    return { conversationId, deviceId, descriptionId: derive(round, 'title', deviceId), idOf };
  }

  async #write(records: readonly NewRecord[]): Promise<void> {
    const waiting = records.values();
    const lanes = Array.from({ length: LANES }, async () => {
      for (const record of waiting) {
        // CL-293: the person said stop
        if (this.#options.signal?.aborted) throw new Stopped();
        await this.#target.importRecord(await this.#withFiles(record));
        if (record.content.type === 'message') this.#counts.messages.taken++;
      }
    });
    const ends = await Promise.allSettled(lanes);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    this.#unsettled += records.length;
    if (this.#unsettled < SETTLE_AFTER) return;
    await this.#target.settled();
    this.#unsettled = 0;
  }

  async #withFiles(record: NewRecord): Promise<NewRecord> {
    const { recordId, content, files } = record;
    if (files === undefined || content.type !== 'message') return record;
    const attachments = await this.#options.attach?.(content.conversationId, files, content.text, (file) => {
      this.#leftOut[file.kind]++;
    });
    if (attachments === undefined) return record;
    this.#counts.files.taken += attachments.length;
    const unknownFields = { ...content.unknownFields, attachments };
    return { recordId, content: { ...content, unknownFields } };
  }

  #progress(files: number, ofFiles: number): void {
    const { chats, messages } = this.#counts;
    this.#options.onProgress?.({
      files,
      ofFiles,
      chats: chats.taken + chats.known + chats.empty,
      messages: messages.taken,
    });
  }
}

class Stopped extends Error {}
