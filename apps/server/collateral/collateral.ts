/**
 * Fetches what vendors publish and remembers it, for clients that judge evidence (spec/server.md §collateral). Clients verify
 * every byte of it: a server that lies here can only make a verification fail. Vendors' answers are untrusted too.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Fetch, FetchResponse } from '@sotto/ports';
import { COLLATERAL_LIMIT_BYTES, parseCollateralAnswer, parseJson } from '@sotto/wire';
import { ServerError } from '../errors.ts';
import {
  type CollateralOrigins,
  type CollateralQuestion,
  encodeCollateral,
  questionOf,
  VENDOR_ORIGINS,
} from './sources.ts';

export type CollateralConfig =
  /** Asks nobody: every question is refused. */
  | { readonly kind: 'off' }
  /** Answers as this service wrote them, one file a question; nothing leaves the machine. */
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'online'; readonly origins?: CollateralOrigins };

const TIMEOUT_MS = 10_000;
/** How long the last answer is handed out when the vendor cannot be reached; whether it still counts the client judges. */
const STALE_MS = 7 * 24 * 3_600_000;
const ENTRIES_LIMIT_COUNT = 2000;
const FILE_LIMIT_BYTES = 2 * COLLATERAL_LIMIT_BYTES;
const CHAIN_LIMIT = 16 * 1024;

interface Entry {
  readonly answer: string;
  readonly atMs: number;
}

export class Collateral {
  readonly #config: CollateralConfig;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #limitBytes: number;
  /** Longest unused first. */
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Map<string, Promise<string>>();
  #cachedBytes = 0;

  /** @param limitBytes of everything that is remembered */
  constructor(config: CollateralConfig, fetch: Fetch, clock: Clock, limitBytes: number) {
    this.#config = config;
    this.#fetch = fetch;
    this.#clock = clock;
    this.#limitBytes = limitBytes;
  }

  /**
   * @param path below `/api/collateral/`
   * @returns the JSON of `parseCollateralAnswer`
   * @throws ServerError `collateral-off`, `not-found`, `collateral-unavailable`
   */
  async answer(path: string): Promise<string> {
    const config = this.#config;
    // SV-56: a server that nobody told to asks no vendor, so that starting one tells nobody about it.
    if (config.kind === 'off') throw new ServerError('collateral-off');
    const origins = config.kind === 'online' ? (config.origins ?? VENDOR_ORIGINS) : VENDOR_ORIGINS;
    const question = questionOf(path, origins);
    // SV-50: an address that a caller may choose would make this server a way into other networks.
    if (question === undefined) throw new ServerError('not-found');
    return config.kind === 'folder' ? readAnswer(config.folder, question) : this.#online(question);
  }

  async #online(question: CollateralQuestion): Promise<string> {
    const kept = this.#entries.get(question.key);
    const ageMs = kept === undefined ? Number.POSITIVE_INFINITY : this.#clock.nowMs() - kept.atMs;
    if (kept !== undefined && ageMs < question.freshMs) {
      this.#entries.delete(question.key);
      this.#entries.set(question.key, kept);
      return kept.answer;
    }
    const running = this.#running.get(question.key) ?? this.#ask(question);
    this.#running.set(question.key, running);
    try {
      return await running;
    } catch (error) {
      // SV-53: an answer of last week may still verify, and none verifies never.
      if (kept === undefined || ageMs > STALE_MS) throw error;
      return kept.answer;
    } finally {
      this.#running.delete(question.key);
    }
  }

  async #ask(question: CollateralQuestion): Promise<string> {
    const body = question.body === undefined ? {} : { method: 'POST', body: question.body, headers: OCSP_HEADERS };
    try {
      const response = await this.#fetch(question.url, { ...body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const bytes = await response.bytes();
      const isAnswer = response.status === 200 && bytes.length > 0;
      // SV-52: a vendor's page of excuses would be cached as its word.
      if (!isAnswer) throw new ServerError('collateral-unavailable');
      const answer = encodeCollateral(bytes, issuerChainOf(response, question), this.#clock.nowMs());
      this.#keep(question.key, answer);
      return answer;
    } catch (error) {
      if (error instanceof ServerError) throw error;
      throw new ServerError('collateral-unavailable', error);
    }
  }

  #keep(key: string, answer: string): void {
    this.#drop(key);
    this.#entries.set(key, { answer, atMs: this.#clock.nowMs() });
    this.#cachedBytes += answer.length;
    for (const oldest of this.#entries.keys()) {
      const isFull = this.#entries.size > ENTRIES_LIMIT_COUNT || this.#cachedBytes > this.#limitBytes;
      // SV-54: ids are cheap to make up, and each would be kept.
      if (!isFull) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#cachedBytes -= this.#entries.get(key)?.answer.length ?? 0;
    this.#entries.delete(key);
  }
}

const OCSP_HEADERS = { 'content-type': 'application/ocsp-request' };

function issuerChainOf(response: FetchResponse, { issuerChainHeader }: CollateralQuestion): string | undefined {
  if (issuerChainHeader === undefined) return undefined;
  const encoded = response.header(issuerChainHeader) ?? '';
  const isPlausible = encoded.length > 0 && encoded.length <= CHAIN_LIMIT;
  // SV-52: without the chain the answer cannot be verified by anybody.
  if (!isPlausible) throw new ServerError('collateral-unavailable');
  return decodeURIComponent(encoded);
}

/** The key is made of checked parts: it names a file below the folder, or none. */
async function readAnswer(folder: string, { key }: CollateralQuestion): Promise<string> {
  try {
    const bytes = await readFile(join(folder, `${key}.json`));
    parseCollateralAnswer(parseJson(new Uint8Array(bytes), FILE_LIMIT_BYTES));
    return bytes.toString('utf8');
  } catch (error) {
    // SV-55: what is not in the folder is not there: nothing is fetched in its stead.
    throw new ServerError('collateral-unavailable', error);
  }
}
