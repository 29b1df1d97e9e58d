/** What the enclave and its engine process say to each other, over Node's own pipe between parent and child. */
import type { EngineMessage } from '../engine.ts';

export interface LoadOptions {
  readonly modelPath: string;
  readonly threads: number;
  readonly contextTokens: number;
  /** Answers computed at one time. */
  readonly sequences: number;
  /** True for the small model: its template, greedy by default, told to be a helpful assistant. */
  readonly starter: boolean;
}

export type ToEngine =
  | ({ readonly kind: 'load' } & LoadOptions)
  | {
      readonly kind: 'generate';
      readonly id: number;
      readonly messages: readonly EngineMessage[];
      readonly maxTokens: number | undefined;
      readonly temperature: number | undefined;
    }
  | { readonly kind: 'cancel'; readonly id: number };

export type FromEngine =
  | { readonly kind: 'loaded'; readonly name: string; readonly parameters: number; readonly contextTokens: number }
  | { readonly kind: 'load-failed' }
  | { readonly kind: 'text'; readonly id: number; readonly text: string }
  | {
      readonly kind: 'finish';
      readonly id: number;
      readonly finish: 'stop' | 'length';
      readonly promptTokens: number;
      readonly completionTokens: number;
    }
  | { readonly kind: 'too-long'; readonly id: number; readonly limitTokens: number; readonly usedTokens: number }
  | { readonly kind: 'failed'; readonly id: number };
