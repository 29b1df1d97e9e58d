/**
 * The kernel's report interface on a folder tree of the test's own: an entry that is made fills itself with attributes, and
 * what is written answers as hardware would, or with one fault.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { nodeTeeFiles, type TeeFiles } from './files.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface FakeKernel {
  readonly folder: string;
  readonly files: TeeFiles;
  /** Entries that exist now. */
  readonly entries: Set<string>;
  /** `name value-length` of each write, in order. */
  readonly writes: string[];
  remove(): Promise<void>;
}

export interface FakeKernelOptions {
  /** As the kernel names it; undefined refuses every entry, as a machine without the hardware does. */
  readonly provider?: string;
  readonly privilegeFloor?: number;
  /** Makes the answer; usually `tdxQuoteFake` or `snpReportFake`. */
  readonly answer?: (reportData: Uint8Array) => Uint8Array;
  readonly certificates?: Uint8Array;
  /** How often somebody else writes into the entry meanwhile. */
  readonly foreignWrites?: number;
  readonly generationText?: string;
}

/** A TDX quote of version 4 around the report data: only its place matters here. */
export function tdxQuoteFake(reportData: Uint8Array): Bytes {
  const quote = new Uint8Array(5000).fill(0xe5);
  quote.set(reportData, 48 + 520);
  return quote;
}

/** A SEV-SNP report around the report data. */
export function snpReportFake(reportData: Uint8Array): Bytes {
  const report = new Uint8Array(1184).fill(0xa5);
  report.set(reportData, 0x50);
  return report;
}

export async function createFakeKernel(options: FakeKernelOptions): Promise<FakeKernel> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-configfs-'));
  const entries = new Set<string>();
  const writes: string[] = [];
  let generation = 7;
  const put = (path: string, content: string | Uint8Array) => writeFile(path, content);
  const files: TeeFiles = {
    async makeFolder(path) {
      if (options.provider === undefined) throw Object.assign(new Error('ENXIO'), { code: 'ENXIO' });
      await mkdir(path);
      entries.add(basename(path));
      await put(join(path, 'provider'), `${options.provider}\n`);
      await put(join(path, 'generation'), options.generationText ?? `${generation}\n`);
      await put(join(path, 'privlevel_floor'), `${options.privilegeFloor ?? 0}\n`);
    },
    async removeFolder(path) {
      await rm(path, { recursive: true });
      entries.delete(basename(path));
    },
    read: (path, limitBytes) => nodeTeeFiles.read(path, limitBytes),
    async write(path, bytes) {
      writes.push(`${basename(path)} ${bytes.length}`);
      await put(path, bytes);
      await nodeTeeFiles.write(path, bytes);
      generation += 1;
      const entry = join(path, '..');
      if (basename(path) === 'inblob') {
        generation += options.foreignWrites ?? 0;
        await put(join(entry, 'outblob'), (options.answer ?? snpReportFake)(bytes));
        if (options.certificates !== undefined) await put(join(entry, 'auxblob'), options.certificates);
      }
      await put(join(entry, 'generation'), options.generationText ?? `${generation}\n`);
    },
  };
  return { folder, files, entries, writes, remove: () => rm(folder, { recursive: true, force: true }) };
}
