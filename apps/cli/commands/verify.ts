/**
 * `sotto verify`: judges evidence from files, or of a machine that runs, and prints the judgement rule by rule. Offline for files:
 * nothing is fetched and nothing leaves. Exit code 0 for genuine or accepted evidence, 76 for refused.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseHex } from '@sotto/bytes';
import { CertificateError, parseCertificate, parsePem } from '@sotto/crypto/x509';
import { amdIntermediates } from '@sotto/evidence/sev-snp/intermediates';
import { type Policy, parsePolicy, VerifyError } from '@sotto/verify';
import {
  EvidenceFileError,
  type HardwareReport,
  judgeFiles,
  PolicyError,
  parseHardwarePolicy,
  type TestRoots,
} from '@sotto/verify/files';
import { defineCommand } from 'citty';
import { dataFolderAt } from '../data-folder.ts';
import { evidenceTable, MARKS } from '../evidence-table.ts';
import { connectToNode } from '../node-connection.ts';
import { expectedFingerprint, parsePinnedAddress } from '../pins.ts';
import { EXIT, PlainError } from '../plain-error.ts';

export const verifyCommand = defineCommand({
  meta: { name: 'verify' },
  args: {
    policy: { type: 'string' },
    at: { type: 'string' },
    nonce: { type: 'string' },
    'unsafe-test-root': { type: 'string' },
    json: { type: 'boolean', default: false },
    live: { type: 'boolean', default: false },
    data: { type: 'string' },
  },
  async run({ args }) {
    const names = args._.map(String);
    const [first] = names;
    if (first === undefined) {
      throw new PlainError('`sotto verify` needs a file, or an address.', 'See `sotto --help`.', EXIT.usage);
    }
    const rootFile = args['unsafe-test-root'];
    const isAddress = /^https?:\/\//.test(first);
    const isMachine = isAddress && rootFile !== undefined;
    // EV-449: whoever talked somebody into the option would stand for any machine.
    if (isMachine) {
      throw new PlainError('A machine is never judged under a test root.', 'Only files are.', EXIT.usage);
    }
    if (isAddress) return verifyAddress(first, args);
    const report = await judge(names, args, rootFile === undefined ? undefined : readRoots(rootFile));
    const isRootGiven = rootFile !== undefined;
    process.stdout.write(
      args.json
        ? `${JSON.stringify(isRootGiven ? { root: 'given', ...report } : report)}\n`
        : `${evidenceTable(report, isRootGiven).join('\n')}\n`,
    );
    if (report.verdict === 'refused') process.exitCode = EXIT.refused;
  },
});

async function judge(
  names: readonly string[],
  args: { readonly policy?: string | undefined; readonly at?: string | undefined; readonly nonce?: string | undefined },
  roots: TestRoots | undefined,
): Promise<HardwareReport> {
  try {
    return await judgeFiles({
      files: names.map((name) => ({ name: basename(name), bytes: readOrSay(name) })),
      policy: args.policy === undefined ? undefined : readPolicy(args.policy, parseHardwarePolicy),
      timeSeconds: readTime(args.at),
      amdIntermediates: amdIntermediates(),
      nonce: readNonce(args.nonce),
      ...(roots && { roots }),
    });
  } catch (error) {
    if (!(error instanceof EvidenceFileError)) throw error;
    throw new PlainError(error.message, 'See `sotto --help` for what can be judged.', EXIT.noInput, error);
  }
}

/** Instead of every maker's roots: no evidence is judged under some of both. */
function readRoots(path: string): TestRoots {
  try {
    const given = parsePem(new TextDecoder().decode(readOrSay(path)), 'CERTIFICATE').map((der) =>
      parseCertificate(der),
    );
    return { intel: given, amd: given, nvidia: { device: given, rim: given } };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new PlainError(
      `The root ${path} is not a certificate in PEM.`,
      'See examples/evidence.',
      EXIT.noInput,
      error,
    );
  }
}

function readOrSay(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new PlainError(`The file ${path} cannot be read.`, 'Is the name right?', EXIT.noInput, error);
  }
}

function readPolicy<P>(path: string, parse: (value: unknown) => P): P {
  try {
    return parse(JSON.parse(new TextDecoder().decode(readOrSay(path))));
  } catch (error) {
    if (!(error instanceof PolicyError) && !(error instanceof SyntaxError)) throw error;
    const message = error instanceof PolicyError ? `${error.message} (rule ${error.rule})` : 'It is not JSON.';
    throw new PlainError(`The policy ${path} cannot be used. ${message}`, 'See spec/evidence.md.', EXIT.noInput, error);
  }
}

/** Old evidence is judged for its own time; without one, for now. */
function readTime(text: string | undefined): number {
  if (text === undefined) return Math.floor(Date.now() / 1000);
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (Number.isFinite(seconds)) return seconds;
  throw new PlainError(`${text} is not a time.`, 'Write it as 2026-02-03T01:00:00Z.', EXIT.usage);
}

function readNonce(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9a-fA-F]{64}$/.test(text)) return parseHex(text.toLowerCase(), 32);
  throw new PlainError('A nonce is 64 hex digits.', 'Without the nonce no device can be judged.', EXIT.usage);
}

/** A machine that runs, against the policy that was given, or the fingerprint that this person remembers. */
async function verifyAddress(
  text: string,
  {
    data,
    json,
    live,
    policy,
  }: {
    readonly data?: string | undefined;
    readonly json: boolean;
    readonly live: boolean;
    readonly policy?: string | undefined;
  },
): Promise<void> {
  const address = parsePinnedAddress(text);
  const demanded = policy === undefined ? pinnedPolicy(address, data) : readPolicy(policy, parsePolicy);
  let report: VerifyError['report'];
  let refusal: VerifyError | undefined;
  try {
    const session = await connectToNode(address.origin, demanded);
    try {
      report = live ? await session.proveLive() : session.report;
    } finally {
      session.close();
    }
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    ({ report } = error);
    refusal = error;
  }
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const lines = report.checks.map(({ status, title, rule }) => `  ${MARKS[status].padEnd(4)}${rule}  ${title}`);
    const verdict =
      refusal === undefined
        ? `${live ? 'Checked live: it signed a number that was made just now, for this connection.' : 'Checked.'} ${WHAT_IT_IS[report.trust]}`
        : `REFUSED. ${refusal.message} (rule ${refusal.rule}, ${refusal.code})`;
    process.stdout.write(`${[...lines, '', verdict].join('\n')}\n`);
  }
  if (refusal !== undefined) process.exitCode = EXIT.refused;
}

const WHAT_IT_IS: Readonly<Record<VerifyError['report']['trust'], string>> = {
  development: 'A development machine: not private from whoever runs it.',
  'tpm-test': 'Its TPM says what was started there, for tests: not private from whoever runs it.',
  none: '',
};

function pinnedPolicy(address: ReturnType<typeof parsePinnedAddress>, data: string | undefined): Policy {
  const fingerprint = expectedFingerprint(dataFolderAt(data, process.env).pins, address, Date.now());
  return { kind: 'dev', version: 1, fingerprint };
}
