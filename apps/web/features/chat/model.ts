/**
 * One conversation: its messages, and the answer that is on its way. What the person typed is given back when nothing
 * was sent; what arrived is saved at least every second and kept whatever happens.
 */
import { SottoError } from '@sotto/bytes';
import type { JsonValue } from '@sotto/vault';
import type {
  AnswerTicket,
  ChatSession,
  ChatTurn,
  History,
  MessageToSave,
  ModelInfo,
  PendingAnswer,
  Services,
  StoredTicket,
  ThreadMessage,
} from '../../shell/services.ts';
import { createStore, type ReadableStore } from '../../shell/store.ts';
import { type AnswerEnd, streamAnswer } from './answer.ts';
import { type Attempt, createAttempts } from './attempts.ts';
import { findChat, fitTurns, titleOf } from './context.ts';
import { answerLock, recoverPending } from './recovery.ts';
import { type ChatState, EMPTY, type Notice, type OpenChat } from './state.ts';

export interface ChatModel {
  readonly state: ReadableStore<ChatState>;
  /** Shows a chat, or the empty screen; an answer on its way goes on, and is shown again with its chat. */
  open(conversationId: string | undefined): void;
  /** @returns false when nothing was sent: the text is to stay in the composer */
  send(text: string): Promise<boolean>;
  /** Sends `text` in the place of an own message, as a new branch. */
  edit(messageId: string, text: string): Promise<boolean>;
  regenerate(messageId: string): Promise<void>;
  continueAnswer(messageId: string): Promise<void>;
  showBranch(messageId: string): void;
  retry(): Promise<void>;
  stop(): void;
  dismissNotice(): void;
  /** Whether an answer is on its way, in the open chat or in another. */
  isBusy(): boolean;
  /**
   * Stops answers on their way and resolves when they were kept.
   *
   * @param of the ids of their chats; without it, all
   */
  settle(of?: readonly string[]): Promise<void>;
  /** Stops and forgets every answer: what is on its way belongs to a history, or a chat, that is left for good. */
  abandon(): void;
  /** Follows another history, after keeping or unlocking. */
  followHistory(): void;
  /** Shows nothing and lets go of the history. */
  clear(): void;
}

export interface ChatFiles {
  /** Keeps the files that are chosen for a message of this chat. @returns what its record says of them */
  keep(conversationId: string, textBytes: number): Promise<JsonValue | undefined>;
  sent(): void;
  /** Messages with the texts of their files, as much as fits, and what did not, in words. */
  read(
    conversationId: string,
    messages: readonly ThreadMessage[],
    contextTokens: number,
  ): Promise<{ readonly messages: readonly ThreadMessage[]; readonly notes: readonly string[] }>;
}

export interface ChatPorts {
  readonly services: Pick<Services, 'clock' | 'page' | 'ifAlone'>;
  readonly history: () => History;
  readonly ensureSession: () => Promise<ChatSession>;
  /** What goes with messages; what is behind it is loaded when there is a file. */
  readonly files?: ChatFiles;
  /** What the model is told before every question of a chat, or of the one that the next question begins. */
  readonly instructions?: (kept: History, conversationId: string | undefined) => Promise<string | undefined>;
  /** Called when a question has begun a chat. */
  readonly onCreated?: (kept: History, conversationId: string) => Promise<void>;
}

const GO_ON: ChatTurn = { role: 'user', content: 'Go on from exactly where you stopped. Do not repeat anything.' };
/** A server that restarts is back within seconds; a full disk takes longer. */
const SAVE_AGAIN_FIRST_MS = 1000;
const SAVE_AGAIN_AT_MOST_MS = 30_000;

export function createChatModel(ports: ChatPorts): ChatModel {
  const { services, history, ensureSession, files } = ports;
  const state = createStore<OpenChat>(EMPTY);
  const attempts = createAttempts({ state, clock: services.clock, history });
  const { begin, isNewest, shownOf, show, patchTurn, track } = attempts;
  let unfollow = () => {};
  /** How often the person opened something. */
  let moves = 0;
  /** While the messages of the open chat are on their way from the device's store. */
  let loading: Promise<void> | undefined;

  const reload = () => {
    const { conversationId, throughId } = state.get();
    if (conversationId === undefined) return;
    const found = findChat(history(), conversationId);
    if (found === undefined) {
      attempts.drop();
      return open(undefined);
    }
    state.patch({ title: found.title, messages: history().thread(conversationId, throughId) });
  };

  const open = (conversationId: string | undefined) => {
    attempts.setAside();
    const running = conversationId === undefined ? undefined : attempts.takeBack(conversationId);
    const said = conversationId === undefined ? undefined : attempts.whatWentWrong(conversationId);
    state.set(running ?? { ...EMPTY, ...said, conversationId });
    services.page.setOpenChat(conversationId);
    loading = undefined;
    // What was shown when it was left stands until its answer is whole: a branch that grows is not the newest stored one.
    const isHere = running !== undefined && findChat(history(), running.conversationId ?? '') !== undefined;
    if (isHere && running.messages.length > 0) return;
    if (conversationId !== undefined && !history().isLoaded(conversationId)) loading = loadOpen(conversationId);
    reload();
    if (loading === undefined && attempts.current() === undefined) recoverOpen();
  };

  const loadOpen = async (conversationId: string) => {
    const isOpen = () => state.get().conversationId === conversationId;
    try {
      await history().load(conversationId);
      if (!isOpen()) return;
      loading = undefined;
      reload();
      if (attempts.current() === undefined) recoverOpen();
    } catch (cause) {
      if (isOpen()) notify(cause, 'none');
    }
  };

  /** What is sent before the chat is there follows its last message all the same. */
  const whenLoaded = <Result>(work: () => Promise<Result>): Promise<Result> =>
    loading === undefined ? work() : loading.then(work);

  const noticeOf = (cause: unknown, offer: Notice['offer'], unverified = false): Pick<ChatState, 'notice'> => {
    const code = cause instanceof SottoError ? cause.code : 'unexpected';
    return { notice: { code, unverified, offer: code === 'prompt-too-long' ? 'edit' : offer } };
  };
  const notify = (...said: Parameters<typeof noticeOf>) => state.patch(noticeOf(...said));

  const isOpen = (attempt: Attempt) => attempts.current() === attempt;
  const end = (attempt: Attempt, change: Partial<OpenChat> = {}) => {
    if (!attempts.end(attempt)) return;
    state.patch({ turn: undefined, pending: undefined, ...change });
    reload();
  };

  /** What is said goes into the history that is open now, whatever is opened while it is on its way (CL-303). */
  const makeReady = async (signal: AbortSignal): Promise<Ready> => {
    const [kept, { conversationId }] = [history(), state.get()];
    const prepared = await prepare(ensureSession, signal);
    return { ...prepared, kept, instructions: await ports.instructions?.(kept, conversationId) };
  };

  /** Verifies first, then saves the words, then asks: in this order, so that a refusal costs nothing. */
  const ask = async (text: string, parentId: string | undefined, had?: JsonValue): Promise<boolean> => {
    const attempt = begin();
    const { conversationId: openId } = state.get();
    state.patch({ pending: text });
    let verified = false;
    try {
      const ready = await makeReady(attempt.signal);
      verified = true;
      // Whoever has opened another chat meanwhile has the words back, and they are not saved there.
      attempt.signal.throwIfAborted();
      patchTurn(attempt, { phase: 'sending' });
      const conversationId = openId ?? (await createConversation(attempt, ready, titleOf(text)));
      const attachments = had ?? (await files?.keep(conversationId, text.length * 3));
      const question = { conversationId, parentId, role: 'user', text, status: 'complete' } as const;
      await put(attempt, ready, attachments === undefined ? question : { ...question, attachments });
      if (had === undefined) files?.sent();
      return true;
    } catch (cause) {
      show(attempt, { again: undefined });
      const refused = !verified && cause instanceof SottoError && cause.action === 'stop';
      if (isOpen(attempt) && !attempt.signal.aborted) notify(cause, 'none', refused);
      end(attempt);
      return false;
    }
  };

  const createConversation = async (attempt: Attempt, { kept }: Ready, title: string): Promise<string> => {
    const before = new Set(kept.conversations().map((one) => one.conversationId));
    try {
      const conversationId = await kept.createConversation(title);
      await ports.onCreated?.(kept, conversationId);
      return conversationId;
    } catch (cause) {
      // The history holds it in memory already: the next try must not make a second one.
      const held = kept.conversations().find((one) => !before.has(one.conversationId));
      if (held !== undefined && isOpen(attempt)) state.patch({ conversationId: held.conversationId });
      throw cause;
    }
  };

  /** Saves the question, then asks. When saving fails it stays on the screen, to be saved again under the same id. */
  const put = async (attempt: Attempt, ready: Ready, question: MessageToSave): Promise<void> => {
    const { conversationId } = question;
    let userId: string;
    try {
      userId = await ready.kept.saveMessage(question);
    } catch (cause) {
      const messageId = heldId(cause);
      if (messageId === undefined || !isOpen(attempt)) throw cause;
      const again = () => withSession((next, nextReady) => put(next, nextReady, { ...question, messageId }));
      return end(attempt, { conversationId, throughId: messageId, again, ...noticeOf(cause, 'retry') });
    }
    if (!isNewest(attempt)) return;
    show(attempt, { pending: undefined, throughId: userId });
    if (isOpen(attempt)) {
      state.patch({ conversationId });
      services.page.setOpenChat(conversationId);
      reload();
    }
    void carryOut(attempt, () => answer(attempt, ready, userId, undefined));
  };

  /** Streams one answer under `parentId`, or onto the end of the message `onto`, asked for or, with a ticket, recovered. */
  const answer = async (
    attempt: Attempt,
    ready: Ready,
    parentId: string,
    onto: ThreadMessage | undefined,
    lost?: StoredTicket,
  ) => {
    const { conversationId, messages } = shownOf(attempt);
    if (conversationId === undefined || attempt.signal.aborted) return end(attempt);
    const before = onto?.text ?? '';
    let messageId = onto?.messageId;
    const askAgain = () => (messageId === undefined ? rerun(parentId) : continueAnswer(messageId));
    show(attempt, { again: askAgain });

    const until = messages.findIndex((one) => one.messageId === (onto?.messageId ?? parentId)) + 1;
    const asked = messages.slice(0, until);
    const hasFiles = files !== undefined && asked.some((message) => message.attachments !== undefined);
    const read = hasFiles ? await files.read(conversationId, asked, ready.model.contextTokens) : undefined;
    if (attempt.signal.aborted) return end(attempt);
    const { turns, leftOut } = fitTurns(read?.messages ?? asked, ready.model.contextTokens, ready.instructions);
    const request = { model: ready.model.id, messages: before === '' ? turns : [...turns, GO_ON] };
    let ticket: AnswerTicket | undefined = lost?.ticket;
    let startsAt = lost?.startsAt ?? before.length;
    const { signal } = attempt;
    const onLine = (line: 'lost' | 'back') => {
      const hasWords = (shownOf(attempt).turn?.shown ?? '') !== before;
      const phase = line === 'lost' ? 'recovering' : hasWords ? 'streaming' : 'thinking';
      patchTurn(attempt, { phase, sinceMs: services.clock.nowMs() });
    };
    patchTurn(attempt, { phase: 'thinking', sinceMs: services.clock.nowMs(), messageId, shown: before });
    show(attempt, { leftOut, fileNotes: read?.notes ?? [], announcement: { kind: 'started', text: '' } });

    let troubled = false;
    const stream = streamAnswer({
      services,
      events: (saveSoon) => {
        if (lost !== undefined) {
          return ready.session.resume(lost.ticket, { signal, onLine, haveText: before.slice(lost.startsAt) });
        }
        const onTicket = (made: AnswerTicket) => {
          ticket = made;
          saveSoon();
        };
        return ready.session.chat(request, { signal, onLine, onTicket });
      },
      before,
      seamless: lost !== undefined && before.length > lost.startsAt,
      signal,
      save: async (text, status) => {
        const known = messageId === undefined ? {} : { messageId };
        const recovery = status !== 'partial' || ticket === undefined ? {} : { recovery: { ticket, startsAt } };
        const message = {
          conversationId,
          parentId,
          role: 'assistant',
          text,
          status,
          model: ready.model.label,
          ...recovery,
        } as const;
        try {
          messageId = await ready.kept.saveMessage({ ...known, ...message });
        } catch (cause) {
          messageId = heldId(cause) ?? messageId;
          throw cause;
        } finally {
          patchTurn(attempt, { messageId });
        }
        if (troubled) show(attempt, { notice: undefined });
        troubled = false;
      },
      onFirstWord: (at) => {
        if (lost === undefined) startsAt = at;
        patchTurn(attempt, { phase: 'streaming' });
      },
      onShown: (shown) => patchTurn(attempt, { shown }),
      onSaveError: (cause) => {
        troubled = true;
        show(attempt, noticeOf(cause, 'none'));
      },
    });
    // Held while the answer is on its way, so that no other tab claims it; an answer does not wait for it.
    void services.ifAlone(answerLock(conversationId), () => stream);
    const result = await stream;

    if (!isNewest(attempt)) return;
    if (result.failure !== undefined) show(attempt, noticeOf(result.failure, 'retry'));
    if (result.saveAgain !== undefined) return holdUnsaved(attempt, result, result.saveAgain);
    const throughId = messageId ?? shownOf(attempt).throughId;
    end(attempt, { throughId, announcement: { kind: result.status, text: result.text } });
  };

  /** An answer that could not be saved stays on the screen: saving is tried again until it works, and at once when asked. */
  const holdUnsaved = (attempt: Attempt, { text, failure }: AnswerEnd, saveAgain: () => Promise<void>) => {
    patchTurn(attempt, { phase: 'unsaved', shown: text });
    const { notice, again: askAgain } = shownOf(attempt);
    const trySaving = async () => {
      await saveAgain();
      if (!isNewest(attempt)) return;
      const { turn, throughId } = shownOf(attempt);
      // Why the answer broke off is still worth knowing; that it could not be saved is not.
      const said = failure === undefined ? { notice: undefined } : noticeOf(failure, 'retry');
      end(attempt, { throughId: turn?.messageId ?? throughId, again: askAgain, ...said });
    };
    const again = () => trySaving().catch((cause) => show(attempt, noticeOf(cause, 'retry')));
    show(attempt, { again, ...(notice === undefined ? {} : { notice: { ...notice, offer: 'retry' } }) });
    void keepTrying(attempt, trySaving);
  };

  const keepTrying = async (attempt: Attempt, work: () => Promise<void>) => {
    for (let delayMs = SAVE_AGAIN_FIRST_MS; ; delayMs = Math.min(2 * delayMs, SAVE_AGAIN_AT_MOST_MS)) {
      await services.clock.sleep(delayMs);
      if (!isNewest(attempt)) return;
      await work().catch(() => {});
    }
  };

  const withSession = (work: (attempt: Attempt, ready: Ready) => Promise<void>) => {
    const attempt = begin();
    return carryOut(attempt, async () => work(attempt, await makeReady(attempt.signal)));
  };

  const carryOut = (attempt: Attempt, work: () => Promise<void>) => {
    const run = async () => {
      try {
        await work();
      } catch (cause) {
        if (!attempt.signal.aborted) show(attempt, noticeOf(cause, 'retry'));
        end(attempt);
      }
    };
    return track(attempt, run());
  };

  const rerun = (parentId: string) => {
    const { messages } = state.get();
    const until = messages.findIndex((one) => one.messageId === parentId) + 1;
    state.patch({ messages: messages.slice(0, until), again: () => rerun(parentId) });
    return withSession((attempt, ready) => answer(attempt, ready, parentId, undefined));
  };

  /** An answer that was on its way when this page ended goes on in its place. */
  const recoverOpen = () => {
    const { conversationId, messages } = state.get();
    const message = messages.at(-1);
    const { recovery: lost, parentId } = message ?? {};
    if (conversationId === undefined || lost === undefined || parentId === undefined) return;
    const goOn = async () => {
      const isElsewhere = state.get().conversationId !== conversationId || state.get().turn !== undefined;
      // CL-49: whoever has asked or opened something meanwhile would have their own answer stopped for this one
      if (isElsewhere) return;
      await resume(message as ThreadMessage, lost);
    };
    void services.ifAlone(answerLock(conversationId), goOn);
  };

  const resume = async (message: ThreadMessage, lost: StoredTicket) => {
    const { messageId, parentId } = message;
    state.patch({ again: () => continueAnswer(messageId) });
    if (parentId !== undefined) await withSession((attempt, ready) => answer(attempt, ready, parentId, message, lost));
  };

  /** Whoever was in the middle of an answer and has opened nothing else finds it again. */
  const resumeHere = async ({ conversationId, message }: PendingAnswer, lost: StoredTicket) => {
    open(conversationId);
    await resume(message, lost);
  };

  const find = (messageId: string) => state.get().messages.find((one) => one.messageId === messageId);

  const continueAnswer = async (messageId: string) => {
    state.patch({ again: () => continueAnswer(messageId) });
    const message = find(messageId);
    const parentId = message?.parentId;
    if (parentId !== undefined) await withSession((attempt, ready) => answer(attempt, ready, parentId, message));
  };

  return {
    state,
    open: (conversationId) => {
      moves++;
      open(conversationId);
    },
    send: (text) => whenLoaded(() => ask(text, state.get().messages.at(-1)?.messageId)),
    edit: async (messageId, text) => {
      const { messages } = state.get();
      const at = messages.findIndex((one) => one.messageId === messageId);
      if (at < 0) return false;
      state.patch({ messages: messages.slice(0, at) });
      return ask(text, messages[at]?.parentId, messages[at]?.attachments);
    },
    regenerate: async (messageId) => {
      const parentId = find(messageId)?.parentId;
      if (parentId !== undefined) await rerun(parentId);
    },
    continueAnswer,
    showBranch: (messageId) => {
      // An answer that is on its way stands in the branch that is shown.
      if (state.get().turn !== undefined) return;
      state.patch({ throughId: messageId });
      reload();
    },
    retry: async () => {
      await state.get().again?.();
    },
    stop: () => attempts.current()?.abort(),
    dismissNotice: () => state.patch({ notice: undefined }),
    isBusy: () => attempts.isBusy(),
    settle: attempts.settle,
    abandon: () => {
      attempts.clear();
      state.patch({ turn: undefined, pending: undefined });
    },
    followHistory: () => {
      unfollow();
      unfollow = history().subscribe(() => {
        if (state.get().turn === undefined) reload();
        attempts.stopRemoved();
      });
      attempts.stopRemoved();
      const kept = history();
      const openChat = () => state.get().conversationId;
      let before = moves;
      // What was open is opened in this turn; whoever has gone to a new chat since is not taken elsewhere.
      queueMicrotask(() => (before = moves));
      const isFree = () =>
        openChat() === undefined && state.get().turn === undefined && moves === before && history() === kept;
      const isHere = (id: string) => id === openChat() || attempts.isBusy(id);
      void recoverPending({ services, history, ensureSession, isHere, isFree, resumeHere });
    },
    clear: () => {
      attempts.clear();
      open(undefined);
      unfollow();
      unfollow = () => {};
    },
  };
}

interface Prepared {
  readonly session: ChatSession;
  readonly model: ModelInfo;
}

interface Ready extends Prepared {
  readonly kept: History;
  readonly instructions: string | undefined;
}

class ChatError extends SottoError<'engine-missing'> {
  constructor() {
    super('engine-missing', 'no model answers on this machine', { action: 'retry' });
  }
}

/** The id under which the history holds in memory what it could not save. */
function heldId(cause: unknown): string | undefined {
  return cause instanceof SottoError && 'messageId' in cause ? String(cause.messageId) : undefined;
}

/** A verified session and its model; stopping ends the wait at once, though not the attempt that others may share. */
async function prepare(ensureSession: () => Promise<ChatSession>, signal: AbortSignal): Promise<Prepared> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const session = await Promise.race([ensureSession(), stopped]);
  const model = (await Promise.race([session.models(), stopped]))[0];
  if (model === undefined) throw new ChatError();
  return { session, model };
}
