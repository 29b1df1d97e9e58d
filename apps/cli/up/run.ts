/**
 * `sotto up`: everything from a checkout to a page one can type in. The slow parts run side by side: the model is fetched
 * while the web app is built and the server starts; the page opens even where no model could be had.
 */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDataFolder, type DataFolder } from '../data-folder.ts';
import { type CatalogueModel, STARTER } from '../model/catalogue.ts';
import { chooseEngine, type EngineChoice } from '../model/choose-engine.ts';
import { downloadFromHub, downloadStarter } from '../model/download.ts';
import { PlainError } from '../plain-error.ts';
import type { Terminal } from '../terminal.ts';
import { Child, type ReadyLine } from './child.ts';
import { openBrowser } from './open-browser.ts';
import { assertPortFree, freePort } from './port.ts';
import { readyText } from './ready-text.ts';
import { buildWebIfStale } from './web-build.ts';

export interface UpOptions {
  readonly data: DataFolder;
  readonly port: number;
  /** Address to listen on; this machine alone unless given. */
  readonly host: string | undefined;
  readonly model: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly mayOpen: boolean;
  readonly mayDownload: boolean;
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The repository, from where this file lies. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The page opens without a model after this long; a quick download is waited for. */
const MODEL_PATIENCE_MS = 60_000;

/** Runs until `signal` is aborted, and then until nothing that it started runs any more. */
export async function runUp(options: UpOptions, onChildren: (children: readonly Child[]) => void): Promise<void> {
  const { terminal, signal, env, data } = options;
  await assertPortFree(options.port);
  createDataFolder(data);
  const chosen = await chooseEngine({ ...options, folder: data.models });
  if (chosen === undefined || signal.aborted) return;

  const enclavePort = await freePort();
  const common = {
    cwd: ROOT,
    env: childEnvironment(env),
    onLine: (sentence: string) => signal.aborted || terminal.line(sentence),
  };
  const enclave = new Child({
    ...common,
    name: 'enclave',
    command: enclaveCommand(options, enclavePort, chosen),
    logPath: join(data.logs, 'enclave.log'),
  });
  const server = new Child({
    ...common,
    name: 'server',
    command: serverCommand(options, enclavePort),
    logPath: join(data.logs, 'server.log'),
  });
  onChildren([server, enclave]);
  const fetching = chosen.kind === 'fetch' ? fetchModel(chosen.model, options) : Promise.resolve(chosen);
  fetching.catch(() => {}); // reported below, when it is waited for
  try {
    await buildWebIfStale(ROOT, signal, () => terminal.line('Building the web app (once, and after changes).'));
    const first = await settledWithin(fetching, MODEL_PATIENCE_MS);
    const pending = first === undefined;
    const engine: EngineChoice = first ?? { kind: 'none' };
    signal.throwIfAborted();
    const ready = await enclave.replace(enclaveCommand(options, enclavePort, engine));
    signal.throwIfAborted();
    await server.start();
    signal.throwIfAborted();
    const url = pageUrl(options, ready);
    terminal.line(
      readyText({
        url,
        model: modelName(ready, engine),
        starter: engine.kind === 'file' && engine.model === STARTER,
        modelPending: pending,
        externalEngine: engine.kind === 'url' ? engine.label : undefined,
      }),
    );
    if (options.mayOpen) openBrowser(url, env, terminal.interactive);
    if (pending) {
      const late = await settledWithin(fetching, 2 ** 31 - 1);
      if (late !== undefined && late.kind !== 'none' && !signal.aborted) {
        await enclave.replace(enclaveCommand(options, enclavePort, late));
        terminal.line('The model is here: ask away.');
      }
    }
    await aborted(signal);
  } finally {
    await Promise.all([server.stop(), enclave.stop()]);
  }

  /** The model, `none` when it could not be had (said in words), or undefined when it takes longer than `limitMs`. */
  async function settledWithin(work: Promise<EngineChoice>, limitMs: number): Promise<EngineChoice | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, limitMs, undefined);
    });
    try {
      return await Promise.race([work, late, aborted(signal).then((): EngineChoice => ({ kind: 'none' }))]);
    } catch (error) {
      if (signal.aborted) return { kind: 'none' };
      if (!(error instanceof PlainError)) throw error;
      terminal.line(`${error.message}\n${error.advice}`);
      return { kind: 'none' };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Variables that the children get. Not those of the person's shell that open a debugger, or send loopback through a proxy. */
const CHILD_VARIABLES = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH'];

function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(CHILD_VARIABLES.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]));
}

async function fetchModel(model: CatalogueModel, options: UpOptions): Promise<EngineChoice> {
  const { terminal, signal, env, data } = options;
  const progress = terminal.progress(`Fetching ${model === STARTER ? 'the starter model' : model.id}`);
  const context = {
    folder: data.models,
    env,
    home: env.HOME || homedir(),
    signal,
    progress,
    line: (text: string) => terminal.line(text),
  };
  try {
    const path = await (model === STARTER ? downloadStarter(context) : downloadFromHub(model, context));
    return { kind: 'file', path, model };
  } finally {
    progress.end();
  }
}

function enclaveCommand(options: UpOptions, port: number, engine: EngineChoice): string[] {
  // Else a signal from any program of this user would open a debugger on what people write. A small nursery: what an idle
  // session costs halves, and what an answer leaves behind is overwritten sooner.
  const nodeOptions = ['--disable-sigusr1', '--max-semi-space-size=4'];
  const command = [...nodeOptions, join(ROOT, 'apps/enclave/main.ts'), '--port', String(port)];
  command.push('--data', options.data.enclave);
  if (engine.kind === 'file') command.push('--model-file', engine.path);
  if (engine.kind === 'url') {
    command.push('--engine-url', engine.url);
    if (options.env.SOTTO_ENGINE_MODEL) command.push('--engine-model', options.env.SOTTO_ENGINE_MODEL);
  }
  return command;
}

function serverCommand(options: UpOptions, enclavePort: number): string[] {
  const command = [join(ROOT, 'apps/server/main.ts'), '--port', String(options.port), '--data', options.data.server];
  command.push('--web', join(ROOT, 'apps/web/dist'), '--node', `http://127.0.0.1:${enclavePort}`);
  if (options.host !== undefined) command.push('--host', options.host);
  if (options.tls !== undefined) command.push('--cert', options.tls.cert, '--key', options.tls.key);
  return command;
}

function pageUrl(options: UpOptions, enclave: ReadyLine): string {
  return `${options.tls === undefined ? 'http' : 'https'}://localhost:${options.port}/#dev=${String(enclave.devFingerprint)}`;
}

function modelName(ready: ReadyLine, engine: EngineChoice): string | undefined {
  if (engine.kind === 'none') return undefined;
  if (engine.kind === 'file' && engine.model !== undefined) return engine.model.label;
  const { model } = ready as { model?: { label?: unknown; id?: unknown } | string | null };
  if (typeof model === 'string') return model;
  return String(model?.label ?? model?.id ?? 'yours');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
