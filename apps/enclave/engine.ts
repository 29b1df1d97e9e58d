/** The one seam between the enclave and whatever computes answers. An engine's output is untrusted text. */

export interface EngineModel {
  readonly id: string;
  /** For people, such as `Starter (135M)`. */
  readonly label: string;
  /** Number of weights; 0 when unknown. */
  readonly parameters: number;
  /** Prompt and answer together. */
  readonly contextTokens: number;
  /** True for the small model that only checks that everything works. */
  readonly starter: boolean;
}

export interface EngineMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface EngineRequest {
  readonly messages: readonly EngineMessage[];
  /** Upper bound of tokens in the answer; undefined means what the context leaves. */
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  /** Aborted when the person stopped, the channel was lost or the time is over: generation must end at once. */
  readonly signal: AbortSignal;
}

export type EngineEvent =
  | { readonly text: string }
  | { readonly finish: 'stop' | 'length'; readonly promptTokens: number; readonly completionTokens: number };

/**
 * Computes answers. `generate` yields text and then exactly one finish; it throws `EnclaveError` (`prompt-too-long`,
 * `engine-crashed`, `engine-unreachable`), or anything else, which the enclave reports as `engine-crashed`.
 */
export interface Engine {
  readonly model: EngineModel;
  /** Answers computed at one time; more wait in the enclave's queue. */
  readonly concurrency?: number;
  generate(request: EngineRequest): AsyncIterable<EngineEvent>;
  close(): Promise<void>;
}
