/** Model files in the data folder: are they whole, what is their digest, was it pinned or only recorded. */
import { readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EXIT, PlainError } from '../plain-error.ts';
import type { CatalogueModel } from './catalogue.ts';
import { sha256OfFile } from './part-file.ts';

/** What is written beside a model when it has been fetched. */
export interface ModelRecord {
  readonly sha256: string;
  readonly bytes: number;
  /** False: the digest is what came the first time, vouched for by nobody. */
  readonly pinned: boolean;
  readonly recordedAtMs: number;
}

export function modelPath(folder: string, model: CatalogueModel): string {
  return join(folder, model.file);
}

const recordPath = (folder: string, model: CatalogueModel) => `${modelPath(folder, model)}.json`;

export async function saveModelRecord(folder: string, model: CatalogueModel, record: ModelRecord): Promise<void> {
  await writeFile(recordPath(folder, model), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

export async function loadModelRecord(folder: string, model: CatalogueModel): Promise<ModelRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(recordPath(folder, model), 'utf8')) as Partial<ModelRecord> | null;
    if (typeof value?.sha256 !== 'string' || typeof value.bytes !== 'number') return undefined;
    return {
      sha256: value.sha256,
      bytes: value.bytes,
      pinned: value.pinned === true,
      recordedAtMs: value.recordedAtMs ?? 0,
    };
  } catch {
    return undefined;
  }
}

/** Whether a model lies in the folder, whole; a damaged one is removed, so that it is fetched again. */
export async function checkModelFile(folder: string, model: CatalogueModel): Promise<'absent' | 'whole' | 'damaged'> {
  const path = modelPath(folder, model);
  const size = await stat(path).then(
    (file) => file.size,
    () => undefined,
  );
  if (size === undefined) return 'absent';
  const expected = model.sha256 ?? (await loadModelRecord(folder, model))?.sha256;
  const whole = expected === undefined ? false : (await sha256OfFile(path)) === expected;
  if (whole) return 'whole';
  await rm(path, { force: true });
  return 'damaged';
}

/** @throws PlainError unless `path` is a GGUF file that can be read */
export async function checkGgufFile(path: string): Promise<void> {
  let magic: string;
  try {
    const { open } = await import('node:fs/promises');
    const file = await open(path, 'r');
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0).finally(() => file.close());
    magic = buffer.toString('latin1');
  } catch (error) {
    throw new PlainError(
      `The model file ${path} cannot be read.`,
      'Check the path given to --model.',
      EXIT.noInput,
      error,
    );
  }
  if (magic !== 'GGUF') {
    throw new PlainError(
      `${basename(path)} is not a model in GGUF format, or it is damaged.`,
      'Give --model a .gguf file, or leave --model out.',
      EXIT.noInput,
    );
  }
}

/** @throws PlainError before a download that cannot end well */
export async function assertDiskSpace(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  throw new PlainError(
    `The disk that holds ${folder} has too little room for the model: it needs ${Math.ceil(neededBytes / 1e6)} MB.`,
    'Free some space and start again, or choose another place with --data DIR.',
    EXIT.fullDisk,
  );
}
