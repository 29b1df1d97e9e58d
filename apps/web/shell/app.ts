/** Builds the whole app from its ports. No model knows another: what they need of each other is passed in here. */

import { ClientError } from '@sotto/client';
import { type AttachDoor, createAttachDoor } from '../features/attachments/door.ts';
import { type ChatModel, createChatModel } from '../features/chat/model.ts';
import { type ComposerModel, createComposerModel } from '../features/composer/model.ts';
import { type ConversationsModel, createConversationsModel } from '../features/conversations/model.ts';
import { createKeepModel, type KeepModel } from '../features/keep/model.ts';
import type { LocksSession } from '../features/locks/types.ts';
import { createOperatorModel, type OperatorModel } from '../features/operator/model.ts';
import type { OrderModel, OrderPanel, OrderSlot } from '../features/order/model.ts';
import { createProofModel, type ProofModel } from '../features/proof/model.ts';
import { createSearchSlot, type SearchSlot } from '../features/search/slot.ts';
import { createSettingsModel, type SettingsModel } from '../features/settings/model.ts';
import type { GuardViewPorts } from '../features/unlocking/guard.ts';
import type { UnlockSettingsPorts } from '../features/unlocking/settings-model.ts';
import type { UnlockPorts } from '../features/unlocking/unlock-model.ts';
import type { History, Page, Services } from './services.ts';
import { createStore, type ReadableStore, type Store } from './store.ts';

/** Who this browser is. */
export type Who = 'starting' | 'guest' | 'locked' | 'account' | 'unavailable';

export interface Panels {
  readonly places: boolean;
  readonly proof: boolean;
  readonly help: boolean;
  /** "Try to break it". */
  readonly breaking: boolean;
  /** A guest who has kept chats elsewhere is entering their code. */
  readonly unlocking: boolean;
  /** What unlocks in this browser alone is being set. */
  readonly unlockSettings: boolean;
  /** A device is to be linked, and which of the two this one is. */
  readonly linking: 'new' | 'open' | undefined;
  /** Locks and devices are looked at. */
  readonly locks: boolean;
  /** Chats are to be exported or imported. */
  readonly transfer: 'export' | 'import' | undefined;
  /** Folders, pins, or what is being deleted: shown by code that is fetched then. */
  readonly ordering: boolean;
  /** How much room files take is being looked at. */
  readonly room: boolean;
  /** What waits for a yes: it would leave a temporary chat, which is then gone. */
  readonly leaving: (() => void) | undefined;
  readonly searching: boolean;
}

export interface App {
  readonly who: ReadableStore<{ readonly who: Who }>;
  readonly panels: Store<Panels>;
  readonly chat: ChatModel;
  readonly composer: ComposerModel;
  readonly attach: AttachDoor;
  /** The files of the open history. */
  readonly files: Services['accounts']['files'];
  readonly conversations: ConversationsModel;
  readonly proof: ProofModel;
  readonly operator: OperatorModel;
  readonly keep: KeepModel;
  /** Locks and devices of the open account; loaded when somebody looks. */
  readonly openLocks: () => Promise<LocksSession>;
  /** What unlocking works on, and its settings. */
  readonly unlockable: UnlockPorts & UnlockSettingsPorts;
  /** What watches over an open account. */
  readonly guardable: GuardViewPorts;
  readonly settings: SettingsModel;
  readonly page: Page;
  /** What "Try to break it" attacks: the real network, and who is trusted. */
  readonly attackable: Pick<Services, 'network' | 'device'>;
  /** What exporting and importing chats works on. */
  readonly transferable: Pick<Services, 'clock' | 'page'> & {
    readonly history: () => History;
    readonly files: Services['accounts']['files'];
  };
  /** What linking a device works on. */
  readonly linkable: Pick<Services, 'random' | 'accounts'> & { readonly onJoined: (history: History) => void };
  /** Folders, pins, and what goes. */
  readonly ordering: OrderSlot;
  readonly search: SearchSlot;
  /** Whether the open chat is kept nowhere. */
  readonly temporary: ReadableStore<{ readonly on: boolean }>;
  /** The folder that the next new chat will stand in. */
  folderOfNew(): string | undefined;
  /** @param folderId the folder that it will stand in */
  newChat(folderId?: string): void;
  newTemporaryChat(): Promise<void>;
  /** Fetches what shows folders, pins and what goes, and opens it. */
  arrange(panel: OrderPanel): Promise<void>;
  openChat(conversationId: string): void;
  /** Hides it at once; for some seconds it can be undone. */
  removeChat(conversationId: string): Promise<void>;
  removeChats(conversationIds: readonly string[]): Promise<void>;
  /** Every chat and folder. @returns whether nothing is left */
  removeEverything(): Promise<boolean>;
  /** Deletes the account, and begins anew as a guest. Rejects as `Accounts.removeAccount` does. */
  removeAccount: Services['accounts']['removeAccount'];
  editLast(): void;
  /** In every tab; what this browser keeps stays, sealed. */
  lock(): Promise<void>;
  /** Leaves the locked chats alone and starts as a guest of this browser. */
  continueAsGuest(): Promise<void>;
  /** The person came back to this page. */
  returned(): Promise<void>;
  /** A link was opened in this very tab: only the fragment changed. */
  linkOpened(): Promise<void>;
  start(): Promise<void>;
}

const CLOSED: Panels = {
  places: false,
  proof: false,
  help: false,
  breaking: false,
  unlocking: false,
  unlockSettings: false,
  linking: undefined,
  locks: false,
  transfer: undefined,
  ordering: false,
  room: false,
  leaving: undefined,
  searching: false,
};
const SETTLE_MS = 3000;
/** Said to the other tabs. */
const LOCK = 'lock';

export function createApp(services: Services): App {
  const who = createStore<{ who: Who }>({ who: 'starting' });
  const panels = createStore<Panels>(CLOSED);
  let history: History | undefined;
  const currentHistory = (): History => {
    if (history === undefined) throw new Error('the history is not open');
    return history;
  };

  let temporaryHistory: History | undefined;
  const temporary = createStore({ on: false });
  /** Where the next new chat will stand. */
  let folderOfNew: string | undefined;
  const ordering: OrderSlot = {
    ports: {
      ...services,
      history: currentHistory,
      serverTimeMs: () => serverTimeMs(services),
      sharing: () => services.accounts.sharing(currentHistory()),
    },
    model: undefined,
  };
  // CL-303: not even its id is remembered
  const pageOf = (): Page => ({
    ...services.page,
    setOpenChat: (id) => services.page.setOpenChat(temporary.get().on ? undefined : id),
  });
  const order = async (): Promise<OrderModel> => {
    const of = currentHistory();
    const { orderOf } = await import('../features/order/model.ts').catch(() => {
      throw new ClientError('network-unreachable');
    });
    if (of !== history) throw new ClientError('signed-out');
    panels.patch({ ordering: true });
    return orderOf(ordering);
  };

  const proof = createProofModel(services);
  const settings = createSettingsModel(services);
  const attach = createAttachDoor({ ...services, isTemporary: () => temporary.get().on });
  const chat = createChatModel({
    services: { ...services, page: pageOf() },
    history: () => temporaryHistory ?? currentHistory(),
    ensureSession: proof.ensure,
    files: {
      // A temporary chat is stored nowhere, and a file of it would be.
      keep: async (...kept) => (temporary.get().on ? undefined : attach.keep(...kept)),
      sent: () => {
        if (!temporary.get().on) attach.sent();
      },
      read: async (...asked) =>
        (await import('../features/attachments/prompt.ts')).readFiles(services.accounts.files, ...asked),
    },
    instructions: async (kept, conversationId) => {
      // Where there is no folder, nothing needs to be fetched.
      if (kept !== history || !conversations.state.get().isOrdered) return undefined;
      const { order: of, folderOf } = await order();
      return of.instructionsFor(conversationId === undefined ? folderOfNew : folderOf(conversationId));
    },
    onCreated: async (kept, conversationId) => {
      if (kept === history && folderOfNew !== undefined) {
        await kept.setRegisters(conversationId, { folder: folderOfNew });
      }
    },
  });
  const composer = createComposerModel({
    model: () => proof.models.get().list[0],
    busy: () => chat.state.get().turn !== undefined || attach.state.get().busy,
    hasFiles: () => attach.state.get().ready > 0 && !temporary.get().on,
    send: chat.send,
    sendEdit: chat.edit,
  });
  const conversations = createConversationsModel({ clock: services.clock, history: currentHistory });
  const operator = createOperatorModel(services);

  const search = createSearchSlot(services, currentHistory, () =>
    temporary.get().on ? undefined : chat.state.get().conversationId,
  );
  const closeOrder = () => {
    ordering.model?.close();
    ordering.model = undefined;
    panels.patch({ ordering: false });
  };
  const leaveTemporary = () => {
    temporaryHistory = undefined;
    temporary.set({ on: false });
    folderOfNew = undefined;
    chat.followHistory();
  };
  /** CL-304: a temporary chat is gone for good: only the person leaves it. */
  const leave = (go: () => void) => {
    const isLost = temporary.get().on && chat.state.get().messages.length > 0;
    if (!isLost) return leaveAndGo(go);
    panels.patch({ leaving: () => leaveAndGo(go) });
  };
  const leaveAndGo = (go: () => void) => {
    panels.patch({ leaving: undefined });
    if (temporary.get().on && chat.state.get().conversationId !== undefined) chat.abandon();
    chat.open(undefined);
    if (temporary.get().on) leaveTemporary();
    go();
  };
  const follow = (next: History, as: 'guest' | 'account') => {
    chat.abandon();
    history = next;
    chat.followHistory();
    closeOrder();
    conversations.followHistory();
    search.follow(as === 'account');
    who.set({ who: as });
    // What a page left in the middle is finished, and what is due by its age goes.
    if (conversations.state.get().isOrdered) void order().catch(() => {});
  };
  const keep = createKeepModel({
    ...services,
    settle: chat.settle,
    onKept: (kept) => {
      // The relay session belonged to the guest that is gone.
      proof.reset();
      const open = chat.state.get().conversationId;
      follow(kept, 'account');
      chat.open(open);
      void proof.start();
    },
  });
  const onUnlocked = (opened: History) => {
    proof.reset();
    follow(opened, 'account');
    panels.patch({ unlocking: false });
    chat.open(services.page.openChat());
    void proof.start();
  };

  /** An answer on its way is stopped and kept; a store that does not answer is not waited for. */
  const settled = (of?: readonly string[]) => Promise.race([chat.settle(of), services.clock.sleep(SETTLE_MS)]);
  /** Nothing of whoever was here stays on the page or in its memory. */
  const lock = () => {
    search.close();
    closeOrder();
    temporaryHistory = undefined;
    temporary.set({ on: false });
    chat.clear();
    conversations.clear();
    composer.clear();
    attach.clear();
    operator.close();
    keep.close();
    proof.reset();
    history = undefined;
    panels.set(CLOSED);
    who.set({ who: 'locked' });
  };

  /**
   * Keys are dropped and the page is emptied before the server is told, which may not answer.
   *
   * @param leave of the accounts: locks, or signs out
   */
  const lockEverywhere = async (leave: () => Promise<void>) => {
    await settled();
    // Whoever leaves has decided: nothing waits for an undo that nobody can press.
    await Promise.race([ordering.model?.finish().catch(() => {}), services.clock.sleep(SETTLE_MS)]);
    const left = leave().catch(() => {});
    lock();
    services.tabs.post(LOCK);
    await left;
  };
  const lockNow = () => lockEverywhere(services.accounts.lock);
  const lockedElsewhere = async () => {
    await settled();
    services.accounts.drop();
    lock();
  };
  services.tabs.subscribe((word) => {
    // CL-343: who locks one tab means all of them.
    if (word === LOCK && who.get().who === 'account') void lockedElsewhere();
  });

  const newChat = (folderId?: string) =>
    leave(() => {
      folderOfNew = folderId;
      chat.open(undefined);
      composer.focus();
    });

  const continueAsGuest = async () => {
    proof.reset();
    follow(await services.accounts.startAsGuest(), 'guest');
    newChat();
    await proof.start();
  };

  const removeChats = async (conversationIds: readonly string[]) => {
    const isOpen = () => conversationIds.includes(chat.state.get().conversationId ?? '');
    // An answer that is still being saved would come back after its chat was removed (CL-17).
    await settled(conversationIds);
    await conversations.attempt(async () => (await order()).remove(conversationIds));
    if (isOpen()) newChat();
  };

  return {
    who,
    panels,
    chat,
    composer,
    attach,
    files: services.accounts.files,
    conversations,
    proof,
    operator,
    keep,
    openLocks: () => services.accounts.locks(),
    unlockable: {
      ...services,
      unlocking: () => services.accounts.unlocking(),
      onUnlocked,
      signOut: () => lockEverywhere(services.accounts.signOut),
      leave: continueAsGuest,
    },
    guardable: {
      ...services,
      isBusy: () => chat.isBusy() || attach.state.get().busy,
      hasDraft: () => composer.state.get().text.trim() !== '',
      lock: lockNow,
    },
    settings,
    page: services.page,
    attackable: services,
    transferable: {
      clock: services.clock,
      page: services.page,
      history: currentHistory,
      files: services.accounts.files,
    },
    linkable: {
      random: services.random,
      accounts: services.accounts,
      onJoined: (joined) => {
        services.preferences.set('has-account', '1');
        onUnlocked(joined);
      },
    },
    ordering,
    search,
    temporary,
    folderOfNew: () => folderOfNew,
    newChat,
    newTemporaryChat: () =>
      conversations.attempt(async () => {
        const { openTemporaryHistory } = await import('@sotto/client/order');
        const opened = await openTemporaryHistory(services);
        leave(() => {
          temporaryHistory = opened;
          temporary.set({ on: true });
          panels.patch({ ordering: true });
          chat.followHistory();
          composer.focus();
        });
      }),
    arrange: (panel) => conversations.attempt(async () => (await order()).open(panel)),
    openChat: (conversationId) =>
      leave(() => {
        chat.open(conversationId);
        composer.focus();
      }),
    removeChat: (conversationId) => removeChats([conversationId]),
    removeChats,
    removeEverything: async () => {
      await settled();
      newChat();
      return (await order()).removeEverything();
    },
    removeAccount: async (atHand) => {
      await settled();
      // What is being read would be written after it was erased.
      search.close();
      await services.accounts.removeAccount(atHand);
      lock();
      services.tabs.post(LOCK);
      await continueAsGuest();
    },
    editLast: () => {
      const last = chat.state.get().messages.findLast((message) => message.role === 'user');
      if (last !== undefined && chat.state.get().turn === undefined) composer.edit(last.messageId, last.text);
    },
    lock: lockNow,
    continueAsGuest,
    returned: async () => {
      const isElsewhere = who.get().who === 'guest' && services.preferences.get('has-account') !== undefined;
      // Another tab kept the chats and erased the guest: what this one would go on writing could never be opened again.
      if (isElsewhere) return lock();
      // Another tab or device may have written meanwhile.
      if (chat.state.get().turn === undefined) await history?.refresh().catch(() => {});
    },
    linkOpened: async () => {
      // The new address is a new entry of the tab's history, which knows no chat yet.
      services.page.setOpenChat(chat.state.get().conversationId);
      await proof.readLink();
    },
    start: async () => {
      try {
        const found = await services.accounts.resume();
        if (found.kind === 'locked') return who.set({ who: 'locked' });
        follow(found.history, found.kind);
        chat.open(services.page.openChat());
      } catch {
        return who.set({ who: 'unavailable' });
      }
      await proof.start();
    },
  };
}

/** By its own word: enough to notice that one of two clocks is wrong. */
async function serverTimeMs({ network }: Pick<Services, 'network'>): Promise<number | undefined> {
  const answer = await network.ports.fetch(`${network.baseUrl}/api/nodes`).catch(() => undefined);
  const atMs = Date.parse(answer?.header('date') ?? '');
  return Number.isNaN(atMs) ? undefined : atMs;
}
