/**
 * The development root: an Ed25519 key made on the first run of a machine, which signs its own evidence (spec/enclave.md
 * §development). It proves nothing about hardware: whoever runs the machine holds it.
 */
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ed25519PublicKey, generateEd25519 } from '@sotto/crypto/sign';
import { EnclaveError } from './enclave-error.ts';

const FILE_NAME = 'dev-root.key';
const KEY_BYTES = 32;

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
    const bytes = new Uint8Array(await readFile(path));
    // EN-15: a cut-off key file would silently become another, weaker key.
    if (bytes.length !== KEY_BYTES) throw new EnclaveError('data-unusable', {}, 'EN-15');
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function createKey(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { privateKey } = await generateEd25519();
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(privateKey);
    await file.sync();
  } finally {
    await file.close();
  }
  return privateKey;
}
