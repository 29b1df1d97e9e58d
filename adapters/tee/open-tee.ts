/**
 * Finds what this machine can prove, and hands out evidence of the one kind that was asked for (spec/evidence-collect.md
 * §detection). It never falls back to a weaker kind: whoever controls the host could otherwise choose.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeHex } from '@sotto/bytes';
import type { EvidenceSource, Random } from '@sotto/ports';
import { collectReport, detectProvider, REPORT_FOLDER } from './configfs.ts';
import { TeeError } from './error.ts';
import { nodeTeeFiles, type TeeFiles } from './files.ts';
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

/** The strongest kind that this machine can show; undefined when there is none. */
export async function detectTee(options: TeeOptions): Promise<TeeKind | undefined> {
  const { files = nodeTeeFiles, runTool = nodeRunTool, reportFolder: folder = REPORT_FOLDER } = options;
  const provider = await detectProvider({ files, folder, entryName: entryName(options.random) });
  if (provider !== undefined) return provider;
  return (await hasTpm({ runTool })) ? 'tpm' : undefined;
}

/**
 * The source of evidence of this kind.
 *
 * @throws TeeError `evidence-unavailable` when this machine can show nothing, `evidence-kind-mismatch` when something else
 */
export async function openTee(kind: TeeKind, options: TeeOptions): Promise<EvidenceSource> {
  const found = await detectTee(options);
  // EV-458: without hardware to speak for it, a machine has nothing to serve under but `dev`.
  if (found === undefined) throw new TeeError('evidence-unavailable', 'EV-458', 'this machine can show no evidence');
  // EV-457: a host that hides the hardware would get a machine that serves under weaker evidence.
  if (found !== kind) throw new TeeError('evidence-kind-mismatch', 'EV-457', 'this machine shows another kind');
  const quote = kind === 'tpm' ? quoteTpm(options) : quoteReport(kind, options);
  return { platform: kind, quote: oneAtATime(quote) };
}

type Quote = EvidenceSource['quote'];

function quoteReport(kind: 'tdx' | 'sev-snp', options: TeeOptions): Quote {
  const { files = nodeTeeFiles, reportFolder: folder = REPORT_FOLDER } = options;
  return async (reportData) => {
    const report = await collectReport({ files, folder, entryName: entryName(options.random) }, reportData);
    // EV-457: what answers now is not what answered at the start.
    if (report.kind !== kind) throw new TeeError('evidence-kind-mismatch', 'EV-457', 'this machine shows another kind');
    return report.statement;
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
