/**
 * The files of whoever is open, and what goes on behind them: sending what waits, removing what goes with a chat. Loaded when somebody
 * attaches, opens or removes a file, and, for an account, a while after it was opened.
 */
import type { History } from '@sotto/client';
import { type AttachmentPorts, Attachments, parseAttachments } from '@sotto/client/attachments';
import type { Clock } from '@sotto/ports';
import type { OpenedRecord } from '@sotto/vault';

export interface Files {
  readonly attachments: Attachments;
  /** A chat is about to be removed: what its messages name goes with it. */
  willRemove(conversationId: string, messages: readonly OpenedRecord[]): Promise<void>;
  /** Sends and removes now, and again later where it did not work. */
  wake(): void;
  /** Ends it: somebody else may be next. */
  stop(): void;
}

const AGAIN_FIRST_MS = 2000;
const AGAIN_AT_MOST_MS = 5 * 60_000;

export function openFiles(
  ports: AttachmentPorts & { readonly clock: Clock },
  history: () => Pick<History, 'conversationState'>,
): Files {
  const attachments = new Attachments(ports);
  const end = new AbortController();
  let isRunning = false;
  let isWanted = false;
  /** Ends the wait for another try. */
  let wait = new AbortController();

  const pause = async (delayMs: number) => {
    wait = new AbortController();
    await ports.clock.sleep(delayMs, AbortSignal.any([wait.signal, end.signal])).catch(() => undefined);
  };
  const run = async () => {
    let delayMs = AGAIN_FIRST_MS;
    for (isWanted = true; isWanted && !end.signal.aborted; ) {
      isWanted = false;
      await attachments.collect((conversationId) => history().conversationState(conversationId));
      await attachments.push();
      // What only the person can mend is not tried again by itself.
      if (attachments.state.problem?.action !== 'retry') continue;
      isWanted = true;
      await pause(delayMs);
      delayMs = Math.min(2 * delayMs, AGAIN_AT_MOST_MS);
    }
  };
  const wake = () => {
    isWanted = true;
    wait.abort();
    if (isRunning) return;
    isRunning = true;
    void run()
      .catch(() => undefined)
      .finally(() => {
        isRunning = false;
      });
  };
  return {
    attachments,
    willRemove: async (conversationId, messages) => {
      const named = messages.flatMap(({ content }) =>
        content.type === 'message' ? parseAttachments(content.unknownFields?.attachments) : [],
      );
      await attachments.willRemove(conversationId, named);
    },
    wake,
    stop: () => end.abort(new Error('the files were closed')),
  };
}
