/**
 * Messages cut into frames, one frame a Noise message, and put together again (spec/confer.md, frames).
 *
 *   message NoiseTransportFrame {
 *     int64  chunk_id     = 1   one random value a message; may be negative
 *     uint32 chunk_index  = 2
 *     uint32 total_chunks = 3
 *     bytes  payload      = 4   at most 65,489
 *   }
 *
 * What is put together was made by the peer: count, bytes, number and age of what is open are bounded.
 */
import { concatBytes } from '@sotto/bytes';
import type { Clock } from '@sotto/ports';
import { ConferError } from './errors.ts';
import { FieldWriter, ProtobufError, parseFields } from './protobuf.ts';
import { type ConferLimits, EMPTY, FRAME_PAYLOAD_LIMIT_BYTES, NOISE_LIMIT_BYTES } from './suite.ts';

export interface ConferFrame {
  /** Signed, 64 bits. */
  readonly chunkId: bigint;
  readonly index: number;
  readonly total: number;
  readonly payload: Uint8Array;
}

const RULES = {
  1: { kind: 'integer' },
  2: { kind: 'integer' },
  3: { kind: 'integer' },
  4: { kind: 'bytes', limitBytes: NOISE_LIMIT_BYTES },
} as const;

export function encodeFrame(frame: ConferFrame): Uint8Array<ArrayBuffer> {
  return new FieldWriter(frame.payload.length + 32)
    .integer(1, frame.chunkId)
    .integer(2, BigInt(frame.index))
    .integer(3, BigInt(frame.total))
    .bytes(4, frame.payload)
    .finish();
}

/** The frames of one message, in order. @param chunkId random, fresh for each message */
export function* encodeFrames(chunkId: bigint, message: Uint8Array): Generator<Uint8Array<ArrayBuffer>, void> {
  const total = Math.max(1, Math.ceil(message.length / FRAME_PAYLOAD_LIMIT_BYTES));
  for (let index = 0; index < total; index++) {
    const start = index * FRAME_PAYLOAD_LIMIT_BYTES;
    yield encodeFrame({ chunkId, index, total, payload: message.subarray(start, start + FRAME_PAYLOAD_LIMIT_BYTES) });
  }
}

/** @throws ConferError `confer-frame-malformed` */
export function parseFrame(plaintext: Uint8Array): ConferFrame {
  try {
    const fields = parseFields(plaintext, RULES);
    const [index, total] = [fields.unsigned(2) ?? 0n, fields.unsigned(3) ?? 0n];
    // CO-21: no message has no part, and no part stands behind the last: one that claims so never ends.
    if (total > 0xffff_ffffn || index >= total) throw new ProtobufError('no such part');
    const chunkId = fields.signed(1) ?? 0n;
    return { chunkId, index: Number(index), total: Number(total), payload: fields.bytes(4) ?? EMPTY };
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ConferError('confer-frame-malformed', { rule: 'CO-20' });
  }
}

interface Assembly {
  readonly parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
  readonly stop: AbortController;
}

/** Owned by one connection. Messages may interleave, and their frames come in any order. */
export class Assembler {
  readonly #limits: ConferLimits;
  readonly #clock: Clock;
  readonly #onTimeout: (error: ConferError) => void;
  readonly #open = new Map<bigint, Assembly>();
  #bytes = 0;

  /** @param onTimeout called when a message that began has not ended in time */
  constructor(limits: ConferLimits, clock: Clock, onTimeout: (error: ConferError) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onTimeout = onTimeout;
  }

  /**
   * @returns the message that this frame completes, if it does
   * @throws ConferError `confer-frame-malformed`, `confer-assembly-limit`
   */
  take(frame: ConferFrame): Uint8Array | undefined {
    const { chunkId, index, total, payload } = frame;
    // CO-22: the list of parts is ours to hold from the first of them on, whatever the rest will be.
    if (total > this.#limits.framesPerMessage) throw new ConferError('confer-assembly-limit', { rule: 'CO-22' });
    if (total === 1 && !this.#open.has(chunkId)) return payload;
    const assembly = this.#open.get(chunkId) ?? this.#begin(chunkId, total);
    const isNew = assembly.parts.length === total && assembly.parts[index] === undefined;
    // CO-25: a part that comes again with other bytes, or a total that changes, makes two messages of one.
    if (!isNew) throw new ConferError('confer-frame-malformed', { rule: 'CO-25' });
    assembly.parts[index] = payload;
    assembly.missing--;
    assembly.bytes += payload.length;
    this.#bytes += payload.length;
    const isTooLong = assembly.bytes > this.#limits.messageBytes;
    // CO-23: a message without an end is a way to take all of our memory.
    if (isTooLong) throw new ConferError('confer-assembly-limit', { rule: 'CO-23' });
    // CO-24: many messages of a lawful length take as much.
    if (this.#bytes > this.#limits.assemblyBytes) throw new ConferError('confer-assembly-limit', { rule: 'CO-24' });
    if (assembly.missing > 0) return undefined;
    this.#end(chunkId, assembly);
    return concatBytes(...(assembly.parts as Uint8Array[]));
  }

  /** Forgets everything; the connection is over. */
  clear(): void {
    for (const [chunkId, assembly] of this.#open) this.#end(chunkId, assembly);
  }

  #begin(chunkId: bigint, total: number): Assembly {
    // CO-24: each message that is open costs us, and its sender one frame.
    if (this.#open.size >= this.#limits.openAssemblies)
      throw new ConferError('confer-assembly-limit', { rule: 'CO-24' });
    const stop = new AbortController();
    const assembly = {
      parts: new Array<Uint8Array | undefined>(total).fill(undefined),
      missing: total,
      bytes: 0,
      stop,
    };
    this.#open.set(chunkId, assembly);
    this.#clock.sleep(this.#limits.assemblyTimeoutMs, stop.signal).then(
      // CO-26: a message that never ends would hold its memory as long as the connection lives.
      () => this.#onTimeout(new ConferError('confer-assembly-timeout', { rule: 'CO-26' })),
      () => undefined,
    );
    return assembly;
  }

  #end(chunkId: bigint, assembly: Assembly): void {
    this.#open.delete(chunkId);
    this.#bytes -= assembly.bytes;
    assembly.stop.abort(new ConferError('confer-closed'));
  }
}
