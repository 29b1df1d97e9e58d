/**
 * The whole system for tests and tools: the real server and the real enclave, each in its own process, on free ports, in a
 * folder of their own. Only the engine may be the scripted one of `testkit`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StartedProcess, startProcess } from './process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface EnclaveReady {
  readonly url: string;
  readonly nodeId: string;
  readonly devFingerprint: string;
}

interface ServerReady {
  readonly url: string;
}

export interface SystemOptions {
  /** `scripted` by default; a GGUF file starts the real engine. */
  readonly modelFile?: string;
  /** Flags of the scripted engine's process (scripted-enclave.ts). */
  readonly engineArgs?: readonly string[];
  readonly serverPreload?: readonly string[];
  readonly serverEnv?: Readonly<Record<string, string>>;
  readonly serverArgs?: readonly string[];
  /** For the scripted engine's process only: the real one refuses to be started so. */
  readonly enclavePreload?: readonly string[];
  readonly enclaveEnv?: Readonly<Record<string, string>>;
  /** Stands between server and enclave: given the enclave's address, returns the one the server is told. */
  readonly nodeThrough?: (enclaveUrl: string) => Promise<string>;
  /** Kept after `stop` when given. */
  readonly dataDir?: string;
}

export interface System {
  /** Origin, `http://localhost:PORT`. */
  readonly url: string;
  /** What a person opens: the origin with the development fingerprint. */
  readonly link: string;
  readonly devFingerprint: string;
  readonly nodeId: string;
  readonly dataDir: string;
  readonly serverDataDir: string;
  readonly enclaveDataDir: string;
  readonly server: StartedProcess<ServerReady>;
  readonly enclave: StartedProcess<EnclaveReady>;
  restartServer(): Promise<void>;
  restartEnclave(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sotto-system-')));
  const serverDataDir = join(dataDir, 'server');
  const enclaveDataDir = join(dataDir, 'enclave');

  const startEnclave = (port: string) => {
    const common = ['--port', port, '--data', enclaveDataDir];
    return options.modelFile === undefined
      ? startProcess<EnclaveReady>(join(ROOT, 'tools/harness/scripted-enclave.ts'), {
          args: [...common, ...(options.engineArgs ?? [])],
          ...(options.enclavePreload === undefined ? {} : { preload: options.enclavePreload }),
          ...(options.enclaveEnv === undefined ? {} : { env: options.enclaveEnv }),
        })
      : startProcess<EnclaveReady>(join(ROOT, 'apps/enclave/main.ts'), {
          args: [...common, '--model-file', options.modelFile],
          timeoutMs: 120_000,
        });
  };
  let enclave = await startEnclave('0');
  const enclavePort = new URL(enclave.ready.url).port;

  const nodeUrl = (await options.nodeThrough?.(enclave.ready.url)) ?? enclave.ready.url;

  const startServer = (port: string) =>
    startProcess<ServerReady>(join(ROOT, 'apps/server/main.ts'), {
      args: [
        ...['--port', port, '--data', serverDataDir, '--node', nodeUrl],
        ...['--web', join(ROOT, 'apps/web/dist'), ...(options.serverArgs ?? [])],
      ],
      ...(options.serverPreload === undefined ? {} : { preload: options.serverPreload }),
      ...(options.serverEnv === undefined ? {} : { env: options.serverEnv }),
    });
  let server: StartedProcess<ServerReady>;
  try {
    server = await startServer('0');
  } catch (error) {
    await enclave.stop();
    throw error;
  }
  const url = `http://localhost:${new URL(server.ready.url).port}`;

  return {
    url,
    link: `${url}/#dev=${enclave.ready.devFingerprint}`,
    devFingerprint: enclave.ready.devFingerprint,
    nodeId: enclave.ready.nodeId,
    dataDir,
    serverDataDir,
    enclaveDataDir,
    get server() {
      return server;
    },
    get enclave() {
      return enclave;
    },
    async restartServer() {
      await server.stop('SIGKILL');
      server = await startServer(new URL(url).port);
    },
    async restartEnclave() {
      await enclave.stop('SIGKILL');
      enclave = await startEnclave(enclavePort);
    },
    async stop() {
      await Promise.all([server.stop(), enclave.stop()]);
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
