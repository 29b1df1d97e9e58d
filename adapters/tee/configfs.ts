/**
 * Quotes of TDX and SEV-SNP through the kernel's report interface, which is plain files (spec/evidence-collect.md §configfs;
 * Linux, Documentation/ABI/testing/configfs-tsm-report). The kernel is measured; the host answers through it.
 */
import { encodeUtf8, equalBytes, parseUtf8 } from '@sotto/bytes';
import { TeeError } from './error.ts';
import type { TeeFiles } from './files.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export const REPORT_FOLDER = '/sys/kernel/config/tsm/report';
const REPORT_DATA_BYTES = 64;
const QUOTE_LIMIT_BYTES = 64 * 1024;
const CERTIFICATES_LIMIT_BYTES = 256 * 1024;
const NUMBER_LIMIT_BYTES = 32;

/** Each provider, and what it vouches for. */
const PROVIDERS: Readonly<Record<string, ReportKind>> = { tdx_guest: 'tdx', sev_guest: 'sev-snp' };
/** Where an answer holds the report data: a quote of version 4 or 5, a report. */
const REPORT_DATA_OFFSETS = { tdx: [48 + 520, 48 + 6 + 520], 'sev-snp': [0x50] } as const;

export type ReportKind = 'tdx' | 'sev-snp';

export interface CollectedReport {
  readonly kind: ReportKind;
  /** The quote or report, as the hardware and its vendor's software wrote it. */
  readonly statement: Bytes;
  /** AMD's certificate table, when the host supplied one. It travels beside the evidence. */
  readonly certificates: Bytes | undefined;
}

export interface ConfigfsOptions {
  readonly files: TeeFiles;
  /** `REPORT_FOLDER`, or a test's. */
  readonly folder: string;
  /** Names the entry; unlike any other. */
  readonly entryName: string;
}

/**
 * Asks for one report in an entry of its own, and removes the entry whatever happens.
 *
 * @param reportData 64 bytes
 * @throws TeeError
 */
export async function collectReport(options: ConfigfsOptions, reportData: Uint8Array): Promise<CollectedReport> {
  // EV-451: the kernel fills a shorter value up with zeros, and the quote would be over another one.
  if (reportData.length !== REPORT_DATA_BYTES) throw malformed('EV-451', 'report data has another length');
  return withEntry(options, async (entry) => {
    const kind = await readProvider(options.files, entry);
    const before = await readNumber(options.files, entry, 'generation');
    const writes = (await raisePrivilege(options.files, entry, kind)) + 1;
    await options.files.write(`${entry}/inblob`, reportData);
    const statement = await options.files.read(`${entry}/outblob`, QUOTE_LIMIT_BYTES);
    const certificates = kind === 'sev-snp' ? await readCertificates(options.files, entry) : undefined;
    const isUndisturbed = (await readNumber(options.files, entry, 'generation')) === before + writes;
    // EV-452: somebody else wrote into the entry meanwhile, and what was read may answer to that.
    if (!isUndisturbed) throw new TeeError('evidence-disturbed', 'EV-452', 'another program used the same entry');
    assertAnswer(kind, statement, reportData);
    return { kind, statement, certificates };
  });
}

/** @throws TeeError `evidence-malformed` unless the statement is over this report data */
export function assertAnswer(kind: ReportKind, statement: Uint8Array, reportData: Uint8Array): void {
  const offsets = REPORT_DATA_OFFSETS[kind];
  const holds = offsets.some((at) => equalBytes(statement.slice(at, at + REPORT_DATA_BYTES), reportData));
  // EV-453: an answer to other report data would be published, and refused by every client.
  if (!holds) throw malformed('EV-453', 'the answer is not over this report data');
}

/** What the kernel can quote with, or undefined: a folder is there even where nothing can answer. */
export async function detectProvider(options: ConfigfsOptions): Promise<ReportKind | undefined> {
  try {
    return await withEntry(options, (entry) => readProvider(options.files, entry));
  } catch (error) {
    if (error instanceof TeeError) return undefined;
    throw error;
  }
}

async function withEntry<T>(options: ConfigfsOptions, use: (entry: string) => Promise<T>): Promise<T> {
  const { files, folder, entryName } = options;
  const entry = `${folder}/${entryName}`;
  try {
    await files.makeFolder(entry);
  } catch (error) {
    throw unavailable('EV-450', 'the kernel makes no entry for a report', error);
  }
  try {
    return await use(entry);
  } catch (error) {
    if (error instanceof TeeError) throw error;
    throw unavailable('EV-450', 'the kernel gave no report', error);
  } finally {
    await files.removeFolder(entry).catch(() => undefined);
  }
}

async function readProvider(files: TeeFiles, entry: string): Promise<ReportKind> {
  const name = parseUtf8(await files.read(`${entry}/provider`, NUMBER_LIMIT_BYTES)).trim();
  const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  // EV-454: what another kind of hardware writes would be published as what it is not.
  if (provider === undefined) throw unavailable('EV-454', 'the provider of reports is not one of the known');
  return provider;
}

/** @returns how often it wrote */
async function raisePrivilege(files: TeeFiles, entry: string, kind: ReportKind): Promise<number> {
  if (kind !== 'sev-snp') return 0;
  const floor = await readNumber(files, entry, 'privlevel_floor');
  if (floor === 0) return 0;
  await files.write(`${entry}/privlevel`, encodeUtf8(String(floor)));
  return 1;
}

/** The host may have none; then clients fetch them elsewhere. */
async function readCertificates(files: TeeFiles, entry: string): Promise<Bytes | undefined> {
  const table = await files.read(`${entry}/auxblob`, CERTIFICATES_LIMIT_BYTES).catch(() => undefined);
  return table === undefined || table.length === 0 ? undefined : table;
}

async function readNumber(files: TeeFiles, entry: string, name: string): Promise<number> {
  const text = parseUtf8(await files.read(`${entry}/${name}`, NUMBER_LIMIT_BYTES)).trim();
  // EV-455: a number that is not one would compare as equal to nothing, or as zero.
  if (!/^\d{1,10}$/.test(text)) throw malformed('EV-455', 'a number of the kernel is not a number');
  return Number(text);
}

function malformed(rule: string, message: string): TeeError {
  return new TeeError('evidence-malformed', rule, message);
}

function unavailable(rule: string, message: string, cause?: unknown): TeeError {
  return new TeeError('evidence-unavailable', rule, message, cause);
}
