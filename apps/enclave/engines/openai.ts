/**
 * An engine that someone already runs on this machine behind an OpenAI-compatible address (Ollama, llama-server, vLLM, LM
 * Studio). In this version on loopback only: whoever answers there can read the conversation (spec/enclave.md §engines).
 */
import { parseChatChunk, parseSse, SSE_DONE } from '@sotto/wire';
import { EnclaveError } from '../enclave-error.ts';
import type { Engine, EngineEvent, EngineModel, EngineRequest } from '../engine.ts';

const MODELS_LIMIT_BYTES = 1024 * 1024;
const PROBE_TIME_MS = 5000;
const DEFAULT_CONTEXT_TOKENS = 4096;

/**
 * The base address of a local engine, without a slash at the end; `http://localhost:11434` and `…/v1` mean the same.
 * @throws EnclaveError `engine-not-local`
 */
export function parseEngineUrl(text: string): string {
  const url = URL.parse(text);
  const host = url?.hostname ?? '';
  const isLoopback = host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
  // EN-19: an engine elsewhere would read every conversation, outside whatever this node proves about itself.
  if (url?.protocol !== 'http:' || !isLoopback) throw new EnclaveError('engine-not-local', {}, 'EN-19');
  // EN-19: a name or password in the address would be shown in process lists.
  if (url.username !== '' || url.password !== '') throw new EnclaveError('engine-not-local', {}, 'EN-19');
  return `${url.origin}${url.pathname.replace(/\/(v1\/?)?$/, '')}`;
}

/**
 * Asks the engine for its models and takes the first, or the one named.
 * @throws EnclaveError `engine-not-local`, `engine-unreachable`, `model-not-found`
 */
export async function createOpenAiEngine(options: { readonly url: string; readonly model?: string }): Promise<Engine> {
  const base = parseEngineUrl(options.url);
  const models = await fetchModels(base);
  const entry = options.model === undefined ? models[0] : models.find(({ id }) => id === options.model);
  if (entry === undefined) throw new EnclaveError('model-not-found');
  const model: EngineModel = {
    id: entry.id,
    label: entry.id,
    parameters: 0,
    contextTokens: entry.contextTokens,
    starter: false,
  };
  return {
    model,
    concurrency: 8,
    generate: (request) => generate(base, model.id, request),
    close: async () => undefined,
  };
}

async function fetchModels(base: string): Promise<{ readonly id: string; readonly contextTokens: number }[]> {
  try {
    const signal = AbortSignal.timeout(PROBE_TIME_MS);
    // A redirect could lead off this machine after the address was checked (EN-19).
    const response = await fetch(`${base}/v1/models`, { redirect: 'error', signal });
    const text = await response.text();
    if (!response.ok || text.length > MODELS_LIMIT_BYTES) throw new EnclaveError('engine-unreachable');
    const { data } = JSON.parse(text) as { data: Record<string, unknown>[] };
    return data
      .filter(({ id }) => typeof id === 'string' && id.length > 0 && id.length <= 200)
      .map((entry) => ({ id: entry['id'] as string, contextTokens: contextTokensOf(entry) }));
  } catch {
    throw new EnclaveError('engine-unreachable');
  }
}

function contextTokensOf(entry: Record<string, unknown>): number {
  const meta = (entry['meta'] ?? {}) as Record<string, unknown>;
  const known = [entry['max_model_len'], entry['context_length'], meta['n_ctx_train']].find(Number.isSafeInteger);
  return (known as number | undefined) ?? DEFAULT_CONTEXT_TOKENS;
}

async function* generate(base: string, model: string, request: EngineRequest): AsyncGenerator<EngineEvent> {
  const { messages, maxTokens, temperature, signal } = request;
  const options = { stream: true, stream_options: { include_usage: true } };
  const body = JSON.stringify({ model, messages, max_tokens: maxTokens, temperature, ...options });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body,
    signal,
    redirect: 'error',
  }).catch(() => {
    throw new EnclaveError('engine-unreachable');
  });
  if (!response.ok || response.body === null) throw await refusalOf(response);
  let finish: 'stop' | 'length' | undefined;
  let usage = { prompt_tokens: 0, completion_tokens: 0 };
  let deltas = 0;
  for await (const data of parseSse(response.body)) {
    if (data === SSE_DONE) break;
    const chunk = parseChatChunk(data);
    if (chunk.error !== undefined) throw new EnclaveError('engine-crashed');
    if (chunk.deltaText !== undefined) {
      deltas++;
      yield { text: chunk.deltaText };
    }
    finish = chunk.finishReason ?? finish;
    usage = chunk.usage ?? usage;
  }
  if (finish === undefined) throw new EnclaveError('engine-crashed');
  yield { finish, promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens || deltas };
}

/** Of the engine's own error only its kind is used: its text can quote the conversation. */
async function refusalOf(response: Response): Promise<EnclaveError> {
  const text = await response.text().catch(() => '');
  const isTooLong = response.status === 400 && /context_length_exceeded|exceed_context_size|maximum context/.test(text);
  return new EnclaveError(isTooLong ? 'prompt-too-long' : 'engine-crashed');
}
