/**
 * The development root: an Ed25519 key made on the first run of a machine, which signs its own evidence (spec/enclave.md
 * §development). It proves nothing about hardware: whoever runs the machine holds it.
 */
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ed25519PublicKey, generateEd25519 } from '@sotto/crypto/sign';
import { EnclaveError } from './enclave-error.ts';

const FILE_NAME = 'dev-root.key';

export interface DevRoot {
  readonly privateKey: Uint8Array<ArrayBuffer>;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/**
 * Loads the key, or makes it. The file is written once, whole, readable by its owner alone.
 * @throws EnclaveError `data-unusable`
 */
export async function loadDevRoot(dataDir: string): Promise<DevRoot> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, FILE_NAME);
    const privateKey = (await readKey(path)) ?? (await createKey(path));
    return { privateKey, publicKey: await ed25519PublicKey(privateKey) };
  } catch {
    throw new EnclaveError('data-unusable');
  }
}

async function readKey(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(path)); // of another length it is no key: the next step refuses it (EN-15)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written beside its place and then linked into it: a power cut leaves a whole key or none, and the first of two writers wins. */
async function createKey(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { privateKey } = await generateEd25519();
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(privateKey);
    await file.sync();
    await link(draft, path);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return privateKey;
}
