/**
 * Looks for an inference engine that already runs on this machine. It is offered by name and never used silently: it
 * reads every chat it answers. What it says about itself is untrusted text, capped and cleaned before it is shown.
 */

import { EXIT, PlainError } from '../plain-error.ts';
import { fetchCapped } from './http-source.ts';

export interface DetectedEngine {
  readonly name: 'Ollama' | 'LM Studio' | 'llama-server' | 'vLLM';
  /** Root of its OpenAI-compatible API, on loopback. */
  readonly url: string;
  /** The models it says it has, at most eight. */
  readonly models: readonly string[];
}

interface KnownEngine {
  readonly name: DetectedEngine['name'];
  readonly port: number;
  /** True when a `/v1/models` answer is this engine's. */
  readonly recognise: (owners: readonly string[]) => boolean;
}

const KNOWN: readonly KnownEngine[] = [
  { name: 'Ollama', port: 11_434, recognise: () => true },
  { name: 'LM Studio', port: 1_234, recognise: () => true },
  { name: 'llama-server', port: 8_080, recognise: (owners) => owners.includes('llamacpp') },
  { name: 'vLLM', port: 8_000, recognise: (owners) => owners.includes('vllm') },
];

const ANSWER_LIMIT_BYTES = 200_000;
const TIMEOUT_MS = 500;

/** @param ports overrides the usual ports (for tests) */
export async function detectEngines(
  ports: Partial<Record<DetectedEngine['name'], number>> = {},
): Promise<DetectedEngine[]> {
  const found = await Promise.all(KNOWN.map((engine) => probe(engine, ports[engine.name] ?? engine.port)));
  return found.filter((engine) => engine !== undefined);
}

async function probe(engine: KnownEngine, port: number): Promise<DetectedEngine | undefined> {
  const url = `http://127.0.0.1:${port}`;
  try {
    const { status, body } = await fetchCapped(`${url}/v1/models`, {
      accept: 'application/json',
      limitBytes: ANSWER_LIMIT_BYTES,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (status !== 200) return undefined;
    const { data } = JSON.parse(body) as { data?: unknown };
    if (!Array.isArray(data)) return undefined;
    const rows = data.slice(0, 8) as ({ id?: unknown; owned_by?: unknown } | null)[];
    if (!engine.recognise(rows.map((row) => String(row?.owned_by)))) return undefined;
    const models = rows.map((row) => row?.id).filter((id) => typeof id === 'string');
    return { name: engine.name, url, models: models.map(printable) };
  } catch {
    return undefined;
  }
}

/** @throws PlainError unless `text` is a plain http address on this machine */
export function parseEngineUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname ?? '';
  const loopback = host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
  if (url?.protocol !== 'http:' || !loopback || url.username !== '' || url.password !== '') {
    throw new PlainError(
      'SOTTO_ENGINE_URL must be an http address on this machine, such as http://127.0.0.1:11434.',
      'In this version the engine must run on the same machine: anywhere else it would read your chats over there.',
      EXIT.usage,
    );
  }
  return url.href.replace(/\/(v1\/?)?$/, '');
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 80);
}
