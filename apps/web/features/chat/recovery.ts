/**
 * Answers that were on their way when this page ended, and whose chat is not open. Where none is, the newest is opened and
 * goes on in its place; the others are fetched without being shown.
 */
import type { ChatSession, History, PendingAnswer, Services, StoredTicket } from '../../shell/services.ts';
import { findChat } from './context.ts';

export interface RecoveryPorts {
  readonly services: Pick<Services, 'ifAlone'>;
  readonly history: () => History;
  readonly ensureSession: () => Promise<ChatSession>;
  /** Whether the chat is open, or its answer is on its way in this page. */
  readonly isHere: (conversationId: string) => boolean;
  /** Whether no chat is open and nothing was asked. */
  readonly isFree: () => boolean;
  readonly resumeHere: (pending: PendingAnswer, recovery: StoredTicket) => Promise<void>;
}

/** One tab at a time works on the answers of a chat: a claim takes an answer from whoever reads it. */
export const answerLock = (conversationId: string): string => `answer/${conversationId}`;

export async function recoverPending(ports: RecoveryPorts): Promise<void> {
  const { services, history, ensureSession, isHere, isFree, resumeHere } = ports;
  await Promise.resolve(); // the chat that was open is opened in this turn
  const kept = history();
  for (const pending of await kept.pendingAnswers()) {
    const { conversationId, message } = pending;
    const { recovery } = message;
    if (recovery === undefined || isHere(conversationId)) continue;
    await services
      .ifAlone(answerLock(conversationId), async () => {
        // Others were waited for: this one may be whole by now, or its chat gone, and its text here is old.
        if (isHere(conversationId) || findChat(kept, conversationId) === undefined) return;
        await kept.load(conversationId);
        const now = kept.thread(conversationId).find(({ messageId }) => messageId === message.messageId);
        if (now?.recovery === undefined || isHere(conversationId)) return;
        await (isFree() ? resumeHere(pending, recovery) : fetchRest(await ensureSession(), kept, pending, recovery));
      })
      .catch(() => {}); // the message keeps what it has, and is marked as cut
  }
}

async function fetchRest(
  session: ChatSession,
  history: History,
  { conversationId, message }: PendingAnswer,
  { ticket, startsAt }: StoredTicket,
): Promise<void> {
  const { messageId, parentId, role, model } = message;
  let { text } = message;
  let status: 'complete' | 'interrupted' = 'complete';
  try {
    for await (const event of session.resume(ticket, { haveText: text.slice(startsAt) })) {
      if (event.kind === 'text-delta') text += event.text;
    }
  } catch {
    status = 'interrupted';
  }
  if (findChat(history, conversationId) === undefined) return;
  const named = model === undefined ? {} : { model };
  await history.saveMessage({ conversationId, messageId, parentId, role, text, status, ...named });
}
