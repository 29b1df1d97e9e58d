/** Linking a device, on either side: show a code or read one, compare where there is no camera, agree, be in. */

import { type LinkMeeting, readMeeting, showSecret, showShortCode } from '@sotto/client/link';
import type { Random } from '@sotto/ports';
import type { Accounts, History } from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { codeOf } from '../keep/model.ts';

/** Which of the two devices this is. */
export type Side = 'new' | 'open';

export type LinkState =
  | { readonly step: 'choose' }
  /** `text` is to be read by the other device's camera, or typed there. */
  | { readonly step: 'shown'; readonly way: 'secret' | 'digits'; readonly text: string }
  | { readonly step: 'reading'; readonly error: string | undefined }
  /** The other device is there, and has to do something. */
  | { readonly step: 'waiting' }
  /** The person is asked; with six digits where there was no camera. */
  | { readonly step: 'asked'; readonly digits: string | undefined }
  /** This device was let in, and has no lock of its own yet. */
  | { readonly step: 'joined'; readonly error: string | undefined }
  | { readonly step: 'adding-passkey' }
  | { readonly step: 'done'; readonly passkey: 'none' | 'opens-chats' | 'signs-in-only' }
  | { readonly step: 'failed'; readonly code: string };

export interface LinkModel {
  readonly state: ReadableStore<LinkState>;
  readonly passkeysAvailable: boolean;
  /** Shows a QR code, or a short code for devices without a camera. */
  show(way: 'secret' | 'digits'): Promise<void>;
  read(): void;
  /** What the camera saw or the person pasted or typed. */
  take(text: string): Promise<void>;
  answer(isSame: boolean): void;
  addPasskey(): Promise<void>;
  withoutLock(): void;
  again(): void;
  /** Ends whatever is under way. */
  stop(): void;
}

export interface LinkModelPorts {
  readonly random: Random;
  readonly accounts: Pick<Accounts, 'letIn' | 'join' | 'addPasskey' | 'passkeysAvailable'>;
  /** The new device's chats are open. */
  readonly onJoined: (history: History) => void;
}

class Stopped extends Error {}

export function createLinkModel(side: Side, { random, accounts, onJoined }: LinkModelPorts): LinkModel {
  const state = createStore<LinkState>({ step: 'choose' });
  let running = new AbortController();
  let answerWith: ((isSame: boolean) => void) | undefined;

  const ask = (digits: string | undefined): Promise<boolean> =>
    new Promise((resolve) => {
      answerWith = resolve;
      state.set({ step: 'asked', digits });
    });

  const run = async (meeting: LinkMeeting): Promise<void> => {
    running.abort(new Stopped());
    running = new AbortController();
    const { signal } = running;
    try {
      if (side === 'open') {
        await accounts.letIn({ meeting, agree: ask, signal });
        state.set({ step: 'done', passkey: 'none' });
      } else {
        const history = await accounts.join({ meeting, compare: ask, signal });
        onJoined(history);
        state.set({ step: 'joined', error: undefined });
      }
    } catch (cause) {
      if (!signal.aborted) state.set({ step: 'failed', code: codeOf(cause) });
    }
  };

  return {
    state,
    passkeysAvailable: accounts.passkeysAvailable(),
    show: (way) => {
      const meeting = way === 'secret' ? showSecret(side, random) : showShortCode(random);
      state.set({ step: 'shown', way, text: meeting.text });
      return run(meeting);
    },
    read: () => state.set({ step: 'reading', error: undefined }),
    take: async (text) => {
      let meeting: LinkMeeting;
      try {
        meeting = readMeeting(side, text);
      } catch (cause) {
        return state.set({ step: 'reading', error: codeOf(cause) });
      }
      state.set({ step: 'waiting' });
      await run(meeting);
    },
    answer: (isSame) => {
      state.set({ step: 'waiting' });
      answerWith?.(isSame);
      answerWith = undefined;
    },
    addPasskey: async () => {
      state.set({ step: 'adding-passkey' });
      try {
        state.set({ step: 'done', passkey: await accounts.addPasskey() });
      } catch (cause) {
        state.set({ step: 'joined', error: codeOf(cause) });
      }
    },
    withoutLock: () => state.set({ step: 'done', passkey: 'none' }),
    again: () => {
      running.abort(new Stopped());
      state.set({ step: 'choose' });
    },
    stop: () => running.abort(new Stopped()),
  };
}
