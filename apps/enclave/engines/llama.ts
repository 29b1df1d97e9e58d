/**
 * The embedded engine as the enclave sees it: starts the engine's process, hands it requests, survives its crashes
 * (spec/enclave.md §engines). What comes back over the pipe is the model's output and untrusted as text.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnclaveError } from '../enclave-error.ts';
import type { Engine, EngineEvent, EngineModel, EngineRequest } from '../engine.ts';
import type { FromEngine, LoadOptions, ToEngine } from './llama-messages.ts';
import { chooseThreads, readCores } from './threads.ts';

const PROCESS_PATH = fileURLToPath(new URL('./llama-process.ts', import.meta.url));
/** The model that `sotto up` fetches when nothing better is there. */
export const STARTER_FILE_NAME = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const RESTARTS_A_MINUTE = 3;
const SEQUENCES = 2;
/** A large model from a slow disk; one that takes longer is taken for unreadable. */
const LOAD_TIME_MS = 5 * 60_000;
const GIBIBYTE = 2 ** 30;

export interface LlamaOptions {
  readonly modelPath: string;
  readonly threads?: number;
  readonly contextTokens?: number;
  /** Program of the engine's process; another one only in tests. */
  readonly processPath?: string;
  /** Called when the process ended by itself. */
  readonly onCrash?: () => void;
}

/**
 * Loads a GGUF model in a process of its own.
 * @throws EnclaveError `model-unreadable`
 */
export async function createLlamaEngine(options: LlamaOptions): Promise<Engine> {
  if (options.processPath === undefined) await checkModelFile(options.modelPath);
  const fileName = basename(options.modelPath);
  const starter = fileName === STARTER_FILE_NAME;
  const load: LoadOptions = {
    modelPath: options.modelPath,
    threads: options.threads ?? chooseThreads(readCores()),
    contextTokens: options.contextTokens ?? (totalmem() < 6 * GIBIBYTE ? 2048 : 4096),
    sequences: SEQUENCES,
    starter,
  };
  const engine = new LlamaEngine(load, options);
  const { name, parameters, contextTokens } = await engine.start();
  engine.model = {
    id: fileName.replace(/\.gguf$/i, '').toLowerCase(),
    label: starter ? 'Starter (135M)' : name || fileName,
    parameters,
    contextTokens,
    starter,
  };
  return engine;
}

/** Whether the file begins as a GGUF model does: the library waits for ever on one that does not. */
async function checkModelFile(path: string): Promise<void> {
  const head = Buffer.alloc(24);
  try {
    const file = await open(path);
    await file.read(head, 0, head.length, 0).finally(() => file.close());
  } catch {
    throw new EnclaveError('model-unreadable');
  }
  const [version, tensors, entries] = [head.readUInt32LE(4), head.readBigUInt64LE(8), head.readBigUInt64LE(16)];
  const isGguf = head.toString('latin1', 0, 4) === 'GGUF' && (version === 2 || version === 3);
  if (!isGguf || tensors > 1_000_000n || entries > 1_000_000n) throw new EnclaveError('model-unreadable');
}

type Loaded = Extract<FromEngine, { kind: 'loaded' }>;
type Answer = Exclude<FromEngine, { kind: 'loaded' | 'load-failed' }>;

class LlamaEngine implements Engine {
  readonly concurrency = SEQUENCES;
  model: EngineModel = { id: '', label: '', parameters: 0, contextTokens: 0, starter: false };
  readonly #load: LoadOptions;
  readonly #options: LlamaOptions;
  /** Answers under way in the running process; all end when it ends. */
  readonly #inboxes = new Map<number, Inbox>();
  readonly #crashesMs: number[] = [];
  #process: ChildProcess | undefined;
  #ready: Promise<Loaded> | undefined;
  #nextId = 1;
  #isClosed = false;

  constructor(load: LoadOptions, options: LlamaOptions) {
    this.#load = load;
    this.#options = options;
  }

  /** Starts the process, unless it runs. @throws EnclaveError `model-unreadable` */
  start(): Promise<Loaded> {
    this.#ready ??= this.#spawn();
    return this.#ready;
  }

  async *generate({ messages, maxTokens, temperature, signal }: EngineRequest): AsyncGenerator<EngineEvent> {
    await this.#ensureRunning();
    signal.throwIfAborted();
    const id = this.#nextId++;
    const inbox = new Inbox();
    const onAbort = (): void => this.#send({ kind: 'cancel', id });
    this.#inboxes.set(id, inbox);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#send({ kind: 'generate', id, messages, maxTokens, temperature });
    try {
      for (;;) {
        const answer = await inbox.next();
        signal.throwIfAborted();
        if (answer.kind === 'text') yield { text: answer.text };
        else return yield toFinish(answer);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#inboxes.delete(id);
      this.#send({ kind: 'cancel', id });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL'); // it holds nothing that must be saved
    await ended;
  }

  async #ensureRunning(): Promise<void> {
    const sinceMs = Date.now() - 60_000;
    const recent = this.#crashesMs.filter((atMs) => atMs > sinceMs).length;
    // EN-17: a model that breaks at every start would otherwise keep the machine busy starting it.
    if (this.#ready === undefined && recent > RESTARTS_A_MINUTE) throw new EnclaveError('engine-crashed', {}, 'EN-17');
    try {
      await this.start();
    } catch {
      throw new EnclaveError('engine-crashed');
    }
  }

  #send(message: ToEngine): void {
    if (this.#process?.connected) this.#process.send(message, () => undefined);
  }

  #spawn(): Promise<Loaded> {
    const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
    // No core file, no output, no inherited environment: what the process holds is someone's conversation (EN-18).
    const command = ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, this.#options.processPath ?? PROCESS_PATH];
    const child = spawn('/bin/sh', command, {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: '/usr/bin:/bin' },
    });
    this.#process = child;
    const timer = setTimeout(() => child.kill('SIGKILL'), LOAD_TIME_MS);
    child.on('message', (message: FromEngine) => {
      clearTimeout(timer);
      if (message.kind === 'loaded') resolve(message);
      else if (message.kind === 'load-failed') child.kill('SIGKILL');
      else this.#inboxes.get(message.id)?.push(message);
    });
    child.on('error', () => child.emit('exit'));
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new EnclaveError('model-unreadable'));
      this.#onExit(child);
    });
    child.send({ kind: 'load', ...this.#load } satisfies ToEngine, () => undefined);
    return promise;
  }

  #onExit(child: ChildProcess): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#ready = undefined;
    this.#crashesMs.push(Date.now());
    for (const inbox of this.#inboxes.values()) inbox.fail();
    this.#inboxes.clear();
    if (this.#isClosed) return;
    this.#options.onCrash?.();
  }
}

function toFinish(answer: Exclude<Answer, { kind: 'text' }>): EngineEvent {
  if (answer.kind === 'finish') {
    const { finish, promptTokens, completionTokens } = answer;
    return { finish, promptTokens, completionTokens };
  }
  if (answer.kind === 'failed') throw new EnclaveError('engine-crashed');
  const { limitTokens, usedTokens } = answer;
  throw new EnclaveError('prompt-too-long', { limitTokens, usedTokens });
}

/** Messages of one answer, in order, until it ends or the process does. */
class Inbox {
  readonly #messages: Answer[] = [];
  #wake: (() => void) | undefined;
  #hasFailed = false;

  push(message: Answer): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  fail(): void {
    this.#hasFailed = true;
    this.#wake?.();
  }

  async next(): Promise<Answer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#hasFailed) throw new EnclaveError('engine-crashed');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
