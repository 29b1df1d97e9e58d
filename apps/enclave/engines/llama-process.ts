/**
 * The engine's own process: llama.cpp through node-llama-cpp (spec/enclave.md §engines). It lives apart so that a crash of
 * native code ends one answer and not the enclave. It has no output but its pipe: no log, no file, no network.
 */
import {
  type ChatHistoryItem,
  getLlama,
  JinjaTemplateChatWrapper,
  LlamaChat,
  type LlamaContextSequence,
  LlamaLogLevel,
  type LlamaModel,
} from 'node-llama-cpp';
import type { FromEngine, LoadOptions, ToEngine } from './llama-messages.ts';
import { RepetitionWatch } from './repetition.ts';
import { SequencePool } from './sequence-pool.ts';

type GenerateMessage = Extract<ToEngine, { kind: 'generate' }>;

/** Least room for an answer; a prompt that leaves less is too long. */
const LEAST_ANSWER_TOKENS = 64;
const SAMPLE_CHARACTERS = 20_000;
/** A guess this many times over the limit is not counted exactly. */
const SURELY_TOO_LONG = 4;
const STARTER_SYSTEM = 'You are a helpful assistant.';

interface Loaded {
  readonly model: LlamaModel;
  readonly pool: SequencePool<LlamaContextSequence>;
  readonly options: LoadOptions;
}

const cancellations = new Map<number, AbortController>();
let loaded: Loaded | undefined;

function send(message: FromEngine): void {
  process.send?.(message);
}

async function load(options: LoadOptions): Promise<void> {
  const { threads, sequences } = options;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.disabled, maxThreads: threads });
  const model = await llama.loadModel({ modelPath: options.modelPath });
  const contextSize = Math.min(options.contextTokens, model.trainContextSize ?? options.contextTokens);
  const context = await model.createContext({ contextSize, sequences, threads });
  const pool = new SequencePool(Array.from({ length: sequences }, () => context.getSequence()));
  loaded = { model, pool, options };
  const { metadata } = model.fileInfo;
  send({
    kind: 'loaded',
    name: metadata.general?.name ?? '',
    parameters: model.fileInsights.totalParameters ?? 0,
    contextTokens: contextSize,
  });
}

async function generate(request: GenerateMessage, { model, pool, options }: Loaded): Promise<void> {
  const controller = new AbortController();
  cancellations.set(request.id, controller);
  try {
    await pool.lend((sequence) => answer(request, sequence, model, options, controller));
  } finally {
    cancellations.delete(request.id);
  }
}

async function answer(
  request: GenerateMessage,
  sequence: LlamaContextSequence,
  model: LlamaModel,
  { starter }: LoadOptions,
  controller: AbortController,
): Promise<void> {
  const limitTokens = sequence.contextSize - LEAST_ANSWER_TOKENS;
  const guessedTokens = guessTokens(request, model);
  if (guessedTokens > limitTokens * SURELY_TOO_LONG) {
    return send({ kind: 'too-long', id: request.id, limitTokens, usedTokens: guessedTokens });
  }
  const template = starter ? model.fileInfo.metadata.tokenizer?.chat_template : undefined;
  const chatWrapper = template === undefined ? 'auto' : new JinjaTemplateChatWrapper({ template });
  const chat = new LlamaChat({ contextSequence: sequence, chatWrapper });
  const history = toHistory(request, starter);
  const state = chat.chatWrapper.generateContextState({ chatHistory: history });
  const promptTokens = state.contextText.tokenize(model.tokenizer).length;
  const roomTokens = sequence.contextSize - promptTokens;
  if (roomTokens < LEAST_ANSWER_TOKENS) {
    return send({ kind: 'too-long', id: request.id, limitTokens, usedTokens: promptTokens });
  }
  const watch = new RepetitionWatch();
  let isRepeating = false;
  const before = sequence.tokenMeter.usedOutputTokens;
  // One token of room is kept, so that the engine never shifts the start of the conversation out of its context.
  const result = await chat.generateResponse(history, {
    maxTokens: Math.min(request.maxTokens ?? roomTokens - 1, roomTokens - 1),
    temperature: request.temperature ?? (starter ? 0 : 0.7),
    topP: 0.9,
    repeatPenalty: { penalty: 1.1, lastTokens: 64, penalizeNewLine: false },
    signal: controller.signal,
    stopOnAbortSignal: true,
    onTextChunk(text) {
      if (controller.signal.aborted) return;
      send({ kind: 'text', id: request.id, text });
      isRepeating = watch.add(text);
      if (isRepeating) controller.abort();
    },
  });
  send({
    kind: 'finish',
    id: request.id,
    finish: result.metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
    promptTokens,
    completionTokens: sequence.tokenMeter.usedOutputTokens - before,
  });
}

/** From the first of the text: to count all of a very long text takes seconds in which nobody else is answered. */
function guessTokens({ messages }: GenerateMessage, model: LlamaModel): number {
  const length = messages.reduce((sum, { content }) => sum + content.length, 0);
  if (length <= SAMPLE_CHARACTERS) return 0;
  const sample = messages
    .map(({ content }) => content.slice(0, SAMPLE_CHARACTERS))
    .join('')
    .slice(0, SAMPLE_CHARACTERS);
  return Math.round((model.tokenize(sample).length * length) / sample.length);
}

function toHistory({ messages }: GenerateMessage, starter: boolean): ChatHistoryItem[] {
  const history = messages.map(({ role, content }): ChatHistoryItem => {
    if (role === 'assistant') return { type: 'model', response: [content] };
    return { type: role, text: content };
  });
  if (starter && messages[0]?.role !== 'system') history.unshift({ type: 'system', text: STARTER_SYSTEM });
  return [...history, { type: 'model', response: [''] }];
}

process.on('message', (message: ToEngine) => {
  if (message.kind === 'load') load(message).catch(() => send({ kind: 'load-failed' }));
  else if (message.kind === 'cancel') cancellations.get(message.id)?.abort();
  else if (loaded === undefined) send({ kind: 'failed', id: message.id });
  else generate(message, loaded).catch(() => send({ kind: 'failed', id: message.id }));
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', () => process.exit(1));
process.on('unhandledRejection', () => process.exit(1));
// The terminal's Ctrl-C reaches the whole group: the parent decides when this process ends.
process.on('SIGINT', () => undefined);
