/** Files that the person chose and has not sent yet: sealed onto this device while the question is written. */
import { ATTACHMENT_LIMIT, type Attachment, encodeAttachments } from '@sotto/client/attachments';
import type { JsonValue } from '@sotto/vault';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import type { Files } from './files.ts';
import { kindOf } from './kinds.ts';
import type { redraw as Redraw } from './picture.ts';
import { reasonOf, w } from './words.ts';

export interface Chip {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly step: 'sealing' | 'ready' | 'failed';
  /** Sealed so far, 0 to 100. */
  readonly percent: number;
  /** Why it failed, or what becomes of it. */
  readonly notes: readonly string[];
  readonly attachment?: Attachment;
}

export interface AttachState {
  readonly chips: readonly Chip[];
  /** Something that concerns no single file. */
  readonly problem: string | undefined;
}

export interface AttachModel {
  readonly state: ReadableStore<AttachState>;
  add(files: readonly File[]): Promise<void>;
  /** The open chat is stored nowhere, and takes no files. */
  refuseTemporary(): void;
  retry(id: number): Promise<void>;
  remove(id: number): Promise<void>;
  /** Keeps what is ready for a message of this chat. @returns what its record says of it */
  keep(conversationId: string, textBytes: number): Promise<JsonValue | undefined>;
  /** The message is saved: they are its, and no longer to be sent with the next. */
  sent(): void;
  /** Lets go of everything; somebody else may be next. */
  clear(): Promise<void>;
}

export interface AttachPorts {
  readonly files: () => Promise<Files>;
  readonly redraw: typeof Redraw;
}

const PIECE_BYTES = 1024 * 1024;

export function createAttachModel({ files, redraw }: AttachPorts): AttachModel {
  const state = createStore<AttachState>({ chips: [], problem: undefined });
  const chosen = new Map<number, { readonly file: File; readonly stop: AbortController }>();
  let count = 0;

  const patch = (id: number, change: Partial<Chip>) =>
    state.patch({ chips: state.get().chips.map((chip) => (chip.id === id ? { ...chip, ...change } : chip)) });

  const seal = async (id: number) => {
    const { file, stop } = chosen.get(id) ?? {};
    if (file === undefined || stop === undefined) return;
    patch(id, { step: 'sealing', percent: 0, notes: [] });
    try {
      if (file.size === 0) return patch(id, { step: 'failed', notes: [w('error.empty')] });
      const kind = kindOf({ name: file.name, mediaType: file.type });
      const redrawn = kind === 'picture' ? await redraw(file) : undefined;
      const content: Blob = redrawn?.blob ?? file;
      const { attachments } = await files();
      const attachment = await attachments.attach(
        {
          name: file.name,
          mediaType: content.type,
          bytes: content.size,
          read: () => piecesOf(content),
          ...(redrawn === undefined ? {} : { thumbnail: redrawn.thumbnail }),
        },
        {
          signal: stop.signal,
          onProgress: (part, parts) => patch(id, { percent: Math.round((100 * part) / parts) }),
        },
      );
      if (!chosen.has(id)) return await attachments.discard(attachment);
      const notes =
        kind === 'text'
          ? [w('note.text')]
          : kind === 'other'
            ? [w('note.other')]
            : [w(redrawn === undefined ? 'note.unchanged' : 'note.location'), w('note.image')];
      patch(id, { step: 'ready', percent: 100, attachment, bytes: content.size, notes });
    } catch (cause) {
      if (!chosen.has(id)) return;
      patch(id, { step: 'failed', notes: [reasonOf(cause)] });
    }
  };

  const remove = async (id: number) => {
    const { attachment } = state.get().chips.find((chip) => chip.id === id) ?? {};
    chosen.get(id)?.stop.abort(new Error('removed'));
    chosen.delete(id);
    state.patch({ chips: state.get().chips.filter((chip) => chip.id !== id), problem: undefined });
    if (attachment !== undefined) await (await files()).attachments.discard(attachment);
  };

  return {
    state,
    add: async (added) => {
      const room = ATTACHMENT_LIMIT - state.get().chips.length;
      const taken = added.slice(0, room).map((file) => {
        const id = ++count;
        chosen.set(id, { file, stop: new AbortController() });
        return { id, name: file.name, bytes: file.size, step: 'sealing', percent: 0, notes: [] } as const;
      });
      state.set({
        chips: [...state.get().chips, ...taken],
        problem: added.length > room ? w('error.too-many', { limit: ATTACHMENT_LIMIT }) : undefined,
      });
      // One after the other: a file of any size takes the memory of one part.
      for (const { id } of taken) await seal(id);
    },
    refuseTemporary: () => state.patch({ problem: w('error.temporary') }),
    retry: seal,
    remove,
    keep: async (conversationId, textBytes) => {
      const ready = state.get().chips.flatMap(({ attachment }) => attachment ?? []);
      if (ready.length === 0) return undefined;
      const { attachments } = await files();
      await attachments.keep(conversationId, ready);
      return encodeAttachments(ready, textBytes);
    },
    sent: () => {
      const failed = state.get().chips.filter(({ step }) => step !== 'ready');
      for (const { id } of state.get().chips) if (!failed.some((chip) => chip.id === id)) chosen.delete(id);
      state.set({ chips: failed, problem: undefined });
      void files().then((open) => open.wake());
    },
    clear: async () => {
      for (const { id } of state.get().chips) await remove(id).catch(() => undefined);
    },
  };
}

/** A file in pieces: never all of it in memory. */
async function* piecesOf(file: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    yield new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer());
  }
}
