/**
 * Where `sotto` speaks: clack's prompts and a progress bar on a real terminal, plain lines everywhere else (pipes, CI),
 * so that logs stay readable and nothing ever waits for a key that nobody can press.
 */
import { cancel, isCancel, select } from '@clack/prompts';

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

/** One running measure, such as a download. */
export interface Progress {
  /** @param done and total in bytes */
  update(done: number, total: number): void;
  end(): void;
}

export interface Terminal {
  readonly interactive: boolean;
  line(text?: string): void;
  progress(title: string): Progress;
  /** Asks only on an interactive terminal; elsewhere answers with `otherwise`. Ctrl-C answers undefined. */
  choose<Value extends string>(
    question: string,
    choices: readonly Choice<Value>[],
    otherwise: Value,
  ): Promise<Value | undefined>;
}

const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\x1b[K';
const PLAIN_STEP_PERCENT = 10;

/** @param options.ask false makes every question take its default (`--yes`) */
export function createTerminal(options: {
  readonly out: NodeJS.WriteStream;
  readonly input: NodeJS.ReadStream;
  readonly env: NodeJS.ProcessEnv;
  readonly ask: boolean;
}): Terminal {
  const { out } = options;
  const live = out.isTTY === true && options.env.CI === undefined && options.env.TERM !== 'dumb';
  const bar = { drawn: false };
  const interactive = live && options.input.isTTY === true && options.ask;
  return {
    interactive,
    line(text = '') {
      out.write(`${bar.drawn ? CLEAR_LINE : ''}${text}\n`);
      bar.drawn = false;
    },
    progress: (title) => (live ? barProgress(out, title, bar) : plainProgress(out, title)),
    async choose(question, choices, otherwise) {
      if (!interactive) return otherwise;
      const answer = await select({
        message: question,
        options: choices.map(({ value, label, hint }) =>
          hint === undefined ? { value, label } : { value, label, hint },
        ),
        initialValue: otherwise,
      } as Parameters<typeof select>[0]);
      if (!isCancel(answer)) return answer as typeof otherwise;
      cancel('Stopped.');
      return undefined;
    },
  };
}

/** Bytes as people read them: decimal units, one digit. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${(bytes / 1e6).toFixed(bytes >= 1e7 ? 0 : 1)} MB`;
}

/** @param shared whether the bar stands on the current line; other lines take its place, and it comes back below them */
function barProgress(out: NodeJS.WriteStream, title: string, shared: { drawn: boolean }): Progress {
  let drawnAtMs = 0;
  const draw = (done: number, total: number) => {
    const filled = Math.round((BAR_WIDTH * done) / total);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    shared.drawn = true;
    out.write(`${CLEAR_LINE}${title} ${bar} ${formatBytes(done)} of ${formatBytes(total)}`);
  };
  return {
    update(done, total) {
      const nowMs = Date.now();
      if (done < total && nowMs - drawnAtMs < 100) return;
      drawnAtMs = nowMs;
      draw(done, total);
    },
    end() {
      if (shared.drawn) out.write('\n');
      shared.drawn = false;
    },
  };
}

function plainProgress(out: NodeJS.WriteStream, title: string): Progress {
  let next = 0;
  return {
    update(done, total) {
      const percent = Math.floor((100 * done) / total);
      if (percent < next) return;
      next = percent - (percent % PLAIN_STEP_PERCENT) + PLAIN_STEP_PERCENT;
      out.write(`${title}: ${percent} % of ${formatBytes(total)}\n`);
    },
    end: () => {},
  };
}
