/**
 * What the page that judges evidence does: files and choices in, a report or a plain sentence out. The files are hostile; they
 * stay in memory and go nowhere. The same code judges in the terminal (`sotto verify`).
 */
import { parseHex } from '@sotto/bytes';
import { amdIntermediates } from '@sotto/evidence/sev-snp/intermediates';
import {
  type EvidenceFile,
  EvidenceFileError,
  type HardwarePolicy,
  type HardwareReport,
  judgeFiles,
  PolicyError,
  parseHardwarePolicy,
} from '@sotto/verify/files';
import { fill, words } from './words.ts';

export interface Choices {
  /** As `<input type="datetime-local">` gives it, in UTC; empty for now. */
  readonly at: string;
  readonly nonce: string;
  /** JSON; empty for none. */
  readonly policy: string;
}

export type Outcome =
  | { readonly kind: 'report'; readonly report: HardwareReport }
  | { readonly kind: 'words'; readonly text: string };

/** @param nowMs this device's clock */
export async function judgeOnPage(files: readonly EvidenceFile[], choices: Choices, nowMs: number): Promise<Outcome> {
  const timeSeconds = Math.floor((choices.at === '' ? nowMs : Date.parse(`${choices.at}Z`)) / 1000);
  if (Number.isNaN(timeSeconds)) return { kind: 'words', text: words.timeMalformed };
  const nonce = choices.nonce.trim().toLowerCase();
  if (nonce !== '' && !/^[0-9a-f]{64}$/.test(nonce)) return { kind: 'words', text: words.nonceMalformed };
  try {
    const report = await judgeFiles({
      files,
      policy: readPolicy(choices.policy),
      timeSeconds,
      amdIntermediates: amdIntermediates(),
      nonce: nonce === '' ? undefined : parseHex(nonce, 32),
    });
    return { kind: 'report', report };
  } catch (error) {
    if (error instanceof EvidenceFileError) return { kind: 'words', text: error.message };
    if (error instanceof PolicyError) {
      return { kind: 'words', text: fill(words.policyMalformed, { message: `${error.message} (${error.rule})` }) };
    }
    return { kind: 'words', text: words.failed };
  }
}

function readPolicy(text: string): HardwarePolicy | undefined {
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PolicyError('policy-malformed', 'It is not JSON.', 'EV-400');
  }
  return parseHardwarePolicy(value);
}

/** The files with one bit of the largest one changed. @param pick 0 to 1, which byte */
export function flipOneBit(
  files: readonly EvidenceFile[],
  pick: number,
): { readonly files: EvidenceFile[]; readonly name: string; readonly offset: number } | undefined {
  const [first] = files;
  if (first === undefined || first.bytes.length === 0) return undefined;
  const offset = Math.min(first.bytes.length - 1, Math.floor(pick * first.bytes.length));
  const bytes = first.bytes.slice();
  bytes[offset] = (bytes[offset] as number) ^ 1;
  return { files: [{ ...first, bytes }, ...files.slice(1)], name: first.name, offset };
}
