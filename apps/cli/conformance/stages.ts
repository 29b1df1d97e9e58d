/** The stages there are, each loaded when it is first asked for, and the judging of one case. */
import { type JsonObject, type Judge, type Outcome, outcomeOf, Unsupported, VERDICT } from './outcome.ts';

interface Stage {
  /** Rises when the same input may get another answer. */
  readonly version: number;
  load(): Promise<Judge>;
}

const STAGES: ReadonlyMap<string, Stage> = new Map<string, Stage>([
  ['noise', { version: 1, load: async () => (await import('./noise.ts')).judgeNoise }],
  ['channel-handshake', { version: 1, load: async () => (await import('./channel.ts')).judgeHandshake }],
  ['channel-frame', { version: 1, load: async () => (await import('./channel.ts')).judgeFrames }],
  ['binding', { version: 1, load: async () => (await import('./binding.ts')).judgeBinding }],
  ['event-log', { version: 1, load: async () => (await import('./event-log.ts')).judgeEventLog }],
  ['nvidia', { version: 1, load: async () => (await import('./nvidia.ts')).judgeNvidia }],
  ['measure-snp', { version: 1, load: async () => (await import('./measure-snp.ts')).judgeMeasureSnp }],
  ['sev-snp', { version: 1, load: async () => (await import('./sev-snp.ts')).judgeSevSnp }],
  ['tdx', { version: 1, load: async () => (await import('./tdx.ts')).judgeTdx }],
  ['tpm', { version: 1, load: async () => (await import('./tpm.ts')).judgeTpm }],
  ['vault-open', { version: 1, load: async () => (await import('./vault.ts')).judgeVaultOpen }],
]);

/** What `sotto conformance capabilities` prints: what is there, and nothing that is planned. */
export function capabilities(): JsonObject {
  return {
    stages: Object.fromEntries([...STAGES].map(([name, { version }]) => [name, version])),
    suites: ['sotto-1'],
    platforms: ['tdx', 'sev-snp', 'nvidia', 'tpm'],
  };
}

/**
 * Judges one case. Never rejects: an error that nobody foresaw is an outcome too.
 *
 * @param readInput asked only when the stage is there
 */
export async function judge(stageName: string, readInput: () => unknown): Promise<Outcome> {
  try {
    const stage = STAGES.get(stageName);
    // CF-04: a stage that is not there must not be answered by any other word than that.
    if (stage === undefined) throw new Unsupported('unsupported-stage', 'CF-04');
    return { exit: VERDICT.accept, output: await (await stage.load())(readInput()) };
  } catch (error) {
    return outcomeOf(error);
  }
}
