/**
 * One child process that is kept running: started, waited for until it says it is ready, started again when it dies,
 * ended with its parent. The child holds an IPC channel and must end when that closes, so that nothing stays behind even
 * when this process is killed outright. It has a process group of its own: Ctrl-C reaches it through us alone, in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlainError } from '../plain-error.ts';

export interface ChildOptions {
  /** For people: "server", "enclave". */
  readonly name: string;
  /** Script, then its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Everything that the child prints, except its ready line. */
  readonly logPath: string;
  readonly onLine: (sentence: string) => void;
  readonly nodePath?: string;
  readonly readyTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  /** Waits before restarts; the last repeats. */
  readonly backoffMs?: readonly number[];
}

/** The JSON line by which a child says that it serves (`ready: true`), or why it cannot. */
export type ReadyLine = Readonly<Record<string, unknown>>;

const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 15_000];
/** A child that lived this long has earned a quick restart again. */
const HEALTHY_MS = 60_000;
const KEPT_LINES = 12;

export class Child {
  readonly #options: ChildOptions;
  #command: readonly string[];
  #process: ChildProcess | undefined;
  #stopping = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#command = options.command;
  }

  get processId(): number | undefined {
    return this.#process?.pid;
  }

  /** @returns the ready line. @throws PlainError with the child's last words when it ends before */
  async start(): Promise<ReadyLine> {
    const { name, logPath } = this.#options;
    const begunMs = Date.now();
    const child = spawn(this.#options.nodePath ?? process.execPath, [...this.#command], {
      cwd: this.#options.cwd,
      env: this.#options.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#process = child;
    const log = createWriteStream(logPath, { flags: 'a', mode: 0o600 });
    log.on('error', () => {}); // a full disk must not end a running chat
    const last: string[] = [];
    const keep = (line: string) => {
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
      log.write(`${line}\n`);
    };
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', keep);
    const ready = new Promise<ReadyLine>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new PlainError(`The ${name} did not start in time.`, `What it said is in ${logPath}.`)),
        this.#options.readyTimeoutMs ?? 60_000,
      );
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const parsed = parseReadyLine(line);
        if (parsed === undefined) return keep(line);
        clearTimeout(timer);
        if (parsed.ready === true) return resolve(parsed);
        const { message } = (parsed.error ?? {}) as { message?: unknown };
        reject(
          new PlainError(`The ${name} could not start. ${String(message ?? '')}`.trim(), `More is in ${logPath}.`),
        );
      });
      child.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        reject(
          new PlainError(
            `The ${name} ended while starting (${signal ?? `code ${code}`}).`,
            `${last.map((line) => `  ${line}`).join('\n')}\nMore is in ${logPath}.`.trim(),
          ),
        );
      });
    });
    child.once('close', (code, signal) => {
      log.end();
      if (this.#process === child) this.#process = undefined;
      if (this.#stopping) return;
      ready.then(
        () => this.#restartLater(signal ?? `code ${code}`, Date.now() - begunMs),
        () => {},
      );
    });
    try {
      return await ready;
    } catch (error) {
      if (this.#process === child) await this.#end(child);
      throw error;
    }
  }

  /** Ends the running process and starts another with these arguments. */
  async replace(command: readonly string[]): Promise<ReadyLine> {
    await this.stop();
    this.#stopping = false;
    this.#command = command;
    return this.start();
  }

  /** Resolves when nothing of it runs. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#process !== undefined) await this.#end(this.#process);
  }

  /** At once, without a word. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#process !== undefined) killGroup(this.#process);
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => killGroup(child), this.#options.stopTimeoutMs ?? 5_000);
    await ended;
    clearTimeout(timer);
  }

  #restartLater(reason: string, livedMs: number): void {
    const waits = this.#options.backoffMs ?? BACKOFF_MS;
    if (livedMs >= HEALTHY_MS) this.#failures = 0;
    const waitMs = waits[Math.min(this.#failures++, waits.length - 1)] ?? 0;
    const { name, onLine, logPath } = this.#options;
    onLine(`The ${name} stopped unexpectedly (${reason}); starting it again. Details: ${logPath}`);
    this.#timer = setTimeout(() => {
      this.start().then(
        () => onLine(`The ${name} runs again.`),
        () => {
          if (!this.#stopping) this.#restartLater('it would not start', 0);
        },
      );
    }, waitMs);
  }
}

/** The child and what it started: it leads a process group of its own. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

function parseReadyLine(line: string): ReadyLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return typeof value.ready === 'boolean' ? value : undefined;
  } catch {
    return undefined;
  }
}
