/** What is shown of one chat. */
import type { ThreadMessage } from '../../shell/services.ts';

export type TurnPhase = 'checking' | 'sending' | 'thinking' | 'streaming' | 'recovering' | 'unsaved';

export interface Turn {
  readonly phase: TurnPhase;
  readonly sinceMs: number;
  /** The message that grows, once its first part was saved; while continuing, the one continued. */
  readonly messageId: string | undefined;
  /** What is shown of the answer so far. */
  readonly shown: string;
}

/** Something to tell the person, with what they can do about it. */
export interface Notice {
  readonly code: string;
  /** The machine did not prove itself: nothing was sent, and the panel says why. */
  readonly unverified: boolean;
  readonly offer: 'retry' | 'edit' | 'none';
}

export interface ChatState {
  readonly conversationId: string | undefined;
  readonly title: string;
  readonly messages: readonly ThreadMessage[];
  /** The person's words between Enter and their being saved. */
  readonly pending: string | undefined;
  readonly turn: Turn | undefined;
  readonly notice: Notice | undefined;
  /** Older messages that no longer fit what the model reads. */
  readonly leftOut: number;
  /** What of the files was cut, in words. */
  readonly fileNotes: readonly string[];
  /** For the live region: an answer began, or ended with this text. */
  readonly announcement: { readonly kind: 'none' | 'started' | 'complete' | 'interrupted'; readonly text: string };
}

export const SILENCE = { kind: 'none', text: '' } as const;
/** What is shown of a chat, and what leads on from it. */
export interface OpenChat extends ChatState {
  /** What trying again does. */
  readonly again: (() => Promise<unknown>) | undefined;
  /** A message of the branch that is shown; undefined for the newest. */
  readonly throughId: string | undefined;
}

export const EMPTY: OpenChat = {
  again: undefined,
  throughId: undefined,
  conversationId: undefined,
  title: '',
  messages: [],
  pending: undefined,
  turn: undefined,
  notice: undefined,
  leftOut: 0,
  fileNotes: [],
  announcement: SILENCE,
};
