/**
 * What judging evidence costs: a real TDX quote with its collateral, beside another verifier in the same run where there is
 * one; a real SEV-SNP report, beside its signatures alone; and the size of the verifiers in a browser.
 *
 *   node bench/evidence/main.ts [--pairs 100] [--oracle FOLDER]
 *
 * FOLDER holds node_modules/@phala/dcap-qvl (npm install --prefix FOLDER @phala/dcap-qvl@0.3.9): used here and in no product.
 * The quote is one of the shared vectors (SOTTO_VECTORS); without them only the size is measured. Exits with 1 on a broken budget.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { equalBytes } from '@sotto/bytes';
import { verifySignature } from '@sotto/crypto/verify';
import { type Certificate, parseCertificate } from '@sotto/crypto/x509';
import { amdRoots, parseSnpReport, verifySevSnp } from '@sotto/evidence/sev-snp';
import { amdIntermediates } from '@sotto/evidence/sev-snp/intermediates';
import { PRODUCTION_DEMANDS, verifyTdx } from '@sotto/evidence/tdx';
import { rolldown } from 'rolldown';
import { round, spread } from '../statistics.ts';

const text = { type: 'string' } as const;
const { values: flags } = parseArgs({ options: { pairs: text, oracle: text } });
const ROOT = join(import.meta.dirname, '../..');
const VECTORS = process.env.SOTTO_VECTORS ?? join(ROOT, '../shared/vectors');
const TIME_SECONDS = Date.UTC(2025, 5, 20) / 1000;
const RATIO_BUDGET = 0.35;
const SNP_RATIO_BUDGET = 1.5;
const SIZE_BUDGET_KB = 45;
let isWithin = true;

function say(name: string, value: number | string, budget?: number): void {
  const isBroken = budget !== undefined && Number(value) > budget;
  if (isBroken) isWithin = false;
  console.log(
    `${name.padEnd(56)} ${value}${budget === undefined ? '' : ` (at most ${budget})${isBroken ? ' BROKEN' : ''}`}`,
  );
}

type Verify = () => unknown;

/** Runs both in turn, so that what else the machine does falls on both. */
async function measurePairs(first: Verify, second: Verify | undefined, pairs: number): Promise<[number[], number[]]> {
  const times: [number[], number[]] = [[], []];
  for (let pair = -5; pair < pairs; pair++) {
    for (const [index, verify] of [first, second].entries()) {
      if (verify === undefined) continue;
      const started = performance.now();
      await verify();
      if (pair >= 0) times[index]?.push(performance.now() - started);
    }
  }
  return times;
}

async function measureTdx(): Promise<void> {
  const folder = join(VECTORS, 'tdx/phala');
  if (!existsSync(folder)) return console.log('TDX: shared vectors absent, not measured');
  const quote = new Uint8Array(readFileSync(join(folder, 'tdx_quote')));
  const file = JSON.parse(readFileSync(join(folder, 'tdx_quote_collateral.json'), 'utf8')) as Record<string, string>;
  const bytes = (name: string) => new Uint8Array(Buffer.from(file[name] ?? '', 'hex'));
  const collateral = {
    tcbInfoJson: file.tcb_info ?? '',
    tcbInfoSignatureHex: file.tcb_info_signature ?? '',
    qeIdentityJson: file.qe_identity ?? '',
    qeIdentitySignatureHex: file.qe_identity_signature ?? '',
    tcbInfoIssuerChainPem: file.tcb_info_issuer_chain ?? '',
    qeIdentityIssuerChainPem: file.qe_identity_issuer_chain ?? '',
    pckCrl: bytes('pck_crl'),
    pckCrlIssuerChainPem: file.pck_crl_issuer_chain ?? '',
    rootCaCrl: bytes('root_ca_crl'),
  };
  const ours = () => verifyTdx({ quote, collateral, timeSeconds: TIME_SECONDS, demands: PRODUCTION_DEMANDS });
  const started = performance.now();
  await ours();
  say('TDX quote with collateral, first, ms', round(performance.now() - started));
  const oracle = loadOracle();
  const theirs = oracle && (() => oracle.verify(quote, oracleCollateral(file), TIME_SECONDS));
  const [own, other] = await measurePairs(ours, theirs, Number(flags.pairs ?? 100));
  say('TDX quote with collateral, median, ms', round(spread(own).median));
  say('TDX quote with collateral, least, ms', round(spread(own).min));
  if (other.length === 0) return console.log('no --oracle: nothing to compare with');
  say('the same by @phala/dcap-qvl, median, ms', round(spread(other).median));
  say('ratio of the medians', round(spread(own).median / spread(other).median, 3), RATIO_BUDGET);
  say('ratio of the least', round(spread(own).min / spread(other).min, 3), RATIO_BUDGET);
}

/** Beside the three signatures that no verifier can do without: two of RSA-PSS 4096, one of ECDSA P-384. */
async function measureSevSnp(): Promise<void> {
  const folder = join(VECTORS, 'sevsnp/lunal');
  if (!existsSync(folder)) return console.log('SEV-SNP: shared vectors absent, not measured');
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  const [report, vcek] = [read('live-report-v5-genoa.bin'), read('live-vcek-genoa.der')];
  const leaf = parseCertificate(vcek);
  const ask = amdIntermediates().find((one) => equalBytes(one.subject, leaf.issuer)) as Certificate;
  const ark = amdRoots().find((one) => equalBytes(one.subject, ask.issuer)) as Certificate;
  const { signedBytes, signature } = parseSnpReport(report);
  const ours = () =>
    verifySevSnp({
      report,
      endorsement: { kind: 'vcek', certificate: vcek },
      intermediates: [ask],
      roots: amdRoots(),
      timeSeconds: Date.UTC(2026, 5, 1) / 1000,
    });
  const raw = async () => {
    await verifySignature(ask.scheme, ark.publicKey, ask.tbs, ask.signature);
    await verifySignature(leaf.scheme, ask.publicKey, leaf.tbs, leaf.signature);
    await verifySignature('ecdsa-sha384', leaf.publicKey, signedBytes, signature, 'raw');
  };
  const started = performance.now();
  await ours();
  say('SEV-SNP report with chain, first, ms', round(performance.now() - started));
  const [own, signatures] = await measurePairs(ours, raw, Number(flags.pairs ?? 100));
  say('SEV-SNP report with chain, median, ms', round(spread(own).median));
  say('its three signatures alone, median, ms', round(spread(signatures).median));
  // A run of a few milliseconds is stopped in the middle more often than one of one, so on a busy machine the median says how busy.
  say('ratio of the medians', round(spread(own).median / spread(signatures).median, 3));
  say('ratio of the least', round(spread(own).min / spread(signatures).min, 3), SNP_RATIO_BUDGET);
}

interface Oracle {
  verify(quote: Uint8Array, collateral: unknown, timeSeconds: number): unknown;
}

function loadOracle(): Oracle | undefined {
  if (flags.oracle === undefined) return undefined;
  return createRequire(join(flags.oracle, 'index.js'))('@phala/dcap-qvl') as Oracle;
}

/** As its own command line makes it of the same file. */
function oracleCollateral(file: Record<string, string>): Record<string, unknown> {
  const binary = ['root_ca_crl', 'pck_crl', 'tcb_info_signature', 'qe_identity_signature'];
  return Object.fromEntries(
    Object.entries(file).map(([name, value]) => [name, binary.includes(name) ? Buffer.from(value, 'hex') : value]),
  );
}

/** Everything a browser loads to judge evidence of every platform; without the curves that are loaded only where it lacks them. */
async function measureSize(): Promise<void> {
  const entries = { 'all verifiers': 'packages/verify/files.ts', 'TDX alone': 'packages/evidence/tdx/index.ts' };
  for (const [name, entry] of Object.entries(entries)) {
    const conditionNames = ['browser', 'import', 'default'];
    const bundle = await rolldown({ input: join(ROOT, entry), platform: 'browser', resolve: { conditionNames } });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    const chunks = output.filter((one) => one.type === 'chunk');
    const eager = new Set(chunks.filter((one) => one.isEntry).flatMap((one) => [one.fileName, ...one.imports]));
    const loaded = chunks.filter((one) => eager.has(one.fileName));
    const kilobytes = loaded.reduce((sum, one) => sum + gzipSync(one.code, { level: 9 }).length / 1000, 0);
    say(`${name} in a browser, gzip, kB`, round(kilobytes, 1), name === 'TDX alone' ? undefined : SIZE_BUDGET_KB);
  }
}

await measureTdx();
await measureSevSnp();
await measureSize();
process.exitCode = isWithin ? 0 : 1;
