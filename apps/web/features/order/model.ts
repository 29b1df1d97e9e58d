/**
 * Folders, pins, tags, and what goes: loaded when somebody uses one of them. Keeps what a page left in the middle from staying,
 * and removes what is due by its age where the clock can be trusted.
 */
import { SottoError } from '@sotto/bytes';
import { ClientError } from '@sotto/client';
import { type ArrangedChat, dueChats, goesAtMs, judgeClock, Order, Removal, UNDO_MS } from '@sotto/client/order';
import type { Clock, Random } from '@sotto/ports';
import { SETTING_TYPE, settingsOf } from '@sotto/vault';
import { comparePlaced, type Folder, type Memory, memoriesOf } from '@sotto/vault/order';
import type { History, Services, Sharing } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { type ConversationGroup, groupByDay } from '../conversations/model.ts';

export interface FolderRow {
  readonly folder: Folder;
  /** 0 at the top. */
  readonly depth: number;
  readonly isOpen: boolean;
  /** Its own, last used first; put away ones apart. */
  readonly chats: readonly ArrangedChat[];
  /** Its place among those that stand in the same folder, from 0. */
  readonly place: number;
  readonly siblings: number;
}

/** What is being dragged. */
export interface Dragged {
  readonly kind: 'chat' | 'folder';
  readonly id: string;
}

/** What is open above the page. */
export type OrderPanel =
  | { readonly kind: 'chat'; readonly conversationId: string }
  | { readonly kind: 'folder'; readonly folderId: string | undefined }
  | { readonly kind: 'manage' };

export type OrderNotice = { readonly kind: 'soon' | 'ask' | 'done'; readonly count: number } | { readonly kind: 'off' };

export interface OrderState {
  /** Depth first, each in its order; those in a closed folder are not among them. */
  readonly rows: readonly FolderRow[];
  /** All, depth first, for choosing one. */
  readonly folders: readonly { readonly folder: Folder; readonly depth: number }[];
  readonly pinned: readonly ArrangedChat[];
  /** The rest: in no folder, not pinned, not put away. */
  readonly groups: readonly ConversationGroup[];
  readonly archived: readonly ArrangedChat[];
  readonly tags: readonly string[];
  /** Chats with this tag alone are shown. */
  readonly tag: string | undefined;
  readonly tagged: readonly ArrangedChat[];
  readonly showsArchive: boolean;
  readonly all: readonly ArrangedChat[];
  readonly panel: OrderPanel | undefined;
  /** Chats that can still be undone. */
  readonly removed: readonly string[];
  /** Days, as the account says; 0 for never. */
  readonly retentionDays: number;
  readonly soon: readonly ArrangedChat[];
  /** What other programs remembered of the person. */
  readonly memories: readonly Memory[];
  readonly notice: OrderNotice | undefined;
  readonly progress: { readonly done: number; readonly of: number } | undefined;
  readonly error: string | undefined;
  /** For the live region. */
  readonly said: string;
}

export interface OrderModelPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly history: () => History;
  readonly ifAlone: Services['ifAlone'];
  /** Links to copies of chats; rejects where there is no account. */
  readonly sharing?: () => Promise<Sharing>;
  /** The time by the server, where it can be asked. */
  readonly serverTimeMs: () => Promise<number | undefined>;
}

/** Where the model lies once it is made: one for an open history. */
export interface OrderSlot {
  readonly ports: OrderModelPorts;
  model: OrderModel | undefined;
}

export interface OrderModel {
  readonly state: ReadableStore<OrderState>;
  readonly order: Order;
  /** Owned by the list. */
  readonly drag: { at: Dragged | undefined };
  /** The folder a chat stands in, whether or not it is here. */
  folderOf(conversationId: string | undefined): string | undefined;
  open(panel: OrderPanel | undefined): void;
  toggle(folderId: string): void;
  showTag(tag: string | undefined): void;
  showArchive(shown: boolean): void;
  /** Runs a change; what goes wrong is told under the list. */
  attempt(work: (order: Order) => Promise<unknown>, said?: string): Promise<void>;
  /** Hides them at once; they go for good when the time to undo is over. */
  remove(conversationIds: readonly string[]): Promise<void>;
  undo(): Promise<void>;
  /** Removes now what could still be undone: whoever leaves has decided. */
  finish(): Promise<void>;
  /** The person says that the clock is right. */
  removeDue(): Promise<void>;
  /** Links to copies of chats; rejects where there is no account. */
  sharing(): Promise<Sharing>;
  /** Tells again what stands in the vault: a link was made or taken back. */
  reload(): void;
  dismissNotice(): void;
  /** @returns whether nothing is left */
  removeEverything(): Promise<boolean>;
  nowMs(): number;
  close(): void;
}

const LOOK_EVERY_MS = 3_600_000;
const FIRST_LOOK_MS = 5_000;

/** The model of the open history, made at first use. */
export function orderOf(slot: OrderSlot): OrderModel {
  slot.model ??= createOrderModel(slot.ports);
  return slot.model;
}

export function createOrderModel(ports: OrderModelPorts): OrderModel {
  const { clock } = ports;
  const history = ports.history();
  const order = new Order({ history, clock, random: ports.random });
  const removal = new Removal({ history, clock });
  const opened = new Set<string>();
  const closing = new AbortController();
  let dismissed = false;

  const state = createStore<OrderState>({
    rows: [],
    folders: [],
    pinned: [],
    groups: [],
    archived: [],
    tags: [],
    tag: undefined,
    tagged: [],
    showsArchive: false,
    all: [],
    panel: undefined,
    removed: [],
    retentionDays: 0,
    soon: [],
    memories: [],
    notice: undefined,
    progress: undefined,
    error: undefined,
    said: '',
  });

  const reload = () => {
    const nowMs = clock.nowMs();
    const all = order.chats().filter(({ removingSinceMs }) => removingSinceMs === undefined);
    const shown = all.filter(({ archived }) => !archived);
    const folders = order.folders();
    // CL-298: a chat of a folder that is not here stands in the list
    const isFree = ({ folderId, pin }: ArrangedChat) => pin === undefined && !folders.has(folderId ?? '');
    const placed = ({ conversationId: id, pin: key }: ArrangedChat) => ({ id, key });
    const { tag } = state.get();
    const tree = depthFirst([...folders.values()]);
    const byFolder = Map.groupBy(shown, ({ folderId }) => folderId);
    state.patch({
      rows: tree
        .filter(({ path }) => path.every((folderId) => opened.has(folderId)))
        .map(({ folder, path, place, siblings }) => ({
          folder,
          depth: path.length,
          isOpen: opened.has(folder.folderId),
          chats: byFolder.get(folder.folderId) ?? [],
          place,
          siblings,
        })),
      folders: tree.map(({ folder, path }) => ({ folder, depth: path.length })),
      pinned: shown.filter(({ pin }) => pin !== undefined).sort((a, b) => comparePlaced(placed(a), placed(b))),
      groups: groupByDay(shown.filter(isFree), nowMs),
      archived: all.filter(({ archived }) => archived),
      tags: [...new Set(shown.flatMap(({ tags }) => tags))].sort(),
      tagged: tag === undefined ? [] : shown.filter(({ tags }) => tags.includes(tag)),
      all,
      retentionDays: order.retention()?.days ?? 0,
      memories: memoriesOf(history.recordsOfType(SETTING_TYPE)),
      soon: dueChats(all, order.retention(), nowMs).soon,
    });
  };

  const attempt = async (work: () => Promise<unknown>, said = '') => {
    try {
      await work();
      state.patch({ error: undefined, said });
    } catch (cause) {
      state.patch({ error: cause instanceof SottoError ? cause.code : 'unexpected', said: '' });
    }
    reload();
  };

  const finish = async (conversationIds: readonly string[]) => {
    // CL-373: what was deleted is shown to nobody else, either
    await takeBackLinks((conversationId) => conversationIds.includes(conversationId));
    await attempt(() => removal.finish(conversationIds));
    state.patch({ removed: state.get().removed.filter((id) => !conversationIds.includes(id)) });
  };

  /** One that cannot be taken back now ends by itself, and the list still has it. */
  const takeBackLinks = async (isGone: (conversationId: string) => boolean) => {
    const settings = settingsOf(history.recordsOfType(SETTING_TYPE));
    if (![...settings].some(([name, { value }]) => name.startsWith('share:') && value !== null)) return;
    await sharing()
      .then(async ({ links, takeBack }) => {
        for (const { shareId, conversationId } of links()) if (isGone(conversationId)) await takeBack(shareId);
      })
      .catch(() => undefined);
  };
  const sharing = () => ports.sharing?.() ?? Promise.reject(new ClientError('account-required'));

  const look = async () => {
    await removal.finishAbandoned();
    const { all } = state.get();
    const { due, soon } = dueChats(all, order.retention(), clock.nowMs());
    const tellSoon = () => tell(soon.length > 0 ? { kind: 'soon', count: soon.length } : undefined);
    if (due.length === 0) {
      if (all.some((chat) => goesAtMs(chat, order.retention()) !== undefined))
        await removal.removeReady(order.retention());
      return tellSoon();
    }
    const newestMs = state.get().all.reduce((most, { updatedAtMs }) => Math.max(most, updatedAtMs), 0);
    const verdict = judgeClock({ nowMs: clock.nowMs(), newestMs, serverMs: await ports.serverTimeMs() });
    if (verdict === 'off') return tell({ kind: 'off' });
    if (verdict === 'ask') return tell({ kind: 'ask', count: due.length });
    const count = await removal.removeReady(order.retention());
    if (count === 0) return tellSoon();
    state.patch({ notice: { kind: 'done', count } });
  };

  const tell = (notice: OrderNotice | undefined) => {
    if (!dismissed) state.patch({ notice });
  };

  const keepLooking = async () => {
    for (let delayMs = FIRST_LOOK_MS; ; delayMs = LOOK_EVERY_MS) {
      await clock.sleep(delayMs, closing.signal);
      await ports.ifAlone('order', () => attempt(look));
    }
  };

  const unfollow = history.subscribe(reload);
  reload();
  keepLooking().catch(() => undefined);

  return {
    state,
    order,
    drag: { at: undefined },
    folderOf: (id) => order.chats().find(({ conversationId }) => conversationId === id)?.folderId,
    open: (panel) => state.patch({ panel, error: undefined }),
    toggle: (folderId) => {
      if (!opened.delete(folderId)) opened.add(folderId);
      reload();
    },
    showTag: (tag) => {
      state.patch({ tag });
      reload();
    },
    showArchive: (showsArchive) => state.patch({ showsArchive }),
    attempt: (work, said) => attempt(() => work(order), said),
    remove: async (conversationIds) => {
      await attempt(() => removal.begin(conversationIds));
      state.patch({ removed: [...state.get().removed, ...conversationIds] });
      clock.sleep(UNDO_MS, closing.signal).then(
        () => finish(conversationIds),
        () => undefined,
      );
    },
    undo: async () => {
      const { removed } = state.get();
      state.patch({ removed: [] });
      await attempt(() => removal.undo(removed));
    },
    finish: () => finish(state.get().removed),
    removeDue: () =>
      attempt(async () => {
        const count = await removal.removeDue(order.retention());
        state.patch({ notice: { kind: 'done', count } });
      }),
    dismissNotice: () => {
      dismissed = true;
      state.patch({ notice: undefined });
    },
    removeEverything: async () => {
      await takeBackLinks(() => true);
      await attempt(() => removal.removeEverything((done, of) => state.patch({ progress: { done, of } })));
      state.patch({ progress: undefined, removed: [] });
      return state.get().error === undefined;
    },
    sharing,
    reload,
    nowMs: clock.nowMs,
    close: () => {
      closing.abort();
      unfollow();
    },
  };
}

interface TreeRow {
  readonly folder: Folder;
  /** The folders it stands in, outermost first. */
  readonly path: readonly string[];
  readonly place: number;
  readonly siblings: number;
}

function depthFirst(folders: readonly Folder[]): TreeRow[] {
  const byParent = Map.groupBy(folders, ({ parentId }) => parentId);
  const walk = (parentId: string | undefined, path: readonly string[]): TreeRow[] => {
    const children = byParent.get(parentId) ?? [];
    return children.flatMap((folder, place) => [
      { folder, path, place, siblings: children.length },
      ...walk(folder.folderId, [...path, folder.folderId]),
    ]);
  };
  return walk(undefined, []);
}
