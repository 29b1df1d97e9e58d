/**
 * The enclave as a program: typed flags in, one JSON line on stdout when it is ready (or why it cannot be), a content-free
 * log on stderr (spec/enclave.md §program). Nothing is read from the environment but Node's own options, to refuse them.
 */
import { parseArgs } from 'node:util';
import { installCrashHandlers, isStartedLoud } from './crash.ts';
import { EnclaveError, encodeErrorBody, toEnclaveError } from './enclave-error.ts';
import type { Engine } from './engine.ts';
import { EVIDENCE_KINDS, type EvidenceChoice } from './evidence-source.ts';
import { createLog } from './log.ts';
import { startEnclave } from './start.ts';

const HELP = `The Sotto enclave: the only program that sees what people write.

  --port N           where the relay connects, on 127.0.0.1 (default: a free port)
  --data DIR         holds the development key (required)
  --model-file FILE  a GGUF model to run here
  --engine-url URL   an OpenAI-compatible engine on this machine, instead
  --engine-model ID  which of its models (default: the first)
  --threads N        threads of the embedded engine (default: free cores)
  --evidence KIND    dev, tdx, sev-snp or tpm: what speaks for this machine (default: dev)
  --gpus             the machine's GPUs speak too (not with dev)

Without a model it starts, and answers every chat with what to do.
`;

interface Flags {
  readonly port: number;
  readonly dataDir: string;
  readonly modelFile: string | undefined;
  readonly engineUrl: string | undefined;
  readonly engineModel: string | undefined;
  readonly threads: number | undefined;
  readonly evidence: EvidenceChoice;
}

/** @throws EnclaveError `bad-flags` */
function parseFlags(args: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const options = {
    port: text,
    data: text,
    'model-file': text,
    'engine-url': text,
    'engine-model': text,
    threads: text,
    evidence: text,
    gpus: { type: 'boolean' } as const,
  };
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    values = parseArgs({ args: [...args], options, strict: true }).values;
  } catch {
    throw new EnclaveError('bad-flags');
  }
  const { data: dataDir, 'model-file': modelFile, 'engine-url': engineUrl, 'engine-model': engineModel } = values;
  if (dataDir === undefined || (modelFile !== undefined && engineUrl !== undefined))
    throw new EnclaveError('bad-flags');
  const port = parseCount(values.port, 65_535) ?? 0;
  const threads = parseCount(values.threads, 256);
  return { port, dataDir, modelFile, engineUrl, engineModel, threads, evidence: parseEvidence(values) };
}

function parseEvidence(values: { evidence?: string; gpus?: boolean }): EvidenceChoice {
  const kind = EVIDENCE_KINDS.find((name) => name === (values.evidence ?? 'dev'));
  const gpus = values.gpus === true;
  if (kind === undefined || (gpus && kind === 'dev')) throw new EnclaveError('bad-flags');
  return { kind, gpus };
}

function parseCount(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > most) throw new EnclaveError('bad-flags');
  return Number(text);
}

/** Engines are loaded when they are asked for: a node without a model stays small. */
async function createEngine(flags: Flags, onCrash: () => void): Promise<Engine | null> {
  if (flags.engineUrl !== undefined) {
    const { createOpenAiEngine } = await import('./engines/openai.ts');
    const model = flags.engineModel === undefined ? {} : { model: flags.engineModel };
    return createOpenAiEngine({ url: flags.engineUrl, ...model });
  }
  if (flags.modelFile === undefined) return null;
  const { createLlamaEngine } = await import('./engines/llama.ts');
  const threads = flags.threads === undefined ? {} : { threads: flags.threads };
  return createLlamaEngine({ modelPath: flags.modelFile, onCrash, ...threads });
}

const log = createLog((line) => process.stderr.write(`${line}\n`), Date.now);
installCrashHandlers(log, (line) => process.stderr.write(`${line}\n`));

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
try {
  // EN-22: a debugger, a heap dump or a preloaded module is a way to the plaintext that no measurement shows.
  if (isStartedLoud(process.execArgv, process.env['NODE_OPTIONS'])) throw new EnclaveError('bad-flags', {}, 'EN-22');
  const flags = parseFlags(process.argv.slice(2));
  let restarts = 0;
  const engine = await createEngine(flags, () => log('engine-restart', { restarts: ++restarts }));
  const enclave = await startEnclave({ ...flags, engine, log });
  const stop = (): void => void enclave.close().then(() => process.exit(0));
  // What runs may end well; whoever cannot wait says it twice, or with another signal.
  process.once('SIGTERM', () => {
    process.once('SIGTERM', stop);
    void enclave.leave().then(stop);
  });
  process.once('SIGINT', stop);
  // Started by `sotto up`: nothing stays behind when that is gone, however it ended.
  if (process.connected) process.once('disconnect', stop);
  const { url, nodeId, devFingerprint } = enclave;
  process.stdout.write(
    `${JSON.stringify({ ready: true, url, nodeId, devFingerprint, model: engine?.model ?? null })}\n`,
  );
} catch (error) {
  const known = toEnclaveError(error, 'internal');
  log('crash', { code: known.code });
  process.stdout.write(`${JSON.stringify({ ready: false, ...JSON.parse(encodeErrorBody(known)) })}\n`);
  process.exit(1);
}
