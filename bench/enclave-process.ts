/**
 * An enclave in a process of its own, for benchmarks and end-to-end runs: the real node with the scripted engine, or with a
 * real one. Prints the ready line of apps/enclave/main.ts and ends with its parent.
 *
 *   node bench/enclave-process.ts --data DIR [--port N] [--model-file FILE] [--tokens-per-second N] [--sessions N] [--none]
 */
import { parseArgs } from 'node:util';
import { createLog } from '../apps/enclave/log.ts';
import { startEnclave } from '../apps/enclave/start.ts';
import { createBenchEngine, endWithParent } from './engines.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    data: text,
    port: text,
    'model-file': text,
    'tokens-per-second': text,
    sessions: text,
    none: { type: 'boolean' },
  },
});
if (values.data === undefined) throw new Error('--data DIR is needed');

const log = createLog((line) => process.stderr.write(`${line}\n`), Date.now);
const engine = await createBenchEngine(values);
const enclave = await startEnclave({
  engine,
  dataDir: values.data,
  port: Number(values.port ?? 0),
  queue: { perSession: 64 },
  ...(values.sessions === undefined ? {} : { sessionLimit: Number(values.sessions) }),
  log,
});
endWithParent(() => enclave.close());
const { url, nodeId, devFingerprint } = enclave;
process.stdout.write(`${JSON.stringify({ ready: true, url, nodeId, devFingerprint, model: engine?.model ?? null })}\n`);
