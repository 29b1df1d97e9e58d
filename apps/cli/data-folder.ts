/** Where Sotto keeps what is this person's: models, the server's database, the enclave's development key, pins, logs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { explainWriteError } from './plain-error.ts';

export interface DataFolder {
  readonly root: string;
  readonly models: string;
  readonly server: string;
  readonly enclave: string;
  readonly logs: string;
  /** Fingerprints that `sotto trust add` pinned. */
  readonly pins: string;
}

/** The folder of `--data`, or the XDG default `~/.local/share/sotto`. Creates nothing. */
export function dataFolderAt(option: string | undefined, env: NodeJS.ProcessEnv): DataFolder {
  const root = resolve(option ?? join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'sotto'));
  return {
    root,
    models: join(root, 'models'),
    server: join(root, 'server'),
    enclave: join(root, 'enclave'),
    logs: join(root, 'logs'),
    pins: join(root, 'pins.json'),
  };
}

/** Room for a start: a new database, keys, logs. */
const PROBE_BYTES = 1_000_000;

/** Makes the folders, for this user alone, and tries whether something can be written. @throws PlainError when the disk is full or not writable */
export function createDataFolder(folder: DataFolder): void {
  try {
    for (const path of [folder.root, folder.models, folder.server, folder.enclave, folder.logs]) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
    }
    const probe = join(folder.root, `.room-${process.pid}`);
    try {
      writeFileSync(probe, Buffer.alloc(PROBE_BYTES), { mode: 0o600, flush: true });
    } finally {
      rmSync(probe, { force: true });
    }
  } catch (error) {
    throw explainWriteError(error, folder.root);
  }
}
