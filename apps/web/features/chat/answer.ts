/**
 * One answer on its way: asks, shows it at reading pace, saves it as it grows. The machine's words are untrusted text.
 * Whatever happens the text so far is saved with a status that says how it ended.
 */
import type { ChatEvent, MessageStatus, Services } from '../../shell/services.ts';
import { createPainter } from './paint.ts';
import { createSaver } from './saver.ts';

/** A crash loses at most a second of an answer. */
const SAVE_INTERVAL_MS = 900;

export interface AnswerOptions {
  readonly services: Pick<Services, 'clock' | 'page'>;
  /** @param saveSoon has the answer saved although no word of it is here: it can be recovered from now on */
  readonly events: (saveSoon: () => void) => AsyncIterable<ChatEvent>;
  /** Text that was there before, for an answer that is continued or recovered. */
  readonly before: string;
  /** The answer goes on in mid-word where `before` stops: it is the same one. */
  readonly seamless?: boolean;
  readonly signal: AbortSignal;
  readonly save: (text: string, status: MessageStatus) => Promise<void>;
  /** @param startsAt where the new words begin in the whole text */
  readonly onFirstWord: (startsAt: number) => void;
  readonly onShown: (shown: string) => void;
  readonly onSaveError: (cause: unknown) => void;
}

export interface AnswerEnd {
  readonly text: string;
  readonly status: 'complete' | 'interrupted';
  /** Why it was interrupted; undefined when the person stopped it. */
  readonly failure: unknown;
  /** The last save failed; calling it tries again. */
  readonly saveAgain: (() => Promise<void>) | undefined;
}

export async function streamAnswer(options: AnswerOptions): Promise<AnswerEnd> {
  const { services, before, signal, seamless = false } = options;
  let text = before;
  let failure: unknown;
  let isSaved = false;
  const save = (status: MessageStatus) => {
    isSaved = true;
    return options.save(text, status);
  };
  const saver = createSaver(services.clock, SAVE_INTERVAL_MS, () => save('partial'), options.onSaveError);
  const painter = createPainter(services, before.length, () => text, options.onShown);

  try {
    for await (const event of options.events(saver.offer)) {
      if (event.kind !== 'text-delta' || event.text === '') continue;
      const isFirst = text === before;
      text = isFirst && !seamless ? joined(before, event.text) : text + event.text;
      if (isFirst) options.onFirstWord(text.length - event.text.length);
      saver.offer();
      painter.wake();
    }
  } catch (cause) {
    if (!signal.aborted) failure = cause;
  }

  const status = failure === undefined && !signal.aborted ? 'complete' : 'interrupted';
  const keep = async () => {
    if (text !== '' || isSaved) await save(status);
  };
  let saveAgain: AnswerEnd['saveAgain'];
  try {
    await saver.finish(keep);
  } catch (cause) {
    saveAgain = keep;
    options.onSaveError(cause);
  }
  if (status === 'complete') await painter.settle();
  painter.stop();
  return { text, status, failure, saveAgain };
}

/** A continuation that starts a new word needs the space that the model leaves out. */
function joined(before: string, next: string): string {
  return /[\p{L}\p{N}.,;:!?]$/u.test(before) && /^[\p{L}\p{N}]/u.test(next) ? `${before} ${next}` : before + next;
}
