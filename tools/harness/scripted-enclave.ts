/**
 * The real enclave with the scripted engine of `testkit`, as a program: for end-to-end tests, tools and benchmarks, never for
 * people. No flag of the product leads here. Flags: --port N --data DIR [--tokens-per-second N]
 * [--crash-after-tokens N].
 */
import { parseArgs } from 'node:util';
import { scriptedEngine } from '@sotto/testkit';
import { installCrashHandlers } from '../../apps/enclave/crash.ts';
import { createLog } from '../../apps/enclave/log.ts';
import { startEnclave } from '../../apps/enclave/start.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { port: text, data: text, 'tokens-per-second': text, 'crash-after-tokens': text },
});
const pace = values['tokens-per-second'];
const crash = values['crash-after-tokens'];
const engine = scriptedEngine({
  ...(pace === undefined ? {} : { tokensPerSecond: Number(pace) }),
  ...(crash === undefined ? {} : { crashAfterTokens: Number(crash) }),
});

const log = createLog((line) => process.stderr.write(`${line}\n`), Date.now);
installCrashHandlers(log, (line) => process.stderr.write(`${line}\n`));
const enclave = await startEnclave({ engine, dataDir: values.data ?? '', port: Number(values.port ?? 0), log });
const { url, nodeId, devFingerprint } = enclave;
process.stdout.write(`${JSON.stringify({ ready: true, url, nodeId, devFingerprint, model: engine.model })}\n`);

const stop = (): void => void enclave.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
process.once('disconnect', stop);
