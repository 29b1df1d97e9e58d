/**
 * Finds what this machine can prove, and hands out evidence of the one kind that was asked for (spec/evidence-collect.md
 * §detection). It never falls back to a weaker kind: whoever controls the host could otherwise choose.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeHex } from '@sotto/bytes';
import type { EvidenceSource, Random } from '@sotto/ports';
import { assertAnswer, collectReport, detectProvider, REPORT_FOLDER, type ReportKind } from './configfs.ts';
import { TeeError } from './error.ts';
import { nodeTeeFiles, type TeeFiles } from './files.ts';
import { createNativeCollector } from './native-collector.ts';
import { nodeRunTool, type RunTool } from './run-tool.ts';
import { collectTpmQuote, EVENT_LOG, hasTpm } from './tpm.ts';

export type TeeKind = 'tdx' | 'sev-snp' | 'tpm';

export interface TeeOptions {
  readonly random: Random;
  readonly files?: TeeFiles;
  readonly runTool?: RunTool;
  readonly reportFolder?: string;
  readonly eventLog?: string;
  /** DER, of the TPM's attestation key. */
  readonly tpmCertificates?: readonly Uint8Array[];
}

/** Answers for report data, by whichever way this machine has. */
interface Way {
  readonly kind: TeeKind;
  readonly quote: EvidenceSource['quote'];
}

/** The strongest kind that this machine can show; undefined when there is none. */
export async function detectTee(options: TeeOptions): Promise<TeeKind | undefined> {
  return (await findWay(options))?.kind;
}

/**
 * The source of evidence of this kind.
 *
 * @throws TeeError `evidence-unavailable` when this machine can show nothing, `evidence-kind-mismatch` when something else
 */
export async function openTee(kind: TeeKind, options: TeeOptions): Promise<EvidenceSource> {
  const found = await findWay(options);
  // EV-458: without hardware to speak for it, a machine has nothing to serve under but `dev`.
  if (found === undefined) throw new TeeError('evidence-unavailable', 'EV-458', 'this machine can show no evidence');
  // EV-457: a host that hides the hardware would get a machine that serves under weaker evidence.
  if (found.kind !== kind) throw new TeeError('evidence-kind-mismatch', 'EV-457', 'this machine shows another kind');
  return { platform: kind, quote: oneAtATime(found.quote) };
}

/** The kernel's own files first; then the helper, for kernels that have devices and not those files; then a TPM. */
async function findWay(options: TeeOptions): Promise<Way | undefined> {
  const { files = nodeTeeFiles, runTool = nodeRunTool, reportFolder: folder = REPORT_FOLDER } = options;
  const provider = await detectProvider({ files, folder, entryName: entryName(options.random) });
  if (provider !== undefined) return { kind: provider, quote: quoteThroughFiles(provider, options) };
  for (const kind of ['tdx', 'sev-snp'] as const) {
    const quote = quoteThroughHelper(kind, runTool);
    const isThere = await quote(options.random.bytes(64)).then(
      () => true,
      () => false,
    );
    if (isThere) return { kind, quote };
  }
  return (await hasTpm({ runTool })) ? { kind: 'tpm', quote: quoteTpm(options) } : undefined;
}

type Quote = EvidenceSource['quote'];

function quoteThroughFiles(kind: ReportKind, options: TeeOptions): Quote {
  const { files = nodeTeeFiles, reportFolder: folder = REPORT_FOLDER } = options;
  return async (reportData) => {
    const report = await collectReport({ files, folder, entryName: entryName(options.random) }, reportData);
    // EV-457: what answers now is not what answered at the start.
    if (report.kind !== kind) throw new TeeError('evidence-kind-mismatch', 'EV-457', 'this machine shows another kind');
    return report.statement;
  };
}

function quoteThroughHelper(kind: ReportKind, runTool: RunTool): Quote {
  const collector = createNativeCollector(runTool);
  return async (reportData) => {
    const { statement } = await collector.collectReport(kind, reportData);
    assertAnswer(kind, statement, reportData);
    return statement;
  };
}

function quoteTpm(options: TeeOptions): Quote {
  const { files = nodeTeeFiles, runTool = nodeRunTool, eventLog = EVENT_LOG, tpmCertificates = [] } = options;
  return async (nonce) => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-tpm-'));
    try {
      return await collectTpmQuote({ files, runTool, folder, eventLog, certificates: tpmCertificates }, nonce);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Quotes take seconds on some hosts, and two at once disturb each other. */
function oneAtATime(quote: Quote): Quote {
  let previous: Promise<unknown> = Promise.resolve();
  return (reportData) => {
    const next = previous.then(() => quote(reportData));
    previous = next.catch(() => undefined);
    return next;
  };
}

function entryName(random: Random): string {
  return `sotto-${encodeHex(random.bytes(8))}`;
}
