/** Builds the whole app from its ports. No model knows another: what they need of each other is passed in here. */
import { type ChatModel, createChatModel } from '../features/chat/model.ts';
import { type ComposerModel, createComposerModel } from '../features/composer/model.ts';
import { type ConversationsModel, createConversationsModel } from '../features/conversations/model.ts';
import { createKeepModel, type KeepModel } from '../features/keep/model.ts';
import { createUnlockModel, type UnlockModel } from '../features/keep/unlock-model.ts';
import { createOperatorModel, type OperatorModel } from '../features/operator/model.ts';
import { createProofModel, type ProofModel } from '../features/proof/model.ts';
import { createSettingsModel, type SettingsModel } from '../features/settings/model.ts';
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
  /** A device is to be linked, and which of the two this one is. */
  readonly linking: 'new' | 'open' | undefined;
  /** Chats are to be exported or imported. */
  readonly transfer: 'export' | 'import' | undefined;
  /** The chat whose deletion waits for a yes. */
  readonly deleting: string | undefined;
}

export interface App {
  readonly who: ReadableStore<{ readonly who: Who }>;
  readonly panels: Store<Panels>;
  readonly chat: ChatModel;
  readonly composer: ComposerModel;
  readonly conversations: ConversationsModel;
  readonly proof: ProofModel;
  readonly operator: OperatorModel;
  readonly keep: KeepModel;
  readonly unlock: UnlockModel;
  readonly settings: SettingsModel;
  readonly page: Page;
  /** What "Try to break it" attacks: the real network, and who is trusted. */
  readonly attackable: Pick<Services, 'network' | 'device'>;
  /** What exporting and importing chats works on. */
  readonly transferable: Pick<Services, 'clock' | 'page'> & { readonly history: () => History };
  /** What linking a device works on. */
  readonly linkable: Pick<Services, 'random' | 'accounts'> & { readonly onJoined: (history: History) => void };
  newChat(): void;
  openChat(conversationId: string): void;
  removeChat(conversationId: string): Promise<void>;
  editLast(): void;
  signOut(): Promise<void>;
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
  linking: undefined,
  transfer: undefined,
  deleting: undefined,
};
const SETTLE_MS = 3000;

export function createApp(services: Services): App {
  const who = createStore<{ who: Who }>({ who: 'starting' });
  const panels = createStore<Panels>(CLOSED);
  let history: History | undefined;
  const currentHistory = (): History => {
    if (history === undefined) throw new Error('the history is not open');
    return history;
  };

  const proof = createProofModel(services);
  const settings = createSettingsModel(services);
  const chat = createChatModel({ services, history: currentHistory, ensureSession: proof.ensure });
  const composer = createComposerModel({
    model: () => proof.models.get().list[0],
    busy: () => chat.state.get().turn !== undefined,
    send: chat.send,
    sendEdit: chat.edit,
  });
  const conversations = createConversationsModel({ clock: services.clock, history: currentHistory });
  const operator = createOperatorModel(services);

  const follow = (next: History, as: 'guest' | 'account') => {
    history = next;
    chat.followHistory();
    conversations.followHistory();
    who.set({ who: as });
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
  const unlock = createUnlockModel({ ...services, onUnlocked });

  /** An answer on its way is stopped and kept; a store that does not answer is not waited for. */
  const settled = () => Promise.race([chat.settle(), services.clock.sleep(SETTLE_MS)]);
  /** Nothing of whoever was here stays on the page or in its memory. */
  const lock = () => {
    chat.clear();
    conversations.clear();
    composer.clear();
    operator.close();
    keep.close();
    proof.reset();
    history = undefined;
    panels.set(CLOSED);
    who.set({ who: 'locked' });
  };

  const newChat = () => {
    chat.open(undefined);
    composer.focus();
  };

  return {
    who,
    panels,
    chat,
    composer,
    conversations,
    proof,
    operator,
    keep,
    unlock,
    settings,
    page: services.page,
    attackable: services,
    transferable: { clock: services.clock, page: services.page, history: currentHistory },
    linkable: {
      random: services.random,
      accounts: services.accounts,
      onJoined: (joined) => {
        services.preferences.set('has-account', '1');
        onUnlocked(joined);
      },
    },
    newChat,
    openChat: (conversationId) => {
      chat.open(conversationId);
      composer.focus();
    },
    removeChat: async (conversationId) => {
      panels.patch({ deleting: undefined });
      // An answer that is still being saved would come back after its chat was removed (CL-17).
      const isOpen = chat.state.get().conversationId === conversationId;
      if (isOpen) await settled();
      await conversations.remove(conversationId);
      if (chat.state.get().conversationId === conversationId) newChat();
    },
    editLast: () => {
      const last = chat.state.get().messages.findLast((message) => message.role === 'user');
      if (last !== undefined && chat.state.get().turn === undefined) composer.edit(last.messageId, last.text);
    },
    signOut: async () => {
      await settled();
      await services.accounts.signOut().catch(() => {});
      lock();
    },
    continueAsGuest: async () => {
      proof.reset();
      follow(await services.accounts.startAsGuest(), 'guest');
      newChat();
      await proof.start();
    },
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
        follow(found.history, 'guest');
        chat.open(services.page.openChat());
      } catch {
        return who.set({ who: 'unavailable' });
      }
      await proof.start();
    },
  };
}
