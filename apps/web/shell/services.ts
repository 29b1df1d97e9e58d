/**
 * What the app needs from the world, as the models see it. The real ones are composed in `browser-services.ts` from
 * `@sotto/client` and the browser adapters; tests and the preview page pass fakes.
 */
import type {
  AnswerTicket,
  ChatEvent,
  ChatOptions,
  History as ClientHistory,
  ClientPorts,
  ConversationSummary,
  MessageToSave,
  PendingAnswer,
  ResumeOptions,
  SessionPhase,
  StoredTicket,
  ThreadMessage,
} from '@sotto/client';
import type { NewDeviceOptions, OpenDeviceOptions } from '@sotto/client/link';
import type { SharedLink } from '@sotto/client/share';
import type { Clock, DeviceStore, Random, TabChannel } from '@sotto/ports';
import type { SharedChat } from '@sotto/vault/share';
import type { ReportLine, VerificationReport } from '@sotto/verify';
import type { Files } from '../features/attachments/files.ts';
import type { LocksSession } from '../features/locks/types.ts';
import type { SearchSession } from '../features/search/search-session.ts';

export type {
  AnswerTicket,
  ChatEvent,
  ConversationSummary,
  MessageToSave,
  PendingAnswer,
  ReportLine,
  StoredTicket,
  ThreadMessage,
  VerificationReport,
};
export type MessageStatus = MessageToSave['status'];

export interface ModelInfo {
  readonly id: string;
  readonly label: string;
  readonly parameters: number;
  readonly contextTokens: number;
  readonly starter: boolean;
}

export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** An open channel to a node that was verified; there is no other way to ask a model anything. */
export interface ChatSession {
  readonly report: VerificationReport;
  /** The evidence bundle as it came. */
  readonly bundle: Uint8Array;
  models(): Promise<readonly ModelInfo[]>;
  chat(
    request: { readonly model: string; readonly messages: readonly ChatTurn[] },
    options: ChatOptions & { readonly signal: AbortSignal },
  ): AsyncIterable<ChatEvent>;
  /** The rest of an answer that was on its way when this page ended. */
  resume(ticket: AnswerTicket, options: ResumeOptions): AsyncIterable<ChatEvent>;
  /** Asks the machine to prove itself again, now. A machine that does not is told from one that gives no answer by `report`. */
  proveLive(): Promise<VerificationReport>;
  readonly closed: Promise<unknown>;
  /** Called when `report` and `bundle` are newer: the machine was checked again, and the connection has new keys. */
  onRenewed: (() => void) | undefined;
  /** Whether it takes another question; one that runs may still be answered when it does not. */
  readonly isOpen: boolean;
  close(): void;
}

/** @throws SottoError; a failed verification carries its `report` and has the action `stop` */
export type OpenSession = (options: {
  readonly fingerprint: string;
  readonly onPhase: (phase: SessionPhase) => void;
  readonly signal?: AbortSignal;
}) => Promise<ChatSession>;

/** The opened history of the guest or account: everything in it is sealed before it is stored. */
export type History = Pick<
  ClientHistory,
  | 'conversations'
  | 'thread'
  | 'createConversation'
  | 'saveMessage'
  | 'rename'
  | 'removeConversation'
  | 'refresh'
  | 'subscribe'
  | 'damagedCount'
  | 'pendingAnswers'
  | 'findings'
  | 'compareCode'
  | 'devices'
  | 'acceptAsItIs'
  | 'putBack'
  | 'restorableCount'
  | 'sync'
  | 'load'
  | 'isLoaded'
  | 'eachConversation'
  | 'wholeConversation'
  | 'setRegisters'
  | 'nextClock'
  | 'writeRecord'
  | 'removeRecord'
  | 'removeRecords'
  | 'recordsOfType'
  | 'onRecords'
  | 'hasRecord'
  | 'conversationState'
  | 'deviceId'
  | 'deriveImportedId'
  | 'importRecord'
  | 'inOneChange'
  | 'settled'
>;

/** Links to sealed copies of chats (`@sotto/client/share`). */
export interface Sharing {
  /** What a link would show. */
  preview(conversationId: string): Promise<SharedChat>;
  /** @param days 1 to 365 */
  share(conversationId: string, days: number): Promise<SharedLink>;
  links(): readonly SharedLink[];
  takeBack(shareId: string): Promise<void>;
}

/** Who this browser is: a guest, an account that must be unlocked, or an open account. */
export interface Accounts {
  resume(): Promise<{ readonly kind: 'guest' | 'account'; readonly history: History } | { readonly kind: 'locked' }>;
  /** Forgets that this browser has an account (the account itself stays) and opens a guest. */
  startAsGuest(): Promise<History>;
  passkeysAvailable(): boolean;
  createRecoveryCode(): Promise<string>;
  /** Seals the guest's chats into a new account locked by `code`, then erases the guest. */
  keep(code: string): Promise<History>;
  /** Adds a passkey to the open account; it opens chats only where its PRF works. */
  addPasskey(): Promise<'opens-chats' | 'signs-in-only'>;
  unlockWithRecoveryCode(code: string): Promise<History>;
  unlockWithPasskey(): Promise<History>;
  /** Locks and devices of the open account; loaded when somebody looks. */
  locks(): Promise<LocksSession>;
  /** What this browser alone can do; loaded when somebody needs it. */
  unlocking(): Promise<DeviceUnlocking>;
  /** The files of the open history; loaded when they are first asked for. */
  files(): Promise<Files>;
  /** Searches an open history; what it needs is loaded then. */
  openSearch(history: History): Promise<SearchSession>;
  /**
   * Deletes the open account on the server and on this device. Rejects as `removeAccount` of `@sotto/client/accounts` does.
   *
   * @param lock one of its locks, at hand: a recovery code or phrase as typed, or a passkey
   */
  removeAccount(lock: { readonly code: string } | 'passkey'): Promise<void>;
  /** Links to copies of the open account's chats; loaded when somebody shares. Rejects for a guest (`account-required`). */
  sharing(history: History): Promise<Sharing>;
  /** Drops the keys: another tab has locked. */
  drop(): void;
  /** Drops the keys, erases what was kept unlocked, and ends the server's session where it can be reached. */
  lock(): Promise<void>;
  /** Locks, and erases what this browser keeps of the account; not what still waits to be sent. */
  signOut(): Promise<void>;
  /** Lets the device at the other end of a link into the open account. Rejects as `letIn` of `@sotto/client/link` does. */
  letIn(link: Pick<OpenDeviceOptions, 'meeting' | 'agree' | 'signal'>): Promise<void>;
  /** Joins an account from a device where it is open. Rejects as `joinAccount` does. */
  join(link: Pick<NewDeviceOptions, 'meeting' | 'compare' | 'signal'>): Promise<History>;
}

export interface UnlockStanding {
  /** A passphrase of this browser alone is set. */
  readonly passphrase: boolean;
  /** When its next try may be made: wrong ones wait longer and longer. */
  readonly notBeforeMs: number;
  readonly staysUnlocked: boolean;
}

/** Opening the account in this browser alone, and what it is told to do (features/unlocking). */
export interface DeviceUnlocking {
  /** Asked before unlocking, too. */
  standing(): Promise<UnlockStanding>;
  unlockWithPassphrase(passphrase: string): Promise<History>;
  setPassphrase(passphrase: string): Promise<void>;
  removePassphrase(): Promise<void>;
  setStaysUnlocked(stays: boolean): Promise<void>;
  /** Erases everything of the account in this browser; the account itself stays. Call it once the account is locked. */
  forget(): Promise<void>;
}

/** A JSON value as the operator's tool returned it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Settings that hold nothing private. */
export interface Preferences {
  get(name: PreferenceName): string | undefined;
  set(name: PreferenceName, value: string | undefined): void;
}

export type PreferenceName = 'theme' | 'has-account' | 'profile' | 'idle-minutes' | 'stays-unlocked';

/** The few things of the page that models touch. */
export interface Page {
  /** The `#…` part of the address, without the sign. */
  fragment(): string;
  clearFragment(): void;
  /** The chat that was open before a reload, a random id. */
  openChat(): string | undefined;
  setOpenChat(conversationId: string | undefined): void;
  copy(text: string): Promise<void>;
  download(name: string, content: string | Uint8Array<ArrayBuffer> | Blob): void;
  print(): void;
  /** Calls back before the next frame; returns the way to stop it. */
  nextFrame(callback: () => void): () => void;
  setTheme(theme: Theme): void;
}

export type Theme = 'system' | 'light' | 'dark';

export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly device: DeviceStore;
  readonly openSession: OpenSession;
  readonly accounts: Accounts;
  /** Runs `work` unless another tab runs something under this name; resolves with undefined then. */
  readonly ifAlone: <Result>(name: string, work: () => Promise<Result>) => Promise<Result | undefined>;
  /** The other tabs of this browser. */
  readonly tabs: TabChannel;
  /** The way to the server and its machines; only for attacks on it. Everything else goes through `openSession`. */
  readonly network: { readonly ports: ClientPorts; readonly baseUrl: string };
  readonly operatorView: () => Promise<Json>;
  readonly preferences: Preferences;
  readonly page: Page;
}
