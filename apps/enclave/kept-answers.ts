/**
 * Answers that can be recovered when their line is cut (spec/channel.md, recovery of a running answer). What is kept is
 * sealed under a key that only the client has; the text itself is not kept. Claimants are strangers: what they know of an
 * answer decides, and one refusal serves for every reason.
 */
import { equalBytes } from '@sotto/bytes';
import {
  AnswerSealer,
  CHUNK_LIMIT_BYTES,
  CLAIMS_LIMIT,
  type Claim,
  deriveClaim,
  deriveRoots,
  encodeClaimStart,
  encodeSealedChunk,
  KEPT_ANSWER_LIMIT_BYTES,
  KEPT_CHUNKS_LIMIT,
  KEPT_TIME_MS,
} from '@sotto/channel/recovery';
import type { Clock } from '@sotto/ports';
import { EnclaveError } from './enclave-error.ts';

export interface KeptLimits {
  /** After the line was lost, or the answer ended. */
  readonly timeMs: number;
  /** Sealed bytes of one answer. */
  readonly answerBytes: number;
  /** Of all answers together, with what each chunk takes beside its bytes. */
  readonly allBytes: number;
  readonly answers: number;
}

export const DEFAULT_KEPT_LIMITS: KeptLimits = {
  timeMs: KEPT_TIME_MS,
  answerBytes: KEPT_ANSWER_LIMIT_BYTES,
  allBytes: 64 * 1024 * 1024,
  answers: 1024,
};

/** What a chunk takes beside its bytes: objects and a buffer of its own (measured: about 200). */
const CHUNK_COST_BYTES = 256;

interface Chunk {
  readonly sealed: Uint8Array<ArrayBuffer>;
  /** Of its first byte in the kept stream. */
  readonly offset: number;
}

/** Whoever reads the answer now: the first stream, or a claim. */
export interface Reader {
  /** Another has taken the answer over. */
  readonly onTaken: () => void;
}

/** Owned by one node. */
export class KeptAnswers {
  readonly #clock: Clock;
  readonly #limits: KeptLimits;
  readonly #answers = new Map<string, KeptAnswer>();
  #bytes = 0;

  constructor(clock: Clock, limits: Partial<KeptLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_KEPT_LIMITS, ...limits };
  }

  get count(): number {
    return this.#answers.size;
  }

  /** What all answers take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Starts keeping an answer.
   *
   * @param recoveryKey 32 bytes; overwritten
   * @param stop called when the answer is given up while it is still computed and nobody reads it
   * @returns undefined where there is no room: the answer then ends with its line
   */
  begin(recoveryKey: Uint8Array, reader: Reader, stop: () => void): KeptAnswer | undefined {
    const { claimKey, chainKey } = deriveRoots(recoveryKey);
    const claim = deriveClaim(claimKey);
    recoveryKey.fill(0); // CH-96
    claimKey.fill(0); // CH-96
    const refuse = (): undefined => {
      chainKey.fill(0);
      eraseClaim(claim);
    };
    // CH-104: one key for two answers would seal two texts under the same chunk keys.
    if (this.#answers.has(nameOf(claim.id))) return refuse();
    // CH-99: more than these are memory that strangers choose.
    if (!this.#hasPlace()) return refuse();
    const answer = new KeptAnswer({
      claim,
      sealer: new AnswerSealer(chainKey),
      reader,
      stop,
      clock: this.#clock,
      limits: this.#limits,
      take: (bytes) => this.#take(bytes),
      drop: (id, bytes) => {
        this.#answers.delete(nameOf(id));
        this.#bytes -= bytes;
      },
      rename: (from, to) => {
        this.#answers.delete(nameOf(from));
        this.#answers.set(nameOf(to), answer);
      },
    });
    this.#answers.set(nameOf(claim.id), answer);
    return answer;
  }

  /**
   * The answer that this claim opens, taken over from whoever read it before; its next claim has another id and token.
   *
   * @throws EnclaveError `answer-not-kept`, the same whatever is wrong
   */
  claim(id: Uint8Array, token: Uint8Array, haveBytes: number, reader: Reader): KeptAnswer {
    const answer = this.#answers.get(nameOf(id));
    // CH-101: a refusal that told "unknown" from "known, but not yours" would say whose answer is where.
    if (answer === undefined) throw new EnclaveError('answer-not-kept');
    // CH-100: the id travels and is stored in more places than the token; it must not be enough.
    if (!answer.opensWith(token)) throw new EnclaveError('answer-not-kept');
    // CH-103: a claim prolongs what is kept, and whoever claims for ever would keep it for ever.
    if (answer.claims >= CLAIMS_LIMIT) throw new EnclaveError('answer-not-kept');
    // CH-93: a position that the answer has not reached would be served with a hole.
    if (haveBytes > answer.position) throw new EnclaveError('answer-not-kept');
    answer.takeOver(reader);
    return answer;
  }

  /** Erases everything. */
  close(): void {
    for (const answer of [...this.#answers.values()]) answer.discard();
  }

  #hasPlace(): boolean {
    return this.#answers.size < this.#limits.answers || this.#makeRoom();
  }

  #take(bytes: number): boolean {
    while (this.#bytes + bytes > this.#limits.allBytes) if (!this.#makeRoom()) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Lets go of the oldest answer that was delivered to its end: its client most likely has it. */
  #makeRoom(): boolean {
    for (const answer of this.#answers.values()) {
      if (!answer.isDelivered) continue;
      answer.discard();
      return true;
    }
    return false;
  }
}

interface KeptAnswerParts {
  readonly claim: Claim;
  readonly sealer: AnswerSealer;
  readonly reader: Reader;
  readonly stop: () => void;
  readonly clock: Clock;
  readonly limits: KeptLimits;
  readonly take: (bytes: number) => boolean;
  readonly drop: (id: Uint8Array, bytes: number) => void;
  readonly rename: (from: Uint8Array, to: Uint8Array) => void;
}

/** One answer: sealed chunks, who reads it, and when it goes. */
export class KeptAnswer {
  readonly #parts: KeptAnswerParts;
  readonly #chunks: Chunk[] = [];
  #claim: Claim;
  #claims = 0;
  #reader: Reader | undefined;
  #bytes = 0;
  #position = 0;
  #state: 'running' | 'ended' | 'gone' = 'running';
  #isDelivered = false;
  #timer: AbortController | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(parts: KeptAnswerParts) {
    this.#parts = parts;
    this.#claim = parts.claim;
    this.#reader = parts.reader;
  }

  /** Bytes of the kept stream so far. */
  get position(): number {
    return this.#position;
  }

  /** How often it was claimed. */
  get claims(): number {
    return this.#claims;
  }

  get isGone(): boolean {
    return this.#state === 'gone';
  }

  /** The whole answer went to a reader whose line still stood. */
  get isDelivered(): boolean {
    return this.#isDelivered;
  }

  opensWith(token: Uint8Array): boolean {
    return equalBytes(token, this.#claim.token);
  }

  /** Seals and keeps what the answer grew by; does nothing once it is gone. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && this.#state === 'running'; at += CHUNK_LIMIT_BYTES) {
      const part = bytes.subarray(at, at + CHUNK_LIMIT_BYTES);
      const sealed = await this.#parts.sealer.seal(part);
      if (this.#state !== 'running') return;
      const { limits, take } = this.#parts;
      const isTooLong = this.#bytes + sealed.length > limits.answerBytes || this.#chunks.length >= KEPT_CHUNKS_LIMIT;
      // CH-98: an answer without an end would be memory without an end.
      if (isTooLong) return this.discard();
      // CH-99: so would many answers at one time.
      if (!take(sealed.length + CHUNK_COST_BYTES)) return this.discard();
      this.#bytes += sealed.length;
      this.#chunks.push({ sealed, offset: this.#position });
      this.#position += part.length;
      this.#notify();
    }
  }

  /** The answer is whole: nothing more is sealed, and the time it is kept begins. */
  finish(): void {
    if (this.#state !== 'running') return;
    this.#state = 'ended';
    this.#parts.sealer.erase();
    this.#startTimer();
    this.#notify();
  }

  /** Its reader got everything. */
  delivered(reader: Reader): void {
    if (this.#reader === reader) this.#isDelivered = true;
  }

  /** Its reader's line was cut: it may come back. */
  lost(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.#isDelivered = false;
    // What is not kept any more nobody can come back for.
    if (this.#state === 'gone') this.#parts.stop();
    else {
      this.#reader = undefined;
      this.#startTimer();
    }
  }

  /** Its reader does not want it: nothing is computed or kept any more. */
  cancel(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.discard();
    this.#parts.stop();
  }

  /** CH-102: the line that carried it may look alive here long after it broke there. */
  takeOver(reader: Reader): void {
    const before = this.#reader;
    this.#reader = reader;
    this.#stopTimer();
    if (this.#state === 'ended') this.#startTimer();
    this.#turnClaim();
    before?.onTaken();
  }

  /** The body that answers a claim. @throws EnclaveError `answer-not-kept` when the answer is given up meanwhile */
  async *read(haveBytes: number, reader: Reader): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    let at = this.#chunks.findIndex(({ offset }) => offset > haveBytes);
    at = Math.max(0, (at < 0 ? this.#chunks.length : at) - 1);
    if (haveBytes === this.#position) at = this.#chunks.length;
    yield encodeClaimStart(at, this.#chunks[at]?.offset ?? this.#position);
    for (;;) {
      if (this.#state === 'gone' || this.#reader !== reader) throw new EnclaveError('answer-not-kept');
      const chunk = this.#chunks[at];
      if (chunk !== undefined) {
        at += 1;
        yield encodeSealedChunk(chunk.sealed);
      } else if (this.#state === 'ended') return;
      else await this.#wake.promise;
    }
  }

  /** Erases everything, and stops what only a claim could read. */
  discard(): void {
    if (this.#state === 'gone') return;
    const isUnread = this.#state === 'running' && this.#reader !== this.#parts.reader;
    this.#state = 'gone';
    this.#stopTimer();
    this.#parts.sealer.erase();
    this.#parts.drop(this.#claim.id, this.#bytes + this.#chunks.length * CHUNK_COST_BYTES);
    eraseClaim(this.#claim);
    for (const { sealed } of this.#chunks) sealed.fill(0);
    this.#chunks.length = 0;
    this.#notify();
    if (isUnread) this.#parts.stop();
  }

  /** CH-100: what a claim was made with opens nothing a second time. */
  #turnClaim(): void {
    this.#claims += 1;
    const used = this.#claim;
    this.#claim = deriveClaim(used.nextKey);
    this.#parts.rename(used.id, this.#claim.id);
    eraseClaim(used);
  }

  #startTimer(): void {
    if (this.#timer !== undefined || this.#state === 'gone') return;
    const timer = new AbortController();
    this.#timer = timer;
    const { clock, limits } = this.#parts;
    clock.sleep(limits.timeMs, timer.signal).then(
      // CH-97: nobody came back in time: the answer goes, and its engine with it.
      () => this.discard(),
      () => undefined,
    );
  }

  #stopTimer(): void {
    this.#timer?.abort();
    this.#timer = undefined;
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

function nameOf(id: Uint8Array): string {
  return String.fromCharCode(...id);
}

function eraseClaim({ token, nextKey }: Claim): void {
  token.fill(0);
  nextKey.fill(0);
}
