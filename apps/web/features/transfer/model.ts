/** Exports the open history, and imports files into it. */
import {
  attachImported,
  type ImportFile,
  type ImportProgress,
  type ImportReport,
  importChats,
  LEFT_OUT_KINDS,
  type OpenFile,
  packHistory,
} from '@sotto/client/transfer';
import type { Clock } from '@sotto/ports';
import type { History, Page } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { errorWords } from '../../shell/words.ts';
import type { Files } from '../attachments/files.ts';
import { w } from './words.ts';

export type TransferState =
  | { readonly step: 'ready' }
  | { readonly step: 'exported'; readonly lines: readonly string[] }
  | { readonly step: 'importing'; readonly line: string }
  | { readonly step: 'imported'; readonly report: Told };

/** A report in words. */
export interface Told {
  readonly lines: readonly string[];
  readonly leftOut: readonly string[];
  readonly problems: readonly string[];
  /** Where chats came from, and still are. */
  readonly from: readonly ('chatgpt' | 'claude')[];
}

export interface TransferModel {
  readonly state: ReadableStore<TransferState>;
  exportAll(): Promise<void>;
  importFiles(files: readonly Blob[]): Promise<void>;
  /** Ends an import between two writes. */
  stop(): void;
  again(): void;
}

export interface TransferPorts {
  readonly clock: Clock;
  readonly history: () => History;
  readonly page: Pick<Page, 'download'>;
  /** The files of the history; absent where there are none. */
  readonly files?: () => Promise<Files>;
}

export function createTransferModel({ clock, history, page, files: filesOf }: TransferPorts): TransferModel {
  const state = createStore<TransferState>({ step: 'ready' });
  let stopping = new AbortController();
  return {
    state,
    exportAll: async () => {
      // Chats go along also where their files cannot be had: those are counted.
      const open = await filesOf?.().catch(() => undefined);
      const openFile: OpenFile | undefined = open && ((...file) => open.attachments.open(...file));
      const chats = history().eachConversation();
      const { zip, conversations, messages, files, filesLeftOut } = await packHistory(
        chats,
        clock.nowMs(),
        openFile,
        history(),
      );
      if (conversations === 0) return state.set({ step: 'exported', lines: [w('export.empty')] });
      page.download(`sotto-chats-${new Date(clock.nowMs()).toISOString().slice(0, 10)}.zip`, zip);
      const { damagedCount } = history();
      const damaged = damagedCount > 0 ? [w('export.damaged', { count: damagedCount })] : [];
      const taken = files > 0 ? [w('export.files', { count: files })] : [];
      const left = filesLeftOut > 0 ? [w('export.filesLeftOut', { count: filesLeftOut })] : [];
      const lines = [w('export.done', { chats: conversations, messages }), ...taken, ...left, ...damaged];
      state.set({ step: 'exported', lines });
    },
    importFiles: async (files) => {
      if (files.length === 0 || state.get().step === 'importing') return;
      stopping = new AbortController();
      const onProgress = (progress: ImportProgress) => state.set({ step: 'importing', line: lineOf(progress) });
      onProgress({ files: 0, ofFiles: files.length, chats: 0, messages: 0 });
      const { signal } = stopping;
      const open = await filesOf?.();
      const attach = open === undefined ? {} : { attach: attachImported(open.attachments) };
      const report = await importChats(history(), files.map(toImportFile), { clock, signal, onProgress, ...attach });
      open?.wake();
      state.set({ step: 'imported', report: tell(report) });
    },
    stop: () => stopping.abort(),
    again: () => state.set({ step: 'ready' }),
  };
}

function toImportFile(file: Blob, place: number): ImportFile {
  return {
    name: file instanceof File ? file.name : `${place + 1}`,
    sizeBytes: file.size,
    read: async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer()),
  };
}

function lineOf({ files, ofFiles, chats, messages }: ImportProgress): string {
  return w('import.running', { file: Math.min(files + 1, ofFiles), files: ofFiles, chats, messages });
}

/** What was taken, what was not, and what went wrong: each with its number, and nothing that is zero. */
export function tell(report: ImportReport): Told {
  const { chats, messages, files, folders, memories, leftOut, refused, ended, failure } = report;
  const lines = [w('import.taken', { chats: chats.taken, messages: messages.taken })];
  if (messages.known > 0) lines.push(w('import.known', { chats: chats.known, messages: messages.known }));
  if (files.taken > 0) lines.push(w('import.files', { count: files.taken }));
  if (folders.taken > 0) lines.push(w('import.folders', { count: folders.taken }));
  if (memories.taken > 0) lines.push(w('import.memories', { count: memories.taken }));
  if (messages.divided > 0) lines.push(w('import.divided', { count: messages.divided }));
  if (chats.empty > 0) lines.push(w('import.empty', { count: chats.empty }));
  const problems = refused.map(({ fileName, code }) => w(`refused.${code}`, { name: fileName }));
  if (ended === 'stopped') problems.push(w('import.stopped'));
  if (ended === 'failed') problems.push(w('import.failed', { reason: errorWords(failure?.code ?? 'unexpected') }));
  const left = LEFT_OUT_KINDS.filter((kind) => leftOut[kind] > 0).map((kind) =>
    w(`left.${kind}`, { count: leftOut[kind] }),
  );
  const from = [report.isFromChatGpt && 'chatgpt', report.isFromClaude && 'claude'] as const;
  return { lines, leftOut: left, problems, from: ended === 'whole' ? from.filter((each) => each !== false) : [] };
}
