/** The engines that benchmarks run, by the flags of their processes. */

import { scriptedEngine } from '@sotto/testkit';
import type { Engine } from '../apps/enclave/engine.ts';
import { createLlamaEngine } from '../apps/enclave/engines/llama.ts';

export interface EngineFlags {
  readonly 'model-file'?: string | undefined;
  readonly 'tokens-per-second'?: string | undefined;
  readonly none?: boolean | undefined;
}

/** The same engine for the private path and the direct one. */
export async function createBenchEngine(flags: EngineFlags): Promise<Engine | null> {
  if (flags.none === true) return null;
  const modelPath = flags['model-file'];
  if (modelPath !== undefined) return createLlamaEngine({ modelPath, contextTokens: 2048, threads: 1 });
  const tokensPerSecond = flags['tokens-per-second'];
  return scriptedEngine(tokensPerSecond === undefined ? {} : { tokensPerSecond: Number(tokensPerSecond) });
}

/** Closes on a signal, or when the parent is gone. */
export function endWithParent(close: () => Promise<void>): void {
  const stop = (): void => void close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.connected) process.once('disconnect', stop);
}
