/** Runs one target over many inputs and judges how it took each: accepted, refused in its own words, or crashed. */
import v8 from 'node:v8';
import { inputAt } from './mutate.ts';
import { Prng } from './prng.ts';
import type { Input, Outcome, Target } from './target.ts';

export interface Crash {
  readonly target: string;
  /** With the seed and the target, all that is needed to have the input again. */
  readonly index: number;
  readonly kind: 'foreign-error' | 'security' | 'slow' | 'hang' | 'memory' | 'late-rejection';
  readonly detail: string;
  /** The parts in hex, made smaller where that was possible; long ones are cut. */
  readonly input: readonly string[];
}

export interface TargetResult {
  readonly target: string;
  inputs: number;
  accepted: number;
  readonly refused: Record<string, number>;
  readonly crashes: Crash[];
  tookMs: number;
}

export interface RunLimits {
  readonly seed: string;
  /** Inputs at most. */
  readonly inputs: number;
  /** Time at most; a run by count has none. */
  readonly milliseconds: number;
  /** An input that takes more CPU time of this thread than this is a crash. */
  readonly slowMs: number;
  /** A promise that has not settled after this long is a crash. */
  readonly hangMs: number;
  /** What one input may add to the heap and its buffers. */
  readonly memoryBytes: number;
  /** This one input and no other. */
  readonly only?: number;
}

export const DEFAULT_RUN: Omit<RunLimits, 'seed'> = {
  inputs: 250,
  milliseconds: Number.POSITIVE_INFINITY,
  slowMs: 1000,
  hangMs: 10_000,
  memoryBytes: 128 * 1024 * 1024,
};

const CRASHES_LIMIT = 20;
const SHOWN_BYTES = 2000;

/** @param onInput told before each input, for who watches from outside */
export async function fuzzTarget(
  target: Target,
  limits: RunLimits,
  onInput: (index: number) => void = () => undefined,
): Promise<TargetResult> {
  const result: TargetResult = { target: target.name, inputs: 0, accepted: 0, refused: {}, crashes: [], tookMs: 0 };
  const seen = new Set<string>();
  const began = performance.now();
  let current: { index: number; input: Input } | undefined;
  const isNew = (kind: Crash['kind'], detail: string) => {
    if (seen.size >= CRASHES_LIMIT) return false;
    return seen.size < seen.add(`${kind} ${detail}`).size;
  };
  const note = (kind: Crash['kind'], detail: string, index: number, input: Input) => {
    result.crashes.push({ target: target.name, index, kind, detail, input: shown(input) });
  };
  const onLate = (error: unknown) => {
    const detail = describe(error);
    if (current !== undefined && isNew('late-rejection', detail)) {
      note('late-rejection', detail, current.index, current.input);
    }
  };
  process.on('unhandledRejection', onLate);
  try {
    const corpus = await target.corpus();
    if (corpus.length === 0) return result;
    const last = limits.only === undefined ? Math.min(limits.inputs, target.share ?? limits.inputs) : limits.only + 1;
    for (let index = limits.only ?? 0; index < last; index++) {
      if (performance.now() - began > limits.milliseconds && result.inputs > 0) break;
      onInput(index);
      const input = inputAt(new Prng(`${limits.seed}/${target.name}/${index}`), corpus, index);
      current = { index, input };
      const taken = await take(target, input, limits);
      result.inputs++;
      if (taken.kind === 'accepted') result.accepted++;
      else if (taken.kind === 'refused') result.refused[taken.code] = (result.refused[taken.code] ?? 0) + 1;
      else if (taken.kind === 'slow' && (await take(target, input, limits)).kind !== 'slow') result.accepted++;
      else if (isNew(taken.kind, taken.detail)) {
        note(taken.kind, taken.detail, index, await smaller(target, input, taken, limits));
        // What hangs goes on holding what it holds.
        if (taken.kind === 'hang') break;
      }
    }
    // What was rejected and never caught is told a turn later.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    await target.close?.();
    process.off('unhandledRejection', onLate);
    result.tookMs = performance.now() - began;
  }
  return result;
}

type Taken =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: Crash['kind']; readonly detail: string };

async function take(target: Target, input: Input, limits: RunLimits): Promise<Taken> {
  const cpu = process.threadCpuUsage();
  const held = heldBytes();
  let taken: Taken;
  try {
    const outcome = target.run(input);
    const code = outcome instanceof Promise ? await within(outcome, limits.hangMs) : outcome;
    if (code === HUNG) return { kind: 'hang', detail: `not settled after ${limits.hangMs} ms` };
    taken = typeof code === 'string' ? { kind: 'refused', code } : { kind: 'accepted' };
  } catch (error) {
    if (error instanceof Error && error.name === 'SecurityFault') taken = { kind: 'security', detail: error.message };
    else if (target.errors.some((known) => error instanceof known)) taken = { kind: 'refused', code: codeOf(error) };
    else taken = { kind: 'foreign-error', detail: describe(error) };
  }
  const { user, system } = process.threadCpuUsage(cpu);
  if ((user + system) / 1000 > limits.slowMs) return { kind: 'slow', detail: `more than ${limits.slowMs} ms` };
  if (heldBytes() - held > limits.memoryBytes)
    return { kind: 'memory', detail: `more than ${limits.memoryBytes} bytes` };
  return taken;
}

const HUNG = Symbol('hung');

async function within(outcome: Promise<Outcome>, hangMs: number): Promise<Outcome | typeof HUNG> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof HUNG>((resolve) => {
    timer = setTimeout(() => resolve(HUNG), hangMs);
  });
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}

/** Leaves away what the crash does not need. */
async function smaller(target: Target, input: Input, crash: Taken, limits: RunLimits): Promise<Input> {
  if (crash.kind !== 'foreign-error') return input;
  let best = input;
  let tries = 150;
  const isSame = async (candidate: Input) => {
    tries--;
    const taken = await take(target, candidate, limits);
    return taken.kind === crash.kind && 'detail' in taken && taken.detail === crash.detail;
  };
  for (let part = best.length - 1; part >= 0 && tries > 0 && best.length > 1; part--) {
    const candidate = best.toSpliced(part, 1);
    if (await isSame(candidate)) best = candidate;
  }
  for (let part = 0; part < best.length; part++) {
    for (let size = Math.ceil((best[part]?.length ?? 0) / 2); size >= 1 && tries > 0; size = Math.floor(size / 2)) {
      for (let at = 0; at < (best[part]?.length ?? 0) && tries > 0; ) {
        const bytes = best[part] as Uint8Array<ArrayBuffer>;
        const candidate = best.with(part, Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + size)]));
        if (await isSame(candidate)) best = candidate;
        else at += size;
      }
    }
  }
  return best;
}

function shown(input: Input): string[] {
  return input.map((part) => {
    const hex = Buffer.from(part.subarray(0, SHOWN_BYTES)).toString('hex');
    return part.length > SHOWN_BYTES ? `${hex}… (${part.length} bytes)` : hex;
  });
}

function codeOf(error: unknown): string {
  const { code, rule } = error as { code?: string; rule?: string };
  return rule === undefined ? `${code}` : `${code} ${rule}`;
}

/** The error's name, words and the place it came from. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${typeof error}`;
  const frame = /\(?(?:file:\/\/)?[^\s(]*?((?:packages|apps|adapters|node_modules)\/[^\s)]+)/.exec(error.stack ?? '');
  return `${error.name}: ${error.message.split('\n')[0]?.slice(0, 200)}${frame?.[1] === undefined ? '' : ` at ${frame[1]}`}`;
}
